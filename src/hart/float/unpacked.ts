/** Numbers taken apart: sign, exponent and a significand brought up to bit 63. IEEE 754-2019, section 3.3. */
import { type Expr, type FunctionBuilder, i32, i64, type Local } from "../../wasm/index.ts"
import { type Flags, NV } from "./flags.ts"
import { exponentField, type Format, isNotANumber, isSignalling } from "./format.ts"

/** (-1)^sign × significand / 2^63 × 2^(exponent - bias), with bit 63 of the significand set unless the number is zero. */
export interface Unpacked {
  readonly sign: Local<"i32">
  readonly exponent: Local<"i32">
  readonly significand: Local<"i64">
}

/** Takes a finite number apart. A subnormal one gets an exponent of 0 or less; zero gets significand 0 and no useful exponent. */
export const unpack = (f: FunctionBuilder, format: Format, pattern: Expr<"i64">): Unpacked => {
  const field = f.let(i32.wrap(exponentField(format, pattern)))
  const fraction = f.let(i64.and(pattern, format.fraction))
  const integer = f.let(i64.select(i64.or(fraction, format.hidden), fraction, field))
  const zeros = f.let(i64.clz(integer))
  return {
    sign: f.let(i32.and(i32.wrap(i64.shru(pattern, format.width - 1)), 1)),
    exponent: f.let(i32.sub(i32.add(i32.select(field, 1, field), format.excess), i32.wrap(zeros))),
    significand: f.let(i64.shl(integer, zeros)),
  }
}

const any = (conditions: readonly Expr<"i32">[]): Expr<"i32"> => conditions.reduce((all, next) => i32.or(all, next))

/** Returns the canonical NaN when an operand is a NaN; a signalling one raises NV. IEEE 754-2019, section 6.2. */
export const returnIfNaN = (
  f: FunctionBuilder,
  format: Format,
  flags: Flags,
  ...patterns: readonly Expr<"i64">[]
): void => {
  f.if(any(patterns.map(pattern => isNotANumber(format, pattern))), () => {
    f.if(any(patterns.map(pattern => isSignalling(format, pattern))), () => flags.raise(f, NV))
    f.return(i64.const(format.canonicalNaN))
  })
}

/** Raises NV and returns the canonical NaN. IEEE 754-2019, section 7.2. */
export const returnInvalid = (f: FunctionBuilder, format: Format, flags: Flags): void => {
  flags.raise(f, NV)
  f.return(i64.const(format.canonicalNaN))
}
