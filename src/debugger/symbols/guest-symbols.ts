/** Symbols of a guest as debuggers ask for them, and what is known of the Linux it runs. */
import type { Inspection } from "../inspection.ts"
import { kernelBtf } from "./btf.ts"
import { type GuestView, Linux } from "./linux.ts"
import {
  findLinuxKernel,
  type KernelMapping,
  kernelPhysical,
  type LinuxKernel,
  type ReadPhysical,
} from "./linux-kernel.ts"
import type { NamedAddress, SymbolSource } from "./symbol-source.ts"
import { type GuestSymbol, SymbolTable } from "./symbol-table.ts"

const RAM_BASE = 0x8000_0000

const kindOf = (type: string): NamedAddress["kind"] =>
  /t/i.test(type) ? "function" : /[dbrvsg]/i.test(type) ? "object" : "other"

const named = ({ name, address, type, size }: GuestSymbol): NamedAddress => ({
  name,
  address,
  size: size ? BigInt(size) : null,
  kind: kindOf(type),
})

/** A table of symbols, asked as every source of symbols is. */
export const symbolSourceOf = (table: SymbolTable, symbols: readonly GuestSymbol[]): SymbolSource => {
  let sorted: readonly NamedAddress[] | null = null
  return {
    find: name => {
      const found = table.find(name)
      return found === undefined ? null : named(found)
    },
    at: address => {
      const found = table.near(address)
      return found && { symbol: named(found.symbol), offset: BigInt(found.offset) }
    },
    nearNames: name => table.nearNames(name),
    get all() {
      sorted ??= symbols.map(named).sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
      return sorted
    },
  }
}

/** A guest as what is known of Linux looks at it. */
export const guestView = (inspection: Inspection): GuestView => ({
  readVirtual: (hart, address, length) => inspection.read(hart, address, length),
  register: (hart, name) => inspection.register(hart, name) ?? 0n,
})

/** A Linux guest. */
export interface LinuxGuest {
  readonly symbols: SymbolSource
  /** null where the kernel says too little of itself. */
  readonly linux: Linux | null
  /** Where the kernel's image lies, for as long as it runs. */
  readonly mapping: KernelMapping
  /** The physical address of a kernel symbol, also before the kernel has mapped itself; null outside its image. */
  readonly physical: (virtual: bigint) => bigint | null
}

/**
 * The Linux kernel in a machine's memory, wherever it stands; null where there is none, or none that names its symbols. `read` reads
 * memory where it is not that of the machine as it stands.
 */
export const findLinuxGuest = (
  inspection: Inspection,
  read: ReadPhysical = (address, length) => inspection.readPhysical(BigInt(address), length),
): LinuxGuest | null => {
  const kernel = findLinuxKernel(read, { base: RAM_BASE, bytes: inspection.machine.config.ramBytes })
  return kernel && linuxGuestOf(inspection, kernel, read)
}

const linuxGuestOf = (inspection: Inspection, kernel: LinuxKernel, read: ReadPhysical): LinuxGuest => {
  const { symbols, mapping } = kernel
  const table = new SymbolTable(symbols, mapping.virtual + BigInt(mapping.bytes))
  const btf = kernelBtf(kernel, table, read)
  return {
    symbols: symbolSourceOf(table, symbols),
    mapping,
    linux: btf && Linux.of(table, btf, guestView(inspection)),
    physical: virtual => {
      const address = kernelPhysical(mapping, virtual)
      return address === null ? null : BigInt(address)
    },
  }
}
