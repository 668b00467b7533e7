/**
 * IEEE 754-2019 binary32 and binary64 arithmetic as RISC-V defines it (unprivileged specification, chapters "F" and "D"), on
 * exact BigInt values: every operation computes the infinitely precise result and rounds once. Slow, and meant to be read.
 *
 * Numbers travel as bit patterns. NaN results are canonical; tininess is detected after rounding.
 */

export type RoundingMode = 0 | 1 | 2 | 3 | 4
export const RNE = 0
export const RTZ = 1
export const RDN = 2
export const RUP = 3
export const RMM = 4

/** Bits of fflags. */
export const NX = 1
export const UF = 2
export const OF = 4
export const DZ = 8
export const NV = 16

export interface Format {
  readonly width: bigint
  /** Significand bits, the hidden one included. */
  readonly precision: number
  readonly exponentMaximum: number
}

export const binary32: Format = { width: 32n, precision: 24, exponentMaximum: 127 }
export const binary64: Format = { width: 64n, precision: 53, exponentMaximum: 1023 }

/** `bits` is the register pattern: for a float the raw pattern of its width, for an integer 64 bits. */
export interface Result {
  readonly bits: bigint
  readonly flags: number
}

/** (-1)^negative × significand × 2^exponent, when `kind` is "finite" (significand > 0). */
interface Unpacked {
  readonly kind: "zero" | "finite" | "infinite" | "quiet" | "signalling"
  readonly negative: boolean
  readonly significand: bigint
  readonly exponent: number
}

const ones = (count: number): bigint => (1n << BigInt(count)) - 1n
const bitLength = (value: bigint): number => value.toString(2).length
const exponentMinimum = (format: Format): number => 1 - format.exponentMaximum
const fractionBits = (format: Format): number => format.precision - 1
const exponentOnes = (format: Format): bigint => BigInt(2 * format.exponentMaximum + 1)

export const signBit = (format: Format): bigint => 1n << (format.width - 1n)
const infinity = (format: Format, negative: boolean): bigint =>
  (negative ? signBit(format) : 0n) | (exponentOnes(format) << BigInt(fractionBits(format)))
const zero = (format: Format, negative: boolean): bigint => (negative ? signBit(format) : 0n)
export const canonicalNaN = (format: Format): bigint =>
  infinity(format, false) | (1n << BigInt(fractionBits(format) - 1))

const unpack = (format: Format, bits: bigint): Unpacked => {
  const negative = (bits & signBit(format)) !== 0n
  const fraction = bits & ones(fractionBits(format))
  const biased = (bits >> BigInt(fractionBits(format))) & exponentOnes(format)
  if (biased === exponentOnes(format)) {
    if (fraction === 0n) return { kind: "infinite", negative, significand: 0n, exponent: 0 }
    const quiet = fraction >> BigInt(fractionBits(format) - 1) === 1n
    return { kind: quiet ? "quiet" : "signalling", negative, significand: 0n, exponent: 0 }
  }
  if (biased === 0n && fraction === 0n) return { kind: "zero", negative, significand: 0n, exponent: 0 }
  const hidden = biased === 0n ? 0n : 1n << BigInt(fractionBits(format))
  const exponent = Math.max(Number(biased), 1) - format.exponentMaximum - fractionBits(format)
  return { kind: "finite", negative, significand: fraction | hidden, exponent }
}

const isNotANumber = (value: Unpacked): boolean => value.kind === "quiet" || value.kind === "signalling"

const nanResult = (format: Format, ...operands: Unpacked[]): Result => ({
  bits: canonicalNaN(format),
  flags: operands.some(operand => operand.kind === "signalling") ? NV : 0,
})
const invalid = (format: Format): Result => ({ bits: canonicalNaN(format), flags: NV })

