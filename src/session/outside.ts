/** What a session asks of the world outside: the person or file that types, the screen, the passing of time. The host implements it. */
import type { Effect } from "effect"

/** `virtual`: idle time is skipped. `wall`: it is waited for, as on a real computer. */
export type Pace = "virtual" | "wall"

export interface Outside {
  readonly pace: Pace
  /** What was typed since the last call; empty when nothing was. */
  readonly typed: () => Uint8Array
  /** Whether the operator asked the run to end. */
  readonly quits: () => boolean
  /** Whether the operator asked for a snapshot since the last call. */
  readonly asksForSnapshot?: () => boolean
  /** Tells the operator the name of a snapshot that was begun; null where nothing is recorded. */
  readonly snapshotBegan?: (name: string | null) => void
  /** Shows console output. Called only once the events that caused it are durable. */
  readonly show: (output: Uint8Array) => void
  /** Lets the host's other work (input, output, acknowledgements) happen. */
  readonly breathe: Effect.Effect<void>
  /** Waits so many nanoseconds of real time, or less when something is typed or the operator quits; gives how long it was. */
  readonly wait: (ns: number) => Effect.Effect<number>
}
