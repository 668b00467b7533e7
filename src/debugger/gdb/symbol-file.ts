/**
 * An ELF file made of names alone: what a debugger reads to know a guest's functions and variables. It has no code: memory is to be read
 * from the machine. System V ABI, "Object Files" (gABI chapters 4 and 5); RISC-V ELF psABI, machine number 243.
 */
import { Buffer } from "node:buffer"
import type { NamedAddress, SymbolSource } from "../symbols/symbol-source.ts"

const HEADER_BYTES = 64
const SECTION_BYTES = 64
const SYMBOL_BYTES = 24
const ET_EXEC = 2
const EM_RISCV = 243
/** Compressed instructions, double-precision calling convention. */
const FLAGS = 0x5

const sectionType = { progbits: 1, symtab: 2, strtab: 3, nobits: 8 } as const
const sectionFlag = { write: 1, alloc: 2, execute: 4 } as const
const STB_GLOBAL = 1
const symbolTypes: Readonly<Record<NamedAddress["kind"], number>> = { other: 0, object: 1, function: 2 }

/** More sections than this have no use: names of code and data are mixed. */
const SECTIONS_MAX = 1024
/** Names further apart lie in different sections. */
const GAP_MAX = 16n << 20n
/** What the last name of a section is taken to have, where its size is not known. */
const LAST_BYTES = 0x1000n
const LAST_ADDRESS = (1n << 64n) - 1n

/** Addresses one after the other that hold either code or data. */
interface Stretch {
  readonly isCode: boolean
  readonly start: bigint
  /** The first address after it. */
  end: bigint
  readonly symbols: NamedAddress[]
}

const endOf = ({ address, size }: NamedAddress): bigint => address + (size ?? 0n)

/** `symbols` are in the order of their addresses; what is neither code nor data is taken for what stands before it. */
const stretchesOf = (symbols: readonly NamedAddress[], tellsApart: boolean): Stretch[] => {
  const stretches: Stretch[] = []
  for (const symbol of symbols) {
    const last = stretches.at(-1)
    const isCode = !tellsApart || (symbol.kind === "other" ? (last?.isCode ?? true) : symbol.kind === "function")
    if (last && last.isCode === isCode && symbol.address - last.end <= GAP_MAX) {
      last.symbols.push(symbol)
      if (endOf(symbol) > last.end) last.end = endOf(symbol)
    } else stretches.push({ isCode, start: symbol.address, end: endOf(symbol), symbols: [symbol] })
  }
  for (const [order, stretch] of stretches.entries()) {
    const next = stretches[order + 1]?.start ?? LAST_ADDRESS
    // The last name reaches as far as is free.
    const far = stretch.end + LAST_BYTES
    stretch.end = far < next ? far : next
  }
  return stretches
}

/** A section of the file; `data` is what it has in the file. */
interface Section {
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly address: bigint
  readonly bytes: bigint
  readonly data: Uint8Array
  readonly link: number
  readonly info: number
  readonly entryBytes: number
}

const plain = { flags: 0, address: 0n, data: new Uint8Array(0), link: 0, info: 0, entryBytes: 0 }

const memorySection = ({ isCode, start, end }: Stretch, order: number): Section => ({
  ...plain,
  name: `${isCode ? ".text" : ".data"}${order === 0 ? "" : `.${order}`}`,
  type: sectionType.nobits,
  flags: sectionFlag.alloc | (isCode ? sectionFlag.execute : sectionFlag.write),
  address: start,
  bytes: end - start,
})

/** Names one after the other, each ended by a zero; gives where each begins. */
class Names {
  private readonly parts: Uint8Array[] = [Uint8Array.of(0)]
  private length = 1

  add(name: string): number {
    const at = this.length
    const bytes = Buffer.from(`${name}\0`)
    this.parts.push(bytes)
    this.length += bytes.length
    return at
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.parts)
  }
}

/** The file, or null where there are no names. */
export const symbolFile = ({ all }: SymbolSource): Uint8Array | null => {
  const symbols = all.filter(({ name, address }) => name !== "" && !name.includes("\0") && address <= LAST_ADDRESS)
  if (symbols.length === 0) return null
  const apart = stretchesOf(symbols, true)
  const stretches = apart.length <= SECTIONS_MAX ? apart : stretchesOf(symbols, false)
  if (stretches.length > SECTIONS_MAX) return null

  const names = new Names()
  const table = Buffer.alloc((symbols.length + 1) * SYMBOL_BYTES)
  let at = SYMBOL_BYTES
  for (const [order, stretch] of stretches.entries())
    for (const { name, kind, address, size } of stretch.symbols) {
      table.writeUInt32LE(names.add(name), at)
      table.writeUInt8((STB_GLOBAL << 4) | symbolTypes[kind], at + 4)
      table.writeUInt16LE(order + 1, at + 6)
      table.writeBigUInt64LE(address, at + 8)
      table.writeBigUInt64LE(BigInt.asUintN(64, size ?? 0n), at + 16)
      at += SYMBOL_BYTES
    }
  const strings = names.bytes
  return fileOf([
    { ...plain, name: "", type: 0, bytes: 0n },
    ...stretches.map(memorySection),
    {
      ...plain,
      name: ".symtab",
      type: sectionType.symtab,
      data: table,
      bytes: BigInt(table.length),
      link: stretches.length + 2,
      // The first symbol that is not local.
      info: 1,
      entryBytes: SYMBOL_BYTES,
    },
    { ...plain, name: ".strtab", type: sectionType.strtab, data: strings, bytes: BigInt(strings.length) },
  ])
}

/** The header, the sections' bytes, the table of sections; the names of sections are added. */
const fileOf = (sections: readonly Section[]): Uint8Array => {
  const names = new Names()
  const nameAt = [...sections.map(({ name }) => (name === "" ? 0 : names.add(name))), names.add(".shstrtab")]
  const data = names.bytes
  const all = [...sections, { ...plain, name: ".shstrtab", type: sectionType.strtab, data, bytes: BigInt(data.length) }]

  const header = Buffer.alloc(HEADER_BYTES)
  const table = Buffer.alloc(all.length * SECTION_BYTES)
  let offset = HEADER_BYTES
  for (const [order, section] of all.entries()) {
    const at = order * SECTION_BYTES
    table.writeUInt32LE(nameAt[order]!, at)
    table.writeUInt32LE(section.type, at + 4)
    table.writeBigUInt64LE(BigInt(section.flags), at + 8)
    table.writeBigUInt64LE(section.address, at + 16)
    table.writeBigUInt64LE(BigInt(section.type === 0 ? 0 : offset), at + 24)
    table.writeBigUInt64LE(section.bytes, at + 32)
    table.writeUInt32LE(section.link, at + 40)
    table.writeUInt32LE(section.info, at + 44)
    table.writeBigUInt64LE(section.type === 0 ? 0n : 1n, at + 48)
    table.writeBigUInt64LE(BigInt(section.entryBytes), at + 56)
    offset += section.data.length
  }
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  header.writeUInt16LE(ET_EXEC, 16)
  header.writeUInt16LE(EM_RISCV, 18)
  header.writeUInt32LE(1, 20)
  header.writeBigUInt64LE(BigInt(offset), 40)
  header.writeUInt32LE(FLAGS, 48)
  header.writeUInt16LE(HEADER_BYTES, 52)
  header.writeUInt16LE(SECTION_BYTES, 58)
  header.writeUInt16LE(all.length, 60)
  header.writeUInt16LE(all.length - 1, 62)
  return Buffer.concat([header, ...all.map(section => section.data), table])
}
