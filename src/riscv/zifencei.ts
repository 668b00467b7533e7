/** Zifencei: instruction-fetch fence. RISC-V unprivileged ISA, chapter 6. */
import { N } from "./format.ts"
import { insn } from "./instruction.ts"

export const zifencei = [insn("fence.i", "................. 001 ..... 0001111", N, "", s => s.system("fence.i"))]
