/** How an address is looked up in the page tables, level by level. RISC-V privileged ISA, section 12.3. */
import type { Inspection } from "../../../debugger/inspection.ts"
import { privilege, pte } from "../../../riscv/csr.ts"

export interface PageLevel {
  readonly level: number
  /** Physical address of the entry. */
  readonly address: number
  readonly entry: bigint
  /** One letter for each bit that is set: `DAGUXWRV`, a dash for each that is not. */
  readonly flags: string
  /** The physical address it leads to: a table, or a page. */
  readonly leadsTo: bigint
}

export interface PagesView {
  readonly expression: string
  /** null where the expression comes to nothing. */
  readonly address: bigint | null
  /** Why no tables are walked, null where they are. */
  readonly bare: "machine mode" | "satp is bare" | null
  readonly levels: readonly PageLevel[]
  readonly physical: bigint | null
  /** Bytes of the page, null where none is found. */
  readonly pageBytes: bigint | null
}

const flagLetters = Object.entries(pte).reverse()

export const flagsOf = (entry: bigint): string =>
  flagLetters.map(([letter, bit]) => ((entry & bit) === 0n ? "-" : letter)).join("")

export const pagesView = (
  inspection: Inspection,
  hart: number,
  expression: string,
  address: bigint | null,
): PagesView => {
  const nothing = { expression, address, bare: null, levels: [], physical: null, pageBytes: null }
  if (address === null) return nothing
  const mode = Number(inspection.register(hart, "satp")! >> 60n)
  if (Number(inspection.register(hart, "privilege")) === privilege.machine)
    return { ...nothing, bare: "machine mode", physical: address }
  if (mode === 0) return { ...nothing, bare: "satp is bare", physical: address }
  const { steps, physical } = inspection.walk(hart, address)
  const levels = steps.map(
    ({ level, address, entry }): PageLevel => ({
      level,
      address,
      entry,
      flags: flagsOf(entry),
      leadsTo: ((entry >> 10n) & 0xfff_ffff_ffffn) << 12n,
    }),
  )
  const last = levels.at(-1)
  return {
    ...nothing,
    levels,
    physical,
    pageBytes: physical === null || last === undefined ? null : 1n << BigInt(12 + 9 * last.level),
  }
}
