/** A value of the stopped program as text, opened up into its parts when asked: what a debugger's list of variables shows. */

import { type CType, fixedCount, fixedSize, type Member, plainType, typeName } from "./c-type.ts"
import type { Entry } from "./debug-info.ts"
import { Attribute, Encoding } from "./dwarf-numbers.ts"
import type { Location } from "./expression.ts"
import { bytesOf, type FrameState, numberIn } from "./frame-state.ts"

export interface DisplayedValue {
  /** A variable's, member's or element's: `count`, `[3]`, `*next`. */
  readonly name: string
  readonly typeName: string
  readonly text: string
  /** Where it lies in memory; null if it does not. */
  readonly address: bigint | null
  /** In bytes; null if it is not known. */
  readonly size: number | null
  /** How many parts it has: members, elements, what a pointer points to. */
  readonly childCount: number
  children(first?: number, count?: number): DisplayedValue[]
  /** The value of a number, pointer, enumeration or truth value; null of others, and where it cannot be had. */
  readonly number: bigint | null
  /** What a pointer points to; null if it is no pointer, or to nothing that can be shown. */
  target(): DisplayedValue | null
}

/** What values need besides their own bytes. */
export interface ValueContext extends Pick<FrameState, "memory" | "register"> {
  /** The name of the function or object at an address, or null. */
  nameAt(address: bigint): string | null
  /** How many elements an array has, where that is computed. */
  arrayCount(dimension: Entry): number | null
}

/** Bytes of a value in memory, read when needed, or outside of memory: there `known` says of each byte if it is there. */
type Storage =
  | { readonly kind: "memory"; readonly address: bigint }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly known: Uint8Array }

const OPTIMIZED_OUT = "<optimized out>"
/** How many characters of a text, and about how many of a list of parts, are shown. */
const TEXT_LIMIT = 200
const SUMMARY_LIMIT = 160
/** The largest value that is put together outside of memory, in bytes. */
const MAX_BYTES = 65_536
/** The longest number there is, in bytes. */
const MAX_NUMBER = 16
const MAX_DEPTH = 8

/** A value of that type at that location. */
export function valueAt(name: string, type: CType, location: Location | null, context: ValueContext): DisplayedValue {
  if (location?.kind === "memory") return new Value(name, type, location, context)
  const size = Math.min(sizeOf(type, context) ?? 0, MAX_BYTES)
  const storage = { kind: "bytes", bytes: new Uint8Array(size), known: new Uint8Array(size) } as const
  copyBits(location, 0, storage, 0, 8 * size, context)
  return new Value(name, type, storage, context)
}

/** Puts bits of a location into the storage: `from` counts in the location, `to` in the storage. Unknown ones stay unknown. */
function copyBits(
  location: Location | null,
  from: number,
  storage: Storage & { kind: "bytes" },
  to: number,
  count: number,
  context: ValueContext,
): void {
  if (location === null) return
  if (location.kind === "pieces") {
    let at = to
    for (const piece of location.pieces) {
      const bits = Math.min(piece.bitSize, to + count - at)
      copyBits(piece.location, piece.bitOffset, storage, at, bits, context)
      at += bits
    }
    return
  }
  const length = Math.ceil((from + count) / 8)
  const source = length > MAX_BYTES ? null : bytesAt(location, length, context)
  if (source === null) return
  for (let bit = 0; bit < count; bit++) {
    const [fromBit, toBit] = [from + bit, to + bit]
    if (fromBit >= 8 * source.length) return
    storage.bytes[toBit >> 3]! |= ((source[fromBit >> 3]! >> (fromBit & 7)) & 1) << (toBit & 7)
    storage.known[toBit >> 3] = 1
  }
}

/** The first bytes of a location; of a register or number at most 8. */
function bytesAt(
  location: Location & { kind: Exclude<Location["kind"], "pieces"> },
  length: number,
  context: ValueContext,
) {
  switch (location.kind) {
    case "memory":
      return context.memory(location.address, length)
    case "register": {
      const value = context.register(location.number)
      return value === null ? null : bytesOf(value, 8)
    }
    case "value":
      return bytesOf(location.value, 8)
    case "bytes":
      return location.bytes
  }
}

/** The size of a type in bytes; null if it is not known. */
function sizeOf(type: CType, context: ValueContext, depth = 0): number | null {
  const plain = plainType(type)
  if (plain.kind !== "array") return fixedSize(plain)
  const count = countOf(plain.entry, context)
  const element = depth > 64 ? null : sizeOf(plain.element(), context, depth + 1)
  return count === null || element === null ? null : count * element
}

