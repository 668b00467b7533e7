/** M: integer multiplication and division. RISC-V unprivileged ISA, chapter 12. */
import { type Expr, type FunctionBuilder, i32, i64 } from "../wasm/index.ts"
import { R } from "./format.ts"
import { insn } from "./instruction.ts"
import { word } from "./rv64i.ts"
import type { Semantics } from "./semantics.ts"

const SIGN_MIN = -(2n ** 63n)

/** The high 64 bits of the unsigned 128-bit product, from four 32-bit products. */
const multiplyHighUnsigned = (f: FunctionBuilder, x: Expr<"i64">, y: Expr<"i64">): Expr<"i64"> => {
  const a = f.let(x)
  const b = f.let(y)
  const low = (v: Expr<"i64">) => i64.and(v, 0xffffffff)
  const high = (v: Expr<"i64">) => i64.shru(v, 32)
  const lowLow = f.let(i64.mul(low(a), low(b)))
  const highLow = f.let(i64.add(i64.mul(high(a), low(b)), high(lowLow)))
  const lowHigh = f.let(i64.add(i64.mul(low(a), high(b)), low(highLow)))
  return i64.add(i64.add(i64.mul(high(a), high(b)), high(highLow)), high(lowHigh))
}

/** Takes `other` off where `value` is negative: turns an unsigned high product into a signed one. */
const correction = (value: Expr<"i64">, other: Expr<"i64">) => i64.and(i64.shrs(value, 63), other)

const mulh = (s: Semantics, signs: "both" | "first" | "none") => {
  const { f } = s
  const a = f.let(s.rs1)
  const b = f.let(s.rs2)
  const high = multiplyHighUnsigned(f, a, b)
  if (signs === "none") return s.rd(high)
  const first = i64.sub(high, correction(a, b))
  s.rd(signs === "first" ? first : i64.sub(first, correction(b, a)))
}

/** Division by zero gives all ones, the remainder the dividend; the one overflow gives the dividend and 0. No traps. */
const divide = (s: Semantics, kind: "div" | "divu" | "rem" | "remu") => {
  const { f } = s
  const dividend = f.let(s.rs1)
  const divisor = f.let(s.rs2)
  const remainder = kind === "rem" || kind === "remu"
  const compute = { div: i64.divs, divu: i64.divu, rem: i64.rems, remu: i64.remu }[kind]
  f.if(
    i64.eqz(divisor),
    () => s.rd(remainder ? dividend : i64.const(-1)),
    () => {
      if (kind !== "div") return s.rd(compute(dividend, divisor))
      const overflow = i32.and(i64.eq(divisor, -1), i64.eq(dividend, SIGN_MIN))
      f.if(
        overflow,
        () => s.rd(dividend),
        () => s.rd(compute(dividend, divisor)),
      )
    },
  )
}

const divideWord = (s: Semantics, kind: "div" | "divu" | "rem" | "remu") => {
  const { f } = s
  const dividend = f.let(i32.wrap(s.rs1))
  const divisor = f.let(i32.wrap(s.rs2))
  const remainder = kind === "rem" || kind === "remu"
  const compute = { div: i32.divs, divu: i32.divu, rem: i32.rems, remu: i32.remu }[kind]
  f.if(
    i32.eqz(divisor),
    () => s.rd(remainder ? i64.extend(dividend) : i64.const(-1)),
    () => {
      if (kind !== "div") return s.rd(i64.extend(compute(dividend, divisor)))
      const overflow = i32.and(i32.eq(divisor, -1), i32.eq(dividend, -0x80000000))
      f.if(
        overflow,
        () => s.rd(i64.extend(dividend)),
        () => s.rd(i64.extend(compute(dividend, divisor))),
      )
    },
  )
}

const m = (name: string, funct3: string, meaning: (s: Semantics) => void) =>
  insn(name, `0000001 ..... ..... ${funct3} ..... 0110011`, R, "rd, rs1, rs2", meaning)
const mw = (name: string, funct3: string, meaning: (s: Semantics) => void) =>
  insn(name, `0000001 ..... ..... ${funct3} ..... 0111011`, R, "rd, rs1, rs2", meaning)

export const rv64m = [
  m("mul", "000", s => s.rd(i64.mul(s.rs1, s.rs2))),
  m("mulh", "001", s => mulh(s, "both")),
  m("mulhsu", "010", s => mulh(s, "first")),
  m("mulhu", "011", s => mulh(s, "none")),
  m("div", "100", s => divide(s, "div")),
  m("divu", "101", s => divide(s, "divu")),
  m("rem", "110", s => divide(s, "rem")),
  m("remu", "111", s => divide(s, "remu")),
  mw("mulw", "000", s => s.rd(word(i64.mul(s.rs1, s.rs2)))),
  mw("divw", "100", s => divideWord(s, "div")),
  mw("divuw", "101", s => divideWord(s, "divu")),
  mw("remw", "110", s => divideWord(s, "rem")),
  mw("remuw", "111", s => divideWord(s, "remu")),
]
