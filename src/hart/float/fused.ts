/** Fused multiply and add: one rounding. IEEE 754-2019, section 5.4.1 (fusedMultiplyAdd) and 7.2 (c). */
import {
  callI64,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  f64,
  i32,
  i64,
  type Local,
} from "../../wasm/index.ts"
import { type Core, defineExact, defineOperation, type Operands } from "./core.ts"
import { NV, NX } from "./flags.ts"
import {
  cancelledZero,
  isInfinite,
  isNotANumber,
  isSafelyNormal,
  isSignalling,
  isZero,
  magnitude,
  productSign,
  RNE,
  signOf,
} from "./format.ts"
import { double } from "./host.ts"
import { exactProduct } from "./multiplication.ts"
import { returnInvalid, unpack } from "./unpacked.ts"

const ZERO = double(0)

/** Below the exponent of any product. */
const ZERO_EXPONENT = -0x8000

/** A significand of 128 bits. */
interface Wide {
  readonly high: Local<"i64">
  readonly low: Local<"i64">
}

/** Shifts right by `count` (0 or more), keeping a sticky bit in bit 0. */
const shiftWideRightSticky = (f: FunctionBuilder, { high, low }: Wide, count: Expr<"i32">): void => {
  const distance = f.let(i64.extendu(count))
  const lost = f.local("i64")
  f.if(i64.geu(distance, 64), () => {
    f.set(lost, low)
    f.set(low, high)
    f.set(high, 0)
    f.set(distance, i64.sub(distance, 64))
    f.if(i64.geu(distance, 64), () => {
      f.set(lost, i64.or(lost, low))
      f.set(low, 0)
      f.set(distance, 0)
    })
  })
  f.if(i64.ne(distance, 0), () => {
    const rest = f.let(i64.sub(64, distance))
    f.set(lost, i64.or(lost, i64.shl(low, rest)))
    f.set(low, i64.or(i64.shru(low, distance), i64.shl(high, rest)))
    f.set(high, i64.shru(high, distance))
  })
  f.set(low, i64.or(low, i64.extendu(i64.ne(lost, 0))))
}

/** Emits the rounded sum of a nonzero product and another number, over 128-bit significands, and returns it. */
const returnWideSum = (
  f: FunctionBuilder,
  { format, round }: Core,
  product: Wide & { readonly sign: Local<"i32">; readonly exponent: Local<"i32"> },
  addend: { readonly sign: Local<"i32">; readonly exponent: Local<"i32">; readonly significand: Local<"i64"> },
  rounding: Expr<"i32">,
): void => {
  const sign = f.let(product.sign)
  const exponent = f.let(product.exponent)
  // One bit down, to make room for a carry: both end in far more zeros than that.
  const sum: Wide = {
    high: f.let(i64.shru(product.high, 1)),
    low: f.let(i64.or(i64.shru(product.low, 1), i64.shl(product.high, 63))),
  }
  const other: Wide = { high: f.let(i64.shru(addend.significand, 1)), low: f.local("i64") }
  const distance = f.let(i32.sub(exponent, addend.exponent))
  f.if(
    i32.ges(distance, 0),
    () => shiftWideRightSticky(f, other, distance),
    () => {
      shiftWideRightSticky(f, sum, i32.sub(0, distance))
      f.set(exponent, addend.exponent)
    },
  )
  f.if(
    i32.eq(product.sign, addend.sign),
    () => {
      f.set(sum.low, i64.add(sum.low, other.low))
      const carry = i64.extendu(i64.ltu(sum.low, other.low))
      f.set(sum.high, i64.add(i64.add(sum.high, other.high), carry))
    },
    () => {
      const borrow = i64.extendu(i64.ltu(sum.low, other.low))
      f.set(sum.high, i64.sub(i64.sub(sum.high, other.high), borrow))
      f.set(sum.low, i64.sub(sum.low, other.low))
      f.if(i64.lts(sum.high, 0), () => {
        // The addend was the larger: negate.
        f.set(sign, addend.sign)
        f.set(sum.low, i64.sub(0, sum.low))
        f.set(sum.high, i64.sub(i64.sub(0, sum.high), i64.extendu(i64.ne(sum.low, 0))))
      })
    },
  )
  f.if(i64.eqz(sum.high), () => {
    f.if(i64.eqz(sum.low), () => f.return(cancelledZero(format, rounding)))
    f.set(sum.high, sum.low)
    f.set(sum.low, 0)
    f.set(exponent, i32.sub(exponent, 64))
  })
  const zeros = f.let(i64.clz(sum.high))
  const shifted = i64.or(i64.shl(sum.high, zeros), i64.shru(i64.shru(sum.low, 1), i64.sub(63, zeros)))
  const sticky = i64.extendu(i64.ne(i64.shl(sum.low, zeros), 0))
  f.return(callI64(round, sign, i32.sub(i32.add(exponent, 1), i32.wrap(zeros)), i64.or(shifted, sticky), rounding))
}

