/**
 * The host's own arithmetic of a format: WebAssembly rounds to nearest, ties to even, with subnormals and without flags (core
 * specification, section 4.3.3). Its NaN bits are not determined, so no pattern may leave here before it is known to be a number.
 */
import { type Expr, f32, f64, i32, i64 } from "../../wasm/index.ts"
import type { Format } from "./format.ts"

/** Values are f32 or f64 expressions, as the format is wide; patterns are i64, those of singles zero-extended. */
export interface Host {
  value(pattern: Expr<"i64">): Expr
  pattern(value: Expr): Expr<"i64">
  /** The value as a double: exact. */
  double(value: Expr): Expr<"f64">
  /** A double rounded to the format, to nearest even. */
  round(value: Expr<"f64">): Expr
  add(a: Expr, b: Expr): Expr
  sub(a: Expr, b: Expr): Expr
  mul(a: Expr, b: Expr): Expr
  div(a: Expr, b: Expr): Expr
  sqrt(a: Expr): Expr
  eq(a: Expr, b: Expr): Expr<"i32">
  lt(a: Expr, b: Expr): Expr<"i32">
  le(a: Expr, b: Expr): Expr<"i32">
}

const { add, sub, mul, div, sqrt, eq, lt, le } = f32
const hostSingle: Host = {
  value: pattern => f32.fromBits(i32.wrap(pattern)),
  pattern: (value: Expr<"f32">) => i64.extendu(i32.bits(value)),
  double: (value: Expr<"f32">) => f64.promote(value),
  round: value => f32.demote(value),
  add,
  sub,
  mul,
  div,
  sqrt,
  eq,
  lt,
  le,
}

const hostDouble: Host = {
  value: pattern => f64.fromBits(pattern),
  pattern: (value: Expr<"f64">) => i64.bits(value),
  double: (value: Expr<"f64">) => value,
  round: value => value,
  add: f64.add,
  sub: f64.sub,
  mul: f64.mul,
  div: f64.div,
  sqrt: f64.sqrt,
  eq: f64.eq,
  lt: f64.lt,
  le: f64.le,
}

export const hostOf = (format: Format): Host => (format.width === 32 ? hostSingle : hostDouble)

/** A double constant. */
export const double = (value: number): Expr<"f64"> => {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return f64.fromBits(i64.const(view.getBigInt64(0)))
}