function countOf(dimension: Entry, context: ValueContext): number | null {
  const isComputed =
    dimension.block(Attribute.upper_bound) !== null || dimension.reference(Attribute.upper_bound) !== null
  return isComputed ? context.arrayCount(dimension) : fixedCount(dimension)
}

class Value implements DisplayedValue {
  readonly name: string
  private readonly type: CType
  private readonly plain: CType
  private readonly storage: Storage
  private readonly context: ValueContext

  constructor(name: string, type: CType, storage: Storage, context: ValueContext) {
    this.name = name
    this.type = type
    this.plain = plainType(type)
    this.storage = storage
    this.context = context
  }

  get typeName(): string {
    return typeName(this.type)
  }

  get address(): bigint | null {
    return this.storage.kind === "memory" ? this.storage.address : null
  }

  get size(): number | null {
    return sizeOf(this.type, this.context)
  }

  get text(): string {
    return this.summary(SUMMARY_LIMIT, 0)
  }

  get childCount(): number {
    const { plain } = this
    switch (plain.kind) {
      case "record":
        return plain.members().length
      case "array":
        return countOf(plain.entry, this.context) ?? 0
      case "pointer":
        return this.target()?.ownParts() ?? 0
      default:
        return 0
    }
  }

  /** How many parts a pointer to this value has. */
  private ownParts(): number {
    return this.plain.kind === "record" ? this.plain.members().length : 1
  }

  /** The parts of a pointer to a record are the record's members: who opens it wants to see them. */
  children(first = 0, count = 1_000): Value[] {
    const { plain } = this
    const indexes = (total: number) =>
      Array.from({ length: Math.max(0, Math.min(count, total - first)) }, (_, index) => first + index)
    if (plain.kind === "record") {
      const members = plain.members()
      return indexes(members.length).map(index => this.member(members[index]!))
    }
    if (plain.kind === "array") {
      const element = plain.element()
      const size = sizeOf(element, this.context) ?? 0
      return indexes(this.childCount).map(index => this.part(`[${index}]`, element, index * size, size))
    }
    const target = this.target()
    if (target === null) return []
    if (target.plain.kind === "record") return target.children(first, count)
    return indexes(1).map(() => target)
  }

  private member({ name, type, bitOffset, bitSize }: Member): Value {
    const shown = name === "" ? "<anonymous>" : name
    if (bitSize !== null) return this.bitField(shown, type, bitOffset, bitSize)
    return this.part(shown, type, Math.floor(bitOffset / 8), sizeOf(type, this.context) ?? 0)
  }

  private part(name: string, type: CType, offset: number, size: number): Value {
    const { storage } = this
    if (storage.kind === "memory") {
      const address = BigInt.asUintN(64, storage.address + BigInt(offset))
      return new Value(name, type, { kind: "memory", address }, this.context)
    }
    const bytes = storage.bytes.subarray(offset, offset + size)
    return new Value(
      name,
      type,
      { kind: "bytes", bytes, known: storage.known.subarray(offset, offset + size) },
      this.context,
    )
  }

  /** A bit-field's value as its whole type would hold it. */
  private bitField(name: string, type: CType, bitOffset: number, bitSize: number): Value {
    const size = Math.min(sizeOf(type, this.context) ?? 0, MAX_NUMBER)
    const bytes = new Uint8Array(size)
    const known = new Uint8Array(size)
    const start = Math.floor(bitOffset / 8)
    const length = Math.ceil((bitOffset + bitSize) / 8) - start
    const whole = this.part(name, type, start, length).bytes(length)
    if (whole !== null && bitSize >= 0 && bitSize <= 8 * size) {
      const field = BigInt.asUintN(bitSize, numberIn(whole) >> BigInt(bitOffset - 8 * start))
      bytes.set(bytesOf(isSigned(plainType(type)) ? BigInt.asIntN(bitSize, field) : field, size))
      known.fill(1)
    }
    return new Value(name, type, { kind: "bytes", bytes, known }, this.context)
  }

  get number(): bigint | null {
    const { plain } = this
    if (plain.kind !== "base" && plain.kind !== "enumeration" && plain.kind !== "pointer") return null
    if (plain.kind === "base" && (plain.encoding === Encoding.float || plain.encoding === Encoding.complex_float))
      return null
    const bits = this.bits()
    return bits !== null && isSigned(plain) ? BigInt.asIntN(8 * (sizeOf(plain, this.context) ?? 0), bits) : bits
  }

