/** Files that are cut off or have wrong bytes in them give one of two errors, or a result; and that soon. */
import { describe, expect, it } from "vitest"
import { DebugFile } from "../../../src/debugger/symbols/debug-file.ts"
import { DebugInfoDamaged, ProgramUnusable } from "../../../src/debugger/symbols/errors.ts"
import { stackTrace } from "../../../src/debugger/symbols/frames.ts"
import type { DisplayedValue } from "../../../src/debugger/symbols/value.ts"
import { buildGuest, hasCompiler, noCompiler } from "./guest.ts"

/** Runs what may fail with one of our errors; gives how often it did. */
function failures(parts: readonly (() => unknown)[]): number {
  return parts.filter(part => {
    try {
      part()
      return false
    } catch (problem) {
      if (!(problem instanceof ProgramUnusable || problem instanceof DebugInfoDamaged)) throw problem
      expect(problem.message).toMatch(/^[A-Z][^\n]*[;,] [^\n]*\.$/)
      return true
    }
  }).length
}

function openUp(value: DisplayedValue, depth: number): void {
  expect([typeof value.text, typeof value.typeName, typeof value.childCount]).toEqual(["string", "string", "number"])
  if (depth > 0) for (const child of value.children(0, 5)) openUp(child, depth - 1)
}

/** Asks everything that a file can be asked at some places. */
function ask(bytes: Uint8Array, places: readonly bigint[]): number {
  let file: DebugFile | null = null
  const failed = failures([() => (file = new DebugFile(bytes))])
  if (file === null) return failed
  const debug: DebugFile = file
  const memory = (address: bigint, length: number) =>
    length > 1 << 20 ? null : new Uint8Array(length).fill(Number(address & 63n))
  const register = (number: number) => 0x8000_0000n + BigInt(8 * number)
  const programAt = () => ({ frames: debug.frames, bias: 0n })
  const functionStart = (address: bigint) => debug.functionAt(address)?.start ?? null
  return failures([
    () => [...debug.lines.all()].length,
    () => debug.lines.files.map(path => [debug.lines.nextLineWithCode(path, 1), debug.breakpointsAtLine(path, 25)]),
    () => [...debug.functions.all()].map(found => debug.functions.afterPrologue(found)),
    () => debug.elf.symbols.map(({ name }) => debug.breakpointsAtFunction(name)),
    ...places.map(pc => () => {
      const [innermost] = stackTrace({ pc, register, memory, programAt, functionStart }, 20)
      for (const level of debug.functions.placesAt(pc).keys()) {
        const { parameters, locals } = debug.variables.visible(pc, level)
        for (const variable of [...parameters, ...locals, ...debug.variables.globals(pc)])
          openUp(debug.variables.read(variable, innermost!), 3)
      }
    }),
  ])
}

/** Numbers that look random, the same ones each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const ROUNDS = 150

describe.skipIf(!hasCompiler)(`damaged programs (${hasCompiler ? "compiled here" : noCompiler})`, () => {
  const { bytes } = hasCompiler ? buildGuest("-g", "-O2", "-fasynchronous-unwind-tables") : { bytes: new Uint8Array() }
  const whole = hasCompiler ? new DebugFile(bytes) : null!
  const places = hasCompiler ? [...whole.functions.all()].map(({ entry }) => entry + 8n) : []

  it("whole it can be asked everything", () => {
    expect(places.length).toBeGreaterThan(10)
    expect(ask(bytes, places)).toBe(0)
  })

  it("cut off anywhere it is refused", { timeout: 60_000 }, () => {
    for (let length = 0; length < bytes.length; length += 211) expect(ask(bytes.subarray(0, length), places)).toBe(1)
  })

  it("with wrong bytes it ends", { timeout: 120_000 }, () => {
    const random = numbers(7)
    let failed = 0
    for (let round = 0; round < ROUNDS; round++) {
      const damaged = bytes.slice()
      for (let count = random(8); count >= 0; count--) damaged[random(damaged.length)] = random(256)
      if (ask(damaged, places) > 0) failed++
    }
    expect(failed).toBeGreaterThan(ROUNDS / 10)
  })
})
