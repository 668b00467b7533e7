/**
 * The symbols that a Linux kernel carries in its read-only data for its own backtraces, found there without debug information.
 *
 * Format: what scripts/kallsyms.c of the kernel's source writes and kernel/kallsyms.c reads, from Linux 5.10 to 6.12 on RISC-V (offsets
 * are unsigned there and relative to a base, in all of them). Little-endian; every table begins on a multiple of 8 bytes:
 *
 *     before 6.4  offsets, relative base, count, names, markers, [order by name,] token table, token index
 *     since 6.4   count, names, markers, token table, token index, offsets, relative base, [order by name]
 *
 * A name is a length (one byte, two where the first has its top bit set) and as many tokens of a byte each; the token table says which
 * letters each of the 256 stands for, the token index where each begins in it. The first letter of a name is the symbol's type. Markers
 * say where every 256th name begins. Positions and lengths are in bytes.
 */
import { Buffer } from "node:buffer"

/** What was found, one of each for every symbol: by address, aliases in the order the kernel prefers them. */
export interface Kallsyms {
  readonly names: readonly string[]
  /** A letter each, as `nm` has them: `T` code, `D` data, `R` read-only data, `B` zeroed data, small when local, and others. */
  readonly types: string
  /** Distances from the relative base. */
  readonly offsets: Uint32Array
  /** 0 in a relocatable kernel that has not relocated itself yet. */
  readonly relativeBase: bigint
  /** Where in the image the relative base stands. */
  readonly relativeBaseAt: number
}

interface TokenTable {
  readonly start: number
  /** Where each token begins, and where the last one ends: a zero byte stands between them. */
  readonly starts: readonly number[]
  /** Where the token index ends. */
  readonly end: number
}

interface NameTable {
  readonly count: number
  /** Where the number of symbols stands. */
  readonly countAt: number
  readonly start: number
}

const TOKENS = 256
const TOKEN_INDEX_BYTES = TOKENS * 2
const GROUP = 256
/** Least and most bytes that names of one group take: a length and one token each; names are shorter than 512 letters. */
const GROUP_BYTES_MIN = GROUP * 2
const GROUP_BYTES_MAX = GROUP * 514
/** Most bytes between the markers and the token table: the order by name of half a million symbols. */
const ORDER_BYTES_MAX = 2 << 20
/** Numbers behind the markers that may look like another marker. */
const MARKERS_TOO_MANY = 2

/** Digits occur in names, each is therefore a token of its own, and they follow each other in the token table. */
const digits = Buffer.from([..."0123456789"].map(digit => `${digit}\0`).join(""), "latin1")

/** Finds the tables in a kernel's image, as it is loaded or in memory later; null if there are none, or of fewer than 257 symbols. */
export const readKallsyms = (image: Uint8Array): Kallsyms | null => {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength)
  for (const tokenTable of tokenTables(image, view)) {
    const names = nameTableBefore(image, view, tokenTable.start)
    const addresses = names && addressesOf(view, tokenTable, names)
    if (!addresses) continue
    return { ...spelledOut(image, tokenTable, names), ...addresses }
  }
  return null
}

const aligned = (position: number): number => Math.ceil(position / 8) * 8

/** Whatever is a token table with its index, last first: the tables lie behind the texts of the kernel. */
function* tokenTables(image: Uint8Array, view: DataView): Generator<TokenTable> {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength)
  for (let at = bytes.lastIndexOf(digits); at > 0; at = bytes.lastIndexOf(digits, at - 1)) {
    const table = tokenTableAround(bytes, view, at)
    if (table) yield table
  }
}

/** The token table in which the token `0` begins at `digitsAt`. */
const tokenTableAround = (bytes: Buffer, view: DataView, digitsAt: number): TokenTable | null => {
  let end = digitsAt
  for (let token = 0x30; token < TOKENS; token++) {
    end = bytes.indexOf(0, end) + 1
    if (end === 0) return null
  }
  const index = aligned(end)
  if (index + TOKEN_INDEX_BYTES > bytes.length) return null
  const start = digitsAt - view.getUint16(index + 0x30 * 2, true)
  if (start < 0 || start % 8 !== 0) return null
  const starts = [start]
  for (let token = 0; token < TOKENS; token++) {
    const at = starts[token]!
    if (view.getUint16(index + token * 2, true) !== at - start) return null
    starts.push(bytes.indexOf(0, at) + 1)
  }
  return { start, starts, end: index + TOKEN_INDEX_BYTES }
}