  target(): Value | null {
    if (this.plain.kind !== "pointer") return null
    const target = this.plain.target()
    const { kind } = plainType(target)
    if (kind === "void" || kind === "function" || kind === "unknown" || sizeOf(target, this.context) === null)
      return null
    const address = this.bits()
    return address === null || address === 0n
      ? null
      : new Value(`*${this.name}`, target, { kind: "memory", address }, this.context)
  }

  /** The value's own bytes, or null if some cannot be had. `length` is that of the type if not given. */
  private bytes(length?: number): Uint8Array | null {
    const { storage } = this
    if (storage.kind === "memory") {
      const size = length ?? sizeOf(this.plain, this.context) ?? 0
      return size >= 0 && size <= MAX_BYTES ? this.context.memory(storage.address, size) : null
    }
    return storage.known.every(known => known !== 0) ? storage.bytes : null
  }

  private bits(): bigint | null {
    const size = sizeOf(this.plain, this.context) ?? 0
    if (size === 0 || size > MAX_NUMBER) return null
    const bytes = this.bytes(size)
    return bytes === null || bytes.length < size ? null : numberIn(bytes)
  }

  private get missing(): string {
    if (this.storage.kind === "bytes") return OPTIMIZED_OUT
    return `<no memory at 0x${this.storage.address.toString(16)}>`
  }

  /** About `budget` characters at most. */
  private summary(budget: number, depth: number): string {
    const { plain } = this
    if (this.storage.kind === "bytes" && !this.storage.known.includes(1)) return OPTIMIZED_OUT
    switch (plain.kind) {
      case "base":
        return this.baseText(plain)
      case "enumeration": {
        const value = this.bits()
        return value === null ? this.missing : enumerationText(value, plain)
      }
      case "pointer":
        return this.pointerText(plain.target())
      case "array":
        if (isCharacter(plainType(plain.element()))) return this.arrayText() ?? this.missing
        return this.partsText(budget, depth, part => part)
      case "record":
        if (plain.size === null) return "<incomplete type>"
        return this.partsText(budget, depth, (part, name) => `${name} = ${part}`)
      case "function":
        return this.address === null ? "<function>" : this.codeText(this.address)
      case "void":
        return "void"
      default:
        return "<unknown type>"
    }
  }

  private partsText(budget: number, depth: number, write: (part: string, name: string) => string): string {
    if (depth >= MAX_DEPTH) return "{…}"
    const parts: string[] = []
    let left = budget
    const total = this.childCount
    for (let index = 0; index < total; index++) {
      if (left <= 0) {
        parts.push("…")
        break
      }
      const [child] = this.children(index, 1)
      const part = write(child!.summary(left, depth + 1), child!.name)
      left -= part.length + 2
      parts.push(part)
    }
    return `{${parts.join(", ")}}`
  }

  private baseText(type: CType & { kind: "base" }): string {
    if (type.encoding === Encoding.complex_float) {
      const half = { ...type, encoding: Encoding.float, size: Math.floor(type.size / 2) }
      const [re, im] = [0, half.size].map(offset => this.part("", half, offset, half.size).summary(0, 0))
      return `${re} + ${im}i`
    }
    const value = this.bits()
    if (value === null) return this.missing
    switch (type.encoding) {
      case Encoding.boolean:
        return value === 0n ? "false" : value === 1n ? "true" : `${value}`
      case Encoding.float:
        return floatText(value, type.size)
      case Encoding.signed_char:
      case Encoding.unsigned_char:
      case Encoding.UTF: {
        const code = isSigned(type) ? BigInt.asIntN(8 * type.size, value) : value
        return type.size > 4 ? `${code}` : `${code} ${characterText(Number(value), type.size)}`
      }
      case Encoding.signed:
        return `${BigInt.asIntN(8 * type.size, value)}`
      default:
        return `${value}`
    }
  }

  private pointerText(target: CType): string {
    const value = this.bits()
    if (value === null) return this.missing
    const plain = plainType(target)
    if (plain.kind === "function") return this.codeText(value)
    const address = `0x${value.toString(16)}`
    if (value === 0n || !isCharacter(plain)) return address
    const text = this.textAt(value)
    return text === null ? address : `${address} ${text}`
  }

  private codeText(address: bigint): string {
    const name = this.context.nameAt(address)
    return name === null ? `0x${address.toString(16)}` : `0x${address.toString(16)} <${name}>`
  }

