/** Zicsr: control and status register access. RISC-V unprivileged ISA, chapter 7. */
import { i64 } from "../wasm/index.ts"
import { Csr, CsrI } from "./format.ts"
import { insn } from "./instruction.ts"

const not = (value: Parameters<typeof i64.xor>[0]) => i64.xor(value, -1)

export const zicsr = [
  insn("csrrw", "............ ..... 001 ..... 1110011", Csr, "rd, csr, rs1", s => s.rd(s.csr(() => s.rs1))),
  insn("csrrs", "............ ..... 010 ..... 1110011", Csr, "rd, csr, rs1", s =>
    s.rd(s.csrUnlessZero(old => i64.or(old, s.rs1))),
  ),
  insn("csrrc", "............ ..... 011 ..... 1110011", Csr, "rd, csr, rs1", s =>
    s.rd(s.csrUnlessZero(old => i64.and(old, not(s.rs1)))),
  ),
  insn("csrrwi", "............ ..... 101 ..... 1110011", CsrI, "rd, csr, imm", s => s.rd(s.csr(() => s.imm))),
  insn("csrrsi", "............ ..... 110 ..... 1110011", CsrI, "rd, csr, imm", s =>
    s.rd(s.csrUnlessZero(old => i64.or(old, s.imm))),
  ),
  insn("csrrci", "............ ..... 111 ..... 1110011", CsrI, "rd, csr, imm", s =>
    s.rd(s.csrUnlessZero(old => i64.and(old, not(s.imm)))),
  ),
]
