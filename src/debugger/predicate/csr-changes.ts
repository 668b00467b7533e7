/**
 * What a control and status register depends on: many are views of others, and some change without being written. RISC-V privileged
 * ISA, chapters 3, 10 and 12, as `src/hart` implements it.
 */
import { type CsrName, csrNumber } from "../../riscv/csr.ts"
import { csrName } from "../../riscv/csr-name.ts"

/**
 * How a stored register comes to change: by CSR instructions (or an SBI call, which writes for the guest), by traps taken and returns
 * from them, by floating-point instructions, by interrupt lines.
 */
export type CsrChange = "write" | "trap" | "float" | "line"

/** What it counts, when it counts something. */
export type CsrCount = "instret" | "time"

export interface CsrDependence {
  /** Numbers of the stored registers its value is made of; none for a constant. */
  readonly stored: readonly number[]
  readonly counts: CsrCount | null
}

const views: Readonly<Partial<Record<CsrName, readonly CsrName[]>>> = {
  sstatus: ["mstatus"],
  sie: ["mie", "mideleg"],
  sip: ["mip", "mideleg"],
  fcsr: ["fflags", "frm"],
  cycle: ["mcycle"],
  instret: ["minstret"],
  time: [],
}
const counters: Readonly<Partial<Record<CsrName, CsrCount>>> = {
  cycle: "instret",
  mcycle: "instret",
  instret: "instret",
  minstret: "instret",
  time: "time",
}
const constants: ReadonlySet<string> = new Set<CsrName>([
  "misa",
  "mcountinhibit",
  "mvendorid",
  "marchid",
  "mimpid",
  "mhartid",
  "mconfigptr",
  "tselect",
  "tdata1",
  "tdata2",
  "tdata3",
])
const changedByMore: Readonly<Partial<Record<CsrName, readonly CsrChange[]>>> = {
  mstatus: ["trap", "float"],
  mepc: ["trap"],
  mcause: ["trap"],
  mtval: ["trap"],
  sepc: ["trap"],
  scause: ["trap"],
  stval: ["trap"],
  mip: ["line"],
  fflags: ["float"],
}

/** What the value of a CSR, given by its number, depends on. */
export const csrDependence = (csr: number): CsrDependence => {
  const name = csrName(csr) as CsrName
  const isConstant = constants.has(name) || /^m?hpm/.test(name)
  return {
    stored: isConstant ? [] : (views[name]?.map(stored => csrNumber[stored]) ?? [csr]),
    counts: counters[name] ?? null,
  }
}

/** How a stored CSR comes to change. */
export const csrChanges = (csr: number): readonly CsrChange[] => [
  "write",
  ...(changedByMore[csrName(csr) as CsrName] ?? []),
]
