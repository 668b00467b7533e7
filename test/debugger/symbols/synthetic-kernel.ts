/**
 * Memory with a Linux boot image whose symbol tables are written here as the kernel's build writes them, for each of its layouts. Nothing
 * of what reads them is used.
 */

export interface SyntheticSymbol {
  readonly name: string
  readonly type: string
  /** Distance from the first byte of the image. */
  readonly offset: number
}

export interface SyntheticKernel {
  readonly symbols: readonly SyntheticSymbol[]
  /** The first Linux whose tables look like this. 6.1 is as 5.10, but for names of 128 bytes and more. */
  readonly layout: "5.10" | "6.1" | "6.2" | "6.4"
  /** What the tables say the image's first byte has as its virtual address. */
  readonly base?: bigint
  /** Leaves the base to a relocation for this link address, as in a relocatable kernel before its first instruction. */
  readonly relocatedLater?: bigint | undefined
}

/** Groups of letters that stand as one byte; the codes are free because no name has those letters. */
const pairs = ["__", "_s", "st", "sys_", "func_", "tion", "handle_"]
const freeCodes = pairs.map((_, at) => 0x80 + at)

const encoder = new TextEncoder()

const le = (value: number | bigint, bytes: 2 | 4 | 8): number[] =>
  Array.from({ length: bytes }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn))

/** Tokens by code: a letter stands for itself, some codes for groups of letters, the others for nothing much. */
const tokens = Array.from({ length: 256 }, (_, code) => {
  const pair = pairs[freeCodes.indexOf(code)]
  if (pair !== undefined) return pair
  return code > 0x20 && code < 0x7f ? String.fromCharCode(code) : ""
})

const compress = (text: string): number[] => {
  const codes: number[] = []
  for (let at = 0; at < text.length; ) {
    const pair = pairs.findIndex(candidate => text.startsWith(candidate, at))
    codes.push(pair >= 0 ? freeCodes[pair]! : text.charCodeAt(at))
    at += pair >= 0 ? pairs[pair]!.length : 1
  }
  return codes
}

class Writer {
  readonly bytes: number[] = []
  align(boundary: number): number {
    while (this.bytes.length % boundary !== 0) this.bytes.push(0)
    return this.bytes.length
  }
  /** Begins a table; gives where. */
  table(content: Iterable<number>): number {
    const start = this.align(8)
    for (const byte of content) this.bytes.push(byte)
    return start
  }
}

/** The whole image: header, some words that look a little like tables, the tables, and zeros to a multiple of 4 KiB. */
export const syntheticImage = ({
  symbols,
  layout,
  base = 0xffff_ffff_8000_0000n,
  relocatedLater,
}: SyntheticKernel): Uint8Array => {
  const out = new Writer()
  out.table(new Uint8Array(64))
  // Texts of digits and growing numbers occur in kernels elsewhere as well.
  out.table(encoder.encode("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00a\x00b\x00"))
  out.table([0, 700, 1500, 2300].flatMap(number => le(number, 4)))

  const names: number[] = []
  const markers: number[] = []
  for (const [at, { name, type }] of symbols.entries()) {
    if (at % 256 === 0) markers.push(names.length)
    const codes = compress(type + name)
    if (codes.length < 128) names.push(codes.length)
    else if (layout === "5.10") throw new Error("such a name was too long for that kernel")
    else names.push((codes.length & 127) | 128, codes.length >> 7)
    names.push(...codes)
  }
  const order = symbols.map((_, at) => at).sort((a, b) => (symbols[a]!.name < symbols[b]!.name ? -1 : 1))

  const writeAddresses = () => {
    out.table(symbols.flatMap(({ offset }) => le(offset - symbols[0]!.offset, 4)))
    const first = base + BigInt(symbols[0]!.offset)
    const at = out.table(le(relocatedLater === undefined ? first : 0n, 8))
    return { at, first }
  }
  const writeNames = () => {
    out.table(le(symbols.length, 4))
    out.table(names)
    out.table(markers.flatMap(marker => le(marker, 4)))
  }
  const writeOrder = () => out.table(order.flatMap(at => [(at >> 16) & 0xff, (at >> 8) & 0xff, at & 0xff]))
  const writeTokens = () => {
    const texts = tokens.map(token => [...encoder.encode(token), 0])
    out.table(texts.flat())
    let at = 0
    out.table(
      texts.flatMap(text => {
        at += text.length
        return le(at - text.length, 2)
      }),
    )
  }

  let relative: { at: number; first: bigint }
  if (layout === "6.4") {
    writeNames()
    writeTokens()
    relative = writeAddresses()
    writeOrder()
  } else {
    relative = writeAddresses()
    writeNames()
    if (layout === "6.2") writeOrder()
    writeTokens()
  }
  if (relocatedLater !== undefined) {
    const relocation = (at: number, value: bigint) =>
      out.table([...le(relocatedLater + BigInt(at), 8), ...le(3, 8), ...le(value, 8)])
    relocation(relative.at - 8, relocatedLater + 0x123n)
    relocation(relative.at, relocatedLater + BigInt(symbols[0]!.offset))
  }
  out.align(4096)
  const image = Uint8Array.from(out.bytes)
  image.set(bootHeader(image.length))
  return image
}

/** The header of the RISC-V boot image, version 0.2. */
export const bootHeader = (imageBytes: number): Uint8Array =>
  Uint8Array.from([
    ...le(0x0d01_6f10_5a4dn, 8),
    ...le(0x20_0000, 8),
    ...le(imageBytes, 8),
    ...le(0, 8),
    ...le(2, 4),
    ...le(0, 4),
    ...le(0, 8),
    ...encoder.encode("RISCV\0\0\0RSC\x05"),
    ...le(0x40, 4),
  ])

/** Memory at 0x8000_0000 with images at distances from its start, and how it is read. */
export const memoryWith = (images: Readonly<Record<number, Uint8Array>>, bytes = 8 << 20) => {
  const base = 0x8000_0000
  const memory = new Uint8Array(bytes)
  for (const [at, image] of Object.entries(images)) memory.set(image, Number(at))
  const read = (address: number, length: number) =>
    address >= base && address + length <= base + bytes ? memory.slice(address - base, address - base + length) : null
  return { memory, read, ram: { base, bytes } }
}
