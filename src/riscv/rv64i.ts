/** RV64I base integer instructions. RISC-V unprivileged ISA, chapters 2 and 4. */
import { type Expr, i32, i64 } from "../wasm/index.ts"
import { B, I, J, N, R, S, Shift, ShiftW, U } from "./format.ts"
import { insn } from "./instruction.ts"
import type { LoadWidth, Semantics, StoreWidth } from "./semantics.ts"

/** The low 32 bits, sign-extended: what every `w` instruction leaves. */
export const word = (value: Expr<"i64">) => i64.extend32s(value)

const address = (s: Semantics) => i64.add(s.rs1, s.imm)
const load = (name: string, funct3: string, width: LoadWidth) =>
  insn(name, `............ ..... ${funct3} ..... 0000011`, I, "rd, imm(rs1)", s => s.rd(s.load(width, address(s))))
const store = (name: string, funct3: string, width: StoreWidth) =>
  insn(name, `....... ..... ..... ${funct3} ..... 0100011`, S, "rs2, imm(rs1)", s => s.store(width, address(s), s.rs2))
const branch = (name: string, funct3: string, condition: (s: Semantics) => Expr<"i32">) =>
  insn(name, `....... ..... ..... ${funct3} ..... 1100011`, B, "rs1, rs2, imm", s => s.branch(condition(s)))
const immediate = (name: string, funct3: string, value: (s: Semantics) => Expr<"i64">) =>
  insn(name, `............ ..... ${funct3} ..... 0010011`, I, "rd, rs1, imm", s => s.rd(value(s)))
const register = (name: string, funct7: string, funct3: string, value: (s: Semantics) => Expr<"i64">) =>
  insn(name, `${funct7} ..... ..... ${funct3} ..... 0110011`, R, "rd, rs1, rs2", s => s.rd(value(s)))
const registerW = (name: string, funct7: string, funct3: string, value: (s: Semantics) => Expr<"i64">) =>
  insn(name, `${funct7} ..... ..... ${funct3} ..... 0111011`, R, "rd, rs1, rs2", s => s.rd(value(s)))

const low32 = (value: Expr<"i64">) => i32.wrap(value)

export const rv64i = [
  insn("lui", ".................... ..... 0110111", U, "rd, imm", s => s.rd(s.imm)),
  insn("auipc", ".................... ..... 0010111", U, "rd, imm", s => s.rd(i64.add(s.pc, s.imm))),
  insn("jal", ".................... ..... 1101111", J, "rd, imm", s => {
    s.rd(s.next)
    s.jumpRelative()
  }),
  insn("jalr", "............ ..... 000 ..... 1100111", I, "rd, imm(rs1)", s => {
    const target = s.f.let(i64.and(address(s), -2))
    s.rd(s.next)
    s.jump(target)
  }),

  branch("beq", "000", s => i64.eq(s.rs1, s.rs2)),
  branch("bne", "001", s => i64.ne(s.rs1, s.rs2)),
  branch("blt", "100", s => i64.lts(s.rs1, s.rs2)),
  branch("bge", "101", s => i64.ges(s.rs1, s.rs2)),
  branch("bltu", "110", s => i64.ltu(s.rs1, s.rs2)),
  branch("bgeu", "111", s => i64.geu(s.rs1, s.rs2)),

  load("lb", "000", "i8"),
  load("lh", "001", "i16"),
  load("lw", "010", "i32"),
  load("ld", "011", "i64"),
  load("lbu", "100", "u8"),
  load("lhu", "101", "u16"),
  load("lwu", "110", "u32"),
  store("sb", "000", 1),
  store("sh", "001", 2),
  store("sw", "010", 4),
  store("sd", "011", 8),

  immediate("addi", "000", s => i64.add(s.rs1, s.imm)),
  immediate("slti", "010", s => i64.extendu(i64.lts(s.rs1, s.imm))),
  immediate("sltiu", "011", s => i64.extendu(i64.ltu(s.rs1, s.imm))),
  immediate("xori", "100", s => i64.xor(s.rs1, s.imm)),
  immediate("ori", "110", s => i64.or(s.rs1, s.imm)),
  immediate("andi", "111", s => i64.and(s.rs1, s.imm)),
  insn("slli", "000000 ...... ..... 001 ..... 0010011", Shift, "rd, rs1, imm", s => s.rd(i64.shl(s.rs1, s.imm))),
  insn("srli", "000000 ...... ..... 101 ..... 0010011", Shift, "rd, rs1, imm", s => s.rd(i64.shru(s.rs1, s.imm))),
  insn("srai", "010000 ...... ..... 101 ..... 0010011", Shift, "rd, rs1, imm", s => s.rd(i64.shrs(s.rs1, s.imm))),

  register("add", "0000000", "000", s => i64.add(s.rs1, s.rs2)),
  register("sub", "0100000", "000", s => i64.sub(s.rs1, s.rs2)),
  register("sll", "0000000", "001", s => i64.shl(s.rs1, s.rs2)),
  register("slt", "0000000", "010", s => i64.extendu(i64.lts(s.rs1, s.rs2))),
  register("sltu", "0000000", "011", s => i64.extendu(i64.ltu(s.rs1, s.rs2))),
  register("xor", "0000000", "100", s => i64.xor(s.rs1, s.rs2)),
  register("srl", "0000000", "101", s => i64.shru(s.rs1, s.rs2)),
  register("sra", "0100000", "101", s => i64.shrs(s.rs1, s.rs2)),
  register("or", "0000000", "110", s => i64.or(s.rs1, s.rs2)),
  register("and", "0000000", "111", s => i64.and(s.rs1, s.rs2)),

  insn("addiw", "............ ..... 000 ..... 0011011", I, "rd, rs1, imm", s => s.rd(word(i64.add(s.rs1, s.imm)))),
  insn("slliw", "0000000 ..... ..... 001 ..... 0011011", ShiftW, "rd, rs1, imm", s =>
    s.rd(word(i64.shl(s.rs1, s.imm))),
  ),
  insn("srliw", "0000000 ..... ..... 101 ..... 0011011", ShiftW, "rd, rs1, imm", s =>
    s.rd(i64.extend(i32.shru(low32(s.rs1), low32(s.imm)))),
  ),
  insn("sraiw", "0100000 ..... ..... 101 ..... 0011011", ShiftW, "rd, rs1, imm", s =>
    s.rd(i64.extend(i32.shrs(low32(s.rs1), low32(s.imm)))),
  ),
  registerW("addw", "0000000", "000", s => word(i64.add(s.rs1, s.rs2))),
  registerW("subw", "0100000", "000", s => word(i64.sub(s.rs1, s.rs2))),
  registerW("sllw", "0000000", "001", s => i64.extend(i32.shl(low32(s.rs1), low32(s.rs2)))),
  registerW("srlw", "0000000", "101", s => i64.extend(i32.shru(low32(s.rs1), low32(s.rs2)))),
  registerW("sraw", "0100000", "101", s => i64.extend(i32.shrs(low32(s.rs1), low32(s.rs2)))),

  insn("fence", "................. 000 ..... 0001111", N, "", () => {}),
  insn("ecall", "000000000000 00000 000 00000 1110011", N, "", s => s.system("ecall")),
  insn("ebreak", "000000000001 00000 000 00000 1110011", N, "", s => s.system("ebreak")),
]
