/**
 * Instruction formats: which operands an instruction has and where they lie. RISC-V unprivileged ISA, sections 2.2 and 27.3.
 *
 * A format also says in which slot of an 8-byte predecoded record each operand is kept:
 *
 *     byte  0     2     4     6
 *           op    A     B     C      16 bits each
 *           op    A     D            D is B and C together, 32 bits
 *           op    A     0  1  2  3   four bytes, for floating point
 */
import { compressedRegister, type Field, implied, register, signed, unsigned } from "./field.ts"

/** What an operand is: an integer register read or written, a floating-point register, a number. */
export type OperandKind = "x" | "xd" | "f" | "number"

export type Slot = "A" | "B" | "C" | "D" | "byte0" | "byte1" | "byte2" | "byte3"

export type OperandName = "rd" | "rs1" | "rs2" | "rs3" | "imm" | "csr" | "rm"

export interface Operand {
  readonly name: OperandName
  readonly kind: OperandKind
  readonly slot: Slot
  readonly field: Field
  /** The number is a distance from pc, at which execution may go on. */
  readonly target?: true
}

export interface Format {
  readonly name: string
  readonly operands: readonly Operand[]
}

const operand = (name: OperandName, kind: OperandKind, slot: Slot, field: Field): Operand => ({
  name,
  kind,
  slot,
  field,
})
const target = (slot: Slot, field: Field): Operand => ({ name: "imm", kind: "number", slot, field, target: true })
const imm = (slot: Slot, field: Field): Operand => operand("imm", "number", slot, field)
const rd = (field: Field) => operand("rd", "xd", "A", field)
const rs1 = (field: Field) => operand("rs1", "x", "B", field)
const format = (name: string, ...operands: Operand[]): Format => ({ name, operands })

const immI = signed([20, 12, 0])
const immS = signed([25, 7, 5], [7, 5, 0])
const rm = operand("rm", "number", "byte3", unsigned([12, 3, 0]))

/** The 32-bit formats. */
export const N = format("N")
export const R = format("R", rd(register(7)), rs1(register(15)), operand("rs2", "x", "C", register(20)))
export const R1 = format("R1", rd(register(7)), rs1(register(15)))
export const I = format("I", rd(register(7)), rs1(register(15)), imm("C", immI))
export const Shift = format("Shift", rd(register(7)), rs1(register(15)), imm("C", unsigned([20, 6, 0])))
export const ShiftW = format("ShiftW", rd(register(7)), rs1(register(15)), imm("C", unsigned([20, 5, 0])))
export const S = format("S", operand("rs2", "x", "A", register(20)), rs1(register(15)), imm("C", immS))
export const B = format(
  "B",
  operand("rs2", "x", "A", register(20)),
  rs1(register(15)),
  target("C", signed([31, 1, 12], [7, 1, 11], [25, 6, 5], [8, 4, 1])),
)
export const U = format("U", rd(register(7)), imm("D", signed([12, 20, 12])))
export const J = format("J", rd(register(7)), target("D", signed([31, 1, 20], [12, 8, 12], [20, 1, 11], [21, 10, 1])))
const csr = operand("csr", "number", "C", unsigned([20, 12, 0]))
export const Csr = format("Csr", rd(register(7)), rs1(register(15)), csr)
export const CsrI = format("CsrI", rd(register(7)), imm("B", unsigned([15, 5, 0])), csr)
export const SFence = format("SFence", rs1(register(15)), operand("rs2", "x", "C", register(20)))
export const FLoad = format("FLoad", operand("rd", "f", "A", register(7)), rs1(register(15)), imm("C", immI))
export const FStore = format("FStore", operand("rs2", "f", "A", register(20)), rs1(register(15)), imm("C", immS))

const fd = operand("rd", "f", "A", register(7))
const xd = rd(register(7))
const fs1 = operand("rs1", "f", "byte0", register(15))
const xs1 = operand("rs1", "x", "byte0", register(15))
const fs2 = operand("rs2", "f", "byte1", register(20))
const fs3 = operand("rs3", "f", "byte2", register(27))
/** Floating point: `F` and `X` name the register files of destination and sources, `m` a rounding mode. */
export const FFFm = format("FFFm", fd, fs1, fs2, rm)
export const FFFFm = format("FFFFm", fd, fs1, fs2, fs3, rm)
export const FFF = format("FFF", fd, fs1, fs2)
export const FFm = format("FFm", fd, fs1, rm)
export const XFF = format("XFF", xd, fs1, fs2)
export const XF = format("XF", xd, fs1)
export const XFm = format("XFm", xd, fs1, rm)
export const FX = format("FX", fd, xs1)
export const FXm = format("FXm", fd, xs1, rm)

