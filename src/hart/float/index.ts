/**
 * Binary32 and binary64 arithmetic with exact flags and the five rounding modes, as functions of a WebAssembly module.
 * IEEE 754-2019; RISC-V unprivileged specification, "F" and "D" 2.2.
 *
 * Floats are raw bits: i32 for binary32 (no boxing), i64 for binary64. Integers are i64. `rm` is an i32: 0 RNE, 1 RTZ, 2 RDN, 3 RUP,
 * 4 RMM, valid. NaN results are canonical; tininess is detected after rounding.
 */
import type { FunctionRef, ModuleBuilder } from "../../wasm/index.ts"
import { defineAdd, defineAddExact, defineSub, defineSum } from "./addition.ts"
import { defineClass, defineEq, defineExtremum, defineOrdering } from "./comparison.ts"
import {
  defineFromInteger,
  defineNarrow,
  defineSingleToInteger,
  defineToInteger,
  defineWiden,
  integerTypes,
} from "./conversion.ts"
import { type Core, defineCore } from "./core.ts"
import { defineDiv, defineDivExact } from "./division.ts"
import { Flags } from "./flags.ts"
import { binary32, binary64 } from "./format.ts"
import { defineFma, defineFmaExact } from "./fused.ts"
import { defineMul, defineMulExact } from "./multiplication.ts"
import { defineSqrt, defineSqrtExact } from "./square-root.ts"

type Width = "32" | "64"
type Integer = "i32" | "u32" | "i64" | "u64"

/** `(a, b, rm) → float`, `sqrt` without b; `fma(a, b, c, rm)` is a × b + c. */
type Arithmetic = `${"add" | "sub" | "mul" | "div" | "sqrt" | "fma"}${Width}`
/** `(a, b) → float`. */
type Extremum = `${"min" | "max"}${Width}`
/** `(a, b) → i32`, `class(a) → i32`. */
type Predicate = `${"eq" | "lt" | "le" | "class"}${Width}`
/** `to_T_W(a, rm) → i64` from a float of W bits, `from_T_W(a: i64, rm) → float` of W bits. Results of 32 bits are sign-extended. */
type IntegerConversion = `${"to" | "from"}_${Integer}_${Width}`
/** `narrow(a: binary64, rm) → binary32`, `widen(a: binary32) → binary64`. */
type FormatConversion = "narrow" | "widen"

export type FloatFunction = Arithmetic | Extremum | Predicate | IntegerConversion | FormatConversion
export type FloatLibrary = Readonly<Record<FloatFunction, FunctionRef>>

const defineFormat = (core: Core): readonly FunctionRef[] => {
  const sum = defineSum(core)
  const addExact = defineAddExact(core, sum)
  return [
    defineAdd(core, addExact),
    defineSub(core, addExact),
    defineMul(core, defineMulExact(core)),
    defineDiv(core, defineDivExact(core)),
    defineSqrt(core, defineSqrtExact(core)),
    defineFma(core, defineFmaExact(core, sum)),
    defineExtremum(core, "min"),
    defineExtremum(core, "max"),
    defineEq(core),
    defineOrdering(core, "lt"),
    defineOrdering(core, "le"),
    defineClass(core),
    ...integerTypes.map(type => defineFromInteger(core, type)),
  ]
}

/**
 * Defines the library in `module`. Exceptions are OR-ed, as `fflags` bits, into the i32 at byte `flagsAddress` of its memory.
 * Functions are keyed by their names.
 */
export const defineFloat = (module: ModuleBuilder, flagsAddress: number): FloatLibrary => {
  const flags = new Flags(flagsAddress)
  const single = defineCore(module, binary32, flags)
  const double = defineCore(module, binary64, flags)
  const toInteger = integerTypes.flatMap(type => {
    const fromDouble = defineToInteger(module, type, flags)
    return [fromDouble, defineSingleToInteger(module, type, fromDouble)]
  })
  const functions = [
    ...defineFormat(single),
    ...defineFormat(double),
    ...toInteger,
    defineNarrow(single),
    defineWiden(module, flags),
  ]
  return Object.fromEntries(functions.map(ref => [ref.name, ref])) as FloatLibrary
}
