/** From an instruction and the values of its operands to its word. */
import { extract, type Field, fieldWidth, insert } from "./field.ts"
import type { OperandName } from "./format.ts"
import type { Instruction } from "./instruction.ts"
import { unwrittenRounding } from "./syntax.ts"

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

/** The value of an operand that was left out: NaN when it must be given. */
const unsaid = (instruction: Instruction, name: OperandName, field: Field, values: OperandValues): number => {
  if (name === "rm") return unwrittenRounding(instruction)
  if (fieldWidth(field) === 0) return field.bias
  const twin = instruction.format.operands.find(operand => operand.field === field && operand.name !== name)
  return (twin && values[twin.name]) ?? Number.NaN
}

/**
 * The word, a 32-bit integer; bits that mean nothing are zero. What an implied operand or one in
 * the place of another one is may be left unsaid, and so may a rounding mode: it is then the one
 * that goes without saying.
 * @throws OperandError when a value is missing, does not fit, or would make it another instruction.
 */
export const encode = (instruction: Instruction, values: OperandValues): number => {
  let word = instruction.match
  for (const { name, field } of instruction.format.operands) {
    const value = values[name] ?? unsaid(instruction, name, field, values)
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
