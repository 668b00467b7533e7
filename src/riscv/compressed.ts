/** C: compressed instructions, each a short form of a 32-bit one whose meaning it takes. RISC-V unprivileged ISA, chapter 27. */

import type { OperandName } from "./format.ts"
import * as format from "./format.ts"
import { type Instruction, insn } from "./instruction.ts"

/** Makes the compressed table over the base instructions it abbreviates. */
export const compressed = (base: readonly Instruction[]): readonly Instruction[] => {
  const short = (
    name: string,
    of: string,
    pattern: string,
    shape: format.Format,
    forbidden: readonly (readonly [OperandName, number])[] = [],
  ): Instruction => {
    const full = base.find(candidate => candidate.name === of)
    if (!full) throw new Error(`no instruction ${of} for ${name}`)
    return insn(name, pattern, shape, full.syntax, full.meaning, forbidden)
  }
  return [
    short("c.addi4spn", "addi", "000 ........ ... 00", format.CAddi4spn, [["imm", 0]]),
    short("c.fld", "fld", "001 ... ... .. ... 00", format.CFld),
    short("c.lw", "lw", "010 ... ... .. ... 00", format.CLw),
    short("c.ld", "ld", "011 ... ... .. ... 00", format.CLd),
    short("c.fsd", "fsd", "101 ... ... .. ... 00", format.CFsd),
    short("c.sw", "sw", "110 ... ... .. ... 00", format.CSw),
    short("c.sd", "sd", "111 ... ... .. ... 00", format.CSd),

    short("c.addi", "addi", "000 . ..... ..... 01", format.CI),
    short("c.addiw", "addiw", "001 . ..... ..... 01", format.CI, [["rd", 0]]),
    short("c.li", "addi", "010 . ..... ..... 01", format.CLi),
    short("c.addi16sp", "addi", "011 . 00010 ..... 01", format.CAddi16sp, [["imm", 0]]),
    short("c.lui", "lui", "011 . ..... ..... 01", format.CLui, [
      ["rd", 2],
      ["imm", 0],
    ]),
    short("c.srli", "srli", "100 . 00 ... ..... 01", format.CShiftHigh),
    short("c.srai", "srai", "100 . 01 ... ..... 01", format.CShiftHigh),
    short("c.andi", "andi", "100 . 10 ... ..... 01", format.CAndi),
    short("c.sub", "sub", "100 0 11 ... 00 ... 01", format.CA),
    short("c.xor", "xor", "100 0 11 ... 01 ... 01", format.CA),
    short("c.or", "or", "100 0 11 ... 10 ... 01", format.CA),
    short("c.and", "and", "100 0 11 ... 11 ... 01", format.CA),
    short("c.subw", "subw", "100 1 11 ... 00 ... 01", format.CA),
    short("c.addw", "addw", "100 1 11 ... 01 ... 01", format.CA),
    short("c.j", "jal", "101 ........... 01", format.CJ),
    short("c.beqz", "beq", "110 ... ... ..... 01", format.CB),
    short("c.bnez", "bne", "111 ... ... ..... 01", format.CB),

    short("c.slli", "slli", "000 . ..... ..... 10", format.CShift),
    short("c.fldsp", "fld", "001 . ..... ..... 10", format.CFldsp),
    short("c.lwsp", "lw", "010 . ..... ..... 10", format.CLwsp, [["rd", 0]]),
    short("c.ldsp", "ld", "011 . ..... ..... 10", format.CLdsp, [["rd", 0]]),
    short("c.jr", "jalr", "100 0 ..... 00000 10", format.CJr, [["rs1", 0]]),
    short("c.mv", "add", "100 0 ..... ..... 10", format.CMv, [["rs2", 0]]),
    short("c.ebreak", "ebreak", "100 1 00000 00000 10", format.N),
    short("c.jalr", "jalr", "100 1 ..... 00000 10", format.CJalr, [["rs1", 0]]),
    short("c.add", "add", "100 1 ..... ..... 10", format.CR, [["rs2", 0]]),
    short("c.fsdsp", "fsd", "101 ...... ..... 10", format.CFsdsp),
    short("c.swsp", "sw", "110 ...... ..... 10", format.CSwsp),
    short("c.sdsp", "sd", "111 ...... ..... 10", format.CSdsp),
  ]
}
