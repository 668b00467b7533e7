// What surrounds a device on the test bench, all of it plain to look at.

import type { Clock, InterruptLine, RandomGenerator } from "../../../src/devices/index.ts"

export class Wire implements InterruptLine {
  level = false

  set(level: boolean): void {
    this.level = level
  }
}

export class ManualClock implements Clock {
  ns = 0

  nowNs(): number {
    return this.ns
  }
}

export class Recorder {
  readonly bytes: number[] = []

  write(byte: number): void {
    this.bytes.push(byte)
  }
}

/** An integer in [0, bound). */
export const below = (random: RandomGenerator, bound: number): number => random.next() % bound

/** One of `values`. */
export const pick = <Value>(random: RandomGenerator, values: readonly Value[]): Value =>
  values[below(random, values.length)]!
