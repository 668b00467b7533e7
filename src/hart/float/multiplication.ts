/** Product. IEEE 754-2019, section 5.4.1 (multiplication). */
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
import { type Core, defineExact, defineOperation } from "./core.ts"
import { NX } from "./flags.ts"
import { exponentField, isInfinite, isSafelyNormal, isZero, normalSignificand, productSign, RNE } from "./format.ts"
import { returnIfNaN, returnInvalid, type Unpacked, unpack } from "./unpacked.ts"

const LOW_HALF = 0xffff_ffffn

/** The 128 bits of a × b. */
const wideProduct = (f: FunctionBuilder, a: Expr<"i64">, b: Expr<"i64">): { high: Local<"i64">; low: Local<"i64"> } => {
  const aLow = f.let(i64.and(a, LOW_HALF))
  const aHigh = f.let(i64.shru(a, 32))
  const bLow = f.let(i64.and(b, LOW_HALF))
  const bHigh = f.let(i64.shru(b, 32))
  const first = f.let(i64.add(i64.mul(aHigh, bLow), i64.shru(i64.mul(aLow, bLow), 32)))
  const second = f.let(i64.add(i64.mul(aLow, bHigh), i64.and(first, LOW_HALF)))
  return {
    high: f.let(i64.add(i64.mul(aHigh, bHigh), i64.add(i64.shru(first, 32), i64.shru(second, 32)))),
    low: f.let(i64.mul(a, b)),
  }
}

/**
 * The exact product of two nonzero numbers: (-1)^sign × (high + low / 2^64) / 2^63 × 2^(exponent - bias), bit 63 of `high` set.
 * `low` is absent where the format's products fit in 64 bits.
 */
export const exactProduct = (
  f: FunctionBuilder,
  { format }: Core,
  x: Unpacked,
  y: Unpacked,
): { sign: Local<"i32">; exponent: Local<"i32">; high: Local<"i64">; low: Local<"i64"> | null } => {
  const sign = f.let(i32.xor(x.sign, y.sign))
  const exponent = f.let(i32.sub(i32.add(x.exponent, y.exponent), format.bias - 1))
  if (2 * format.precision <= 64) {
    const product = f.let(i64.mul(i64.shru(x.significand, 32), i64.shru(y.significand, 32)))
    const zeros = f.let(i64.clz(product))
    return {
      sign,
      exponent: f.let(i32.sub(exponent, i32.wrap(zeros))),
      high: f.let(i64.shl(product, zeros)),
      low: null,
    }
  }
  const { high, low } = wideProduct(f, x.significand, y.significand)
  f.if(i64.ges(high, 0), () => {
    f.set(high, i64.or(i64.shl(high, 1), i64.shru(low, 63)))
    f.set(low, i64.shl(low, 1))
    f.set(exponent, i32.sub(exponent, 1))
  })
  return { sign, exponent, high, low }
}

/** `a × b` on patterns. */
export const defineMulExact = (core: Core): FunctionRef =>
  defineExact(core, "mul", 2, (f, [a, b], rounding) => {
    const { format, flags, round } = core
    returnIfNaN(f, format, flags, a!, b!)
    const sign = f.let(productSign(format, a!, b!))
    const isAnyZero = f.let(i32.or(isZero(format, a!), isZero(format, b!)))
    f.if(i32.or(isInfinite(format, a!), isInfinite(format, b!)), () => {
      f.if(isAnyZero, () => returnInvalid(f, format, flags))
      f.return(i64.or(sign, format.infinity))
    })
    f.if(isAnyZero, () => f.return(sign))
    const product = exactProduct(f, core, unpack(f, format, a!), unpack(f, format, b!))
    const sticky = product.low === null ? i64.const(0) : i64.extendu(i64.ne(product.low, 0))
    f.return(callI64(round, product.sign, product.exponent, i64.or(product.high, sticky), rounding))
  })

/** `mul(a, b, rm)`. */
export const defineMul = (core: Core, exact: FunctionRef): FunctionRef =>
  defineOperation(core, "mul", 2, { rounds: true }, (f, { patterns: [a, b], rounding, give }) => {
    const { format, flags, host } = core
    const x = host.value(a!)
    const y = host.value(b!)
    f.if(i32.eq(rounding, RNE), () => {
      if (format.width === 32) {
        // The product is exact as a double.
        const product = f.let(f64.mul(host.double(x), host.double(y)))
        const single = f.let(host.round(product))
        const pattern = f.let(host.pattern(single))
        f.if(isSafelyNormal(format, pattern), () => {
          f.if(f64.ne(host.double(single), product), () => flags.raise(f, NX))
          give(pattern)
        })
        return
      }
      const pattern = f.let(host.pattern(host.mul(x, y)))
      f.if(isSafelyNormal(format, pattern), () => {
        f.if(flags.inexactIsUp(), () => give(pattern))
        const aExponent = f.let(exponentField(format, a!))
        const bExponent = f.let(exponentField(format, b!))
        f.if(i32.eqz(i32.or(i64.eqz(aExponent), i64.eqz(bExponent))), () => {
          // The product of the significands has 2 × precision bits, or one less, as the exponents tell. It is exact if all below
          // the upper `precision` are zero; those lie in the low 64 bits, which is where they are moved to the top.
          const low = i64.mul(normalSignificand(format, a!), normalSignificand(format, b!))
          const carried = i64.sub(exponentField(format, pattern), i64.sub(i64.add(aExponent, bExponent), format.bias))
          const dropped = i64.shl(low, i64.sub(format.excess + 1, carried))
          f.if(i64.ne(dropped, 0), () => flags.raise(f, NX))
          give(pattern)
        })
      })
    })
    give(callI64(exact, a!, b!, rounding))
  })
