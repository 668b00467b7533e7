/**
 * Floating point by the host's own instructions, where that gives what the library gives: the same bits and no flag but one that is up
 * already. WebAssembly rounds to nearest, ties to even, and its NaN bits are not determined (core specification, section 4.3.3): a
 * result counts only where it is known to be a number.
 */
import { type Expr, type FunctionBuilder, f32, f64, i32, i64 } from "../../wasm/index.ts"
import { binary32, binary64, type Format } from "../float/format.ts"
import type { FloatLibrary } from "../float/index.ts"

/** An operation of the host. */
export interface HostOperation {
  /** It may round: only where NX is up and the mode is to nearest even. */
  readonly rounds: boolean
  /** Raw bits, as the library's function gives them. */
  readonly result: Expr
  /** Whether the result is the guest's. */
  readonly holds: Expr<"i32">
}

/** A double constant by its bits. */
const double = (bits: bigint): Expr<"f64"> => f64.fromBits(i64.const(bits))
const single = (bits: bigint): Expr<"f32"> => f32.fromBits(i32.const(Number(bits)))

/** The host's instructions of a format, on values. */
const hostOf = (format: Format) => {
  const isDouble = format.width === 64
  const host = (isDouble ? f64 : f32) as typeof f64
  const constant = (isDouble ? double : single) as typeof double
  const value = (bits: Expr) => host.fromBits(bits as Expr<"i64">)
  const bits = (of: Expr<"f64">): Expr => (isDouble ? i64.bits(of) : i32.bits(of as unknown as Expr<"f32">))
  const isBounded = (of: Expr<"f64">) => host.lt(host.abs(of), constant(format.infinity))
  /** Greater in magnitude than the smallest normal number, and finite: neither tiny nor overflowed. */
  const isSafelyNormal = (of: Expr<"f64">) => i32.and(host.gt(host.abs(of), constant(format.hidden)), isBounded(of))
  const isNumber = (of: Expr<"f64">) => host.eq(of, of)
  return { host, value, bits, isBounded, isSafelyNormal, isNumber }
}

type Make = (f: FunctionBuilder, operands: readonly Expr[]) => HostOperation

const operationsOf = (format: Format): Readonly<Record<string, Make>> => {
  const { host, value, bits, isBounded, isSafelyNormal, isNumber } = hostOf(format)
  type Value = Expr<"f64">
  const arithmetic =
    (compute: (...values: Value[]) => Value, holds: (result: Value) => Expr<"i32">): Make =>
    (f, operands) => {
      const result = f.let(compute(...operands.map(value)))
      return { rounds: true, result: bits(result), holds: holds(result) }
    }
  const comparison =
    (compare: (a: Value, b: Value) => Expr<"i32">): Make =>
    (f, operands) => {
      const [a, b] = operands.map(operand => f.let(value(operand)))
      return { rounds: false, result: compare(a!, b!), holds: i32.and(isNumber(a!), isNumber(b!)) }
    }
  const fromInteger =
    (convert: (integer: Expr<"i64">) => Value, integer: (operand: Expr<"i64">) => Expr<"i64">, rounds: boolean): Make =>
    (_, [operand]) => ({ rounds, result: bits(convert(integer(operand as Expr<"i64">))), holds: i32.const(1) })
  const whole = (operand: Expr<"i64">) => operand
  const unsignedWord = (operand: Expr<"i64">) => i64.and(operand, 0xffff_ffff)
  const isDouble = format.width === 64
  const { width } = format
  return {
    [`add${width}`]: arithmetic(host.add, isBounded),
    [`sub${width}`]: arithmetic(host.sub, isBounded),
    [`mul${width}`]: arithmetic(host.mul, isSafelyNormal),
    [`div${width}`]: arithmetic(host.div, isSafelyNormal),
    [`sqrt${width}`]: arithmetic(host.sqrt, isSafelyNormal),
    [`eq${width}`]: comparison(host.eq),
    [`lt${width}`]: comparison(host.lt),
    [`le${width}`]: comparison(host.le),
    [`from_i32_${width}`]: fromInteger(host.fromI64s, i64.extend32s, !isDouble),
    [`from_u32_${width}`]: fromInteger(host.fromI64u, unsignedWord, !isDouble),
    [`from_i64_${width}`]: fromInteger(host.fromI64s, whole, true),
    [`from_u64_${width}`]: fromInteger(host.fromI64u, whole, true),
  }
}

const narrow: Make = (f, [operand]) => {
  const { bits, isSafelyNormal } = hostOf(binary32)
  const result = f.let(f32.demote(f64.fromBits(operand as Expr<"i64">)))
  return { rounds: true, result: bits(result as never), holds: isSafelyNormal(result as never) }
}
const widen: Make = (f, [operand]) => {
  const from = f.let(f32.fromBits(operand as Expr<"i32">))
  return { rounds: false, result: i64.bits(f64.promote(from)), holds: f32.eq(from, from) }
}

const operations: Readonly<Record<string, Make>> = {
  ...operationsOf(binary32),
  ...operationsOf(binary64),
  narrow,
  widen,
}

/** The host's way of one of the library's functions; null where it has none. */
export const hostOperation = (
  f: FunctionBuilder,
  name: keyof FloatLibrary,
  operands: readonly Expr[],
): HostOperation | null => operations[name]?.(f, operands) ?? null
