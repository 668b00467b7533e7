/**
 * Pseudo-instructions that stand for one instruction with some operands fixed. The assembler reads them, the disassembler prefers
 * them. RISC-V assembly programmer's manual, "Pseudoinstructions".
 */
import { csrNumber } from "./csr.ts"
import type { OperandName } from "./format.ts"

export interface Alias {
  readonly name: string
  /** The instruction it stands for. */
  readonly of: string
  readonly syntax: string
  readonly fixed: Partial<Readonly<Record<OperandName, number>>>
  /** An operand that takes the value of another one. */
  readonly same?: readonly [copy: OperandName, of: OperandName]
  /** Read but never shown. */
  readonly assemblerOnly?: true
}

const alias = (name: string, of: string, syntax: string, fixed: Alias["fixed"] = {}): Alias => ({
  name,
  of,
  syntax,
  fixed,
})
const twice = (name: string, of: string): Alias => ({ ...alias(name, of, "rd, rs1"), same: ["rs2", "rs1"] })
const readOnly = (made: Alias): Alias => ({ ...made, assemblerOnly: true })

const RETURN_ADDRESS = 1
const { cycle, time, instret, fcsr, frm, fflags } = csrNumber

/** For the disassembler the first that fits is the one: special cases stand before general ones. */
export const aliases: readonly Alias[] = [
  alias("nop", "addi", "", { rd: 0, rs1: 0, imm: 0 }),
  alias("li", "addi", "rd, imm", { rs1: 0 }),
  alias("mv", "addi", "rd, rs1", { imm: 0 }),
  alias("not", "xori", "rd, rs1", { imm: -1 }),
  alias("neg", "sub", "rd, rs2", { rs1: 0 }),
  alias("negw", "subw", "rd, rs2", { rs1: 0 }),
  alias("sext.w", "addiw", "rd, rs1", { imm: 0 }),
  alias("zext.b", "andi", "rd, rs1", { imm: 255 }),
  alias("zext.w", "add.uw", "rd, rs1", { rs2: 0 }),
  alias("seqz", "sltiu", "rd, rs1", { imm: 1 }),
  alias("snez", "sltu", "rd, rs2", { rs1: 0 }),
  alias("sltz", "slt", "rd, rs1", { rs2: 0 }),
  alias("sgtz", "slt", "rd, rs2", { rs1: 0 }),

  alias("beqz", "beq", "rs1, imm", { rs2: 0 }),
  alias("bnez", "bne", "rs1, imm", { rs2: 0 }),
  alias("blez", "bge", "rs2, imm", { rs1: 0 }),
  alias("bgez", "bge", "rs1, imm", { rs2: 0 }),
  alias("bltz", "blt", "rs1, imm", { rs2: 0 }),
  alias("bgtz", "blt", "rs2, imm", { rs1: 0 }),
  readOnly(alias("bgt", "blt", "rs2, rs1, imm")),
  readOnly(alias("ble", "bge", "rs2, rs1, imm")),
  readOnly(alias("bgtu", "bltu", "rs2, rs1, imm")),
  readOnly(alias("bleu", "bgeu", "rs2, rs1, imm")),

  alias("j", "jal", "imm", { rd: 0 }),
  alias("jal", "jal", "imm", { rd: RETURN_ADDRESS }),
  alias("ret", "jalr", "", { rd: 0, rs1: RETURN_ADDRESS, imm: 0 }),
  alias("jr", "jalr", "rs1", { rd: 0, imm: 0 }),
  alias("jr", "jalr", "imm(rs1)", { rd: 0 }),
  alias("jalr", "jalr", "rs1", { rd: RETURN_ADDRESS, imm: 0 }),
  alias("jalr", "jalr", "imm(rs1)", { rd: RETURN_ADDRESS }),

  alias("rdcycle", "csrrs", "rd", { csr: cycle, rs1: 0 }),
  alias("rdtime", "csrrs", "rd", { csr: time, rs1: 0 }),
  alias("rdinstret", "csrrs", "rd", { csr: instret, rs1: 0 }),
  alias("frcsr", "csrrs", "rd", { csr: fcsr, rs1: 0 }),
  alias("frrm", "csrrs", "rd", { csr: frm, rs1: 0 }),
  alias("frflags", "csrrs", "rd", { csr: fflags, rs1: 0 }),
  alias("fscsr", "csrrw", "rs1", { csr: fcsr, rd: 0 }),
  alias("fscsr", "csrrw", "rd, rs1", { csr: fcsr }),
  alias("fsrm", "csrrw", "rs1", { csr: frm, rd: 0 }),
  alias("fsrm", "csrrw", "rd, rs1", { csr: frm }),
  alias("fsrmi", "csrrwi", "imm", { csr: frm, rd: 0 }),
  alias("fsrmi", "csrrwi", "rd, imm", { csr: frm }),
  alias("fsflags", "csrrw", "rs1", { csr: fflags, rd: 0 }),
  alias("fsflags", "csrrw", "rd, rs1", { csr: fflags }),
  alias("fsflagsi", "csrrwi", "imm", { csr: fflags, rd: 0 }),
  alias("fsflagsi", "csrrwi", "rd, imm", { csr: fflags }),
  alias("csrr", "csrrs", "rd, csr", { rs1: 0 }),
  alias("csrw", "csrrw", "csr, rs1", { rd: 0 }),
  alias("csrs", "csrrs", "csr, rs1", { rd: 0 }),
  alias("csrc", "csrrc", "csr, rs1", { rd: 0 }),
  alias("csrwi", "csrrwi", "csr, imm", { rd: 0 }),
  alias("csrsi", "csrrsi", "csr, imm", { rd: 0 }),
  alias("csrci", "csrrci", "csr, imm", { rd: 0 }),

  ...["s", "d"].flatMap(format => [
    twice(`fmv.${format}`, `fsgnj.${format}`),
    twice(`fneg.${format}`, `fsgnjn.${format}`),
    twice(`fabs.${format}`, `fsgnjx.${format}`),
  ]),

  alias("sfence.vma", "sfence.vma", "", { rs1: 0, rs2: 0 }),
  alias("sfence.vma", "sfence.vma", "rs1", { rs2: 0 }),
  alias("c.nop", "c.addi", "", { rd: 0, imm: 0 }),
]
