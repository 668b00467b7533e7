/** Tables that are not in the log and come of going through a history: exceptions, and Linux turning from task to task. */
import { Effect } from "effect"
import { formatPosition } from "../../events/index.ts"
import { causeName } from "../../riscv/trap.ts"
import type { Going } from "../../session/timeline/timeline.ts"
import type { Debugger } from "../debugger.ts"
import type { Finding, Question, Searchers, WrittenPredicate } from "./question.ts"
import { search } from "./search.ts"
import { writtenPredicate } from "./written-predicate.ts"

export interface Derived {
  readonly name: DerivedName
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

export type DerivedName = "traps" | "switches"

/** More rows than these are not made. */
const ROWS_MAX = 2_000_000
const MACHINE = 3n

const plain: Omit<WrittenPredicate, "text"> = { symbols: new Map(), fixed: null, linux: null, taskSwitches: [] }
const expression = (text: string): WrittenPredicate => ({ text, ...plain })
const hex = (value: bigint | null | undefined) =>
  value === null || value === undefined ? null : `0x${value.toString(16)}`
const where = ({ before, hart, virtualNs }: Finding) => [
  formatPosition(before),
  before.round,
  hart,
  before.instret,
  virtualNs,
]
const PLACE = ["position", "round", "hart", "instret", "virtual_ns"] as const

const trapsQuestion: Question = {
  places: [{ kind: "exception", cause: null }],
  predicate: null,
  prints: ["privilege", "csr.scause", "csr.sepc", "csr.stval", "csr.mcause", "csr.mepc", "csr.mtval"].map(expression),
  wanted: { keep: "all", max: ROWS_MAX },
}

const trapsOf = (findings: readonly Finding[]): Derived => ({
  name: "traps",
  columns: [...PLACE, "cause", "name", "pc", "value"],
  rows: findings.map(finding => {
    const [privilege, ...registers] = finding.values
    // The handler's mode tells whose registers were set.
    const [cause, pc, value] = privilege === MACHINE ? registers.slice(3) : registers
    const code = Number(cause)
    return [...where(finding), code, causeName(code, false), hex(pc), hex(value)]
  }),
})

const switchesOf = (findings: readonly Finding[]): Derived => ({
  name: "switches",
  columns: [...PLACE, "pid", "task"],
  rows: findings.map(finding => {
    const [pid, task] = finding.values
    return [...where(finding), pid === null ? null : Number(pid), hex(task)]
  }),
})

/** Derives a table; null where it was cancelled. Without a known Linux there are no switches. */
export const derive = Effect.fnUntraced(function* (
  debug: Debugger,
  name: DerivedName,
  searchers: Searchers | null,
  going: Going = {},
) {
  const { begin, end } = debug.timeline
  const range = { from: begin, to: end }
  if (name === "traps") {
    const found = yield* search(debug, trapsQuestion, range, searchers, going)
    return found && trapsOf(found)
  }
  const places = debug.taskSwitches.map(address => ({ kind: "breakpoint", address }) as const)
  if (places.length === 0) return switchesOf([])
  const prints = [yield* writtenPredicate(debug, "pid"), expression("tp")]
  const question: Question = { places, predicate: null, prints, wanted: { keep: "all", max: ROWS_MAX } }
  const found = yield* search(debug, question, range, searchers, going)
  return found && switchesOf(found)
})
