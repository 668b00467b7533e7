/** One instruction: its encoding, operands, assembly form and meaning, each written once. */
import { extract, type Field, fieldWidth } from "./field.ts"
import type { Format, OperandName } from "./format.ts"
import type { Semantics } from "./semantics.ts"

export type Meaning = (s: Semantics) => void

export interface Instruction {
  readonly name: string
  /** Bytes. */
  readonly length: 2 | 4
  /** `(word & mask) === match` for every word that encodes it. */
  readonly mask: number
  readonly match: number
  readonly format: Format
  /** Operands as the assembler writes them: names and punctuation. */
  readonly syntax: string
  readonly meaning: Meaning
  /** Operand values that make the word another instruction or none. */
  readonly forbidden: readonly { readonly field: Field; readonly value: number }[]
}

/** Reads a pattern of `0`, `1` and `.`, most significant bit first, blanks ignored. */
const parsePattern = (pattern: string): { length: 2 | 4; mask: number; match: number } => {
  const digits = pattern.replaceAll(" ", "")
  if (!/^[01.]+$/.test(digits) || (digits.length !== 16 && digits.length !== 32))
    throw new Error(`not a pattern of 16 or 32 bits: ${pattern}`)
  const mask = Number.parseInt(digits.replace(/[01]/g, "1").replaceAll(".", "0"), 2) | 0
  const match = Number.parseInt(digits.replaceAll(".", "0"), 2) | 0
  return { length: digits.length === 16 ? 2 : 4, mask, match }
}

export const insn = (
  name: string,
  pattern: string,
  format: Format,
  syntax: string,
  meaning: Meaning,
  forbidden: readonly (readonly [OperandName, number])[] = [],
): Instruction => ({
  name,
  ...parsePattern(pattern),
  format,
  syntax,
  meaning,
  forbidden: forbidden.map(([operand, value]) => {
    const found = format.operands.find(candidate => candidate.name === operand)
    if (!found || fieldWidth(found.field) === 0) throw new Error(`${name} has no operand ${operand}`)
    return { field: found.field, value }
  }),
})

/** Whether `word` encodes this instruction. */
export const encodes = (instruction: Instruction, word: number): boolean =>
  (word & instruction.mask) === instruction.match &&
  instruction.forbidden.every(({ field, value }) => extract(field, word) !== value)
