/** What is asked of stretches of a history, and what was found: plain data, so that other threads may look. */
import type { Position } from "../../events/index.ts"
import type { StopPlace } from "../stop-point.ts"

/** Kept of what is found: the first, the last, or all in order up to a number. */
export type Wanted = { readonly keep: "first" | "last" } | { readonly keep: "all"; readonly max: number }

export interface Question {
  readonly places: readonly StopPlace[]
  readonly wanted: Wanted
}

/** From one of the moments that are kept in the world's file on to a position. */
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
  /** Of watchpoints: the value before and after. */
  readonly was: bigint | null
  readonly is: bigint | null
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
