/**
 * The one place where results are rounded and packed. IEEE 754-2019, sections 4.3 (rounding), 7.4 to 7.6 (overflow, underflow,
 * inexact). Tininess is detected after rounding, as RISC-V has it ("F", section on subnormal arithmetic).
 */
import { type Expr, type FunctionBuilder, type FunctionRef, i32, i64, type ModuleBuilder } from "../../wasm/index.ts"
import { type Flags, NX, OF, UF } from "./flags.ts"
import { type Format, RNE } from "./format.ts"

/** Shifts right by `count` (0 or more, an i32); what falls off is remembered in bit 0, the sticky bit. */
export const shiftRightSticky = (f: FunctionBuilder, value: Expr<"i64">, count: Expr<"i32">): Expr<"i64"> => {
  const whole = f.let(value)
  const distance = f.let(i64.extendu(count))
  const shifted = f.let(i64.shru(whole, distance))
  const lost = i64.extendu(i64.ne(i64.shl(shifted, distance), whole))
  return i64.select(i64.or(shifted, lost), i64.extendu(i64.ne(whole, 0)), i64.ltu(distance, 64))
}

/**
 * `(sign: i32, exponent: i32, significand: i64, rm: i32) → pattern: i64`: rounds (-1)^sign × significand / 2^63 × 2^(exponent - bias).
 * Bit 63 of the significand is set; its bit 0 may be sticky. Exponents up to 4095 and any below are fine.
 */
export const defineRound = (module: ModuleBuilder, format: Format, flags: Flags): FunctionRef =>
  module.function(`round${format.width}`, { params: ["i32", "i32", "i64", "i32"], result: "i64" }, f => {
    const sign = f.param(0, "i32")
    const exponent = f.param(1, "i32")
    const significand = f.param(2, "i64")
    const rounding = f.param(3, "i32")
    const { excess } = format
    const half = 1n << BigInt(excess - 1)
    const all = (1n << BigInt(excess)) - 1n

    // What is added below the last kept bit: half of it to nearest, almost all of it away from zero, nothing toward zero.
    const awayFromZero = i32.eq(rounding, i32.sub(3, sign))
    const increment = f.let(i64.select(half, i64.select(all, 0, awayFromZero), i32.eqz(i32.and(rounding, 3))))
    const tiny = f.local("i32")
    f.if(i32.les(exponent, 0), () => {
      // Not tiny after all when rounding, with the exponent unbounded, carries up to the smallest normal number.
      const carries = i64.ltu(i64.add(significand, increment), significand)
      f.set(tiny, i32.or(i32.lts(exponent, 0), i32.eqz(carries)))
      f.set(significand, shiftRightSticky(f, significand, i32.sub(1, exponent)))
      f.set(exponent, 1)
    })

    const dropped = f.let(i64.and(significand, all))
    const kept = f.let(i64.add(i64.shru(significand, excess), i64.shru(i64.add(dropped, increment), excess)))
    f.if(i64.ne(dropped, 0), () => {
      flags.raise(f, i32.or(NX, i32.select(UF, 0, tiny)))
      f.if(i32.and(i32.eq(rounding, RNE), i64.eq(dropped, half)), () => f.set(kept, i64.and(kept, -2)))
    })

    // The hidden bit, and a carry out of the significand, add themselves to the exponent field.
    const pattern = f.let(i64.add(i64.shl(i64.extend(i32.sub(exponent, 1)), format.fractionBits), kept))
    f.if(i64.geu(pattern, format.infinity), () => {
      flags.raise(f, OF | NX)
      f.set(pattern, i64.select(format.infinity, format.infinity - 1n, i64.ne(increment, 0)))
    })
    f.return(i64.or(pattern, i64.shl(i64.extendu(sign), format.width - 1)))
  })
