/** Privileged instructions. RISC-V privileged ISA, sections 3.3 and 12.2.1. */
import { N, SFence } from "./format.ts"
import { insn } from "./instruction.ts"

export const privileged = [
  insn("mret", "0011000 00010 00000 000 00000 1110011", N, "", s => s.system("mret")),
  insn("sret", "0001000 00010 00000 000 00000 1110011", N, "", s => s.system("sret")),
  insn("wfi", "0001000 00101 00000 000 00000 1110011", N, "", s => s.system("wfi")),
  insn("sfence.vma", "0001001 ..... ..... 000 00000 1110011", SFence, "rs1, rs2", s => s.sfenceVma()),
]
