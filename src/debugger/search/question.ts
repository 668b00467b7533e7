/** What is asked of stretches of a history, and what was found: plain data, so that other threads may look. */
import type { Position } from "../../events/index.ts"
import type { StopPlace } from "../stop-point.ts"
import type { LinuxFacts } from "../symbols/linux.ts"
import type { MemoryPart } from "../watched-memory.ts"

/** Kept of what is found: the first, the last, or all in order up to a number. */
export type Wanted = { readonly keep: "first" | "last" } | { readonly keep: "all"; readonly max: number }

/** A predicate as it was written, with the addresses of the symbols it names. */
export interface WrittenPredicate {
  readonly text: string
  readonly symbols: ReadonlyMap<string, bigint>
  /** What a kernel has mapped for good. */
  readonly fixed: { readonly virtual: bigint; readonly physical: bigint; readonly bytes: bigint } | null
  /** Where it asks for the tasks of Linux, what has to be known of it. */
  readonly linux: LinuxFacts | null
  /** Where a kernel has just turned to another task. */
  readonly taskSwitches: readonly bigint[]
}

export interface Question {
  /** What is looked for: one of some places, or a predicate. */
  readonly places: readonly StopPlace[]
  readonly predicate: WrittenPredicate | null
  /** Expressions whose values are wanted where something is found. */
  readonly prints: readonly WrittenPredicate[]
  readonly wanted: Wanted
  /** Whether the last that is found is described, and what is known of the Linux that may be there. */
  readonly scene?: { readonly linux: LinuxFacts | null }
}

/** From one position on to another. */
export interface Stretch {
  readonly from: Position
  /** Found is what lies before. */
  readonly to: Position
}

export interface Finding {
  /** Which of the question's places it is. */
  readonly place: number
  readonly hart: number
  /** Before and after the instruction that it belongs to. */
  readonly before: Position
  readonly after: Position
  readonly virtualNs: number
  /** Where the hart stood when it was noticed. */
  readonly pc: bigint
  /** Of watchpoints: the value before and after, and which bytes of the place these are values of. */
  readonly was: bigint | null
  readonly is: bigint | null
  readonly part: MemoryPart | null
  /** Values of the question's `prints`. */
  readonly values: readonly (bigint | null)[]
  /** Where that was asked for, what stood before the instruction. */
  readonly scene: Scene | null
}

/** A hart about to execute an instruction. */
export interface Scene {
  readonly pc: bigint
  /** In assembly; empty where it cannot be read. */
  readonly instruction: string
  /** The Linux task that it executes; null where none is known. */
  readonly task: { readonly pid: number; readonly comm: string } | null
}

/** Who looks at stretches, several at one time. */
export interface Searchers {
  /** How many stretches are looked at together. */
  readonly width: number
  /** Looks at one stretch; `progress` is told of its part, 0 to 1. `stop` gives it up. */
  readonly search: (
    question: Question,
    stretch: Stretch,
    progress: (done: number) => void,
  ) => { readonly found: Promise<readonly Finding[]>; readonly stop: () => void }
}
