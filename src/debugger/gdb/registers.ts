/**
 * The registers gdb is shown, in the order of its numbers: those of the standard features of RISC-V. The first ones, up to fcsr, are read
 * all at once (`g`), the others one by one (`p`). GDB manual, appendix "Target Descriptions", section "RISC-V Features".
 */
import { csrNumber, HPM_COUNTERS, PMP_ENTRIES } from "../../riscv/csr.ts"
import { floatRegisterNames, integerRegisterNames } from "../../riscv/register.ts"
import type { Inspection } from "../inspection.ts"
import { hexOfValue } from "./hex.ts"

export interface GdbRegister {
  /** As gdb and `Inspection.register` call it. */
  readonly name: string
  readonly bits: 8 | 32 | 64
  /** What gdb prints it as. */
  readonly type: "int" | "code_ptr" | "data_ptr" | "ieee_double"
}

export interface GdbFeature {
  readonly name: string
  readonly registers: readonly GdbRegister[]
}

const addressTypes: Readonly<Record<string, GdbRegister["type"]>> = {
  ra: "code_ptr",
  sp: "data_ptr",
  gp: "data_ptr",
  tp: "data_ptr",
}

const floatControl = ["fflags", "frm", "fcsr"] as const

const counters = (prefix: string): string[] =>
  Array.from({ length: HPM_COUNTERS.last - HPM_COUNTERS.first + 1 }, (_, at) => `${prefix}${HPM_COUNTERS.first + at}`)

const csrNames: readonly string[] = [
  ...Object.keys(csrNumber).filter(name => name !== "pmpaddr0" && !floatControl.some(control => control === name)),
  ...Array.from({ length: PMP_ENTRIES }, (_, entry) => `pmpaddr${entry}`),
  ...counters("hpmcounter"),
  ...counters("mhpmcounter"),
  ...counters("mhpmevent"),
]

export const features: readonly GdbFeature[] = [
  {
    name: "org.gnu.gdb.riscv.cpu",
    registers: [
      ...integerRegisterNames.map(name => ({ name, bits: 64, type: addressTypes[name] ?? "int" }) as const),
      { name: "pc", bits: 64, type: "code_ptr" },
    ],
  },
  {
    name: "org.gnu.gdb.riscv.fpu",
    registers: [
      ...floatRegisterNames.map(name => ({ name, bits: 64, type: "ieee_double" }) as const),
      ...floatControl.map(name => ({ name, bits: 32, type: "int" }) as const),
    ],
  },
  { name: "org.gnu.gdb.riscv.csr", registers: csrNames.map(name => ({ name, bits: 64, type: "int" })) },
  { name: "org.gnu.gdb.riscv.virtual", registers: [{ name: "priv", bits: 8, type: "int" }] },
]

/** By gdb's number. */
export const registers: readonly GdbRegister[] = features.flatMap(feature => feature.registers)

/** How many of them are read all at once. */
const GENERAL_COUNT = features[0]!.registers.length + features[1]!.registers.length
const generalRegisters = registers.slice(0, GENERAL_COUNT)

const read = (inspection: Inspection, hart: number, { name, bits }: GdbRegister): string => {
  const value = inspection.register(hart, name)
  // Digits that are none say that there is no value.
  return value === null ? "x".repeat(bits / 4) : hexOfValue(value, bits / 8)
}

/** What `g` asks for. */
export const readGeneral = (inspection: Inspection, hart: number): string =>
  generalRegisters.map(register => read(inspection, hart, register)).join("")

/** What `p` asks for; null where there is no such register. */
export const readRegister = (inspection: Inspection, hart: number, number: number): string | null => {
  const register = registers[number]
  return register === undefined ? null : read(inspection, hart, register)
}
