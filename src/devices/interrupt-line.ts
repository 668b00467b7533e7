// A wire that carries a level.

/** The input of an interrupt controller or of a hart. Setting the level it already has changes nothing. */
export interface InterruptLine {
  set(level: boolean): void
}
