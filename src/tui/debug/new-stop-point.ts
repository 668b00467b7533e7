/** From an order to a stop point, or to a sentence that says why there can be none. */
import type { Debugger, NewStopPoint } from "../../debugger/debugger.ts"
import { conditionOf, type GuestValue, guestExpression } from "../../debugger/guest-expression.ts"
import { isWatchable, type StopPlace } from "../../debugger/stop-point.ts"
import { formatAddress } from "../../debugger/symbols/symbol-source.ts"
import { watchPlaces } from "../../debugger/watch-places.ts"
import { BREAKPOINTS_MAX, STATE_WATCHES_MAX, WATCHES_MAX } from "../../hart/layout.ts"
import type { Problem } from "./commands.ts"
import type { Order } from "./order.ts"
import { hex } from "./scene/number-text.ts"

/** The orders that stop points come from. */
export type StopOrder = Extract<Order, { kind: "break" | "watch" | "catch" | "catch-console" }>

/** Where no length is given: that of the symbol, if it has one and is no larger. */
const WATCHED_BYTES = 8
/** A longer stretch of memory is not watched: every access to its pages would be looked at. */
const WATCHED_BYTES_MAX = 4096

const expressionOf = (session: Debugger, text: string): GuestValue | Problem => {
  const result = guestExpression(session, text)
  return result.ok ? result.value : { problem: result.problem }
}

/** The value of an expression where the debugger stands, or a sentence. */
export const evaluate = (session: Debugger, text: string): bigint | Problem => {
  const expression = expressionOf(session, text)
  if ("problem" in expression) return expression
  return (
    expression(session.selectedHart) ?? {
      problem: `"${text}" has no value here: ${/[/%]/.test(text) ? "it divides by 0, or " : ""}there is no memory where it reads.`,
    }
  )
}

const breakpoint = (session: Debugger, { address, condition }: StopOrder & { kind: "break" }, cursor: bigint) => {
  const at = address === null ? cursor : evaluate(session, address)
  if (typeof at !== "bigint") return at
  const name = formatAddress(session.symbols, at)
  const place = { kind: "breakpoint", address: at } as const
  if (condition === null) return { place, label: name }
  const holds = expressionOf(session, condition)
  if ("problem" in holds) return holds
  return {
    place,
    label: `${name} if ${condition}`,
    condition: conditionOf(holds),
  } satisfies NewStopPoint
}

const watchpoint = (session: Debugger, { access, target, length }: StopOrder & { kind: "watch" }) => {
  const name = target.replace(/^\$/, "")
  const isRegister = session.inspection.register(0, name) !== null
  if (isRegister && length === null) {
    if (access !== "change")
      return { problem: "Reads of a register cannot be watched; write :watch REG for its changes." }
    if (!isWatchable(name))
      return { problem: `Changes of ${name} cannot be watched; watch a register that is written.` }
    return { place: { kind: "register", name }, label: name } satisfies NewStopPoint
  }
  const address = evaluate(session, target)
  if (typeof address !== "bigint") return address
  const symbol = session.symbols.at(address)
  const known = symbol?.offset === 0n ? Number(symbol.symbol.size ?? 0n) : 0
  const bytes = length !== null ? Number(length) : known > 0 ? Math.min(WATCHED_BYTES, known) : WATCHED_BYTES
  if (bytes < 1 || bytes > WATCHED_BYTES_MAX)
    return { problem: `${length} bytes cannot be watched; give a length from 1 to ${WATCHED_BYTES_MAX}.` }
  const label = `${formatAddress(session.symbols, address)}, ${bytes} byte${bytes === 1 ? "" : "s"}`
  // Memory that lies in several pieces is watched by its virtual address.
  const places = watchPlaces(session, session.selectedHart, address, bytes, access)
  const place =
    places.length === 1 ? places[0]! : ({ kind: "watchpoint", space: "virtual", address, bytes, access } as const)
  return { place, label } satisfies NewStopPoint
}

/** As many as the machine has room for; one breakpoint is kept for ways that end at an address. */
const most: Partial<Record<StopPlace["kind"], number>> = {
  breakpoint: BREAKPOINTS_MAX - 1,
  watchpoint: WATCHES_MAX,
  register: STATE_WATCHES_MAX,
}

const roomFor = ({ stopPoints }: Debugger, made: NewStopPoint | Problem): NewStopPoint | Problem => {
  if ("problem" in made) return made
  const { kind } = made.place
  const limit = most[kind] ?? Number.POSITIVE_INFINITY
  const there = stopPoints.filter(({ place }) => place.kind === kind).length
  return there < limit
    ? made
    : { problem: `There are ${limit} ${kind}s already, which is all there can be; delete one.` }
}

/** What a stop point is to be made from. `cursor` is where the code's cursor is. */
export const newStopPoint = (session: Debugger, order: StopOrder, cursor: bigint): NewStopPoint | Problem => {
  switch (order.kind) {
    case "break":
      return roomFor(session, breakpoint(session, order, cursor))
    case "watch":
      return roomFor(session, watchpoint(session, order))
    case "catch":
      return {
        place:
          order.what === "syscall"
            ? { kind: "syscall", number: order.number }
            : { kind: order.what, cause: order.number },
      }
    case "catch-console":
      return { place: { kind: "console", pattern: order.pattern } }
  }
}

/** What was made, for people: `0x80001234` beside a name. */
export const addressNote = (session: Debugger, address: bigint): string => {
  const name = formatAddress(session.symbols, address)
  return name.startsWith("0x") ? hex(address) : `${name} (${hex(address)})`
}