/** `a × b + c` on patterns. */
export const defineFmaExact = (core: Core, sumOfNarrow: FunctionRef): FunctionRef =>
  defineExact(core, "fma", 3, (f, [a, b, c], rounding) => {
    const { format, flags } = core
    const infiniteTimesZero = f.let(
      i32.or(i32.and(isInfinite(format, a!), isZero(format, b!)), i32.and(isZero(format, a!), isInfinite(format, b!))),
    )
    const isAnyNaN = i32.or(i32.or(isNotANumber(format, a!), isNotANumber(format, b!)), isNotANumber(format, c!))
    const isAnySignalling = i32.or(i32.or(isSignalling(format, a!), isSignalling(format, b!)), isSignalling(format, c!))
    f.if(i32.or(isAnyNaN, infiniteTimesZero), () => {
      // RISC-V "F": an infinity times zero is invalid even if the addend is a quiet NaN.
      f.if(i32.or(isAnySignalling, infiniteTimesZero), () => flags.raise(f, NV))
      f.return(i64.const(format.canonicalNaN))
    })
    const sign = f.let(productSign(format, a!, b!))
    const isOpposite = i64.ne(sign, signOf(format, c!))
    f.if(i32.or(isInfinite(format, a!), isInfinite(format, b!)), () => {
      f.if(i32.and(isInfinite(format, c!), isOpposite), () => returnInvalid(f, format, flags))
      f.return(i64.or(sign, format.infinity))
    })
    f.if(isInfinite(format, c!), () => f.return(c!))
    f.if(i32.or(isZero(format, a!), isZero(format, b!)), () => {
      f.if(i32.and(isZero(format, c!), isOpposite), () => f.return(cancelledZero(format, rounding)))
      f.return(c!)
    })

    const product = exactProduct(f, core, unpack(f, format, a!), unpack(f, format, b!))
    const addend = unpack(f, format, c!)
    f.if(i64.eqz(addend.significand), () => f.set(addend.exponent, ZERO_EXPONENT))
    const { low } = product
    if (low !== null) return returnWideSum(f, core, { ...product, low }, addend, rounding)
    f.return(
      callI64(
        sumOfNarrow,
        product.sign,
        product.exponent,
        product.high,
        addend.sign,
        addend.exponent,
        addend.significand,
        rounding,
      ),
    )
  })

/** What is left of a double above its lower 26 bits, and the rest (Veltkamp): both multiply without error. */
const halves = (f: FunctionBuilder, value: Local<"f64">): { upper: Local<"f64">; lower: Local<"f64"> } => {
  const scaled = f.let(f64.mul(value, double(2 ** 27 + 1)))
  const upper = f.let(f64.sub(scaled, f64.sub(scaled, value)))
  return { upper, lower: f.let(f64.sub(value, upper)) }
}

/** What the rounded sum of `a` and `b` leaves out, exactly (Knuth's two-sum). */
const sumError = (f: FunctionBuilder, sum: Local<"f64">, a: Expr<"f64">, b: Expr<"f64">): Local<"f64"> => {
  const added = f.let(f64.sub(sum, a))
  return f.let(f64.add(f64.sub(a, f64.sub(sum, added)), f64.sub(b, added)))
}

