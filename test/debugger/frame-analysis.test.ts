/** Frames read off the instructions of functions: at each one they are what the compiler's call frame information says. */
import { describe, expect, test } from "vitest"
import { analysedFrame } from "../../src/debugger/frame-analysis.ts"
import type { PlacedInstruction } from "../../src/debugger/inspection.ts"
import { DebugFile } from "../../src/debugger/symbols/debug-file.ts"
import { disassemble } from "../../src/riscv/disassembler.ts"
import { cannotCompile, compileProgram } from "./lines/compiled.ts"

const RA = 1
const SP = 2

/** Instructions of a program's code by their addresses. */
const instructionsOf = ({ elf }: DebugFile): ReadonlyMap<bigint, PlacedInstruction> => {
  const { bytes, address: start } = elf.section(".text")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const instructions = new Map<bigint, PlacedInstruction>()
  for (let at = 0; at + 2 <= bytes.length; ) {
    const length = (view.getUint16(at, true) & 3) === 3 ? 4 : 2
    const word = length === 2 ? view.getUint16(at, true) : view.getInt32(at, true)
    const address = start + BigInt(at)
    instructions.set(address, { address, bytes: length, word, text: disassemble(word, address).text })
    at += length
  }
  return instructions
}

describe.skipIf(cannotCompile !== null)(`frames${cannotCompile === null ? "" : `: ${cannotCompile}`}`, () => {
  test.each(["-O0", "-O1", "-O2"] as const)("of functions compiled with %s", optimization => {
    const file = new DebugFile(compileProgram({ optimization }).bytes)
    const instructions = instructionsOf(file)
    const differences: string[] = []
    let compared = 0
    for (const { name, address, size, kind } of file.elf.symbols) {
      if (kind !== "function" || size === 0n) continue
      const isInside = (at: bigint) => at >= address && at < address + size
      for (const { address: pc } of instructions.values()) {
        const row = isInside(pc) ? file.frames.rowAt(pc) : null
        if (row?.cfa.kind !== "register") continue
        const frame = analysedFrame(address, pc, at => (isInside(at) ? (instructions.get(at) ?? null) : null))
        const rule = row.rules.get(RA)
        const ra = rule?.kind === "saved" ? rule.offset : null
        compared++
        // The CFA may be counted from another register than the compiler does: then its place is not compared here.
        const isSame =
          frame !== null &&
          ((frame.cfa.from === "sp") !== (row.cfa.number === SP) || frame.cfa.above === row.cfa.offset)
        if (!isSame || (ra !== null && frame.ra !== ra)) differences.push(`${name}+${pc - address}`)
      }
    }
    expect(differences).toEqual([])
    expect(compared).toBeGreaterThan(100)
  })

  test("are not made up where the stack pointer is computed", () => {
    const code: readonly [number, string][] = [
      [2, "c.addi sp, -16"],
      [4, "sub sp, sp, a0"],
      [2, "c.jr ra"],
    ]
    let at = 0x1000n
    const instructions = new Map<bigint, PlacedInstruction>()
    for (const [bytes, text] of code) {
      instructions.set(at, { address: at, bytes: bytes as 2 | 4, word: 0, text })
      at += BigInt(bytes)
    }
    const frameAt = (pc: bigint) => analysedFrame(0x1000n, pc, address => instructions.get(address) ?? null)
    expect(frameAt(0x1002n)?.cfa).toEqual({ from: "sp", above: 16 })
    expect(frameAt(0x1006n)).toBeNull()
    expect(frameAt(0x2000n)).toBeNull()
  })
})