/** Drops `shift` low bits of `value` (a magnitude) by the rounding mode. */
const roundShift = (value: bigint, shift: number, negative: boolean, mode: RoundingMode): [bigint, boolean] => {
  if (shift <= 0) return [value << BigInt(-shift), false]
  const kept = value >> BigInt(shift)
  const lost = value & ones(shift)
  if (lost === 0n) return [kept, false]
  const half = 1n << BigInt(shift - 1)
  let up: boolean
  if (mode === RNE) up = lost > half || (lost === half && (kept & 1n) === 1n)
  else if (mode === RMM) up = lost >= half
  else if (mode === RDN) up = negative
  else if (mode === RUP) up = !negative
  else up = false
  return [up ? kept + 1n : kept, true]
}

/**
 * Rounds (-1)^negative × significand × 2^exponent, significand > 0, into the format. A value that is not dyadic may be given
 * with a sticky lowest bit, provided it has at least two bits more than the format's precision.
 */
const round = (
  format: Format,
  negative: boolean,
  significand: bigint,
  exponent: number,
  mode: RoundingMode,
): Result => {
  const precision = format.precision
  const leading = exponent + bitLength(significand) - 1
  // Tiny: below the smallest normal number after rounding as if the exponent had no limit.
  const [unlimited] = roundShift(significand, leading - precision + 1 - exponent, negative, mode)
  const tiny = leading + (unlimited >> BigInt(precision) === 1n ? 1 : 0) < exponentMinimum(format)

  let unit = Math.max(leading, exponentMinimum(format)) - precision + 1
  let [rounded, inexact] = roundShift(significand, unit - exponent, negative, mode)
  if (rounded >> BigInt(precision) === 1n) {
    rounded >>= 1n
    unit += 1
  }
  if (unit + precision - 1 > format.exponentMaximum) {
    const toInfinity = mode === RNE || mode === RMM || (mode === RDN && negative) || (mode === RUP && !negative)
    return { bits: infinity(format, negative) - (toInfinity ? 0n : 1n), flags: OF | NX }
  }
  const hidden = 1n << BigInt(precision - 1)
  const magnitude =
    rounded < hidden
      ? rounded
      : (BigInt(unit + precision - 1 + format.exponentMaximum) << BigInt(precision - 1)) | (rounded - hidden)
  return { bits: zero(format, negative) | magnitude, flags: inexact ? (tiny ? UF | NX : NX) : 0 }
}

/** Rounds the exact sum of two signed dyadic numbers; the sign of an exact zero follows IEEE 754 section 6.3. */
const roundSum = (format: Format, a: Unpacked, b: Unpacked, mode: RoundingMode): Result => {
  const exponent = Math.min(a.exponent, b.exponent)
  const term = (value: Unpacked): bigint => {
    const magnitude = value.significand << BigInt(value.exponent - exponent)
    return value.negative ? -magnitude : magnitude
  }
  const sum = term(a) + term(b)
  if (sum !== 0n) return round(format, sum < 0n, sum < 0n ? -sum : sum, exponent, mode)
  const bothZero = a.significand === 0n && b.significand === 0n
  if (bothZero && a.negative === b.negative) return { bits: zero(format, a.negative), flags: 0 }
  return { bits: zero(format, mode === RDN), flags: 0 }
}

export const add = (format: Format, a: bigint, b: bigint, mode: RoundingMode): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  if (isNotANumber(x) || isNotANumber(y)) return nanResult(format, x, y)
  if (x.kind === "infinite" && y.kind === "infinite" && x.negative !== y.negative) return invalid(format)
  if (x.kind === "infinite") return { bits: a, flags: 0 }
  if (y.kind === "infinite") return { bits: b, flags: 0 }
  return roundSum(format, x, y, mode)
}

export const subtract = (format: Format, a: bigint, b: bigint, mode: RoundingMode): Result =>
  add(format, a, b ^ signBit(format), mode)

export const multiply = (format: Format, a: bigint, b: bigint, mode: RoundingMode): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  const negative = x.negative !== y.negative
  if (isNotANumber(x) || isNotANumber(y)) return nanResult(format, x, y)
  if (x.kind === "infinite" || y.kind === "infinite") {
    if (x.kind === "zero" || y.kind === "zero") return invalid(format)
    return { bits: infinity(format, negative), flags: 0 }
  }
  if (x.kind === "zero" || y.kind === "zero") return { bits: zero(format, negative), flags: 0 }
  return round(format, negative, x.significand * y.significand, x.exponent + y.exponent, mode)
}