/** Emits `a × b + c` of singles to nearest even; falls through where it cannot tell. */
const giveSingleByHost = (f: FunctionBuilder, { format, flags, host }: Core, operands: Operands): void => {
  const [a, b, c] = operands.patterns.map(pattern => host.double(host.value(pattern)))
  // The product is exact as a double. Its sum with the addend is rounded to odd: a last bit set wherever something was lost
  // keeps the second rounding, to single, from falling on a false tie.
  const product = f.let(f64.mul(a!, b!))
  const addend = f.let(c!)
  const sum = f.let(f64.add(product, addend))
  const error = sumError(f, sum, product, addend)
  const bits = f.let(i64.bits(sum))
  f.if(i32.and(f64.ne(error, ZERO), i64.eqz(i64.and(bits, 1))), () => {
    const grows = i32.eq(f64.gt(error, ZERO), i64.ges(bits, 0))
    f.set(bits, i64.add(bits, i64.select(1, -1, grows)))
  })
  const single = f.let(host.round(f64.fromBits(bits)))
  const pattern = f.let(host.pattern(single))
  f.if(isSafelyNormal(format, pattern), () => {
    f.if(f64.ne(host.double(single), f64.fromBits(bits)), () => flags.raise(f, NX))
    operands.give(pattern)
  })
}

/** Exponents of factors whose product neither overflows nor loses low bits: bias ± this. */
const FACTOR_EXPONENT = 480

/** Emits `a × b + c` of doubles to nearest even; falls through where it cannot tell. */
const giveDoubleByHost = (f: FunctionBuilder, { format, flags }: Core, operands: Operands): void => {
  const [a, b, c] = operands.patterns
  const exponent = (value: number) => BigInt(format.bias + value) << BigInt(format.fractionBits)
  const lowest = exponent(-FACTOR_EXPONENT)
  const span = exponent(FACTOR_EXPONENT) - lowest
  const isModerate = (pattern: Expr<"i64">) => i64.ltu(i64.sub(magnitude(format, pattern), lowest), span)
  f.if(i32.and(isModerate(a!), isModerate(b!)), () => {
    const x = f.let(f64.fromBits(a!))
    const y = f.let(f64.fromBits(b!))
    const addend = f.let(f64.fromBits(c!))
    // a × b = product + productError (Dekker), product + c = sum + additionError: so the result is sum + both errors.
    const product = f.let(f64.mul(x, y))
    const p = halves(f, x)
    const q = halves(f, y)
    const cross = f64.add(f64.sub(f64.mul(p.upper, q.upper), product), f64.mul(p.upper, q.lower))
    const productError = f.let(f64.add(f64.add(cross, f64.mul(p.lower, q.upper)), f64.mul(p.lower, q.lower)))
    const sum = f.let(f64.add(product, addend))
    const additionError = sumError(f, sum, product, addend)
    const correction = f.let(f64.add(productError, additionError))
    // The correction is off by at most 2^-53 of itself. If a little less and a little more of it round alike, so does the truth.
    // An addend that is not finite, or so great that a step overflows, ends in a result that is not.
    const result = f.let(f64.add(sum, f64.mul(correction, double(1 - 2 ** -52))))
    const other = f64.add(sum, f64.mul(correction, double(1 + 2 ** -52)))
    const pattern = f.let(i64.bits(result))
    f.if(i32.and(f64.eq(result, other), isSafelyNormal(format, pattern)), () => {
      f.if(flags.inexactIsUp(), () => operands.give(pattern))
      // Where the correction did not change the sum the result is exact if there was nothing to correct.
      f.if(f64.eq(result, sum), () => {
        f.if(f64.ne(correction, ZERO), () => flags.raise(f, NX))
        operands.give(pattern)
      })
    })
  })
}

/** `fma(a, b, c, rm)`. */
export const defineFma = (core: Core, exact: FunctionRef): FunctionRef =>
  defineOperation(core, "fma", 3, { rounds: true }, (f, operands) => {
    const giveByHost = core.format.width === 32 ? giveSingleByHost : giveDoubleByHost
    f.if(i32.eq(operands.rounding, RNE), () => giveByHost(f, core, operands))
    operands.give(callI64(exact, ...operands.patterns, operands.rounding))
  })
