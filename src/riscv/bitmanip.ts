/** Zba, Zbb and Zbs: bit manipulation. RISC-V unprivileged ISA, chapter 30. */
import { type Expr, i32, i64 } from "../wasm/index.ts"
import { R, R1, Shift, ShiftW } from "./format.ts"
import { insn } from "./instruction.ts"
import type { Semantics } from "./semantics.ts"

const register = (name: string, funct7: string, funct3: string, value: (s: Semantics) => Expr<"i64">) =>
  insn(name, `${funct7} ..... ..... ${funct3} ..... 0110011`, R, "rd, rs1, rs2", s => s.rd(value(s)))
const registerW = (name: string, funct7: string, funct3: string, value: (s: Semantics) => Expr<"i64">) =>
  insn(name, `${funct7} ..... ..... ${funct3} ..... 0111011`, R, "rd, rs1, rs2", s => s.rd(value(s)))
const unary = (name: string, funct12: string, funct3: string, opcode: string, value: (s: Semantics) => Expr<"i64">) =>
  insn(name, `${funct12} ..... ${funct3} ..... ${opcode}`, R1, "rd, rs1", s => s.rd(value(s)))

const not = (value: Expr<"i64">) => i64.xor(value, -1)
const unsignedWord = (value: Expr<"i64">) => i64.and(value, 0xffffffff)
const bit = (position: Expr<"i64">) => i64.shl(1, position)

export const zba = [
  registerW("add.uw", "0000100", "000", s => i64.add(unsignedWord(s.rs1), s.rs2)),
  ...[1, 2, 3].flatMap(shift => {
    const funct3 = `${(shift * 2).toString(2).padStart(3, "0")}`
    return [
      register(`sh${shift}add`, "0010000", funct3, s => i64.add(i64.shl(s.rs1, shift), s.rs2)),
      registerW(`sh${shift}add.uw`, "0010000", funct3, s => i64.add(i64.shl(unsignedWord(s.rs1), shift), s.rs2)),
    ]
  }),
  insn("slli.uw", "000010 ...... ..... 001 ..... 0011011", Shift, "rd, rs1, imm", s =>
    s.rd(i64.shl(unsignedWord(s.rs1), s.imm)),
  ),
]

/** Each byte becomes all ones when any of its bits is set: the carry out of (byte & 0x7f) + 0x7f, or the top bit itself. */
const orCombine = (s: Semantics): Expr<"i64"> => {
  const low7 = 0x7f7f7f7f7f7f7f7fn
  const a = s.f.let(s.rs1)
  const any = s.f.let(i64.shru(i64.and(i64.or(i64.add(i64.and(a, low7), low7), a), ~low7), 7))
  return i64.mul(any, 0xff)
}

const reverseBytes = (s: Semantics): Expr<"i64"> => {
  const swap = (value: Expr<"i64">, mask: bigint, shift: number) =>
    s.f.let(i64.or(i64.and(i64.shru(value, shift), mask), i64.shl(i64.and(value, mask), shift)))
  const bytes = swap(s.f.let(s.rs1), 0x00ff00ff00ff00ffn, 8)
  const halves = swap(bytes, 0x0000ffff0000ffffn, 16)
  return i64.rotl(halves, 32)
}

const pick = (s: Semantics, better: (a: Expr<"i64">, b: Expr<"i64">) => Expr<"i32">): Expr<"i64"> => {
  const a = s.f.let(s.rs1)
  const b = s.f.let(s.rs2)
  return i64.select(a, b, better(a, b))
}

export const zbb = [
  register("andn", "0100000", "111", s => i64.and(s.rs1, not(s.rs2))),
  register("orn", "0100000", "110", s => i64.or(s.rs1, not(s.rs2))),
  register("xnor", "0100000", "100", s => not(i64.xor(s.rs1, s.rs2))),
  unary("clz", "011000000000", "001", "0010011", s => i64.clz(s.rs1)),
  unary("ctz", "011000000001", "001", "0010011", s => i64.ctz(s.rs1)),
  unary("cpop", "011000000010", "001", "0010011", s => i64.popcnt(s.rs1)),
  unary("clzw", "011000000000", "001", "0011011", s => i64.extendu(i32.clz(i32.wrap(s.rs1)))),
  unary("ctzw", "011000000001", "001", "0011011", s => i64.extendu(i32.ctz(i32.wrap(s.rs1)))),
  unary("cpopw", "011000000010", "001", "0011011", s => i64.extendu(i32.popcnt(i32.wrap(s.rs1)))),
  register("max", "0000101", "110", s => pick(s, i64.gts)),
  register("maxu", "0000101", "111", s => pick(s, i64.gtu)),
  register("min", "0000101", "100", s => pick(s, i64.lts)),
  register("minu", "0000101", "101", s => pick(s, i64.ltu)),
  unary("sext.b", "011000000100", "001", "0010011", s => i64.extend8s(s.rs1)),
  unary("sext.h", "011000000101", "001", "0010011", s => i64.extend16s(s.rs1)),
  unary("zext.h", "000010000000", "100", "0111011", s => i64.and(s.rs1, 0xffff)),
  register("rol", "0110000", "001", s => i64.rotl(s.rs1, s.rs2)),
  register("ror", "0110000", "101", s => i64.rotr(s.rs1, s.rs2)),
  insn("rori", "011000 ...... ..... 101 ..... 0010011", Shift, "rd, rs1, imm", s => s.rd(i64.rotr(s.rs1, s.imm))),
  registerW("rolw", "0110000", "001", s => i64.extend(i32.rotl(i32.wrap(s.rs1), i32.wrap(s.rs2)))),
  registerW("rorw", "0110000", "101", s => i64.extend(i32.rotr(i32.wrap(s.rs1), i32.wrap(s.rs2)))),
  insn("roriw", "0110000 ..... ..... 101 ..... 0011011", ShiftW, "rd, rs1, imm", s =>
    s.rd(i64.extend(i32.rotr(i32.wrap(s.rs1), i32.wrap(s.imm)))),
  ),
  unary("orc.b", "001010000111", "101", "0010011", orCombine),
  unary("rev8", "011010111000", "101", "0010011", reverseBytes),
]

const single = (
  name: string,
  funct: string,
  funct3: string,
  value: (a: Expr<"i64">, position: Expr<"i64">) => Expr<"i64">,
) => [
  register(name, `${funct}0`, funct3, s => value(s.rs1, s.rs2)),
  insn(`${name}i`, `${funct} ...... ..... ${funct3} ..... 0010011`, Shift, "rd, rs1, imm", s =>
    s.rd(value(s.rs1, s.imm)),
  ),
]

export const zbs = [
  ...single("bclr", "010010", "001", (a, position) => i64.and(a, not(bit(position)))),
  ...single("bext", "010010", "101", (a, position) => i64.and(i64.shru(a, position), 1)),
  ...single("binv", "011010", "001", (a, position) => i64.xor(a, bit(position))),
  ...single("bset", "001010", "001", (a, position) => i64.or(a, bit(position))),
]
