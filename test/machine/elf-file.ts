/** Writes small ELF files for tests. */

export type ElfFileOptions = {
  readonly elfClass?: 1 | 2
  readonly byteOrder?: 1 | 2
  readonly machine?: number
  /** 1 relocatable, 2 executable, 3 shared. */
  readonly type?: number
  readonly entry?: bigint
  readonly segments?: readonly { virtual: bigint; physical: bigint; data: Uint8Array; memorySize?: number }[]
  readonly sections?: readonly { name: string; data: Uint8Array }[]
  readonly symbols?: readonly { name: string; value: bigint; size?: number }[]
}

const encoder = new TextEncoder()

export function elfFile(options: ElfFileOptions = {}): Uint8Array<ArrayBuffer> {
  const { elfClass = 2, byteOrder = 1, machine = 243, type = 2, entry = 0n, segments = [], symbols = [] } = options
  const little = byteOrder === 1
  const symbolNames = ["", ...symbols.map(symbol => symbol.name)].join("\0")
  const symbolTable = new Uint8Array(24 * (symbols.length + 1))
  const symbolView = new DataView(symbolTable.buffer)
  symbols.forEach((symbol, index) => {
    const at = 24 * (index + 1)
    symbolView.setUint32(at, encoder.encode(symbolNames.slice(0, nthName(symbolNames, index + 1))).length, true)
    symbolView.setBigUint64(at + 8, symbol.value, true)
    symbolView.setBigUint64(at + 16, BigInt(symbol.size ?? 0), true)
  })
  const sections = [
    { name: "", type: 0, link: 0, data: new Uint8Array(0) },
    ...(options.sections ?? []).map(section => ({ ...section, type: 1, link: 0 })),
    ...(symbols.length === 0
      ? []
      : [
          { name: ".symtab", type: 2, link: (options.sections ?? []).length + 2, data: symbolTable },
          { name: ".strtab", type: 3, link: 0, data: encoder.encode(`${symbolNames}\0`) },
        ]),
  ]
  const sectionNames = `${[...sections.map(section => section.name), ".shstrtab"].join("\0")}\0`
  sections.push({ name: ".shstrtab", type: 3, link: 0, data: encoder.encode(sectionNames) })

  let at = 64 + 56 * segments.length
  const place = (data: Uint8Array) => {
    const start = at
    at += data.length
    return start
  }
  const segmentStarts = segments.map(segment => place(segment.data))
  const sectionStarts = sections.map(section => place(section.data))
  const bytes = new Uint8Array(at + 64 * sections.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, elfClass, byteOrder, 1])
  view.setUint16(16, type, little)
  view.setUint16(18, machine, little)
  view.setBigUint64(24, entry, true)
  view.setBigUint64(32, segments.length > 0 ? 64n : 0n, true)
  view.setBigUint64(40, BigInt(at), true)
  view.setUint16(54, 56, true)
  view.setUint16(56, segments.length, true)
  view.setUint16(58, 64, true)
  view.setUint16(60, sections.length, true)
  view.setUint16(62, sections.length - 1, true)
  segments.forEach((segment, index) => {
    const header = 64 + 56 * index
    view.setUint32(header, 1, true)
    view.setBigUint64(header + 8, BigInt(segmentStarts[index]!), true)
    view.setBigUint64(header + 16, segment.virtual, true)
    view.setBigUint64(header + 24, segment.physical, true)
    view.setBigUint64(header + 32, BigInt(segment.data.length), true)
    view.setBigUint64(header + 40, BigInt(segment.memorySize ?? segment.data.length), true)
    bytes.set(segment.data, segmentStarts[index])
  })
  sections.forEach((section, index) => {
    const header = at + 64 * index
    view.setUint32(header, nthName(sectionNames, index), true)
    view.setUint32(header + 4, section.type, true)
    view.setBigUint64(header + 24, BigInt(sectionStarts[index]!), true)
    view.setBigUint64(header + 32, BigInt(section.data.length), true)
    view.setUint32(header + 40, section.link, true)
    bytes.set(section.data, sectionStarts[index])
  })
  return bytes
}

/** A Linux boot image with a header and, if asked for, a PE header with one section that ends at the end of the file. */
export function linuxImage(options: { size?: number; imageSize?: number; efiStub?: boolean; flags?: number } = {}) {
  const { size = 4096, imageSize = size + 512, efiStub = false, flags = 0 } = options
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(8, 0x20_0000n, true)
  view.setBigUint64(16, BigInt(imageSize), true)
  view.setUint32(24, flags, true)
  view.setUint32(32, 2, true)
  bytes.set(encoder.encode("RISCV\0\0\0RSC\x05"), 48)
  if (efiStub) {
    bytes.set(encoder.encode("MZ"), 0)
    view.setUint32(60, 64, true)
    bytes.set(encoder.encode("PE\0\0"), 64)
    view.setUint16(68, 0x5064, true)
    view.setUint16(70, 1, true)
    view.setUint16(84, 16, true)
    const section = 64 + 24 + 16
    view.setUint32(section + 16, size - 1024, true)
    view.setUint32(section + 20, 1024, true)
  }
  return bytes
}

/** Where the name with this number begins in a table of zero-separated names. */
function nthName(table: string, index: number): number {
  let at = 0
  for (let count = 0; count < index; count++) at = table.indexOf("\0", at) + 1
  return at
}
