/**
 * Where an operand's bits lie in an instruction word: one description from which the TypeScript decoder, the assembler and the
 * generated WebAssembly decoder all come. RISC-V unprivileged ISA, sections 2.2 (base formats) and 27.3 (compressed formats).
 */
import { type Expr, i32 } from "../wasm/index.ts"

/** `width` bits from bit `from` of the word go to bit `to` of the value. */
export interface Piece {
  readonly from: number
  readonly width: number
  readonly to: number
}

export interface Field {
  readonly pieces: readonly Piece[]
  readonly signed: boolean
  /** Added to the value: 8 for the three-bit register numbers of the compressed formats. */
  readonly bias: number
}

const bits = (
  signed: boolean,
  bias: number,
  pieces: readonly (readonly [from: number, width: number, to: number])[],
): Field => ({
  pieces: pieces.map(([from, width, to]) => ({ from, width, to })),
  signed,
  bias,
})

/** An unsigned field in one or several pieces. */
export const unsigned = (...pieces: readonly (readonly [number, number, number])[]): Field => bits(false, 0, pieces)
/** A sign-extended field. */
export const signed = (...pieces: readonly (readonly [number, number, number])[]): Field => bits(true, 0, pieces)
/** A five-bit register number at `from`. */
export const register = (from: number): Field => bits(false, 0, [[from, 5, 0]])
/** A three-bit register number at `from`, standing for x8 to x15. */
export const compressedRegister = (from: number): Field => bits(false, 8, [[from, 3, 0]])
/** A value that is no part of the word: the implied register of some compressed instructions. */
export const implied = (value: number): Field => bits(false, value, [])

/** The number of bits the value has, its sign bit included. */
export const fieldWidth = (field: Field): number => Math.max(0, ...field.pieces.map(piece => piece.to + piece.width))

const mask = (width: number): number => (width === 32 ? -1 : (1 << width) - 1)

/** The field's value in `word`. */
export const extract = (field: Field, word: number): number => {
  let value = 0
  for (const { from, width, to } of field.pieces) value |= ((word >>> from) & mask(width)) << to
  if (field.signed) {
    const shift = 32 - fieldWidth(field)
    value = (value << shift) >> shift
  }
  return value + field.bias
}

/** The bits of `word` that hold `value` in this field, or null when it does not fit. */
export const insert = (field: Field, value: number): number | null => {
  let word = 0
  for (const { from, width, to } of field.pieces) word |= (((value - field.bias) >>> to) & mask(width)) << from
  return extract(field, word) === value ? word | 0 : null
}

/** The field's value in the word an expression yields; `word` is read once for each piece. */
export const extractExpr = (field: Field, word: Expr<"i32">): Expr<"i32"> => {
  if (field.pieces.length === 0) return i32.const(field.bias)
  const width = fieldWidth(field)
  const parts = field.pieces.map(piece => {
    const top = field.signed && piece.to + piece.width === width
    const raised = i32.shl(word, 32 - piece.from - piece.width)
    const lowered = 32 - piece.width
    const aligned = top ? i32.shrs(raised, lowered) : i32.shru(raised, lowered)
    return piece.to === 0 ? aligned : i32.shl(aligned, piece.to)
  })
  const joined = parts.reduce((a, b) => i32.or(a, b))
  return field.bias === 0 ? joined : i32.add(joined, field.bias)
}
