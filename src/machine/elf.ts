/**
 * Reader for 64-bit little-endian ELF files: header, program headers, sections and symbols.
 *
 * Specification: System V ABI, "Object Files" (gABI chapters 4 and 5); RISC-V ELF psABI, machine number 243.
 * Nothing is copied: every byte range returned is a view of the file. Offsets and sizes are in bytes.
 */

/** Why bytes that begin with the ELF magic cannot be used. `sentence` is complete and says what to do next. */
export type ElfProblem = {
  readonly tag: "truncated" | "other-architecture" | "elf32" | "big-endian" | "malformed"
  readonly sentence: string
}

/** One loadable segment (PT_LOAD). `data` may be shorter than `memorySize`; the rest is zero. */
export type ElfSegment = {
  readonly virtualAddress: bigint
  readonly physicalAddress: bigint
  readonly data: Uint8Array
  readonly memorySize: number
}

/** `memorySize` is also that of a section without bytes in the file (`.bss`). `flags` are the low 32 bits of sh_flags. */
export type ElfSection = {
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly address: bigint
  readonly memorySize: number
  readonly link: number
  readonly data: Uint8Array
}

/** `info` is st_info (binding and type), `section` the index of the section it lies in, 0 if it is defined elsewhere. */
export type ElfSymbol = {
  readonly name: string
  readonly value: bigint
  readonly size: number
  readonly info: number
  readonly section: number
}

export type ElfFile = {
  readonly type: "relocatable" | "executable" | "shared" | "core" | "other"
  /** Virtual address of the first instruction. */
  readonly entry: bigint
  readonly segments: readonly ElfSegment[]
  readonly sections: readonly ElfSection[]
}

export type ElfResult =
  | { readonly ok: true; readonly file: ElfFile }
  | { readonly ok: false; readonly problem: ElfProblem }

const HEADER_BYTES = 64
const EM_RISCV = 243
const PT_LOAD = 1
const SHT_SYMTAB = 2
const SHT_NOBITS = 8
const SHT_DYNSYM = 11
const SHN_XINDEX = 0xffff

const ARCHITECTURES: ReadonlyMap<number, string> = new Map([
  [2, "SPARC"],
  [3, "i386"],
  [4, "m68k"],
  [8, "MIPS"],
  [20, "PowerPC"],
  [21, "PowerPC64"],
  [22, "s390"],
  [40, "ARM"],
  [42, "SuperH"],
  [43, "SPARC64"],
  [50, "IA-64"],
  [62, "x86-64"],
  [183, "AArch64"],
  [247, "BPF"],
  [258, "LoongArch"],
])

const TYPES = ["other", "relocatable", "executable", "shared", "core"] as const

const decoder = new TextDecoder()

