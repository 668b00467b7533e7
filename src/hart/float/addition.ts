/** Sum and difference. IEEE 754-2019, section 5.4.1 (addition, subtraction) and 6.3 (the sign of a zero sum). */
import { callI64, type FunctionBuilder, type FunctionRef, i32, i64 } from "../../wasm/index.ts"
import { type Core, defineExact, defineOperation, type Operands } from "./core.ts"
import { NX } from "./flags.ts"
import { cancelledZero, isInfinite, isZero, magnitude, RNE } from "./format.ts"
import { shiftRightSticky } from "./rounding.ts"
import { returnIfNaN, returnInvalid, unpack } from "./unpacked.ts"

/**
 * `(sign, exponent, significand) × 2, rm → pattern`: the rounded sum of two unpacked numbers. The significands are exact and end
 * in at least 8 zero bits; the second number may be zero if its exponent is below the first's.
 */
export const defineSum = ({ module, format, round }: Core): FunctionRef =>
  module.function(
    `sum${format.width}`,
    { params: ["i32", "i32", "i64", "i32", "i32", "i64", "i32"], result: "i64" },
    f => {
      const sign = f.param(0, "i32")
      const exponent = f.param(1, "i32")
      const significand = f.param(2, "i64")
      const otherSign = f.param(3, "i32")
      const otherExponent = f.param(4, "i32")
      const otherSignificand = f.param(5, "i64")
      const rounding = f.param(6, "i32")

      const smaller = i32.or(
        i32.lts(exponent, otherExponent),
        i32.and(i32.eq(exponent, otherExponent), i64.ltu(significand, otherSignificand)),
      )
      f.if(smaller, () => {
        const keptSign = f.let(sign)
        const keptExponent = f.let(exponent)
        const keptSignificand = f.let(significand)
        f.set(sign, otherSign)
        f.set(exponent, otherExponent)
        f.set(significand, otherSignificand)
        f.set(otherSign, keptSign)
        f.set(otherExponent, keptExponent)
        f.set(otherSignificand, keptSignificand)
      })

      // Both go one bit down to make room for a carry. A sticky bit survives the subtraction: if it is set the exponents are
      // more than 7 apart, so the difference loses at most one leading bit.
      const aligned = f.let(shiftRightSticky(f, i64.shru(otherSignificand, 1), i32.sub(exponent, otherExponent)))
      const total = f.let(
        i64.add(i64.shru(significand, 1), i64.select(i64.sub(0, aligned), aligned, i32.ne(sign, otherSign))),
      )
      f.if(i64.eqz(total), () => f.return(cancelledZero(format, rounding)))
      const zeros = f.let(i64.clz(total))
      f.return(callI64(round, sign, i32.sub(i32.add(exponent, 1), i32.wrap(zeros)), i64.shl(total, zeros), rounding))
    },
  )

/** `a + b` on patterns. */
export const defineAddExact = (core: Core, sum: FunctionRef): FunctionRef =>
  defineExact(core, "add", 2, (f, [a, b], rounding) => {
    const { format, flags } = core
    returnIfNaN(f, format, flags, a!, b!)
    f.if(isInfinite(format, a!), () => {
      f.if(i32.and(isInfinite(format, b!), i64.ne(a!, b!)), () => returnInvalid(f, format, flags))
      f.return(a!)
    })
    f.if(isInfinite(format, b!), () => f.return(b!))
    f.if(isZero(format, b!), () => {
      f.if(i32.and(isZero(format, a!), i64.ne(a!, b!)), () => f.return(cancelledZero(format, rounding)))
      f.return(a!)
    })
    f.if(isZero(format, a!), () => f.return(b!))
    const x = unpack(f, format, a!)
    const y = unpack(f, format, b!)
    f.return(callI64(sum, x.sign, x.exponent, x.significand, y.sign, y.exponent, y.significand, rounding))
  })

/** Emits the body of an addition: by the host to nearest even, exactly otherwise. */
const add = (f: FunctionBuilder, { format, flags, host }: Core, exact: FunctionRef, operands: Operands): void => {
  const [a, b] = operands.patterns
  const { rounding, give } = operands
  f.if(i32.eq(rounding, RNE), () => {
    const x = f.let(host.value(a!))
    const y = f.let(host.value(b!))
    const total = f.let(host.add(x, y))
    const pattern = f.let(host.pattern(total))
    // A finite sum cannot underflow: where it is subnormal it is exact.
    f.if(i64.ltu(magnitude(format, pattern), format.infinity), () => {
      f.if(flags.inexactIsUp(), () => give(pattern))
      // What the sum leaves out (Knuth's two-sum): zero where nothing is. A step that overflows, as near the greatest numbers it
      // may where something is lost, makes it a NaN.
      const added = f.let(host.sub(total, x))
      const error = host.add(host.sub(x, host.sub(total, added)), host.sub(y, added))
      f.if(i64.ne(magnitude(format, host.pattern(error)), 0), () => flags.raise(f, NX))
      give(pattern)
    })
  })
  give(callI64(exact, a!, b!, rounding))
}

/** `add(a, b, rm)`. */
export const defineAdd = (core: Core, exact: FunctionRef): FunctionRef =>
  defineOperation(core, "add", 2, { rounds: true }, (f, operands) => add(f, core, exact, operands))

/** `sub(a, b, rm)`: a + (-b). */
export const defineSub = (core: Core, exact: FunctionRef): FunctionRef =>
  defineOperation(core, "sub", 2, { rounds: true }, (f, operands) => {
    const [a, b] = operands.patterns
    const negated = f.let(i64.xor(b!, core.format.sign))
    add(f, core, exact, { ...operands, patterns: [a!, negated] })
  })