/** The names whose markers stand before a token table. */
const nameTableBefore = (image: Uint8Array, view: DataView, tokenTable: number): NameTable | null => {
  const lowest = Math.max(16, tokenTable - ORDER_BYTES_MAX)
  for (let markers = tokenTable - 8; markers >= lowest; markers -= 8) {
    if (view.getUint32(markers, true) !== 0) continue
    const most = markerCount(view, markers, tokenTable)
    for (let groups = most; groups >= Math.max(2, most - MARKERS_TOO_MANY); groups--) {
      const names = nameTableOf(image, view, markers, groups)
      if (names) return names
    }
  }
  return null
}

/** How many numbers from `markers` on grow as markers do. */
const markerCount = (view: DataView, markers: number, end: number): number => {
  let count = 1
  for (let previous = 0, at = markers + 4; at + 4 <= end; at += 4, count++) {
    const marker = view.getUint32(at, true)
    if (marker - previous < GROUP_BYTES_MIN || marker - previous > GROUP_BYTES_MAX) break
    previous = marker
  }
  return count
}

/** The names that end where `markers` begin, in so many groups. */
const nameTableOf = (image: Uint8Array, view: DataView, markers: number, groups: number): NameTable | null => {
  const last = view.getUint32(markers + (groups - 1) * 4, true)
  const lowest = Math.max(8, markers - last - GROUP_BYTES_MAX)
  for (let start = aligned(markers - last - 7); start >= lowest; start -= 8) {
    const count = view.getUint32(start - 8, true)
    if (Math.ceil(count / GROUP) !== groups || view.getUint32(start - 4, true) !== 0) continue
    const names = { count, countAt: start - 8, start }
    if (agree(image, view, names, markers)) return names
  }
  return null
}

/** Whether every marker says where its name begins, and the last name ends before them. */
const agree = (image: Uint8Array, view: DataView, { count, start }: NameTable, markers: number): boolean => {
  let at = start
  for (let symbol = 0; symbol < count; symbol++) {
    if (at >= markers) return false
    if (symbol % GROUP === 0 && view.getUint32(markers + (symbol / GROUP) * 4, true) !== at - start) return false
    at = nameEnd(image, at)
  }
  return aligned(at) === markers
}

/** Offsets and base, behind the token index or before the names. */
const addressesOf = (view: DataView, tokenTable: TokenTable, { count, countAt }: NameTable) => {
  const offsetBytes = aligned(count * 4)
  for (const start of [tokenTable.end, countAt - 8 - offsetBytes]) {
    const relativeBaseAt = start + offsetBytes
    if (start < 0 || relativeBaseAt + 8 > view.byteLength) continue
    const offsets = sortedOffsets(view, start, count)
    if (offsets) return { offsets, relativeBase: view.getBigUint64(relativeBaseAt, true), relativeBaseAt }
  }
  return null
}

/** `count` offsets, or null where these are none: they begin with 0 and never fall. */
const sortedOffsets = (view: DataView, start: number, count: number): Uint32Array | null => {
  const offsets = new Uint32Array(count)
  for (let symbol = 0; symbol < count; symbol++) {
    const offset = view.getUint32(start + symbol * 4, true)
    if (symbol === 0 ? offset !== 0 : offset < offsets[symbol - 1]!) return null
    offsets[symbol] = offset
  }
  return offsets[count - 1] === 0 ? null : offsets
}

/** Names and types. All letters are written one after the other and made strings at once: one by one is many times slower. */
const spelledOut = (image: Uint8Array, { starts }: TokenTable, names: NameTable) => {
  const ends = new Uint32Array(names.count)
  const letters = new Uint8Array(lettersIn(image, starts, names))
  let length = 0
  let at = names.start
  for (let symbol = 0; symbol < names.count; symbol++) {
    const end = nameEnd(image, at)
    for (at += image[at]! < 0x80 ? 1 : 2; at < end; at++) {
      const token = image[at]!
      for (let letter = starts[token]!; letter < starts[token + 1]! - 1; letter++) letters[length++] = image[letter]!
    }
    ends[symbol] = length
  }
  const text = Buffer.from(letters.buffer).toString("latin1")
  const spelled: string[] = []
  let types = ""
  let start = 0
  for (const end of ends) {
    types += text[start]
    spelled.push(text.slice(start + 1, end))
    start = end
  }
  return { names: spelled, types }
}

/** How many letters all names have. */
const lettersIn = (image: Uint8Array, starts: readonly number[], { count, start }: NameTable): number => {
  let letters = 0
  let at = start
  for (let symbol = 0; symbol < count; symbol++) {
    const end = nameEnd(image, at)
    for (at += image[at]! < 0x80 ? 1 : 2; at < end; at++) letters += starts[image[at]! + 1]! - starts[image[at]!]! - 1
  }
  return letters
}

/** Where the name that begins at `at` ends. */
const nameEnd = (image: Uint8Array, at: number): number => {
  const first = image[at]!
  return first < 0x80 ? at + 1 + first : at + 2 + (first & 0x7f) + (image[at + 1]! << 7)
}
