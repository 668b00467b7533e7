/**
 * When a predicate has to be asked, so that no moment is missed and few are looked at.
 *
 * A *moment* is a machine between two instructions, seen from the hart that runs: at the beginning of its turn and after each of its
 * instructions. There are two sorts of predicates.
 *
 * **Of events.** A predicate that cannot hold but where certain events happen: a hart is about to execute the instruction at an address
 * (`pc == NUMBER`), or has just taken an interrupt, an exception or an environment call from user mode (whatever is made of the words
 * `interrupt`, `trap` and `syscall`, which are unknown at all other moments). It is asked at these events and nowhere else, and *every*
 * one at which it holds is a find. `A && B` is of events when A or B is, `A || B` when both are. What happens at one position is one
 * moment: its context tells of all of it.
 *
 * **Of states.** Every other predicate. A find is a moment at which it *becomes true*: it holds, and at the moment before it was false
 * or unknown. The moment before the first one counts as false. A predicate that mentions something of a hart without saying of which
 * (`a0`, `csr.satp`, `instret`, `privilege`, `pid`, `comm`, `hart`; not memory) has one truth for each hart: the moment before is then
 * the same hart's. Any other predicate has one truth for the machine, asked of whichever hart runs.
 *
 * The truth of a predicate of states changes from one moment to the next only if one of its triggers fires. Not all of them matter all
 * the time: while A is not true, `A && B` stays not true whatever B does, so waiting for A is enough; when A is true, it takes B.
 * `watch` tells what matters now, the cheapest where there is a choice. It is good until one of these triggers fires; then the
 * predicate is evaluated and `watch` is asked again, whether or not that was a find.
 */
import { type AddressNow, causesOf } from "./causes.ts"
import type { Context } from "./context.ts"
import { compile, compileTruth, type Evaluation, logical } from "./evaluate.ts"
import { type Expression, type LogicalOperator, partsOf } from "./expression.ts"
import { momentsOf } from "./moments.ts"
import { needsOf } from "./needs.ts"
import { costOf, type EventTrigger, type Trigger, union } from "./trigger.ts"

export type Triggers =
  | {
      readonly kind: "events"
      /** None: it can never hold. */
      readonly events: readonly EventTrigger[]
    }
  | {
      readonly kind: "states"
      /** Its truth is kept for each hart apart. */
      readonly perHart: boolean
      /** All that can change its truth, ever. */
      readonly all: readonly Trigger[]
      /** What can change its truth next, at the moment of `context`. None: it stays as it is for good. */
      readonly watch: (context: Context) => readonly Trigger[]
    }

/** Symbols are to be bound before: nothing tells when the address of one that is not changes. */
export const triggersOf = (expression: Expression): Triggers => {
  const events = momentsOf(expression).true
  if (events !== null) return { kind: "events", events }
  const { perHart } = needsOf(expression)
  const turns: readonly Trigger[] = perHart ? [{ on: "turn" }] : []
  const { waits } = planOf(expression)
  return {
    kind: "states",
    perHart,
    all: union(turns, causesOf(expression)),
    watch: context => union(turns, waits(context, 1n)),
  }
}

/** An expression's truth, and what has to be waited for until it can change whether that truth is `wanted`, 1 or 0. */
interface Plan {
  readonly truth: Evaluation
  readonly waits: (context: Context, wanted: bigint) => readonly Trigger[]
}

const planOf = (expression: Expression): Plan => {
  if (expression.kind === "unary" && expression.operator === "!") {
    const { waits } = planOf(expression.operand)
    return { truth: compileTruth(expression), waits: (context, wanted) => waits(context, 1n - wanted) }
  }
  if (expression.kind === "binary" && (expression.operator === "&&" || expression.operator === "||"))
    return planOfLogical(expression.operator, planOf(expression.left), planOf(expression.right))
  const truth = compileTruth(expression)
  if (expression.kind === "said") {
    // What the console has said once it has said for good.
    const { pattern } = expression
    return { truth, waits: context => (context.said(pattern) ? [] : [{ on: "console" }]) }
  }
  const addresses = addressesOf(expression)
  const causes = causesOf(expression)
  const waits = (context: Context) => {
    const now: AddressNow = address => addresses.get(address)!(context)
    return (addresses.size > 0 ? causesOf(expression, now) : causes).filter(trigger => !isPast(trigger, context))
  }
  return { truth, waits }
}

const planOfLogical = (operator: LogicalOperator, left: Plan, right: Plan): Plan => {
  /** The truth that takes both parts: `&&` is 1 when both are, `||` is 0 when both are. For the other, one part is enough. */
  const united = operator === "&&" ? 1n : 0n
  const waits = (context: Context, wanted: bigint) => {
    const parts = [left, right].map(part => ({ part, isSo: part.truth(context) === wanted }))
    // Where it takes both, one that is not so holds the whole back; where one is enough, one that is so carries it.
    const deciding = parts.filter(({ isSo }) => isSo === (wanted !== united))
    return (deciding.length > 0 ? deciding : parts)
      .map(({ part }) => part.waits(context, wanted))
      .reduce(deciding.length > 0 ? cheaper : union)
  }
  return { truth: logical(operator, left.truth, right.truth), waits }
}

const cheaper = (a: readonly Trigger[], b: readonly Trigger[]): readonly Trigger[] => (costOf(b) < costOf(a) ? b : a)

/** The computed addresses of memory in an expression, compiled. */
const addressesOf = (expression: Expression): ReadonlyMap<Expression, Evaluation> => {
  const addresses = new Map(partsOf(expression).flatMap(part => [...addressesOf(part)]))
  if (expression.kind === "memory" && expression.address.kind !== "number")
    addresses.set(expression.address, compile(expression.address))
  return addresses
}

/** Counts only grow. */
const isPast = (trigger: Trigger, context: Context): boolean => {
  if (trigger.on === "time") return trigger.at <= context.time
  if (trigger.on !== "instret") return false
  const count = context.instret(trigger.hart)
  return count !== null && trigger.at <= count
}