/** The 16-bit formats: each gives the operands of the 32-bit instruction it stands for. */
const full = register(7)
const low = compressedRegister(2)
const high = compressedRegister(7)
const sp = implied(2)
const zero = implied(0)
const immCI = signed([12, 1, 5], [2, 5, 0])
const offsetLwSp = unsigned([12, 1, 5], [4, 3, 2], [2, 2, 6])
const offsetLdSp = unsigned([12, 1, 5], [5, 2, 3], [2, 3, 6])
const offsetSwSp = unsigned([9, 4, 2], [7, 2, 6])
const offsetSdSp = unsigned([10, 3, 3], [7, 3, 6])
const offsetLw = unsigned([10, 3, 3], [6, 1, 2], [5, 1, 6])
const offsetLd = unsigned([10, 3, 3], [5, 2, 6])
const offsetJ = signed([12, 1, 11], [11, 1, 4], [9, 2, 8], [8, 1, 10], [7, 1, 6], [6, 1, 7], [3, 3, 1], [2, 1, 5])
const offsetB = signed([12, 1, 8], [10, 2, 3], [5, 2, 6], [3, 2, 1], [2, 1, 5])

export const CAddi4spn = format(
  "CAddi4spn",
  rd(low),
  rs1(sp),
  imm("C", unsigned([11, 2, 4], [7, 4, 6], [6, 1, 2], [5, 1, 3])),
)
export const CAddi16sp = format(
  "CAddi16sp",
  rd(sp),
  rs1(sp),
  imm("C", signed([12, 1, 9], [6, 1, 4], [5, 1, 6], [3, 2, 7], [2, 1, 5])),
)
export const CI = format("CI", rd(full), rs1(full), imm("C", immCI))
export const CLi = format("CLi", rd(full), rs1(zero), imm("C", immCI))
export const CLui = format("CLui", rd(full), imm("D", signed([12, 1, 17], [2, 5, 12])))
export const CShift = format("CShift", rd(full), rs1(full), imm("C", unsigned([12, 1, 5], [2, 5, 0])))
export const CShiftHigh = format("CShiftHigh", rd(high), rs1(high), imm("C", unsigned([12, 1, 5], [2, 5, 0])))
export const CAndi = format("CAndi", rd(high), rs1(high), imm("C", immCI))
export const CA = format("CA", rd(high), rs1(high), operand("rs2", "x", "C", low))
export const CR = format("CR", rd(full), rs1(full), operand("rs2", "x", "C", register(2)))
export const CMv = format("CMv", rd(full), rs1(zero), operand("rs2", "x", "C", register(2)))
export const CJr = format("CJr", rd(zero), rs1(full), imm("C", zero))
export const CJalr = format("CJalr", rd(implied(1)), rs1(full), imm("C", zero))
export const CJ = format("CJ", rd(zero), target("D", offsetJ))
export const CB = format("CB", operand("rs2", "x", "A", zero), rs1(high), target("C", offsetB))
export const CLw = format("CLw", rd(low), rs1(high), imm("C", offsetLw))
export const CLd = format("CLd", rd(low), rs1(high), imm("C", offsetLd))
export const CFld = format("CFld", operand("rd", "f", "A", low), rs1(high), imm("C", offsetLd))
export const CSw = format("CSw", operand("rs2", "x", "A", low), rs1(high), imm("C", offsetLw))
export const CSd = format("CSd", operand("rs2", "x", "A", low), rs1(high), imm("C", offsetLd))
export const CFsd = format("CFsd", operand("rs2", "f", "A", low), rs1(high), imm("C", offsetLd))
export const CLwsp = format("CLwsp", rd(full), rs1(sp), imm("C", offsetLwSp))
export const CLdsp = format("CLdsp", rd(full), rs1(sp), imm("C", offsetLdSp))
export const CFldsp = format("CFldsp", operand("rd", "f", "A", full), rs1(sp), imm("C", offsetLdSp))
export const CSwsp = format("CSwsp", operand("rs2", "x", "A", register(2)), rs1(sp), imm("C", offsetSwSp))
export const CSdsp = format("CSdsp", operand("rs2", "x", "A", register(2)), rs1(sp), imm("C", offsetSdSp))
export const CFsdsp = format("CFsdsp", operand("rs2", "f", "A", register(2)), rs1(sp), imm("C", offsetSdSp))
