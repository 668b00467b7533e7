// Where a serial device's output goes.

export interface ConsoleSink {
  /** Takes one byte, at once and without failing. */
  write(byte: number): void
}
