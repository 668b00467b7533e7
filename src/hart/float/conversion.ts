/**
 * Conversions: between the formats, to integers and from them. IEEE 754-2019, sections 5.4.2 (convertFormat), 5.4.1
 * (convertFromInt, convertToIntegerExact) and 5.8; RISC-V unprivileged specification, "F" and "D", conversion instructions and the
 * table of their domains: what is out of range saturates and raises NV alone, a NaN counts as too large.
 */
import { callI64, type FunctionRef, f32, f64, i32, i64, type ModuleBuilder } from "../../wasm/index.ts"
import type { Core } from "./core.ts"
import { type Flags, NV, NX } from "./flags.ts"
import { binary32, binary64, isInfinite, isNotANumber, isSafelyNormal, isSignalling, isZero, RNE } from "./format.ts"
import { double } from "./host.ts"
import { unpack } from "./unpacked.ts"

/** A RISC-V integer operand: `w`, `wu`, `l` or `lu` of the instruction names. */
export interface IntegerType {
  readonly name: "i32" | "u32" | "i64" | "u64"
  readonly width: 32 | 64
  readonly signed: boolean
}

export const integerTypes: readonly IntegerType[] = [
  { name: "i32", width: 32, signed: true },
  { name: "u32", width: 32, signed: false },
  { name: "i64", width: 64, signed: true },
  { name: "u64", width: 64, signed: false },
]

/** `to_T_64(a, rm)` → i64: the integer; one of 32 bits is sign-extended, an unsigned one too. */
export const defineToInteger = (module: ModuleBuilder, type: IntegerType, flags: Flags): FunctionRef =>
  module.function(`to_${type.name}_64`, { params: ["i64", "i32"], result: "i64" }, f => {
    const format = binary64
    const pattern = f.param(0, "i64")
    const rounding = f.param(1, "i32")
    const highest = 2n ** BigInt(type.signed ? type.width - 1 : type.width) - 1n
    const lowest = type.signed ? -highest - 1n : 0n
    const register = (value: bigint) => BigInt.asIntN(type.width, value)

    // In range for certain once rounded to an integral double: every mode the host has.
    const integral = f.let(f64.fromBits(pattern))
    const value = f.let(integral)
    f.switch(
      rounding,
      [
        () => f.set(integral, f64.nearest(value)),
        () => f.set(integral, f64.trunc(value)),
        () => f.set(integral, f64.floor(value)),
        () => f.set(integral, f64.ceil(value)),
      ],
      // To nearest with ties away has no instruction; a NaN is out of range.
      () => f.set(integral, double(Number.NaN)),
    )
    const isInRange = i32.and(f64.ge(integral, double(Number(lowest))), f64.lt(integral, double(Number(highest + 1n))))
    f.if(isInRange, () => {
      f.if(f64.ne(integral, value), () => flags.raise(f, NX))
      const integer = type.signed ? i64.truncSatF64s(integral) : i64.truncSatF64u(integral)
      f.return(type.width === 32 ? i64.extend32s(integer) : integer)
    })

    // Integer and fraction of the magnitude, the fraction as a numerator over 2^64, sticky where it is below 1/2.
    const x = unpack(f, format, pattern)
    const exponent = f.let(i32.sub(x.exponent, format.bias))
    const isTooLarge = i32.or(isNotANumber(format, pattern), i32.ges(exponent, 64))
    const limit = i64.select(
      register(lowest),
      register(highest),
      i32.and(x.sign, i32.eqz(isNotANumber(format, pattern))),
    )
    f.if(isTooLarge, () => {
      flags.raise(f, NV)
      f.return(limit)
    })
    const integer = f.local("i64")
    const fraction = f.let(i64.extendu(i64.ne(x.significand, 0)))
    f.if(i32.ges(exponent, 0), () => {
      const shift = f.let(i64.extendu(i32.sub(63, exponent)))
      f.set(integer, i64.shru(x.significand, shift))
      f.set(fraction, i64.shl(i64.shl(x.significand, 1), i64.extendu(exponent)))
    })
    f.if(i32.eq(exponent, -1), () => f.set(fraction, x.significand))

    const half = 1n << 63n
    const increment = f.local("i32")
    f.switch(
      rounding,
      [
        () => f.set(increment, i64.gtu(i64.or(fraction, i64.and(integer, 1)), half)),
        () => f.set(increment, 0),
        () => f.set(increment, i32.and(i64.ne(fraction, 0), x.sign)),
        () => f.set(increment, i32.and(i64.ne(fraction, 0), i32.eqz(x.sign))),
      ],
      () => f.set(increment, i64.geu(fraction, half)),
    )
    f.set(integer, i64.add(integer, i64.extendu(increment)))
    f.if(i64.gtu(integer, i64.select(-lowest, highest, x.sign)), () => {
      flags.raise(f, NV)
      f.return(limit)
    })
    f.if(i64.ne(fraction, 0), () => flags.raise(f, NX))
    const signed = i64.select(i64.sub(0, integer), integer, x.sign)
    f.return(type.width === 32 ? i64.extend32s(signed) : signed)
  })