/** a × b + c, rounded once. Infinity × 0 is invalid even when c is a quiet NaN. */
export const multiplyAdd = (format: Format, a: bigint, b: bigint, c: bigint, mode: RoundingMode): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  const z = unpack(format, c)
  const negative = x.negative !== y.negative
  if ((x.kind === "infinite" && y.kind === "zero") || (x.kind === "zero" && y.kind === "infinite"))
    return invalid(format)
  if (isNotANumber(x) || isNotANumber(y) || isNotANumber(z)) return nanResult(format, x, y, z)
  if (x.kind === "infinite" || y.kind === "infinite") {
    if (z.kind === "infinite" && z.negative !== negative) return invalid(format)
    return { bits: infinity(format, negative), flags: 0 }
  }
  if (z.kind === "infinite") return { bits: c, flags: 0 }
  const product: Unpacked = {
    kind: "finite",
    negative,
    significand: x.significand * y.significand,
    exponent: x.exponent + y.exponent,
  }
  return roundSum(format, product, z, mode)
}

export const divide = (format: Format, a: bigint, b: bigint, mode: RoundingMode): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  const negative = x.negative !== y.negative
  if (isNotANumber(x) || isNotANumber(y)) return nanResult(format, x, y)
  if (x.kind === y.kind && (x.kind === "infinite" || x.kind === "zero")) return invalid(format)
  if (x.kind === "infinite") return { bits: infinity(format, negative), flags: 0 }
  if (y.kind === "infinite" || x.kind === "zero") return { bits: zero(format, negative), flags: 0 }
  if (y.kind === "zero") return { bits: infinity(format, negative), flags: DZ }
  const scale = 2 * format.precision + 4
  const numerator = x.significand << BigInt(scale)
  const sticky = numerator % y.significand === 0n ? 0n : 1n
  const quotient = ((numerator / y.significand) << 1n) | sticky
  return round(format, negative, quotient, x.exponent - y.exponent - scale - 1, mode)
}

const integerSquareRoot = (value: bigint): bigint => {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1)
  for (;;) {
    const next = (root + value / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

export const squareRoot = (format: Format, a: bigint, mode: RoundingMode): Result => {
  const x = unpack(format, a)
  if (isNotANumber(x)) return nanResult(format, x)
  if (x.kind === "zero") return { bits: a, flags: 0 }
  if (x.negative) return invalid(format)
  if (x.kind === "infinite") return { bits: a, flags: 0 }
  // An even exponent, and enough bits that the root has more than the format's precision.
  const scale = 2 * format.precision + 8 + (Math.abs(x.exponent) % 2)
  const radicand = x.significand << BigInt(scale)
  const root = integerSquareRoot(radicand)
  const sticky = root * root === radicand ? 0n : 1n
  return round(format, false, (root << 1n) | sticky, (x.exponent - scale) / 2 - 1, mode)
}

/** Orders two numbers that are not NaN; -0 equals +0. */
const compare = (x: Unpacked, y: Unpacked): number => {
  const rank = (value: Unpacked): number =>
    value.kind === "zero" ? 0 : (value.kind === "infinite" ? 2 : 1) * (value.negative ? -1 : 1)
  if (rank(x) !== rank(y) || x.kind !== "finite") return rank(x) - rank(y)
  const exponent = Math.min(x.exponent, y.exponent)
  const left = x.significand << BigInt(x.exponent - exponent)
  const right = y.significand << BigInt(y.exponent - exponent)
  const magnitude = left === right ? 0 : left < right ? -1 : 1
  return x.negative ? -magnitude : magnitude
}

/** A quiet comparison: only a signalling NaN is invalid. */
export const equal = (format: Format, a: bigint, b: bigint): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  if (isNotANumber(x) || isNotANumber(y)) return { bits: 0n, flags: nanResult(format, x, y).flags }
  return { bits: compare(x, y) === 0 ? 1n : 0n, flags: 0 }
}

/** A signalling comparison: any NaN is invalid. */
export const lessThan = (format: Format, a: bigint, b: bigint): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  if (isNotANumber(x) || isNotANumber(y)) return { bits: 0n, flags: NV }
  return { bits: compare(x, y) < 0 ? 1n : 0n, flags: 0 }
}

