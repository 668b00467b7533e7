/** Quotient. IEEE 754-2019, section 5.4.1 (division) and 7.3 (division by zero). */
import { callI64, type FunctionRef, f64, i32, i64 } from "../../wasm/index.ts"
import { type Core, defineExact, defineOperation } from "./core.ts"
import { DZ, NX } from "./flags.ts"
import {
  binary64,
  exponentField,
  isInfinite,
  isSafelyNormal,
  isZero,
  normalSignificand,
  productSign,
  RNE,
} from "./format.ts"
import { returnIfNaN, returnInvalid, unpack } from "./unpacked.ts"

/** `a / b` on patterns. */
export const defineDivExact = (core: Core): FunctionRef =>
  defineExact(core, "div", 2, (f, [a, b], rounding) => {
    const { format, flags, round } = core
    returnIfNaN(f, format, flags, a!, b!)
    const sign = f.let(productSign(format, a!, b!))
    f.if(isInfinite(format, a!), () => {
      f.if(isInfinite(format, b!), () => returnInvalid(f, format, flags))
      f.return(i64.or(sign, format.infinity))
    })
    f.if(isInfinite(format, b!), () => f.return(sign))
    f.if(isZero(format, b!), () => {
      f.if(isZero(format, a!), () => returnInvalid(f, format, flags))
      flags.raise(f, DZ)
      f.return(i64.or(sign, format.infinity))
    })
    f.if(isZero(format, a!), () => f.return(sign))
    const x = unpack(f, format, a!)
    const y = unpack(f, format, b!)

    // Significands of 53 bits, so that the host divides them; `scaled` / divisor lies in [2^52, 2^53). The host's quotient is
    // within one half of it, so the remainder is small and exact in 64-bit arithmetic, and makes the quotient its floor.
    const dividend = f.let(i64.shru(x.significand, binary64.excess))
    const divisor = f.let(i64.shru(y.significand, binary64.excess))
    const borrows = f.let(i64.ltu(dividend, divisor))
    const scaled = i64.shl(dividend, i64.add(i64.extendu(borrows), binary64.fractionBits))
    const nearest = f64.div(f64.fromI64s(dividend), f64.fromI64s(divisor))
    const quotient = f.let(normalSignificand(binary64, i64.bits(nearest)))
    const remainder = f.let(i64.sub(scaled, i64.mul(quotient, divisor)))
    f.if(i64.lts(remainder, 0), () => {
      f.set(quotient, i64.sub(quotient, 1))
      f.set(remainder, i64.add(remainder, divisor))
    })
    // One more bit, then sticky.
    f.set(remainder, i64.shl(remainder, 1))
    const upper = f.let(i64.geu(remainder, divisor))
    f.if(upper, () => f.set(remainder, i64.sub(remainder, divisor)))
    const tail = i64.or(i64.shl(i64.extendu(upper), binary64.excess - 1), i64.extendu(i64.ne(remainder, 0)))
    f.return(
      callI64(
        round,
        i32.xor(x.sign, y.sign),
        i32.sub(i32.add(i32.sub(x.exponent, y.exponent), format.bias), borrows),
        i64.or(i64.shl(quotient, binary64.excess), tail),
        rounding,
      ),
    )
  })

/** `div(a, b, rm)`. */
export const defineDiv = (core: Core, exact: FunctionRef): FunctionRef =>
  defineOperation(core, "div", 2, { rounds: true }, (f, { patterns: [a, b], rounding, give }) => {
    const { format, flags, host } = core
    f.if(i32.eq(rounding, RNE), () => {
      const x = f.let(host.value(a!))
      const y = f.let(host.value(b!))
      const quotient = f.let(host.div(x, y))
      const pattern = f.let(host.pattern(quotient))
      f.if(isSafelyNormal(format, pattern), () => {
        f.if(flags.inexactIsUp(), () => give(pattern))
        if (format.width === 32) {
          // Multiplied back, exactly, as doubles.
          const product = f64.mul(host.double(quotient), host.double(y))
          f.if(f64.ne(product, host.double(x)), () => flags.raise(f, NX))
          give(pattern)
          return
        }
        const aExponent = f.let(exponentField(format, a!))
        const bExponent = f.let(exponentField(format, b!))
        f.if(i32.eqz(i32.or(i64.eqz(aExponent), i64.eqz(bExponent))), () => {
          // Multiplied back, modulo 2^64: the two sides differ by at most half a divisor, so they differ there too or not at all.
          const borrows = i64.sub(i64.add(i64.sub(aExponent, bExponent), format.bias), exponentField(format, pattern))
          const product = i64.mul(normalSignificand(format, pattern), normalSignificand(format, b!))
          const scaled = i64.shl(normalSignificand(format, a!), i64.add(borrows, format.fractionBits))
          f.if(i64.ne(product, scaled), () => flags.raise(f, NX))
          give(pattern)
        })
      })
    })
    give(callI64(exact, a!, b!, rounding))
  })
