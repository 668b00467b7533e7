/** Random operands for any instruction of the table. */
import { csrNumber } from "../../src/riscv/csr.ts"
import type { Field } from "../../src/riscv/field.ts"
import { encodes, type Instruction } from "../../src/riscv/instruction.ts"
import type { Random } from "../oracle/random.ts"

/** Bits of a field within the word. */
export const fieldMask = (field: Field): number =>
  field.pieces.reduce((mask, { from, width }) => mask | ((2 ** width - 1) << from), 0)

/** Bits the operands of an instruction cover. */
export const operandMask = (instruction: Instruction): number =>
  instruction.format.operands.reduce((mask, { field }) => mask | fieldMask(field), 0)

const csrs = Object.values(csrNumber)
const rounding = [0, 1, 2, 3, 4, 7]

/** A word of `instruction`: random in its operands, zero in the bits that mean nothing; CSRs and rounding modes are known ones. */
export const randomWord = (instruction: Instruction, random: Random): number => {
  const free = operandMask(instruction) & ~instruction.mask
  for (;;) {
    let word = instruction.match | (random.uint32() & free)
    for (const { name } of instruction.format.operands) {
      if (name === "csr") word = (word & 0xfffff) | (random.pick(csrs) << 20)
      if (name === "rm") word = (word & ~0x7000) | (random.pick(rounding) << 12)
    }
    if (encodes(instruction, word)) return word
  }
}
