/** What the values of control and status registers mean. RISC-V privileged ISA, chapters 3, 12. */
import { mip, mstatusBit, privilege } from "../riscv/csr.ts"
import { causeName } from "../riscv/trap.ts"

const INTERRUPT = 1n << 63n

const bit = (value: bigint, position: number): boolean => ((value >> BigInt(position)) & 1n) === 1n
const field = (value: bigint, position: number, bits: number): number =>
  Number((value >> BigInt(position)) & ((1n << BigInt(bits)) - 1n))

/** `machine`, for 3. */
export const privilegeName = (level: number): string =>
  Object.entries(privilege).find(([, value]) => value === level)?.[0] ?? `mode ${level}`

const statusText = (value: bigint, isMachine: boolean): string => {
  const flags = ["SIE", "MIE", "SPIE", "MPIE", "MPRV", "SUM", "MXR", "TVM", "TW", "TSR"] as const
  const set = flags.filter(name => bit(value, mstatusBit[name]))
  const levels = [
    ...(isMachine ? [`MPP=${privilegeName(field(value, mstatusBit.MPP, 2))}`] : []),
    `SPP=${privilegeName(field(value, mstatusBit.SPP, 1))}`,
    `FS=${["off", "initial", "clean", "dirty"][field(value, mstatusBit.FS, 2)]}`,
  ]
  return [...set, ...levels].join(" ")
}

const pendingText = (value: bigint): string =>
  Object.entries(mip)
    .filter(([, mask]) => (value & mask) !== 0n)
    .map(([name]) => name.slice(0, 3))
    .join(" ")

const causeText = (value: bigint): string =>
  (value & INTERRUPT) === 0n
    ? causeName(Number(value & 0xffn), false)
    : `${causeName(Number(value & 0xffn), true)} interrupt`

const satpText = (value: bigint): string => {
  const mode = field(value, 60, 4)
  const name = { 0: "bare", 8: "Sv39", 9: "Sv48" }[mode] ?? `mode ${mode}`
  return mode === 0
    ? name
    : `${name} ASID=${field(value, 44, 16)} root=0x${((value & ((1n << 44n) - 1n)) << 12n).toString(16)}`
}

const vectorText = (value: bigint): string => ((value & 3n) === 1n ? "vectored" : "direct")

const texts: Readonly<Record<string, (value: bigint) => string>> = {
  mstatus: value => statusText(value, true),
  sstatus: value => statusText(value, false),
  mie: pendingText,
  mip: pendingText,
  sie: pendingText,
  sip: pendingText,
  mcause: causeText,
  scause: causeText,
  satp: satpText,
  mtvec: vectorText,
  stvec: vectorText,
}

/** What a CSR's value means in words; empty where there is no more to say than its number. */
export const csrText = (name: string, value: bigint): string => texts[name]?.(value) ?? ""
