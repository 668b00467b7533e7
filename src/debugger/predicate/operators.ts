/**
 * What operators do with 64-bit integers. Everything is unsigned and wraps around, except what is written with `s`: comparisons and
 * the right shift that take both sides, or the left one, as two's complement. Truth is 1 and 0. A result that is null is unknown.
 */
import type { Arithmetic, Comparison, UnaryOperator } from "./expression.ts"

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)
const signed = (value: bigint): bigint => BigInt.asIntN(64, value)
const truth = (value: boolean): bigint => (value ? 1n : 0n)

/** A shift of 64 or more shifts everything out. */
const distance = (bits: bigint): bigint => (bits < 64n ? bits : 64n)

export const unaryMeaning: Readonly<Record<UnaryOperator, (operand: bigint) => bigint>> = {
  "-": a => wrap(-a),
  "~": a => wrap(~a),
  "!": a => truth(a === 0n),
  signed8: a => wrap(BigInt.asIntN(8, a)),
  signed16: a => wrap(BigInt.asIntN(16, a)),
  signed32: a => wrap(BigInt.asIntN(32, a)),
}

export const binaryMeaning: Readonly<Record<Comparison | Arithmetic, (left: bigint, right: bigint) => bigint | null>> =
  {
    "==": (a, b) => truth(a === b),
    "!=": (a, b) => truth(a !== b),
    "<": (a, b) => truth(a < b),
    "<=": (a, b) => truth(a <= b),
    ">": (a, b) => truth(a > b),
    ">=": (a, b) => truth(a >= b),
    "s<": (a, b) => truth(signed(a) < signed(b)),
    "s<=": (a, b) => truth(signed(a) <= signed(b)),
    "s>": (a, b) => truth(signed(a) > signed(b)),
    "s>=": (a, b) => truth(signed(a) >= signed(b)),
    "|": (a, b) => a | b,
    "^": (a, b) => a ^ b,
    "&": (a, b) => a & b,
    "<<": (a, b) => wrap(a << distance(b)),
    ">>": (a, b) => a >> distance(b),
    "s>>": (a, b) => wrap(signed(a) >> distance(b)),
    "+": (a, b) => wrap(a + b),
    "-": (a, b) => wrap(a - b),
    "*": (a, b) => wrap(a * b),
    "/": (a, b) => (b === 0n ? null : a / b),
    "%": (a, b) => (b === 0n ? null : a % b),
  }