/** True if the bytes begin with the ELF magic number. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46
}

/** Reads an ELF file for RV64. Precondition: `isElf(bytes)`. */
export function readElf(bytes: Uint8Array): ElfResult {
  if (bytes.length < 20) return truncated("its ELF header is incomplete")
  const littleEndian = bytes[5] === 1
  if (!littleEndian && bytes[5] !== 2)
    return problem("malformed", "The file's ELF header names no byte order; it is damaged.")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const machine = view.getUint16(18, littleEndian)
  if (machine !== EM_RISCV) {
    const name = ARCHITECTURES.get(machine) ?? `machine number ${machine}`
    return problem("other-architecture", `The file is built for ${name}; a RISC-V (riscv64) one is needed.`)
  }
  if (!littleEndian) return problem("big-endian", "The file is big-endian RISC-V; a little-endian one is needed.")
  if (bytes[4] !== 2) return problem("elf32", "The file is 32-bit RISC-V; a 64-bit (riscv64) one is needed.")
  if (bytes.length < HEADER_BYTES) return truncated("its ELF header is incomplete")

  const type = TYPES[view.getUint16(16, true)] ?? "other"
  const entry = view.getBigUint64(24, true)
  const programOffset = offset64(view, 32)
  const sectionOffset = offset64(view, 40)
  const programEntrySize = view.getUint16(54, true)
  const programCount = view.getUint16(56, true)
  const sectionEntrySize = view.getUint16(58, true)
  const sectionCountField = view.getUint16(60, true)
  const nameTableField = view.getUint16(62, true)

  const segments: ElfSegment[] = []
  if (programCount > 0) {
    if (programEntrySize < 56)
      return problem("malformed", "The file's program headers have an impossible size; it is damaged.")
    if (programOffset + programCount * programEntrySize > bytes.length)
      return truncated("its program headers are missing")
    for (let index = 0; index < programCount; index++) {
      const at = programOffset + index * programEntrySize
      if (view.getUint32(at, true) !== PT_LOAD) continue
      const start = offset64(view, at + 8)
      const fileSize = offset64(view, at + 32)
      const memorySize = offset64(view, at + 40)
      if (start + fileSize > bytes.length)
        return truncated(`segment ${index} ends at byte ${start + fileSize}`, bytes.length)
      if (memorySize < fileSize) {
        return problem("malformed", `Segment ${index} of the file is larger in the file than in memory; it is damaged.`)
      }
      segments.push({
        virtualAddress: view.getBigUint64(at + 16, true),
        physicalAddress: view.getBigUint64(at + 24, true),
        data: bytes.subarray(start, start + fileSize),
        memorySize,
      })
    }
  }

  const sections: ElfSection[] = []
  if (sectionOffset > 0) {
    if (sectionEntrySize < 64)
      return problem("malformed", "The file's section headers have an impossible size; it is damaged.")
    if (sectionOffset + sectionEntrySize > bytes.length) return truncated("its section headers are missing")
    const count = sectionCountField === 0 ? offset64(view, sectionOffset + 32) : sectionCountField
    if (sectionOffset + count * sectionEntrySize > bytes.length) return truncated("its section headers are missing")
    const nameIndexes: number[] = []
    for (let index = 0; index < count; index++) {
      const at = sectionOffset + index * sectionEntrySize
      const sectionType = view.getUint32(at + 4, true)
      const start = offset64(view, at + 24)
      const size = sectionType === SHT_NOBITS || sectionType === 0 ? 0 : offset64(view, at + 32)
      if (size > 0 && start + size > bytes.length) {
        return truncated(`section ${index} ends at byte ${start + size}`, bytes.length)
      }
      nameIndexes.push(view.getUint32(at, true))
      sections.push({
        name: "",
        type: sectionType,
        flags: view.getUint32(at + 8, true),
        address: view.getBigUint64(at + 16, true),
        memorySize: offset64(view, at + 32),
        link: view.getUint32(at + 40, true),
        data: size === 0 ? bytes.subarray(0, 0) : bytes.subarray(start, start + size),
      })
    }
    const nameTable = nameTableField === SHN_XINDEX ? (sections[0]?.link ?? 0) : nameTableField
    const names = sections[nameTable]?.data ?? bytes.subarray(0, 0)
    for (const [index, section] of sections.entries()) {
      sections[index] = { ...section, name: stringAt(names, nameIndexes[index] ?? 0) }
    }
  }
  return { ok: true, file: { type, entry, segments, sections } }
}

/** The bytes of the first section of that name, or undefined. */
export function elfSection(file: ElfFile, name: string): Uint8Array | undefined {
  return file.sections.find(section => section.name === name)?.data
}

/** Every named symbol of the symbol tables, or of those for dynamic linking, in the file's order. */
export function* elfSymbols(file: ElfFile, tables: "static" | "dynamic" = "static"): Generator<ElfSymbol> {
  for (const section of file.sections) {
    if (section.type !== (tables === "static" ? SHT_SYMTAB : SHT_DYNSYM)) continue
    const names = file.sections[section.link]?.data
    if (names === undefined) continue
    const view = new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength)
    for (let at = 0; at + 24 <= section.data.length; at += 24) {
      const name = stringAt(names, view.getUint32(at, true))
      if (name === "") continue
      yield {
        name,
        value: view.getBigUint64(at + 8, true),
        size: offset64(view, at + 16),
        info: view.getUint8(at + 4),
        section: view.getUint16(at + 6, true),
      }
    }
  }
}

/** The first symbol of that name, for example `tohost` or `begin_signature`, or undefined. */
export function elfSymbol(file: ElfFile, name: string): ElfSymbol | undefined {
  for (const symbol of elfSymbols(file)) if (symbol.name === name) return symbol
  return undefined
}

/** The physical address at which a virtual address is loaded, or undefined if no segment holds it. */
export function elfPhysicalAddress(file: ElfFile, virtualAddress: bigint): bigint | undefined {
  for (const segment of file.segments) {
    const offset = virtualAddress - segment.virtualAddress
    if (offset >= 0n && offset < BigInt(segment.memorySize)) return segment.physicalAddress + offset
  }
  return undefined
}

/** A 64-bit size or offset as a number; one beyond 2^53 stays larger than any file, which is all that is asked of it. */
function offset64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
}

function stringAt(table: Uint8Array, start: number): string {
  if (start >= table.length) return ""
  const end = table.indexOf(0, start)
  return decoder.decode(table.subarray(start, end < 0 ? table.length : end))
}

function problem(tag: ElfProblem["tag"], sentence: string): ElfResult {
  return { ok: false, problem: { tag, sentence } }
}

function truncated(what: string, length?: number): ElfResult {
  const size = length === undefined ? "" : ` but the file has only ${length} bytes`
  return problem("truncated", `The file is truncated: ${what}${size}; copy or build it again.`)
}
