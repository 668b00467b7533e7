/**
 * Where a virtual address leads, looked up from outside: nothing is changed, no accessed or dirty bits are set, and no permission is
 * asked for. RISC-V privileged ISA, sections 12.3 to 12.5.
 */
import type { HartCore } from "../hart/hart-core.ts"
import { RAM, RAM_BASE } from "../hart/layout.ts"
import { privilege, satpMode } from "../riscv/csr.ts"

/** One entry that the walk met. */
export interface WalkStep {
  /** 0 for a page of 4 KiB, 1 for 2 MiB and so on. */
  readonly level: number
  /** Physical address of the entry, and the entry. */
  readonly address: number
  readonly entry: bigint
}

export interface Walk {
  readonly steps: readonly WalkStep[]
  /** null where the address is not mapped. */
  readonly physical: bigint | null
}

const ENTRY_BYTES = 8
const VALID = 1n
/** R, W or X: the entry maps a page. */
const LEAF = 14n

/** Bytes of RAM, or null where not all of them lie in RAM. */
export const readRam = (core: HartCore, physical: bigint, length: number): Uint8Array | null => {
  const offset = physical - BigInt(RAM_BASE)
  if (offset < 0n || offset + BigInt(length) > BigInt(core.ramBytes)) return null
  core.needPages(Number(physical), length)
  const at = RAM + Number(offset)
  return core.bytes.slice(at, at + length)
}

/** The walk of a hart's page tables; no steps where the hart uses physical addresses. */
export const walk = (core: HartCore, hart: number, virtual: bigint): Walk => {
  const satp = core.getBig(hart, "satp")
  const mode = Number(satp >> 60n)
  const isBare = mode === satpMode.bare || core.get(hart, "privilege") === privilege.machine
  if (isBare) return { steps: [], physical: virtual }
  const levels = mode === satpMode.sv39 ? 3 : 4
  const unused = BigInt(64 - 12 - 9 * levels)
  if (BigInt.asUintN(64, BigInt.asIntN(64, virtual << unused) >> unused) !== virtual)
    return { steps: [], physical: null }
  const steps: WalkStep[] = []
  let table = (satp & 0xfff_ffff_ffffn) << 12n
  for (let level = levels - 1; level >= 0; level--) {
    const shift = BigInt(12 + 9 * level)
    const address = table + ((virtual >> shift) & 0x1ffn) * BigInt(ENTRY_BYTES)
    const bytes = readRam(core, address, ENTRY_BYTES)
    if (bytes === null) return { steps, physical: null }
    const entry = new DataView(bytes.buffer).getBigUint64(0, true)
    steps.push({ level, address: Number(address), entry })
    if ((entry & VALID) === 0n) return { steps, physical: null }
    const frame = ((entry >> 10n) & 0xfff_ffff_ffffn) << 12n
    if ((entry & LEAF) !== 0n) return { steps, physical: frame + (virtual & ((1n << shift) - 1n)) }
    table = frame
  }
  return { steps, physical: null }
}
