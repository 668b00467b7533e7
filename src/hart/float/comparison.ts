/**
 * Comparisons, minimum, maximum and class. IEEE 754-2019, sections 5.11 and 9.6 (minimumNumber, maximumNumber); RISC-V
 * unprivileged specification, "F" 2.2, Floating-Point Compare and Classify Instructions.
 */
import { type Expr, type FunctionBuilder, type FunctionRef, i32, i64, type Local } from "../../wasm/index.ts"
import { type Core, defineOperation, patternOf } from "./core.ts"
import { NV } from "./flags.ts"
import { isInfinite, isNotANumber, isSignalling, isZero, magnitude } from "./format.ts"

const definePredicate = (
  { module, format }: Core,
  name: string,
  count: number,
  body: (f: FunctionBuilder, patterns: readonly Local<"i64">[]) => void,
): FunctionRef => {
  const bits = format.width === 32 ? "i32" : "i64"
  const params = Array<"i32" | "i64">(count).fill(bits)
  return module.function(`${name}${format.width}`, { params, result: "i32" }, f =>
    body(
      f,
      Array.from({ length: count }, (_, at) => patternOf(f, format, at)),
    ),
  )
}

/** `eq(a, b)` → 0 or 1: quiet, a signalling NaN alone raises NV. */
export const defineEq = (core: Core): FunctionRef =>
  definePredicate(core, "eq", 2, (f, [a, b]) => {
    const { format, flags, host } = core
    f.if(i32.or(isSignalling(format, a!), isSignalling(format, b!)), () => flags.raise(f, NV))
    f.return(host.eq(host.value(a!), host.value(b!)))
  })

/** `lt(a, b)` and `le(a, b)` → 0 or 1: any NaN raises NV. */
export const defineOrdering = (core: Core, name: "lt" | "le"): FunctionRef =>
  definePredicate(core, name, 2, (f, [a, b]) => {
    const { format, flags, host } = core
    f.if(i32.or(isNotANumber(format, a!), isNotANumber(format, b!)), () => flags.raise(f, NV))
    f.return(host[name](host.value(a!), host.value(b!)))
  })

/** `min(a, b)` and `max(a, b)`: a number rather than a NaN, -0 below +0; a signalling NaN raises NV. */
export const defineExtremum = (core: Core, name: "min" | "max"): FunctionRef =>
  defineOperation(core, name, 2, { rounds: false }, (f, { patterns: [a, b], give }) => {
    const { format, flags, host } = core
    const x = f.let(host.value(a!))
    const y = f.let(host.value(b!))
    f.if(host.lt(x, y), () => give(name === "min" ? a! : b!))
    f.if(host.lt(y, x), () => give(name === "min" ? b! : a!))
    // Equal numbers differ at most in sign, that of zeros.
    f.if(host.eq(x, y), () => give(name === "min" ? i64.or(a!, b!) : i64.and(a!, b!)))
    f.if(i32.or(isSignalling(format, a!), isSignalling(format, b!)), () => flags.raise(f, NV))
    const numberOrNaN = i64.select(format.canonicalNaN, b!, isNotANumber(format, b!))
    give(i64.select(numberOrNaN, a!, isNotANumber(format, a!)))
  })

/** Bits of the `fclass` mask that a positive number sets; a negative one sets the bit as far from the other end of 0 to 7. */
const ZERO_CLASS = 4
const SUBNORMAL_CLASS = 5
const NORMAL_CLASS = 6
const INFINITE_CLASS = 7
const SIGNALLING_CLASS = 8
const QUIET_CLASS = 9

/** `class(a)` → a mask with one of bits 0 to 9 set. */
export const defineClass = (core: Core): FunctionRef =>
  definePredicate(core, "class", 1, (f, [a]) => {
    const { format } = core
    f.if(isNotANumber(format, a!), () =>
      f.return(i32.select(1 << SIGNALLING_CLASS, 1 << QUIET_CLASS, isSignalling(format, a!))),
    )
    const number: Expr<"i32"> = i32.select(
      i32.select(ZERO_CLASS, SUBNORMAL_CLASS, isZero(format, a!)),
      i32.select(INFINITE_CLASS, NORMAL_CLASS, isInfinite(format, a!)),
      i64.ltu(magnitude(format, a!), format.hidden),
    )
    const isNegative = i32.wrap(i64.shru(a!, format.width - 1))
    f.return(i32.shl(1, i32.xor(number, i32.mul(isNegative, 7))))
  })