/** `to_T_32(a, rm)`: a single is exact as a double, and a NaN of either kind is merely out of range. */
export const defineSingleToInteger = (module: ModuleBuilder, type: IntegerType, fromDouble: FunctionRef): FunctionRef =>
  module.function(`to_${type.name}_32`, { params: ["i32", "i32"], result: "i64" }, f => {
    const value = f64.promote(f32.fromBits(f.param(0, "i32")))
    f.return(callI64(fromDouble, i64.bits(value), f.param(1, "i32")))
  })

/** `from_T_W(a, rm)`: of an i64 operand the low 32 bits count where the type has no more. */
export const defineFromInteger = ({ module, format, flags, round }: Core, type: IntegerType): FunctionRef => {
  const result = format.width === 32 ? "i32" : "i64"
  return module.function(`from_${type.name}_${format.width}`, { params: ["i64", "i32"], result }, f => {
    const operand = f.param(0, "i64")
    const rounding = f.param(1, "i32")
    const integer =
      type.width === 64 ? operand : f.let(type.signed ? i64.extend32s(operand) : i64.and(operand, 0xffff_ffffn))
    const returnByHost = () => {
      // After the narrowing of 32-bit operands only 64-bit unsigned ones need the unsigned instructions.
      const unsigned = type.name === "u64"
      if (format.width === 32) f.return(i32.bits(unsigned ? f32.fromI64u(integer) : f32.fromI64s(integer)))
      else f.return(i64.bits(unsigned ? f64.fromI64u(integer) : f64.fromI64s(integer)))
    }
    if (type.width < format.precision) return returnByHost()

    const isNegative = f.let(type.signed ? i64.extendu(i64.lts(integer, 0)) : i64.const(0))
    const absolute = f.let(i64.select(i64.sub(0, integer), integer, i32.wrap(isNegative)))
    const isExact = i64.ltu(i64.shru(absolute, i64.ctz(absolute)), 2n ** BigInt(format.precision))
    f.if(isExact, returnByHost)
    f.if(i32.eq(rounding, RNE), () => {
      flags.raise(f, NX)
      returnByHost()
    })
    const zeros = f.let(i64.clz(absolute))
    const exponent = i32.sub(format.bias + 63, i32.wrap(zeros))
    const pattern = callI64(round, i32.wrap(isNegative), exponent, i64.shl(absolute, zeros), rounding)
    f.return(format.width === 32 ? i32.wrap(pattern) : pattern)
  })
}

/** `narrow(a, rm)`: a double to a single. The core is that of singles. */
export const defineNarrow = ({ module, flags, round }: Core): FunctionRef =>
  module.function("narrow", { params: ["i64", "i32"], result: "i32" }, f => {
    const operand = f.param(0, "i64")
    const rounding = f.param(1, "i32")
    f.if(i32.eq(rounding, RNE), () => {
      const value = f64.fromBits(operand)
      const single = f.let(f32.demote(value))
      const bits = f.let(i32.bits(single))
      f.if(isSafelyNormal(binary32, i64.extendu(bits)), () => {
        f.if(f64.ne(f64.promote(single), value), () => flags.raise(f, NX))
        f.return(bits)
      })
    })
    f.if(isNotANumber(binary64, operand), () => {
      f.if(isSignalling(binary64, operand), () => flags.raise(f, NV))
      f.return(i32.const(Number(binary32.canonicalNaN)))
    })
    const x = unpack(f, binary64, operand)
    const sign = i32.shl(x.sign, 31)
    f.if(isZero(binary64, operand), () => f.return(sign))
    f.if(isInfinite(binary64, operand), () => f.return(i32.or(sign, Number(binary32.infinity))))
    const exponent = i32.sub(x.exponent, binary64.bias - binary32.bias)
    f.return(i32.wrap(callI64(round, x.sign, exponent, x.significand, rounding)))
  })

/** `widen(a)`: a single to a double, exact. */
export const defineWiden = (module: ModuleBuilder, flags: Flags): FunctionRef =>
  module.function("widen", { params: ["i32"], result: "i64" }, f => {
    const operand = f.param(0, "i32")
    const pattern = i64.extendu(operand)
    f.if(isNotANumber(binary32, pattern), () => {
      f.if(isSignalling(binary32, pattern), () => flags.raise(f, NV))
      f.return(i64.const(binary64.canonicalNaN))
    })
    f.return(i64.bits(f64.promote(f32.fromBits(operand))))
  })
