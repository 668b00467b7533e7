/** Square root. IEEE 754-2019, section 5.4.1 (squareRoot) and 6.3 (the root of -0 is -0). */
import { callI64, type FunctionRef, f64, i32, i64 } from "../../wasm/index.ts"
import { type Core, defineExact, defineOperation } from "./core.ts"
import { NX } from "./flags.ts"
import { binary64, exponentField, isZero, normalSignificand, RNE } from "./format.ts"
import { returnIfNaN, returnInvalid, unpack } from "./unpacked.ts"

/** √a on patterns. */
export const defineSqrtExact = (core: Core): FunctionRef =>
  defineExact(core, "sqrt", 1, (f, [a], rounding) => {
    const { format, flags, round } = core
    returnIfNaN(f, format, flags, a!)
    f.if(isZero(format, a!), () => f.return(a!))
    f.if(i64.geu(a!, format.sign), () => returnInvalid(f, format, flags))
    f.if(i64.eq(a!, format.infinity), () => f.return(a!))
    const x = unpack(f, format, a!)

    // With the exponent made even, radicand = significand × 2^52 or 2^53 and its root lies in [2^52, 2^53). The host's root is
    // within one half of it, so the remainder is small and exact in 64-bit arithmetic, and makes the root its floor.
    const exponent = f.let(i32.sub(x.exponent, format.bias))
    const odd = f.let(i64.extendu(i32.and(exponent, 1)))
    const significand = f.let(i64.shl(i64.shru(x.significand, binary64.excess), odd))
    const root = f.let(normalSignificand(binary64, i64.bits(f64.sqrt(f64.fromI64s(significand)))))
    const remainder = f.let(i64.sub(i64.shl(significand, binary64.fractionBits), i64.mul(root, root)))
    f.if(i64.lts(remainder, 0), () => {
      f.set(root, i64.sub(root, 1))
      f.set(remainder, i64.add(remainder, i64.add(i64.shl(root, 1), 1)))
    })
    // The next bit is set if radicand > (root + 1/2)² = root² + root + 1/4; a root is never exactly there. Then sticky.
    const upper = i64.extendu(i64.gts(remainder, root))
    const tail = i64.or(i64.shl(upper, binary64.excess - 1), i64.extendu(i64.ne(remainder, 0)))
    f.return(
      callI64(
        round,
        i32.const(0),
        i32.add(i32.shrs(exponent, 1), format.bias),
        i64.or(i64.shl(root, binary64.excess), tail),
        rounding,
      ),
    )
  })

/** `sqrt(a, rm)`. */
export const defineSqrt = (core: Core, exact: FunctionRef): FunctionRef =>
  defineOperation(core, "sqrt", 1, { rounds: true }, (f, { patterns: [a], rounding, give }) => {
    const { format, flags, host } = core
    // Positive and normal, to nearest even.
    const usual = i64.ltu(i64.sub(a!, format.hidden), format.infinity - format.hidden)
    f.if(i32.and(usual, i32.eq(rounding, RNE)), () => {
      const x = f.let(host.value(a!))
      const root = f.let(host.sqrt(x))
      const pattern = f.let(host.pattern(root))
      f.if(flags.inexactIsUp(), () => give(pattern))
      if (format.width === 32) {
        // Squared, exactly, as doubles.
        const square = f64.mul(host.double(root), host.double(root))
        f.if(f64.ne(square, host.double(x)), () => flags.raise(f, NX))
      } else {
        // Squared modulo 2^64: the two sides differ by no more than the root, so they differ there too or not at all.
        const significand = f.let(normalSignificand(format, pattern))
        const odd = i64.and(i64.xor(exponentField(format, a!), 1), 1)
        const scaled = i64.shl(normalSignificand(format, a!), i64.add(odd, format.fractionBits))
        f.if(i64.ne(i64.mul(significand, significand), scaled), () => flags.raise(f, NX))
      }
      give(pattern)
    })
    give(callI64(exact, a!, rounding))
  })