/** A signalling comparison: any NaN is invalid. */
export const lessOrEqual = (format: Format, a: bigint, b: bigint): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  if (isNotANumber(x) || isNotANumber(y)) return { bits: 0n, flags: NV }
  return { bits: compare(x, y) <= 0 ? 1n : 0n, flags: 0 }
}

/** minimumNumber and maximumNumber of IEEE 754-2019: a NaN loses against a number, and -0 is less than +0. */
const select = (format: Format, a: bigint, b: bigint, maximum: boolean): Result => {
  const x = unpack(format, a)
  const y = unpack(format, b)
  const flags = nanResult(format, x, y).flags
  if (isNotANumber(x) && isNotANumber(y)) return { bits: canonicalNaN(format), flags }
  if (isNotANumber(x)) return { bits: b, flags }
  if (isNotANumber(y)) return { bits: a, flags }
  const order = compare(x, y) || Number(y.negative) - Number(x.negative)
  return { bits: order < 0 === maximum ? b : a, flags }
}

export const minimum = (format: Format, a: bigint, b: bigint): Result => select(format, a, b, false)
export const maximum = (format: Format, a: bigint, b: bigint): Result => select(format, a, b, true)

/** The ten-bit mask of `fclass`. */
export const classify = (format: Format, a: bigint): bigint => {
  const x = unpack(format, a)
  if (x.kind === "signalling") return 1n << 8n
  if (x.kind === "quiet") return 1n << 9n
  if (x.kind === "infinite") return x.negative ? 1n : 1n << 7n
  if (x.kind === "zero") return x.negative ? 1n << 3n : 1n << 4n
  const subnormal = bitLength(x.significand) < format.precision
  if (subnormal) return x.negative ? 1n << 2n : 1n << 5n
  return x.negative ? 1n << 1n : 1n << 6n
}

export const convertFormat = (from: Format, to: Format, a: bigint, mode: RoundingMode): Result => {
  const x = unpack(from, a)
  if (isNotANumber(x)) return nanResult(to, x)
  if (x.kind === "infinite") return { bits: infinity(to, x.negative), flags: 0 }
  if (x.kind === "zero") return { bits: zero(to, x.negative), flags: 0 }
  return round(to, x.negative, x.significand, x.exponent, mode)
}

/** Float to integer of `width` bits; the result is the 64-bit register value (32-bit results, unsigned ones too, sign-extended). */
export const toInteger = (format: Format, a: bigint, width: 32 | 64, signed: boolean, mode: RoundingMode): Result => {
  const x = unpack(format, a)
  const low = signed ? -(1n << BigInt(width - 1)) : 0n
  const high = signed ? ones(width - 1) : ones(width)
  const register = (value: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(width, value))
  if (isNotANumber(x)) return { bits: register(high), flags: NV }
  if (x.kind === "infinite") return { bits: register(x.negative ? low : high), flags: NV }
  if (x.kind === "zero") return { bits: 0n, flags: 0 }
  const [magnitude, inexact] = roundShift(x.significand, -x.exponent, x.negative, mode)
  const value = x.negative ? -magnitude : magnitude
  if (value < low) return { bits: register(low), flags: NV }
  if (value > high) return { bits: register(high), flags: NV }
  return { bits: register(value), flags: inexact ? NX : 0 }
}

/** Integer register value (64 bits, of which `width` count) to float. */
export const fromInteger = (
  format: Format,
  register: bigint,
  width: 32 | 64,
  signed: boolean,
  mode: RoundingMode,
): Result => {
  const value = signed ? BigInt.asIntN(width, register) : BigInt.asUintN(width, register)
  if (value === 0n) return { bits: 0n, flags: 0 }
  return round(format, value < 0n, value < 0n ? -value : value, 0, mode)
}
