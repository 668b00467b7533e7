/**
 * Seeded floating-point test cases: operands biased to where implementations go wrong, results and flags from the exact model
 * in `float.ts`.
 */
import {
  add,
  binary32,
  binary64,
  canonicalNaN,
  classify,
  convertFormat,
  divide,
  equal,
  type Format,
  fromInteger,
  lessOrEqual,
  lessThan,
  maximum,
  minimum,
  multiply,
  multiplyAdd,
  type Result,
  type RoundingMode,
  signBit,
  squareRoot,
  subtract,
  toInteger,
} from "./float.ts"
import { Random } from "./random.ts"

/** Operations under their RISC-V names; `fmadd` stands for all four fused ones. */
export const floatOps = [
  ...(["s", "d"] as const).flatMap(
    w =>
      [
        `fadd.${w}`,
        `fsub.${w}`,
        `fmul.${w}`,
        `fdiv.${w}`,
        `fsqrt.${w}`,
        `fmadd.${w}`,
        `fmin.${w}`,
        `fmax.${w}`,
        `feq.${w}`,
        `flt.${w}`,
        `fle.${w}`,
        `fclass.${w}`,
        `fcvt.w.${w}`,
        `fcvt.wu.${w}`,
        `fcvt.l.${w}`,
        `fcvt.lu.${w}`,
        `fcvt.${w}.w`,
        `fcvt.${w}.wu`,
        `fcvt.${w}.l`,
        `fcvt.${w}.lu`,
      ] as const,
  ),
  "fcvt.s.d",
  "fcvt.d.s",
] as const

export type FloatOp = (typeof floatOps)[number]

/**
 * Floats are raw patterns of their own width (a single is not boxed); integers are 64-bit register values, as fcvt.w and
 * fcvt.wu leave them (sign-extended). Operands the operation does not have are 0n.
 */
export interface FloatCase {
  readonly op: FloatOp
  readonly rm: RoundingMode
  readonly a: bigint
  readonly b: bigint
  readonly c: bigint
  readonly result: bigint
  readonly flags: number
}

const integerTypes = {
  w: { width: 32, signed: true },
  wu: { width: 32, signed: false },
  l: { width: 64, signed: true },
  lu: { width: 64, signed: false },
} as const

type IntegerType = keyof typeof integerTypes
const isInteger = (name: string): name is IntegerType => name in integerTypes
const formatOf = (letter: string): Format => (letter === "s" ? binary32 : binary64)

/** Evaluates one operation exactly. */
export const evaluate = (op: FloatOp, a: bigint, b: bigint, c: bigint, rm: RoundingMode): Result => {
  const [name, to, from] = op.split(".") as [string, string, string | undefined]
  if (name === "fcvt") {
    if (isInteger(to)) {
      const { width, signed } = integerTypes[to]
      return toInteger(formatOf(from!), a, width, signed, rm)
    }
    if (isInteger(from!)) {
      const { width, signed } = integerTypes[from]
      return fromInteger(formatOf(to), a, width, signed, rm)
    }
    return convertFormat(formatOf(from!), formatOf(to), a, rm)
  }
  const format = formatOf(to)
  switch (name) {
    case "fadd":
      return add(format, a, b, rm)
    case "fsub":
      return subtract(format, a, b, rm)
    case "fmul":
      return multiply(format, a, b, rm)
    case "fdiv":
      return divide(format, a, b, rm)
    case "fsqrt":
      return squareRoot(format, a, rm)
    case "fmadd":
      return multiplyAdd(format, a, b, c, rm)
    case "fmin":
      return minimum(format, a, b)
    case "fmax":
      return maximum(format, a, b)
    case "feq":
      return equal(format, a, b)
    case "flt":
      return lessThan(format, a, b)
    case "fle":
      return lessOrEqual(format, a, b)
    case "fclass":
      return { bits: classify(format, a), flags: 0 }
    default:
      throw new Error(`There is no floating-point operation ${op}.`)
  }
}

const mask = (width: bigint): bigint => (1n << width) - 1n

/** One operand pattern of the format, biased to special values, subnormals, powers of two and sparse significands. */
export const floatOperand = (format: Format, random: Random): bigint => {
  const fraction = BigInt(format.precision - 1)
  const sign = random.chance(50) ? signBit(format) : 0n
  const infinite = BigInt(2 * format.exponentMaximum + 1) << fraction
  const one = BigInt(format.exponentMaximum) << fraction
  const wild = random.uint64() & mask(fraction)
  const sparse = (): bigint => {
    const run = mask(BigInt(random.between(1, format.precision))) << BigInt(random.below(format.precision))
    return (random.chance(50) ? run : 1n << BigInt(random.below(format.precision - 1))) & mask(fraction)
  }
  switch (random.below(12)) {
    case 0:
      return sign
    case 1:
      return sign | infinite
    case 2: {
      const quiet = canonicalNaN(format)
      return random.pick([quiet, quiet | sign | wild, infinite | 1n, sign | infinite | (wild >> 1n) | 1n])
    }
    case 3:
      return sign | random.pick([1n, 2n, wild >> BigInt(random.below(format.precision - 1)), mask(fraction)])
    case 4:
      return sign | (random.pick([1n, 2n, 3n]) << fraction) | random.pick([0n, 1n, wild, mask(fraction)])
    case 5:
      return sign | (infinite - (random.pick([1n, 2n]) << fraction)) | random.pick([0n, wild, mask(fraction)])
    case 6:
      return sign | one
    case 7:
      return sign | (one + (BigInt(random.between(-3, 3)) << fraction)) | sparse()
    case 8:
      return sign | (one + (BigInt(random.between(-70, 70)) << fraction)) | sparse()
    case 9:
      return sign | (one + (BigInt(random.between(-70, 70)) << fraction)) | wild
    case 10:
      return sign | (BigInt(random.below(2 * format.exponentMaximum + 1)) << fraction) | sparse()
    default:
      return random.uint64() & mask(format.width)
  }
}

