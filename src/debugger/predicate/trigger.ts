/** What can make a predicate true or no longer true: that which whoever runs the machine has to notice. */
import type { CsrChange } from "./csr-changes.ts"
import type { EventWord, HartChoice } from "./expression.ts"

/** An event. `pc`: the hart that runs is about to execute the instruction at `address`. */
export type EventTrigger =
  | { readonly on: "pc"; readonly hart: null; readonly address: bigint }
  | { readonly on: EventWord }

/** A hart that is null is whichever runs. Something that fires too often does no harm. */
export type Trigger =
  /** The hart arrives at the address, and leaves it. */
  | { readonly on: "pc"; readonly hart: HartChoice; readonly address: bigint }
  /** One is taken; the predicate is asked at that moment and, with the word unknown again, right after it. */
  | { readonly on: EventWord }
  /** These bytes are written by anybody through any mapping, or the hart's translation of a virtual address changes. */
  | {
      readonly on: "memory"
      readonly space: "virtual" | "physical"
      readonly hart: HartChoice
      readonly address: bigint
      readonly bytes: number
    }
  /** A stored CSR changes; `changes` says by what it can. */
  | { readonly on: "csr"; readonly hart: HartChoice; readonly csr: number; readonly changes: readonly CsrChange[] }
  /** The console's text grows. */
  | { readonly on: "console" }
  | { readonly on: "privilege"; readonly hart: HartChoice }
  /** Another task runs on the hart, or its name changes. */
  | { readonly on: "task"; readonly hart: HartChoice }
  /** The first moment at which virtual time, in nanoseconds, is not less than `at`. Those that lie behind never fire. */
  | { readonly on: "time"; readonly at: bigint }
  /** The hart has executed `at` instructions. */
  | { readonly on: "instret"; readonly hart: HartChoice; readonly at: bigint }
  /** A hart's turn begins. */
  | { readonly on: "turn" }
  /** Every moment of the hart, and whenever somebody else changes its registers. */
  | { readonly on: "instruction"; readonly hart: HartChoice }

/** Those of both, none twice. */
export const union = <T extends Trigger>(a: readonly T[], b: readonly T[]): readonly T[] => [
  ...new Map([...a, ...b].map(trigger => [Object.values(trigger).join(" "), trigger])).values(),
]

/** What looking costs, roughly: how often it fires in a million instructions. */
export const costOf = (triggers: readonly Trigger[]): number =>
  triggers.reduce((sum, trigger) => sum + costs[trigger.on], 0)
const costs: Readonly<Record<Trigger["on"], number>> = {
  time: 1,
  instret: 1,
  console: 20,
  interrupt: 30,
  task: 40,
  turn: 50,
  syscall: 60,
  trap: 70,
  privilege: 200,
  pc: 300,
  csr: 500,
  memory: 1_000,
  instruction: 1_000_000,
}
