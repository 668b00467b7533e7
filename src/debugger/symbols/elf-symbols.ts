/** Names of addresses from the symbol tables of an ELF file. System V ABI, "Object Files" (gABI chapter 5). */
import { Effect } from "effect"
import type { World } from "../../events/index.ts"
import { type ElfFile, type ElfSection, isElf, readElf } from "../../machine/elf.ts"
import { symbolSourceOf } from "./guest-symbols.ts"
import { type NamedAddress, noSymbols, type SymbolSource } from "./symbol-source.ts"
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

const symbolsOf = (table: ElfSection, names: Uint8Array): GuestSymbol[] => {
  const view = new DataView(table.data.buffer, table.data.byteOffset, table.data.byteLength)
  const symbols: GuestSymbol[] = []
  for (let at = 0; at + SYMBOL_BYTES <= table.data.length; at += SYMBOL_BYTES) {
    const info = view.getUint8(at + 4)
    const kind = symbolKinds[info & 0xf] ?? null
    const name = nameAt(names, view.getUint32(at, true))
    if (kind === null || /^(?:$|\$|\.L)/.test(name) || view.getUint16(at + 6, true) === SHN_UNDEF) continue
    const type = info >> 4 === STB_LOCAL ? letters[kind].toLowerCase() : letters[kind]
    const size = Number(view.getBigUint64(at + 16, true))
    symbols.push({ name, address: view.getBigUint64(at + 8, true), size, type })
  }
  return symbols
}

/** The names of files that were linked: their addresses are where they run. */
export const elfSymbolSource = (files: readonly ElfFile[]): SymbolSource => {
  const symbols = files.flatMap(({ sections }) =>
    sections.flatMap(section => {
      const names = sections[section.link]?.data
      return section.type === SHT_SYMTAB && names !== undefined ? symbolsOf(section, names) : []
    }),
  )
  return symbols.length === 0 ? noSymbols : symbolSourceOf(new SymbolTable(symbols), symbols)
}

/** Those of the files that a world was booted from, as far as they are ELF files. */
export const bootedSymbols = (world: World) =>
  Effect.gen(function* () {
    const [{ kernel, firmware }] = world.genesis.machines
    const files: ElfFile[] = []
    for (const content of [kernel, firmware]) {
      if (content === null || typeof content === "string") continue
      const bytes = yield* world.readBlob(content.hash)
      const result = isElf(bytes) ? readElf(bytes) : null
      if (result?.ok) files.push(result.file)
    }
    return elfSymbolSource(files)
  })
