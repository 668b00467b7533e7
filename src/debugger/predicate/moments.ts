/**
 * At which events an expression is true, false or known at all. An event's word is known at its event only, and `pc == NUMBER` is true
 * only where a hart arrives; what follows for whole expressions is worked out here.
 */
import { type Expression, partsOf } from "./expression.ts"
import { costOf, type EventTrigger, union } from "./trigger.ts"

/** The events outside of which something is not so; null: it may be so at any moment. */
export type EventSet = readonly EventTrigger[] | null

export interface Moments {
  readonly true: EventSet
  readonly false: EventSet
  readonly known: EventSet
}

const found = new WeakMap<Expression, Moments>()

/** Worked out once for each expression, however often it is asked. */
export const momentsOf = (expression: Expression): Moments => {
  const earlier = found.get(expression)
  if (earlier) return earlier
  const moments = workOut(expression)
  found.set(expression, moments)
  return moments
}

const workOut = (expression: Expression): Moments => {
  if (expression.kind === "number")
    return expression.value === 0n ? { true: [], false: null, known: null } : { true: null, false: [], known: null }
  if (expression.kind === "event") return whereKnown([{ on: expression.word }])
  if (expression.kind === "unary" && expression.operator === "!") {
    const operand = momentsOf(expression.operand)
    return { true: operand.false, false: operand.true, known: operand.known }
  }
  const parts = partsOf(expression).map(momentsOf)
  // All parts must be known for the whole to be, except where one part decides.
  const known = whereKnown(parts.map(part => part.known).reduce(both, null))
  if (expression.kind !== "binary") return known
  const [left, right] = parts as [Moments, Moments]
  switch (expression.operator) {
    case "&&":
      return logical(both(left.true, right.true), either(left.false, right.false))
    case "||":
      return logical(either(left.true, right.true), both(left.false, right.false))
    case "==":
      return { ...known, true: both(known.true, arrival(expression)) }
    case "!=":
      return { ...known, false: both(known.false, arrival(expression)) }
    default:
      return known
  }
}

const whereKnown = (known: EventSet): Moments => ({ true: known, false: known, known })

const logical = (isTrue: EventSet, isFalse: EventSet): Moments => ({
  true: isTrue,
  false: isFalse,
  known: either(isTrue, isFalse),
})

/** `pc == NUMBER` or `!=`, of the hart that runs: where it arrives. */
const arrival = ({ left, right }: Expression & { kind: "binary" }): EventSet => {
  const [pc, address] = left.kind === "register" ? [left, right] : [right, left]
  const isArrival = pc.kind === "register" && pc.bank === "pc" && pc.hart === null && address.kind === "number"
  return isArrival ? [{ on: "pc", hart: null, address: address.value }] : null
}

/**
 * Where both are so, each alone is: one of the two will do. Words are preferred to addresses, for a handler's first instruction is about
 * to be executed at the moment at which an interrupt has been taken.
 */
const both = (a: EventSet, b: EventSet): EventSet => {
  if (a === null || b === null) return a ?? b
  return costOf(b) < costOf(a) ? b : a
}

const either = (a: EventSet, b: EventSet): EventSet => (a === null || b === null ? null : union(a, b))
