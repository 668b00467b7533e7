/**
 * The two interchange formats and what a bit pattern says. IEEE 754-2019, section 3.4; RISC-V unprivileged specification,
 * chapters "F" and "D".
 *
 * Inside this folder every pattern is an i64: a binary32 pattern is zero-extended.
 */
import { type Expr, i32, i64 } from "../../wasm/index.ts"

/** Rounding modes, as in `frm` (RISC-V "F", Floating-Point Control and Status Register). */
export const RNE = 0
export const RTZ = 1
export const RDN = 2
export const RUP = 3
export const RMM = 4

export interface Format {
  readonly width: 32 | 64
  /** Significand bits, the hidden one included. */
  readonly precision: number
  readonly bias: number
  /** Bits of the stored fraction; the exponent field begins there. */
  readonly fractionBits: number
  readonly exponentOnes: number
  /** Bits that rounding drops from a 64-bit significand. */
  readonly excess: number
  readonly sign: bigint
  readonly fraction: bigint
  /** The hidden bit, which is also the pattern of the smallest normal number. */
  readonly hidden: bigint
  readonly infinity: bigint
  /** Positive, quiet, nothing else set: what every NaN result is. */
  readonly canonicalNaN: bigint
}

const format = (width: 32 | 64, precision: number): Format => {
  const fractionBits = precision - 1
  const exponentOnes = 2 ** (width - precision) - 1
  const infinity = BigInt(exponentOnes) << BigInt(fractionBits)
  return {
    width,
    precision,
    bias: (exponentOnes - 1) / 2,
    fractionBits,
    exponentOnes,
    excess: 64 - precision,
    sign: 1n << BigInt(width - 1),
    fraction: (1n << BigInt(fractionBits)) - 1n,
    hidden: 1n << BigInt(fractionBits),
    infinity,
    canonicalNaN: infinity | (1n << BigInt(fractionBits - 1)),
  }
}

export const binary32 = format(32, 24)
export const binary64 = format(64, 53)

type Pattern = Expr<"i64">

/** The pattern without its sign. */
export const magnitude = (format: Format, pattern: Pattern): Pattern => i64.and(pattern, format.sign - 1n)
export const signOf = (format: Format, pattern: Pattern): Pattern => i64.and(pattern, format.sign)
/** The sign of a product or a quotient, in place. */
export const productSign = (format: Format, a: Pattern, b: Pattern): Pattern => signOf(format, i64.xor(a, b))
export const isNotANumber = (format: Format, pattern: Pattern) => i64.gtu(magnitude(format, pattern), format.infinity)
export const isInfinite = (format: Format, pattern: Pattern) => i64.eq(magnitude(format, pattern), format.infinity)
export const isZero = (format: Format, pattern: Pattern) => i64.eqz(magnitude(format, pattern))

/** A NaN whose quiet bit is clear. */
export const isSignalling = (format: Format, pattern: Pattern) =>
  i64.ltu(i64.sub(magnitude(format, pattern), format.infinity + 1n), format.canonicalNaN - format.infinity - 1n)

/** Greater in magnitude than the smallest normal number, and finite: a rounded result that is neither tiny nor overflowed. */
export const isSafelyNormal = (format: Format, pattern: Pattern) =>
  i64.ltu(i64.sub(magnitude(format, pattern), format.hidden + 1n), format.infinity - format.hidden - 1n)

/** The biased exponent field, as an i64. */
export const exponentField = (format: Format, pattern: Pattern): Pattern =>
  i64.and(i64.shru(pattern, format.fractionBits), format.exponentOnes)

/** The significand of a normal number, as an integer of `precision` bits. */
export const normalSignificand = (format: Format, pattern: Pattern): Pattern =>
  i64.or(i64.and(pattern, format.fraction), format.hidden)

/** The zero an exact sum of opposites is: negative only when rounding down. IEEE 754-2019, section 6.3. */
export const cancelledZero = (format: Format, rounding: Expr<"i32">): Pattern =>
  i64.select(format.sign, 0, i32.eq(rounding, RDN))
