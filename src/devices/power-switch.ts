// What the guest can do to the power of its machine.

/** The machine notes the wish and acts on it after the instruction that expressed it. */
export interface PowerSwitch {
  /** Off for good; `code` is 0 for success, up to 65535 for a failure. */
  off(code: number): void
  reset(): void
}
