/**
 * A linked program for RV64 as a debugger sees it: symbols, what is loaded where, sections with debug information.
 *
 * Specification: System V gABI chapters 4 and 5 (symbol table, compressed sections); RISC-V ELF psABI. All addresses are those
 * written in the file: of a position independent program that is loaded elsewhere, take the difference off first.
 */
import { inflateSync, zstdDecompressSync } from "node:zlib"
import { type ElfSection, elfSymbols, isElf, readElf } from "../../machine/elf.ts"
import { AddressIndex, type AddressRange } from "./address-index.ts"
import { DebugInfoDamaged, ProgramUnusable } from "./errors.ts"

/** `size` is in bytes, 0 where the file does not give one (labels of assembly code). */
export interface ProgramSymbol {
  readonly name: string
  readonly address: bigint
  readonly size: bigint
  readonly kind: "function" | "object" | "other"
  readonly isGlobal: boolean
}

/** A section that lies in memory while the program runs. `size` is in bytes. */
export interface LoadedSection {
  readonly name: string
  readonly address: bigint
  readonly size: bigint
  readonly isCode: boolean
}

/** Bytes of a section with debug information; none if there is no such section. */
export interface SectionData {
  readonly name: string
  readonly bytes: Uint8Array
  readonly address: bigint
}

const SHF_ALLOC = 2
const SHF_EXECINSTR = 4
const SHF_TLS = 0x400
const SHF_COMPRESSED = 0x800
const SHT_NOBITS = 8
const STB_LOCAL = 0
const SHN_LORESERVE = 0xff00
/** Symbol types. Others are no names for places of the program: sections, files, offsets of thread-local variables. */
const kinds: Readonly<Record<number, ProgramSymbol["kind"]>> = {
  0: "other",
  1: "object",
  2: "function",
  5: "object",
  10: "function",
}

/** Names the toolchain makes for itself: local labels, and marks between code and data (psABI, mapping symbols). */
const isMadeByToolchain = (name: string): boolean =>
  name.startsWith(".L") || name.startsWith("$x") || name.startsWith("$d")

export class ElfFile {
  /** Address of the first instruction. */
  readonly entry: bigint
  /** True for a program or library that may be loaded anywhere (ET_DYN). */
  readonly isPositionIndependent: boolean
  readonly loadedSections: readonly LoadedSection[]
  readonly symbols: readonly ProgramSymbol[]
  private readonly sections: ReadonlyMap<string, ElfSection>
  private readonly loaded: AddressIndex<LoadedSection>
  private readonly byName = new Map<string, ProgramSymbol[]>()
  private readonly sized: AddressIndex<ProgramSymbol>
  private readonly labels: AddressIndex<ProgramSymbol>

  /** @throws ProgramUnusable unless these are the bytes of a linked RV64 program. */
  constructor(bytes: Uint8Array) {
    if (!isElf(bytes)) throw new ProgramUnusable({ problem: "The file is no ELF program; give a linked RISC-V one." })
    const result = readElf(bytes)
    if (!result.ok) throw new ProgramUnusable({ problem: result.problem.sentence })
    const { file } = result
    if (file.type !== "executable" && file.type !== "shared")
      throw new ProgramUnusable({
        problem: "The file is no linked program; link it first, or give the program itself.",
      })
    this.entry = file.entry
    this.isPositionIndependent = file.type === "shared"
    this.sections = new Map(file.sections.map(section => [section.name, section]))
    this.loadedSections = file.sections.filter(isLoaded).map(({ name, address, memorySize, flags }) => ({
      name,
      address,
      size: BigInt(memorySize),
      isCode: (flags & SHF_EXECINSTR) !== 0,
    }))
    this.loaded = new AddressIndex(this.loadedSections.map(section => [rangeOf(section), section]))

    const symbols: ProgramSymbol[] = []
    const places: ProgramSymbol[] = []
    for (const tables of ["static", "dynamic"] as const) {
      if (symbols.length > 0) break
      for (const { name, value, size, info, section } of elfSymbols(file, tables)) {
        const kind = kinds[info & 15]
        if (kind === undefined || section === 0 || isMadeByToolchain(name)) continue
        const symbol = { name, address: value, size: BigInt(size), kind, isGlobal: info >> 4 !== STB_LOCAL }
        symbols.push(symbol)
        if (section >= SHN_LORESERVE) continue
        places.push(symbol)
        this.enter(name, symbol)
        const dot = name.indexOf(".")
        if (dot > 0) this.enter(name.slice(0, dot), symbol)
      }
    }
    this.symbols = symbols
    // Of several names for one place the one found is global if there is one.
    places.sort((a, b) => Number(a.isGlobal) - Number(b.isGlobal))
    this.sized = new AddressIndex(places.map(symbol => [rangeOf(symbol), symbol]))
    this.labels = new AddressIndex(
      places.flatMap(symbol => {
        const section = symbol.size === 0n ? this.loaded.at(symbol.address) : null
        return section === null ? [] : [[{ start: symbol.address, end: rangeOf(section).end }, symbol] as const]
      }),
    )
  }

