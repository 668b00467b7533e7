/** Names of control and status registers as assemblers and debuggers write them. RISC-V privileged ISA, section 2.2. */
import { csrNumber, HPM_COUNTERS, PMP_ENTRIES } from "./csr.ts"

const numberByName = new Map<string, number>(Object.entries(csrNumber))
for (let entry = 0; entry < PMP_ENTRIES; entry++) numberByName.set(`pmpaddr${entry}`, csrNumber.pmpaddr0 + entry)
for (let counter = HPM_COUNTERS.first; counter <= HPM_COUNTERS.last; counter++) {
  numberByName.set(`mhpmcounter${counter}`, HPM_COUNTERS.mcounter + counter)
  numberByName.set(`hpmcounter${counter}`, HPM_COUNTERS.counter + counter)
  numberByName.set(`mhpmevent${counter}`, HPM_COUNTERS.event + counter)
}
const nameByNumber = new Map([...numberByName].map(([name, number]) => [number, name]))

/** The names of all CSRs there are. */
export const csrNames: readonly string[] = [...numberByName.keys()]

/** The CSR's name, or its number in hexadecimal when it has none here. */
export const csrName = (number: number): string => nameByNumber.get(number) ?? `0x${number.toString(16)}`

/** The number of a CSR by its name, or null. */
export const csrByName = (name: string): number | null => numberByName.get(name) ?? null
