// Virtual time as devices see it.

export interface Clock {
  /** Virtual nanoseconds since the machine was made: an integer below 2^53 that never goes back between two restores. */
  nowNs(): number
}