  private enter(name: string, symbol: ProgramSymbol): void {
    const namesakes = this.byName.get(name)
    if (namesakes) namesakes.push(symbol)
    else this.byName.set(name, [symbol])
  }

  /** Symbols of that name that have an address; several where files of one program use the same static name. */
  symbolsNamed(name: string): readonly ProgramSymbol[] {
    return this.variantsNamed(name).filter(symbol => symbol.name === name)
  }

  /** Those, and what the compiler made of them for special cases: `name.isra.0`, `name.cold`. */
  variantsNamed(name: string): readonly ProgramSymbol[] {
    return this.byName.get(name) ?? []
  }

  /** The symbol whose bytes hold the address; else the last label before it in the same section. */
  symbolAt(address: bigint): ProgramSymbol | null {
    return this.sized.at(address) ?? this.labels.at(address)
  }

  /** The section an address lies in. What a linker threw away keeps debug information, with addresses in no section. */
  sectionAt(address: bigint): LoadedSection | null {
    return this.loaded.at(address)
  }

  /**
   * A section's contents, decompressed.
   * @throws DebugInfoDamaged if that is not possible.
   */
  section(name: string): SectionData {
    const section = this.sections.get(name)
    if (section === undefined) return { name, bytes: new Uint8Array(0), address: 0n }
    return {
      name,
      bytes: section.flags & SHF_COMPRESSED ? decompress(section) : section.data,
      address: section.address,
    }
  }
}

/** Sections without bytes for thread-local data share their addresses with others. */
const isLoaded = ({ flags, type, memorySize }: ElfSection): boolean =>
  (flags & SHF_ALLOC) !== 0 && memorySize > 0 && !((flags & SHF_TLS) !== 0 && type === SHT_NOBITS)

function rangeOf({ address, size }: { readonly address: bigint; readonly size: bigint }): AddressRange {
  return { start: address, end: BigInt.asUintN(64, address + size) }
}

/** A compressed section begins with its kind (1 zlib, 2 zstd), its size and its alignment (gABI, Elf64_Chdr). */
function decompress({ name, data }: ElfSection): Uint8Array {
  const damaged = (problem: string) => new DebugInfoDamaged({ section: name, offset: 0, problem })
  if (data.length < 24) throw damaged("its header is incomplete")
  const header = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const kind = header.getUint32(0, true)
  const size = Number(header.getBigUint64(8, true))
  if (kind !== 1 && kind !== 2) throw damaged(`it is compressed in the unknown way ${kind}`)
  const maxOutputLength = Math.min(Math.max(size, 1), 0xffff_ffff)
  try {
    const bytes = (kind === 1 ? inflateSync : zstdDecompressSync)(data.subarray(24), { maxOutputLength })
    if (bytes.length === size) return new Uint8Array(bytes.buffer, bytes.byteOffset, size)
  } catch {
    // What zlib says is no more than this.
  }
  throw damaged("it cannot be decompressed")
}
