import { describe, expect, it } from "vitest"
import { fieldWidth, insert } from "../../src/riscv/field.ts"
import { R } from "../../src/riscv/format.ts"
import { encodes, type Instruction, insn } from "../../src/riscv/instruction.ts"
import { argumentsOf, isAtomic, operandNamed } from "../../src/riscv/syntax.ts"
import { decode, instructionLength, instructions } from "../../src/riscv/table.ts"
import { Random } from "../oracle/random.ts"
import { fieldMask, operandMask, randomWord } from "./operands.ts"

const hex = (word: number) => (word >>> 0).toString(16)

/**
 * Whether some word is both: their fixed bits agree, and what each forbids can be avoided. A forbidden value is unavoidable for `a`
 * within `b` only when all the bits of its field are fixed, by the two patterns together, to that value.
 */
const overlap = (a: Instruction, b: Instruction): boolean => {
  if (a.length !== b.length) return false
  const shared = a.mask & b.mask
  if ((a.match & shared) !== (b.match & shared)) return false
  const mask = a.mask | b.mask
  const match = a.match | b.match
  return [...a.forbidden, ...b.forbidden].every(({ field, value }) => {
    const bits = insert(field, value)
    if (bits === null) throw new Error("a forbidden value that does not fit its field")
    const covered = fieldMask(field)
    return (covered & mask) !== covered || (match & covered) !== bits
  })
}

describe("the instruction table", () => {
  it("has each mnemonic once", () => {
    const names = instructions.map(({ name }) => name)
    expect(names.filter((name, position) => names.indexOf(name) !== position)).toEqual([])
  })

  it("has no two encodings of one word", () => {
    const pairs = instructions.flatMap((a, position) =>
      instructions.slice(position + 1).flatMap(b => (overlap(a, b) ? [`${a.name} and ${b.name}`] : [])),
    )
    expect(pairs).toEqual([])
  })

  it("would notice an overlap", () => {
    const seeded = insn("other", "0000000 ..... 00001 000 ..... 0110011", R, "rd, rs1, rs2", () => {})
    expect(instructions.filter(candidate => overlap(candidate, seeded)).map(({ name }) => name)).toEqual(["add"])
  })

  it("decodes every 16-bit word as at most one instruction", () => {
    const short = instructions.filter(({ length }) => length === 2)
    for (let word = 0; word < 0x10000; word++) {
      if (instructionLength(word) === 4) continue
      const found = short.filter(candidate => encodes(candidate, word)).map(({ name }) => name)
      if (found.length > 1) expect.fail(`0x${hex(word)} is ${found.join(" and ")}`)
    }
  })

  it("finds all-zero and all-one words illegal", () => {
    expect(decode(0)).toBeNull()
    expect(decode(-1)).toBeNull()
  })
})

/** Bits that the specification leaves without meaning: chapters 2.7 (fence), 6 (fence.i) and 13.1 (aq, rl). */
const dontCare = (instruction: Instruction): number => {
  if (instruction.name === "fence" || instruction.name === "fence.i") return 0xffff8f80 | 0
  if (isAtomic(instruction)) return 0x06000000
  return 0
}

describe.each(instructions.map(instruction => [instruction.name, instruction] as const))("%s", (_, instruction) => {
  it("is covered by fixed bits and operands, with none in both", () => {
    const whole = instruction.length === 2 ? 0xffff : -1
    const operands = operandMask(instruction)
    // c.addi16sp: its rd is fixed bits, an operand only by implication.
    expect(hex(instruction.mask & operands)).toBe("0")
    expect(hex(instruction.mask | operands | dontCare(instruction))).toBe(hex(whole))
    expect(hex(dontCare(instruction) & (instruction.mask | operands))).toBe("0")
    expect(instruction.match & ~instruction.mask).toBe(0)
    expect(instructionLength(instruction.match)).toBe(instruction.length)
  })

  it("has operands whose bits lie apart, unless they are one field", () => {
    const fields = [...new Set(instruction.format.operands.map(({ field }) => field))].filter(
      field => fieldWidth(field) > 0,
    )
    const total = fields.reduce((sum, field) => sum + field.pieces.reduce((bits, { width }) => bits + width, 0), 0)
    const covered = hex(operandMask(instruction))
    expect([...Number.parseInt(covered, 16).toString(2)].filter(digit => digit === "1")).toHaveLength(total)
  })

  it("has a syntax that names its operands", () => {
    for (const argument of argumentsOf(instruction.syntax)) {
      const names =
        argument.kind === "operand"
          ? [argument.operand]
          : [argument.base, ...(argument.offset ? [argument.offset] : [])]
      for (const name of names) operandNamed(instruction, name)
    }
  })

  it("is decoded from its words, whatever stands in bits that mean nothing", () => {
    const random = new Random(instruction.match)
    for (let round = 0; round < 50; round++) {
      const word = randomWord(instruction, random) | (random.uint32() & dontCare(instruction))
      expect(decode(word)?.name).toBe(instruction.name)
    }
  })
})