const neighbour = (format: Format, pattern: bigint, random: Random): bigint =>
  (pattern + BigInt(random.between(-3, 3))) & mask(format.width)

/** The 64-bit register values integers are converted from: bounds, near-ties of both formats, runs of ones. */
export const integerOperand = (random: Random): bigint => {
  const value = (): bigint => {
    switch (random.below(6)) {
      case 0:
        return random.pick([0n, 1n, -1n, 1n << 31n, -(1n << 31n), 1n << 63n, (1n << 63n) - 1n, (1n << 32n) - 1n])
      case 1:
        return (1n << BigInt(random.below(64))) + BigInt(random.between(-2, 2))
      case 2: {
        const precision = random.pick([24n, 53n])
        const excess = BigInt(random.between(1, 11))
        const kept = (random.uint64() & mask(precision)) | (1n << (precision - 1n))
        return (kept << excess) + (1n << (excess - 1n)) + BigInt(random.between(-1, 1))
      }
      case 3:
        return random.uint64() >> BigInt(random.below(64))
      case 4:
        return mask(BigInt(random.between(1, 64))) << BigInt(random.below(40))
      default:
        return random.uint64()
    }
  }
  const chosen = value()
  return BigInt.asUintN(64, random.chance(40) ? -chosen : chosen)
}

/** A float that lies on, or next to, an integer, a half, or a bound of an integer type. */
const nearInteger = (format: Format, random: Random): bigint => {
  const source = random.pick([1n << 31n, 1n << 32n, 1n << 63n, 1n << 64n, 0n, 1n, 2n, 3n, integerOperand(random) >> 8n])
  const doubled = 2n * source + BigInt(random.between(-3, 3))
  const rounded = doubled === 0n ? 0n : exactHalves(format, doubled)
  const pattern = random.chance(60) ? rounded : neighbour(format, rounded, random)
  return random.chance(40) ? pattern ^ signBit(format) : pattern
}

/** halves / 2 in the format, rounded to nearest: multiplies by one half exactly. */
const exactHalves = (format: Format, halves: bigint): bigint => {
  const magnitude = fromInteger(format, BigInt.asUintN(64, halves < 0n ? -halves : halves), 64, false, 0).bits
  const half = BigInt(format.exponentMaximum - 1) << BigInt(format.precision - 1)
  const result = multiply(format, magnitude, half, 0).bits
  return halves < 0n ? result | signBit(format) : result
}

const operands = (op: FloatOp, random: Random): [bigint, bigint, bigint] => {
  const [name, to, from] = op.split(".") as [string, string, string | undefined]
  if (name === "fcvt") {
    if (isInteger(from!)) return [integerOperand(random), 0n, 0n]
    const format = formatOf(from!)
    if (isInteger(to)) return [random.chance(60) ? nearInteger(format, random) : floatOperand(format, random), 0n, 0n]
    if (to === "s" && random.chance(70)) {
      // Doubles around a single and around the middle between two singles, subnormal ones too.
      const single = convertFormat(binary32, binary64, floatOperand(binary32, random), 0).bits
      const half = random.pick([0n, 1n << 28n, 1n << 27n, 1n << BigInt(random.below(52))])
      return [BigInt.asUintN(64, single + half + BigInt(random.between(-1, 1))), 0n, 0n]
    }
    return [floatOperand(format, random), 0n, 0n]
  }
  const format = formatOf(to)
  const a = floatOperand(format, random)
  const b = floatOperand(format, random)
  const c = floatOperand(format, random)
  if (name === "fsqrt") {
    const square = multiply(format, a, a, 0).bits
    return [
      random.chance(30) ? neighbour(format, square, random) : random.chance(80) ? a & ~signBit(format) : a,
      0n,
      0n,
    ]
  }
  if (name === "fclass") return [a, 0n, 0n]
  if (name === "fmadd") {
    // Massive cancellation and products next to the addend's rounding boundary.
    if (random.chance(40)) return [a, b, neighbour(format, multiply(format, a, b, 0).bits ^ signBit(format), random)]
    if (random.chance(20)) return [a, b, neighbour(format, multiply(format, a, b, 0).bits, random)]
    return [a, b, c]
  }
  if (random.chance(25)) return [a, neighbour(format, a, random) ^ (random.chance(50) ? signBit(format) : 0n), 0n]
  if (name === "fdiv" && random.chance(25)) return [multiply(format, a, b, 0).bits, b, 0n]
  if (name === "fmul" && random.chance(25)) {
    // A product near the subnormal range: a × (tiny / a).
    const tiny = BigInt(random.between(1, 64)) << BigInt(random.below(format.precision))
    return [a, divide(format, tiny, a, 0).bits, 0n]
  }
  return [a, b, 0n]
}

/** `count` cases of one operation, all rounding modes mixed; the same seed gives the same cases. */
export function* floatCases(op: FloatOp, count: number, seed: number): Generator<FloatCase> {
  const random = new Random(seed * 64 + floatOps.indexOf(op))
  for (let i = 0; i < count; i++) {
    const [a, b, c] = operands(op, random)
    const rm = random.below(5) as RoundingMode
    const { bits, flags } = evaluate(op, a, b, c, rm)
    yield { op, rm, a, b, c, result: bits, flags }
  }
}