  /** The text that begins at an address, in quotes; null if there is none. Reads no further than the piece that ends it. */
  private textAt(address: bigint): string | null {
    const codes: number[] = []
    while (codes.length < TEXT_LIMIT) {
      const at = BigInt.asUintN(64, address + BigInt(codes.length))
      const piece = this.context.memory(at, 64 - Number(at & 63n))
      if (piece === null) break
      const end = piece.indexOf(0)
      codes.push(...(end < 0 ? piece : piece.subarray(0, end)))
      if (end >= 0) return textOf(codes)
    }
    return codes.length === 0 ? null : textOf(codes, true)
  }

  /** An array of characters as text up to its zero byte. */
  private arrayText(): string | null {
    const size = sizeOf(this.plain, this.context) ?? 0
    const bytes = this.bytes(Math.min(size, TEXT_LIMIT + 1))
    if (bytes === null) return null
    const end = bytes.indexOf(0)
    return textOf([...(end < 0 ? bytes : bytes.subarray(0, end))], end < 0 && size > TEXT_LIMIT)
  }
}

const isCharacter = (type: CType): boolean =>
  type.kind === "base" &&
  type.size === 1 &&
  (type.encoding === Encoding.signed_char || type.encoding === Encoding.unsigned_char || type.encoding === Encoding.UTF)

const isSigned = (type: CType): boolean =>
  type.kind === "base"
    ? type.encoding === Encoding.signed || type.encoding === Encoding.signed_char
    : type.kind === "enumeration" && type.names().some(({ value }) => value < 0n)

/** The name of a value, or the names of the bits it consists of. */
function enumerationText(value: bigint, type: CType & { kind: "enumeration" }): string {
  const names = type.names()
  const bits = 8 * Math.min(type.size, MAX_NUMBER)
  const exact = names.find(enumerator => BigInt.asUintN(bits, enumerator.value) === value)
  if (exact !== undefined) return exact.name
  const number = isSigned(type) ? BigInt.asIntN(bits, value) : value
  const parts = names.filter(part => part.value > 0n && (part.value & value) === part.value)
  const covered = parts.reduce((sum, part) => sum | part.value, 0n)
  return parts.length > 0 && covered === value ? parts.map(({ name }) => name).join(" | ") : `${number}`
}

/** A floating-point number from its bits: the shortest decimal that means it; of quadruple precision what a double can say. */
function floatText(bits: bigint, size: number): string {
  const view = new DataView(new ArrayBuffer(8))
  if (size === 4) {
    view.setUint32(0, Number(bits))
    const value = view.getFloat32(0)
    const shorter = [6, 7, 8, 9].map(digits => Number(value.toPrecision(digits)))
    return decimal(shorter.find(number => Math.fround(number) === value) ?? value)
  }
  if (size === 8) {
    view.setBigUint64(0, bits)
    return decimal(view.getFloat64(0))
  }
  if (size === 16) return decimal(quadruple(bits))
  return `<floating-point number of ${size} bytes>`
}

const decimal = (value: number): string => (Object.is(value, -0) ? "-0" : `${value}`)

function quadruple(bits: bigint): number {
  const sign = bits >> 127n === 0n ? 1 : -1
  const exponent = Number((bits >> 112n) & 0x7fffn)
  const fraction = Number(bits & ((1n << 112n) - 1n)) / 2 ** 112
  if (exponent === 0x7fff) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (exponent === 0 ? 0 : (1 + fraction) * 2 ** (exponent - 16383))
}

const decoder = new TextDecoder()

function textOf(codes: readonly number[], isCut = false): string {
  const cut = isCut || codes.length > TEXT_LIMIT
  return `${quoted(decoder.decode(Uint8Array.from(codes.slice(0, TEXT_LIMIT))), '"')}${cut ? "…" : ""}`
}

/** A character between quotes; a byte that is no character of its own as C writes it. */
function characterText(code: number, size: number): string {
  if (size === 1 && code >= 128) return `'\\${code.toString(8)}'`
  return quoted(code <= 0x10_ffff ? String.fromCodePoint(code) : "\ufffd", "'")
}

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\" }

/** Text between quotes, with what cannot be seen as C writes it. */
function quoted(text: string, quote: string): string {
  const shown = [...text].map(character => {
    if (character === quote) return `\\${quote}`
    const code = character.codePointAt(0)!
    return escapes[character] ?? (code < 32 || code === 127 ? `\\${code.toString(8).padStart(3, "0")}` : character)
  })
  return `${quote}${shown.join("")}${quote}`
}
