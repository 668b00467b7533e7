/**
 * One program of riscv-tests on one machine: it runs bare-metal from machine mode and writes its result to the word `tohost`, 1 for
 * success and otherwise the number of the failing test times two plus one.
 */
import { RAM_BASE } from "../../src/hart/layout.ts"
import { hex } from "../../src/machine/digest.ts"
import { type ElfImage, fits, kernelSymbol, readKernelImage } from "../../src/machine/kernel-image.ts"
import { Machine } from "../../src/machine/machine.ts"
import { tierFromEnvironment } from "../tier.ts"

const RAM_BYTES = 16 * 2 ** 20
/** Several times what the longest of the tests executes. */
const INSTRUCTIONS_MAX = 50_000_000
/** Instructions between two looks at `tohost`. */
const STEP = 20_000

export interface ElfTest {
  readonly name: string
  readonly image: ElfImage
  /** Physical address of the word the result is written to. */
  readonly tohost: number
}

/** The test in a file, or undefined when the file is no RV64 executable with a `tohost` that fits this machine. */
export const readElfTest = (name: string, bytes: Uint8Array): ElfTest | undefined => {
  const read = readKernelImage(bytes)
  if (!read.ok || read.image.kind !== "elf" || fits(read.image, RAM_BYTES, false) !== undefined) return undefined
  const tohost = kernelSymbol(read.image, "tohost", false)
  if (tohost === undefined || tohost < RAM_BASE || tohost + 8 > RAM_BASE + RAM_BYTES) return undefined
  return { name, image: read.image, tohost }
}

interface Run {
  readonly instructions: number
  /** What the test wrote, or why it wrote nothing. */
  readonly result: bigint | "limit" | "idle" | "off" | "reset"
  readonly digest: string
}

/** Runs to the first result that is there after a multiple of `step` instructions, or through exactly `limit` instructions. */
const run = (test: ElfTest, step: number, limit: number): Run => {
  const machine = new Machine({
    harts: 1,
    ramBytes: RAM_BYTES,
    firmware: { kind: "none" },
    kernel: test.image,
    initrd: null,
    bootArguments: "",
    disks: [],
    startTime: { seconds: 0, nanoseconds: 0 },
    seed: new Uint8Array(32),
    translation: tierFromEnvironment(),
  })
  const { ram } = machine.core
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength)
  const tohost = (): bigint => view.getBigUint64(test.tohost - RAM_BASE, true)
  const end = (result: Run["result"]): Run => ({
    instructions: machine.executed,
    result,
    digest: hex(machine.digest()),
  })
  while (machine.executed < limit) {
    const next = Math.min(limit, (Math.floor(machine.executed / step) + 1) * step)
    while (machine.executed < next) {
      const exit = machine.run(next - machine.executed)
      machine.takeTrace()
      if (exit.kind === "off" || exit.kind === "reset") return end(exit.kind)
      if (exit.kind !== "idle") continue
      if (exit.deadlineNs === Number.POSITIVE_INFINITY) return end("idle")
      machine.skipTo(exit.deadlineNs)
    }
    if (tohost() !== 0n) break
  }
  const value = tohost()
  return end(value === 0n ? "limit" : value)
}

const sentence = (result: Run["result"]): string => {
  switch (result) {
    case "limit":
      return `gave no result in ${INSTRUCTIONS_MAX} instructions`
    case "idle":
      return "waits for an interrupt that never comes"
    case "off":
      return "turned the machine off"
    case "reset":
      return "reset the machine"
    default:
      return result < 2n ** 32n && (result & 1n) === 1n
        ? `test ${result >> 1n} failed`
        : `wrote 0x${result.toString(16)} to tohost, which is no result`
  }
}

/**
 * Runs the test twice, the second time without the pauses of the first, and gives what is wrong in half a sentence; undefined when
 * it passed and both machines ended in the same state.
 */
export const failureOf = (test: ElfTest): string | undefined => {
  const first = run(test, STEP, INSTRUCTIONS_MAX)
  if (first.result !== 1n) return sentence(first.result)
  const second = run(test, first.instructions, first.instructions)
  return first.digest === second.digest
    ? undefined
    : `passed, but ended in two different states after ${first.instructions} instructions (${first.digest}, ${second.digest})`
}
