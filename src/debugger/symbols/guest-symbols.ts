/**
 * The names a guest has for its addresses, as far as they can be known without being told: from the symbol tables of the ELF files it was
 * booted from, and from a Linux kernel in its memory.
 */
import { Effect } from "effect"
import type { World } from "../../events/index.ts"
import { type ElfFile, elfSymbols, isElf, readElf } from "../../machine/elf.ts"
import type { Inspection } from "../inspection.ts"
import { findLinuxKernel, kernelVirtual } from "./linux-kernel.ts"
import type { NamedAddress, SymbolSource } from "./symbol-source.ts"
import { type GuestSymbol, SymbolTable } from "./symbol-table.ts"

const RAM_BASE = 0x8000_0000

const kindOf = (type: string): NamedAddress["kind"] =>
  /t|w/i.test(type) ? "function" : /[dbrgsv]/i.test(type) ? "object" : "other"

/** A table as a source of names; `toVirtual` turns addresses that are no names of their own into those that are. */
class TableSource implements SymbolSource {
  private readonly table: SymbolTable
  private readonly toVirtual: (address: bigint) => bigint | null
  readonly all: readonly NamedAddress[]

  constructor(
    symbols: readonly GuestSymbol[],
    end: bigint | null,
    toVirtual: (address: bigint) => bigint | null = () => null,
  ) {
    this.table = new SymbolTable(symbols, end)
    this.toVirtual = toVirtual
    this.all = symbols.map(named).sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
  }

  find(name: string): NamedAddress | null {
    const symbol = this.table.find(name)
    return symbol === undefined ? null : named(symbol)
  }

  at(address: bigint): { readonly symbol: NamedAddress; readonly offset: bigint } | null {
    const found = this.table.near(address)
    if (found !== null) return { symbol: named(found.symbol), offset: BigInt(found.offset) }
    const virtual = this.toVirtual(address)
    return virtual === null || virtual === address ? null : this.at(virtual)
  }

  nearNames(name: string): readonly string[] {
    return this.table.nearNames(name)
  }
}

const named = ({ name, address, type, size }: GuestSymbol): NamedAddress => ({
  name,
  address,
  size: size ? BigInt(size) : null,
  kind: kindOf(type),
})

/** Several sources as one; what an earlier one knows counts. */
const joined = (sources: readonly SymbolSource[]): SymbolSource => ({
  find: name => sources.map(source => source.find(name)).find(found => found !== null) ?? null,
  at: address => sources.map(source => source.at(address)).find(found => found !== null) ?? null,
  nearNames: name => sources.flatMap(source => source.nearNames(name)).slice(0, 3),
  all: sources.flatMap(({ all }) => all),
})

/** Those symbols of a file that lie in what it loads. */
const symbolsOfFile = (file: ElfFile): SymbolSource => {
  const ranges = file.segments.map(({ virtualAddress, memorySize }) => ({
    start: virtualAddress,
    end: virtualAddress + BigInt(memorySize),
  }))
  const isLoaded = (address: bigint) => ranges.some(({ start, end }) => start <= address && address <= end)
  const symbols = [...elfSymbols(file)]
    .filter(({ name, value }) => isLoaded(value) && !/\.[cSso]$/.test(name))
    .map(({ name, value, size }): GuestSymbol => ({ name, address: value, size, type: "?" }))
  return new TableSource(symbols, null)
}

const kernelSymbols = (inspection: Inspection): readonly SymbolSource[] => {
  const { ramBytes } = inspection.machine.config
  const read = (address: number, length: number) => inspection.readPhysical(BigInt(address), length)
  const kernel = findLinuxKernel(read, { base: RAM_BASE, bytes: ramBytes })
  if (kernel === null) return []
  const { mapping, symbols } = kernel
  const end = mapping.virtual + BigInt(mapping.bytes)
  return [new TableSource(symbols, end, address => kernelVirtual(mapping, address))]
}

/** The names known of a world's guest. A Linux kernel's are found while it lies in memory where `inspection` stands. */
export const guestSymbols = (world: World, inspection: Inspection) =>
  Effect.gen(function* () {
    const [{ firmware, kernel }] = world.genesis.machines
    const contents = [firmware, kernel].filter(content => content !== null && typeof content === "object")
    const sources: SymbolSource[] = []
    for (const { hash } of contents) {
      const bytes = yield* world.readBlob(hash)
      if (!isElf(bytes)) continue
      const result = readElf(bytes)
      if (result.ok) sources.push(symbolsOfFile(result.file))
    }
    return joined([...sources, ...kernelSymbols(inspection)].filter(({ all }) => all.length > 0))
  })
