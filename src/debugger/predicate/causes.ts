/** Everything that can change the value of an expression, whatever its operators make of it. */
import { csrChanges, csrDependence } from "./csr-changes.ts"
import { type Expression, partsOf } from "./expression.ts"
import { momentsOf } from "./moments.ts"
import { type Trigger, union } from "./trigger.ts"

/** The value of a computed address at some moment; null: unknown. */
export type AddressNow = (address: Expression) => bigint | null

/**
 * With `addressNow`, what is read at computed addresses is looked for there: good until the predicate is asked again, as an address
 * cannot change before one of its own causes does.
 */
export const causesOf = (expression: Expression, addressNow: AddressNow | null = null): readonly Trigger[] => {
  const parts = partsOf(expression)
  // What an event's word makes unknown at all other moments changes at the event alone. Where a hart has arrived it may stay.
  const events = parts.length > 0 ? momentsOf(expression).known : null
  const momentary = events?.some(({ on }) => on === "pc") ? null : events
  const special =
    momentary ?? (expression.kind === "binary" ? (turningPoints(expression) ?? arrival(expression)) : null)
  if (special !== null) return special
  return parts.map(part => causesOf(part, addressNow)).reduce(union, ownCauses(expression, addressNow))
}

/** What can change an expression's value while its parts stay as they are. */
const ownCauses = (expression: Expression, addressNow: AddressNow | null): readonly Trigger[] => {
  switch (expression.kind) {
    case "register":
    case "instret":
      return [{ on: "instruction", hart: expression.hart }]
    case "csr":
      return csrCauses(expression)
    case "memory":
      return memoryCauses(expression, addressNow)
    case "hart":
      return [{ on: "turn" }]
    case "time":
      return [{ on: "instruction", hart: null }]
    case "privilege":
      return [{ on: "privilege", hart: expression.hart }]
    case "pid":
    case "comm":
      return [{ on: "task", hart: expression.hart }]
    case "event":
      return [{ on: expression.word }]
    case "said":
      return [{ on: "console" }]
    default:
      return []
  }
}

const csrCauses = ({ hart, csr }: Expression & { kind: "csr" }): readonly Trigger[] => {
  const { stored, counts } = csrDependence(csr)
  if (counts !== null) return [{ on: "instruction", hart }]
  return stored.map(register => ({ on: "csr", hart, csr: register, changes: csrChanges(register) }))
}

const memoryCauses = (
  { space, hart, bytes, address }: Expression & { kind: "memory" },
  addressNow: AddressNow | null,
): readonly Trigger[] => {
  // Anybody may write there at any moment.
  if (address.kind !== "number" && addressNow === null) return [{ on: "instruction", hart: null }]
  const now = address.kind === "number" ? address.value : addressNow!(address)
  if (now === null) return []
  const written: Trigger = { on: "memory", space, hart, address: now, bytes }
  // Without a hart it is the memory of whichever runs: the next one may see other bytes there.
  return space === "virtual" && hart === null ? [written, { on: "turn" }] : [written]
}

/** Comparisons of a count with a number: from which counts on the answer is another. */
const pointsOf: Readonly<Record<string, (bound: bigint) => readonly bigint[]>> = {
  "<": bound => [bound],
  ">=": bound => [bound],
  "<=": bound => [bound + 1n],
  ">": bound => [bound + 1n],
  "==": bound => [bound, bound + 1n],
  "!=": bound => [bound, bound + 1n],
}
const mirrored: Readonly<Record<string, string>> = { "<": ">", ">": "<", "<=": ">=", ">=": "<=" }

/** `time` or `instret` compared with a number. */
const turningPoints = ({ operator, left, right }: Expression & { kind: "binary" }): readonly Trigger[] | null => {
  const [count, bound, relation] =
    right.kind === "number" ? [left, right, operator] : [right, left, mirrored[operator] ?? operator]
  const points = pointsOf[relation]
  if (bound.kind !== "number" || points === undefined) return null
  if (count.kind === "time") return points(bound.value).map(at => ({ on: "time", at }))
  if (count.kind === "instret") return points(bound.value).map(at => ({ on: "instret", hart: count.hart, at }))
  return null
}

/** `pc == NUMBER` or `!=`. */
const arrival = ({ operator, left, right }: Expression & { kind: "binary" }): readonly Trigger[] | null => {
  const [pc, address] = left.kind === "register" ? [left, right] : [right, left]
  if (operator !== "==" && operator !== "!=") return null
  if (pc.kind !== "register" || pc.bank !== "pc" || address.kind !== "number") return null
  return [{ on: "pc", hart: pc.hart, address: address.value }]
}
