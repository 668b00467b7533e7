/** Names of addresses from the symbol tables of an ELF file. System V ABI, "Object Files" (gABI chapter 5). */
import type { ElfFile, ElfSection } from "../../machine/elf.ts"
import type { NamedAddress, SymbolSource } from "./symbol-source.ts"
import { type GuestSymbol, SymbolTable } from "./symbol-table.ts"

const SHT_SYMTAB = 2
const SYMBOL_BYTES = 24
const SHN_UNDEF = 0
const STB_LOCAL = 0
/** Types of symbols by number; those of sections, files and thread-local variables have no address of their own. */
const symbolKinds: readonly (NamedAddress["kind"] | null)[] = [
  "other",
  "object",
  "function",
  null,
  null,
  "object",
  null,
]
const letters: Readonly<Record<NamedAddress["kind"], string>> = { function: "T", object: "D", other: "N" }

const decoder = new TextDecoder()

const nameAt = (names: Uint8Array, start: number): string => {
  const end = names.indexOf(0, start)
  return decoder.decode(names.subarray(start, end < 0 ? names.length : end))
}

const kindOf = (type: string): NamedAddress["kind"] =>
  /t/i.test(type) ? "function" : /d/i.test(type) ? "object" : "other"

const symbolsOf = (table: ElfSection, names: Uint8Array): GuestSymbol[] => {
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength)
  const symbols: GuestSymbol[] = []
  for (let at = 0; at + SYMBOL_BYTES <= table.data.length; at += SYMBOL_BYTES) {
    const info = view.getUint8(at + 4)
    const kind = symbolKinds[info & 0xf] ?? null
    const name = nameAt(names, view.getUint32(at, true))
    if (kind === null || name === "" || view.getUint16(at + 6, true) === SHN_UNDEF) continue
    const type = info >> 4 === STB_LOCAL ? letters[kind].toLowerCase() : letters[kind]
    const size = Number(view.getBigUint64(at + 16, true))
    symbols.push({ name, address: view.getBigUint64(at + 8, true), size, type })
  }
  return symbols
}

const named = ({ name, address, type, size }: GuestSymbol): NamedAddress => ({
  name,
  address,
  size: size ? BigInt(size) : null,
  kind: kindOf(type),
})

/** The names of a file that was linked: their addresses are where it runs. */
export const elfSymbolSource = (file: ElfFile): SymbolSource => {
  const symbols = file.sections.flatMap(section => {
    const names = file.sections[section.link]?.data
    return section.type === SHT_SYMTAB && names !== undefined ? symbolsOf(section, names) : []
  })
  const table = new SymbolTable(symbols)
  const byAddress = (a: NamedAddress, b: NamedAddress) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0)
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
    all: symbols
      .filter(({ name }) => !/^(?:\$|\.L)/.test(name))
      .map(named)
      .sort(byAddress),
  }
}
