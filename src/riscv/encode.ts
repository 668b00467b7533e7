/** From an instruction and the values of its operands to its word. */
import { extract, fieldWidth, insert } from "./field.ts"
import type { OperandName } from "./format.ts"
import type { Instruction } from "./instruction.ts"
import { DYNAMIC_ROUNDING } from "./syntax.ts"

export type OperandValues = Partial<Readonly<Record<OperandName, number>>>

/** A value that has no place in the instruction. */
export class OperandError extends Error {
  override readonly name = "OperandError"
  readonly operand: OperandName

  constructor(instruction: Instruction, operand: OperandName, value: number) {
    super(`${value} cannot be the ${operand} of ${instruction.name}`)
    this.operand = operand
  }
}

/**
 * The word, a 32-bit integer; bits that mean nothing are zero. An implied operand may be left out, and so may a rounding mode: it is
 * then the dynamic one.
 * @throws OperandError when a value is missing, does not fit, or would make it another instruction.
 */
export const encode = (instruction: Instruction, values: OperandValues): number => {
  let word = instruction.match
  for (const { name, field } of instruction.format.operands) {
    const missing = name === "rm" ? DYNAMIC_ROUNDING : fieldWidth(field) === 0 ? field.bias : Number.NaN
    const value = values[name] ?? missing
    const bits = insert(field, value)
    if (bits === null) throw new OperandError(instruction, name, value)
    // Two operands in one place must agree.
    if (extract(field, word | bits) !== value) throw new OperandError(instruction, name, value)
    word |= bits
  }
  for (const { field, value } of instruction.forbidden)
    if (extract(field, word) === value) {
      const operand = instruction.format.operands.find(candidate => candidate.field === field)!
      throw new OperandError(instruction, operand.name, value)
    }
  return word
}
