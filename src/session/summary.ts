/** What a run, a replay or a resumption came to. */

/** Why it ended. */
export type EndReason =
  /** The guest turned itself off. */
  | "powered off"
  /** The condition of --until holds. */
  | "condition"
  /** The operator quit. */
  | "quit"
  /** The script has been typed and the guest does nothing more. */
  | "script ended"
  /** Every hart waits, and nothing can ever wake one. */
  | "nothing to wait for"
  /** All that was recorded has been replayed. */
  | "end of history"

export interface Summary {
  readonly instructions: number
  readonly virtualNs: number
  readonly wallMs: number
  /** In the log; 0 when nothing was recorded. */
  readonly events: number
  /** Of the whole machine at the end, 32 hexadecimal digits. */
  readonly digest: string
  readonly reason: EndReason
  /** What the process should exit with. */
  readonly exit: number
}
