// Canonical binary form of component state: equal states give equal bytes, and every byte string decodes to at most one state.
//
// A value is a tag byte and its content. Lengths, counts and integers are unsigned LEB128 in the shortest form.
//
//   0 null   1 false   2 true   3 integer n >= 0: n   4 integer n < 0: -1 - n   5 string: length, UTF-8   6 bytes: length, bytes
//   7 array: count, values   8 record: count, then key (as a string without its tag) and value, keys in ascending UTF-16 order

import type { StateValue } from "./state-value.ts"

const TAG = { null: 0, false: 1, true: 2, natural: 3, negative: 4, string: 5, bytes: 6, array: 7, record: 8 } as const
const INTEGER_MAX = 2 ** 53
const DEPTH_MAX = 64

/**
 * The canonical bytes of a state.
 *
 * @throws Error for what a state may not hold: fractions, infinities, integers beyond 2^53, `undefined`, unpaired surrogates,
 * a field named `__proto__`, class instances, nesting deeper than 64.
 */
export function encodeState(value: StateValue): Uint8Array {
  const writer = new ByteWriter()
  writeValue(writer, value, 0)
  return writer.finish()
}

/** The state that `bytes` stand for. @throws Error when they are truncated, have leftovers or are not canonical. */
export function decodeState(bytes: Uint8Array): StateValue {
  const reader = new ByteReader(bytes)
  const value = readValue(reader, 0)
  if (reader.remaining > 0) throw new Error(`State has ${reader.remaining} bytes left over after its end.`)
  return value
}

function writeValue(writer: ByteWriter, value: StateValue, depth: number): void {
  if (depth > DEPTH_MAX) throw new Error(`State is nested deeper than ${DEPTH_MAX}.`)
  if (value === null) writer.byte(TAG.null)
  else if (typeof value === "boolean") writer.byte(value ? TAG.true : TAG.false)
  else if (typeof value === "number") writeInteger(writer, value)
  else if (typeof value === "string") {
    writer.byte(TAG.string)
    writeText(writer, value)
  } else if (value instanceof Uint8Array) {
    writer.byte(TAG.bytes)
    writer.varint(value.length)
    writer.bytes(value)
  } else if (isArray(value)) {
    writer.byte(TAG.array)
    writer.varint(value.length)
    for (const item of value) writeValue(writer, item, depth + 1)
  } else if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    const keys = Object.keys(value).sort()
    writer.byte(TAG.record)
    writer.varint(keys.length)
    for (const key of keys) {
      if (key === "__proto__") throw new Error("State may not have a field named __proto__.")
      writeText(writer, key)
      writeValue(writer, value[key] as StateValue, depth + 1)
    }
  } else throw new Error(`State cannot hold a value of type ${typeof value}.`)
}

const isArray = (value: StateValue): value is readonly StateValue[] => Array.isArray(value)

function writeInteger(writer: ByteWriter, value: number): void {
  if (!Number.isInteger(value) || Math.abs(value) > INTEGER_MAX) {
    throw new Error(`State holds integers of magnitude up to 2^53, not ${value}.`)
  }
  if (value >= 0) {
    writer.byte(TAG.natural)
    writer.varint(value)
  } else {
    writer.byte(TAG.negative)
    writer.varint(-1 - value)
  }
}

function writeText(writer: ByteWriter, text: string): void {
  if (!text.isWellFormed()) throw new Error("State cannot hold a string with an unpaired surrogate.")
  const encoded = new TextEncoder().encode(text)
  writer.varint(encoded.length)
  writer.bytes(encoded)
}

function readValue(reader: ByteReader, depth: number): StateValue {
  if (depth > DEPTH_MAX) throw new Error(`State is nested deeper than ${DEPTH_MAX}.`)
  const tag = reader.byte()
  switch (tag) {
    case TAG.null:
      return null
    case TAG.false:
      return false
    case TAG.true:
      return true
    case TAG.natural:
      return reader.varint()
    case TAG.negative: {
      const magnitude = reader.varint()
      if (magnitude >= INTEGER_MAX) throw new Error("State has an integer below -2^53.")
      return -1 - magnitude
    }
    case TAG.string:
      return readText(reader)
    case TAG.bytes:
      return reader.bytes(reader.varint()).slice()
    case TAG.array: {
      const items: StateValue[] = []
      for (let count = reader.count(1); count > 0; count -= 1) items.push(readValue(reader, depth + 1))
      return items
    }
    case TAG.record: {
      const record: Record<string, StateValue> = {}
      let previous: string | undefined
      for (let count = reader.count(2); count > 0; count -= 1) {
        const key = readText(reader)
        if (key === "__proto__" || (previous !== undefined && key <= previous)) {
          throw new Error(`State has the field ${JSON.stringify(key)} out of order.`)
        }
        previous = key
        record[key] = readValue(reader, depth + 1)
      }
      return record
    }
    default:
      throw new Error(`State has the unknown tag ${tag}.`)
  }
}

function readText(reader: ByteReader): string {
  const encoded = reader.bytes(reader.varint())
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(encoded)
  } catch {
    throw new Error("State has a string that is not UTF-8.")
  }
}

class ByteWriter {
  #buffer = new Uint8Array(256)
  #length = 0

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** `value` is an integer from 0 to 2^53. */
  varint(value: number): void {
    let rest = value
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.byte(rest)
  }

  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length)
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra
    if (needed <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}

class ByteReader {
  readonly #buffer: Uint8Array
  #position = 0

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer
  }

  get remaining(): number {
    return this.#buffer.length - this.#position
  }

  byte(): number {
    const value = this.#buffer[this.#position]
    if (value === undefined) throw new Error("State is truncated.")
    this.#position += 1
    return value
  }

  /** A view, not a copy. */
  bytes(length: number): Uint8Array {
    if (length > this.remaining) throw new Error("State is truncated.")
    this.#position += length
    return this.#buffer.subarray(this.#position - length, this.#position)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      const digit = byte & 0x7f
      // The eighth byte starts at bit 49. Checked before adding, as 2^53 + 1 would round to 2^53.
      if (scale === 2 ** 49 && (byte > 0x10 || (byte === 0x10 && value > 0)))
        throw new Error("State has an integer beyond 2^53.")
      value += digit * scale
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw new Error("State has an integer that is not in its shortest form.")
        return value
      }
      scale *= 0x80
    }
  }

  /** A count of items that take at least `itemSize` bytes each. */
  count(itemSize: number): number {
    const value = this.varint()
    if (value * itemSize > this.remaining) throw new Error("State is truncated.")
    return value
  }
}
