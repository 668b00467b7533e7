import { expect, test } from "vitest"
import { MemoryDisk } from "../../src/devices/index.ts"
import { hex } from "../../src/machine/digest.ts"
import { Machine } from "../../src/machine/machine.ts"
import type { MachineConfig } from "../../src/machine/machine-config.ts"
import { embeddedKernel } from "./embedded-kernel.ts"

const config = (harts: number): MachineConfig => ({
  harts,
  ramBytes: 16 << 20,
  firmware: { kind: "none" },
  kernel: embeddedKernel,
  initrd: null,
  bootArguments: "auto",
  disks: [new MemoryDisk(new Uint8Array(1 << 20))],
  startTime: { seconds: 1, nanoseconds: 0 },
  seed: new Uint8Array(32).fill(harts),
})

/** A small generator, so that a failure can be repeated. */
const random = (seed: number) => {
  let state = seed
  return () => {
    state += 0x6d2b79f5
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Runs to power-off in steps of at most `budget()` instructions; `between` may replace the machine. */
const runOut = (
  start: Machine,
  budget: () => number,
  between: (machine: Machine) => Machine = machine => machine,
): { digest: string; console: string; executed: number } => {
  let machine = start
  let console = ""
  for (let steps = 0; steps < 1_000_000; steps++) {
    const exit = machine.run(budget())
    console += new TextDecoder("latin1").decode(machine.takeConsole())
    machine.takeTrace()
    if (exit.kind === "off") return { digest: hex(machine.digest()), console, executed: machine.executed }
    if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
    machine = between(machine)
  }
  throw new Error("the guest does not end")
}

for (const harts of [1, 3, 8]) {
  test(`with ${harts} harts, a run in random pieces is the run in one`, () => {
    const straight = runOut(new Machine(config(harts)), () => Number.MAX_SAFE_INTEGER)
    expect(straight.console).toContain("6 of 6 checks ok")
    const next = random(harts)
    const pieces = runOut(new Machine(config(harts)), () => 1 + Math.floor(next() ** 4 * 2_000_000))
    expect(pieces).toEqual(straight)
  }, 60_000)

  test(`with ${harts} harts, a machine saved anywhere and restored into a new one goes on as if nothing had been`, () => {
    const straight = runOut(new Machine(config(harts)), () => Number.MAX_SAFE_INTEGER)
    const next = random(harts + 100)
    let moves = 0
    const moved = runOut(
      new Machine(config(harts)),
      () => 1 + Math.floor(next() * 300_000),
      machine => {
        if (moves >= 12 || next() > 0.05) return machine
        moves++
        const other = new Machine(config(harts))
        const pages = Array.from(machine.pages(), ({ index, bytes }) => ({ index, bytes: bytes.slice() }))
        other.restore(machine.save(), pages)
        expect(hex(other.digest())).toBe(hex(machine.digest()))
        return other
      },
    )
    expect(moves).toBeGreaterThan(0)
    expect(moved).toEqual(straight)
  }, 60_000)
}
