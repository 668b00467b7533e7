/**
 * What the bits of control and status registers mean, as data for who shows them. RISC-V privileged ISA, chapters 3 (machine level), 12
 * (supervisor level); unprivileged ISA, section 20.2 (fcsr). 64-bit registers; fields that this machine has hard-wired to zero are listed
 * where the specification names them, so that a value which should be zero and is not shows.
 */
import type { CsrName } from "./csr.ts"
import { cause, causeName, interrupt } from "./trap.ts"

export interface CsrField {
  readonly name: string
  /** Its lowest bit. */
  readonly from: number
  /** Bits. */
  readonly width: number
  /** Names of values; a value without one is shown as a number, one named "" not at all. */
  readonly values?: Readonly<Record<number, string>>
  /** An address or a number without names: shown also when it is 0, shifted left by so many bits. */
  readonly shift?: number
}

/** A field's value in words. */
export interface DecodedField {
  readonly name: string
  /** null for a single bit that is set: its name says it all. */
  readonly text: string | null
}

const bit = (name: string, from: number): CsrField => ({ name, from, width: 1 })
const field = (name: string, from: number, width: number, values?: Readonly<Record<number, string>>): CsrField =>
  values === undefined ? { name, from, width } : { name, from, width, values }
const address = (name: string, from: number, width: number, shift: number): CsrField => ({ name, from, width, shift })

const modes = { 0: "U", 1: "S", 3: "M" }
const unitStates = { 0: "off", 1: "initial", 2: "clean", 3: "dirty" }
const widths = { 0: "", 1: "32", 2: "64" }
const roundings = { 0: "nearest even", 1: "to zero", 2: "down", 3: "up", 4: "nearest away" }
const floatFlags = [bit("NX", 0), bit("UF", 1), bit("OF", 2), bit("DZ", 3), bit("NV", 4)]
const vectorModes = { 0: "direct", 1: "vectored" }
const trapVector = [address("BASE", 2, 62, 2), field("MODE", 0, 2, vectorModes)]
const counters = [bit("CY", 0), bit("TM", 1), bit("IR", 2), field("HPM", 3, 29, { 0: "", 536870911: "all" })]

const unitState = (name: string, from: number): CsrField => field(name, from, 2, { ...unitStates, 0: "" })

const supervisorStatus = {
  interrupts: [bit("SIE", 1), bit("SPIE", 5)],
  mode: [field("SPP", 8, 1, modes)],
  units: [field("FS", 13, 2, unitStates), unitState("VS", 9), unitState("XS", 15)],
  memory: [bit("SUM", 18), bit("MXR", 19)],
  rest: [bit("SD", 63), bit("UBE", 6), field("UXL", 32, 2, widths)],
}

const machineStatus = {
  interrupts: [bit("MIE", 3), bit("MPIE", 7)],
  mode: [field("MPP", 11, 2, modes)],
  memory: [bit("MPRV", 17), bit("TVM", 20), bit("TW", 21), bit("TSR", 22)],
  rest: [bit("SBE", 36), bit("MBE", 37), field("SXL", 34, 2, widths)],
}

/** Sources of interrupts: supervisor and machine, software, timer, external. */
const sources = Object.entries({ SSI: 1, MSI: 3, STI: 5, MTI: 7, SEI: 9, MEI: 11 })
const pending = sources.map(([name, code]) => bit(`${name}P`, code))
const enabled = sources.map(([name, code]) => bit(`${name}E`, code))

const causeBits = (codes: readonly number[], isInterrupt: boolean): readonly CsrField[] =>
  codes.map(code => bit(causeName(code, isInterrupt), code))

const causeFields = [bit("INTERRUPT", 63), address("CODE", 0, 63, 0)]

const environment = [bit("FIOM", 0), field("CBIE", 4, 2, { 0: "" }), bit("CBCFE", 6), bit("CBZE", 7)]

/** Fields by the register's name, those first that are looked for most. Registers that are one number have none. */
export const csrFields: Readonly<Partial<Record<CsrName, readonly CsrField[]>>> = {
  mstatus: [
    ...[supervisorStatus.interrupts, machineStatus.interrupts, supervisorStatus.mode, machineStatus.mode].flat(),
    ...[supervisorStatus.units, supervisorStatus.memory, machineStatus.memory].flat(),
    ...[supervisorStatus.rest, machineStatus.rest].flat(),
  ],
  sstatus: Object.values(supervisorStatus).flat(),
  mtvec: trapVector,
  stvec: trapVector,
  mip: pending,
  sip: pending,
  mie: enabled,
  sie: enabled,
  mideleg: causeBits(Object.values(interrupt), true),
  medeleg: causeBits(Object.values(cause), false),
  mcause: causeFields,
  scause: causeFields,
  satp: [
    field("MODE", 60, 4, { 0: "bare", 8: "Sv39", 9: "Sv48", 10: "Sv57" }),
    field("ASID", 44, 16, { 0: "" }),
    address("PPN", 0, 44, 0),
  ],
  misa: [
    field("MXL", 62, 2, { 1: "32", 2: "64", 3: "128" }),
    ...[..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].map((letter, at) => bit(letter, at)),
  ],
  menvcfg: [...environment, bit("ADUE", 61), bit("PBMTE", 62), bit("STCE", 63)],
  senvcfg: environment,
  mcounteren: counters,
  scounteren: counters,
  mcountinhibit: counters,
  fflags: floatFlags,
  frm: [field("FRM", 0, 3, roundings)],
  fcsr: [field("FRM", 5, 3, roundings), ...floatFlags],
}

const hex = (value: bigint): string => `0x${value.toString(16)}`

const decodeField = (value: bigint, { name, from, width, values, shift }: CsrField): DecodedField | null => {
  const part = (value >> BigInt(from)) & ((1n << BigInt(width)) - 1n)
  if (shift !== undefined) return { name, text: hex(part << BigInt(shift)) }
  if (values !== undefined) {
    const text = values[Number(part)] ?? hex(part)
    return text === "" ? null : { name, text }
  }
  if (part === 0n) return null
  return { name, text: width === 1 ? null : hex(part) }
}

const TOP_BIT = 1n << 63n

/** The fields of a register's value that say something; causes by their names. None for a register without fields. */
export const decodeCsr = (name: string, value: bigint): readonly DecodedField[] => {
  if (name === "mcause" || name === "scause") {
    const isInterrupt = value >= TOP_BIT
    const text = causeName(Number(value & 0xfffn), isInterrupt)
    return [{ name: isInterrupt ? "interrupt" : "exception", text }]
  }
  const fields = csrFields[name as CsrName] ?? []
  return fields.flatMap(each => decodeField(value, each) ?? [])
}
