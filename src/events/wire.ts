/**
 * Canonical binary layouts for event payloads: one definition gives the Schema, the encoder and the decoder. Equal values
 * have equal bytes. Integers are unsigned LEB128; byte strings, texts and lists are preceded by their length.
 */
import { Schema } from "effect"

/** Growing byte sink. */
export class WireWriter {
  private buffer = new Uint8Array(256)
  private length = 0

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count))
    larger.set(this.buffer.subarray(0, this.length))
    this.buffer = larger
  }

  /** Unsigned LEB128 of an integer in [0, 2^53). */
  natural(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a natural number below 2^53`)
    this.reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.buffer[this.length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.buffer[this.length++] = rest
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  /** The bytes written, copied; the writer is empty afterwards. */
  take(): Uint8Array {
    const bytes = this.buffer.slice(0, this.length)
    this.length = 0
    return bytes
  }
}

/** Byte source. Every method throws RangeError where the bytes end early or are not canonical. */
export class WireReader {
  private offset = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    // A Buffer would give views of itself where copies are meant.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  natural(): number {
    let value = 0
    let scale = 1
    for (let index = 0; index < 8; index++) {
      const byte = this.bytes[this.offset++]
      if (byte === undefined) throw new RangeError("the bytes end within a number")
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0 && index > 0) throw new RangeError("a number is longer than needed")
        if (!Number.isSafeInteger(value)) break
        return value
      }
      scale *= 0x80
    }
    throw new RangeError("a number is larger than 2^53")
  }

  raw(count: number): Uint8Array {
    if (this.offset + count > this.bytes.length) throw new RangeError("the bytes end early")
    this.offset += count
    return this.bytes.slice(this.offset - count, this.offset)
  }

  end(): void {
    if (this.offset !== this.bytes.length) throw new RangeError("bytes are left over")
  }
}

/** A layout: how values of `A` are written and read, and their Schema (the JSON form has bytes as base64). */
export interface Wire<A> {
  readonly schema: Schema.Codec<A, unknown>
  write(writer: WireWriter, value: A): void
  read(reader: WireReader): A
}

// biome-ignore lint/suspicious/noExplicitAny: a layout both takes and gives its values, so no other type holds for all.
export type AnyWire = Wire<any>

export type WireType<W> = W extends Wire<infer A> ? A : never

export const natural: Wire<number> = {
  schema: Schema.Natural,
  write: (writer, value) => writer.natural(value),
  read: reader => reader.natural(),
}

export const bytes: Wire<Uint8Array> = {
  schema: Schema.Uint8ArrayFromBase64,
  write: (writer, value) => {
    writer.natural(value.length)
    writer.raw(value)
  },
  read: reader => reader.raw(reader.natural()),
}

const textEncoder = new TextEncoder()
const textDecoder = new TextDecoder("utf-8", { fatal: true })

export const text: Wire<string> = {
  schema: Schema.String,
  write: (writer, value) => bytes.write(writer, textEncoder.encode(value)),
  read: reader => {
    try {
      return textDecoder.decode(bytes.read(reader))
    } catch {
      throw new RangeError("a text is not UTF-8")
    }
  },
}

export const list = <A>(item: Wire<A>): Wire<ReadonlyArray<A>> => ({
  schema: Schema.Array(item.schema),
  write: (writer, values) => {
    writer.natural(values.length)
    for (const value of values) item.write(writer, value)
  },
  read: reader => {
    const count = reader.natural()
    const values: Array<A> = []
    for (let index = 0; index < count; index++) values.push(item.read(reader))
    return values
  },
})

/** Fields in the order given, without names. */
export const record = <F extends Record<string, AnyWire>>(
  fields: F,
): Wire<{ readonly [K in keyof F]: WireType<F[K]> }> => {
  type A = { readonly [K in keyof F]: WireType<F[K]> }
  const entries = Object.entries(fields)
  const schema = Schema.Struct(Object.fromEntries(entries.map(([name, wire]) => [name, wire.schema])))
  return {
    schema: schema as unknown as Schema.Codec<A, unknown>,
    write: (writer, value) => {
      for (const [name, wire] of entries) wire.write(writer, value[name as keyof A])
    },
    read: reader => Object.fromEntries(entries.map(([name, wire]) => [name, wire.read(reader)])) as A,
  }
}

const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(entries.map(([name, field]) => [name, canonical(field)]))
}

/** JSON with sorted keys, through the Schema: for what is rare and has many fields. */
export const json = <A, I>(schema: Schema.Codec<A, I>): Wire<A> => {
  const encode = Schema.encodeUnknownSync(schema)
  const decode = Schema.decodeUnknownSync(schema)
  return {
    schema,
    write: (writer, value) => text.write(writer, JSON.stringify(canonical(encode(value)))),
    read: reader => {
      const source = text.read(reader)
      try {
        return decode(JSON.parse(source))
      } catch (cause) {
        throw new RangeError(cause instanceof Error ? cause.message : String(cause))
      }
    },
  }
}

const writer = new WireWriter()

/** The canonical bytes of `value`. @throws when `value` does not fit the layout: a mistake of the caller. */
export const encodeWire = <A>(wire: Wire<A>, value: A): Uint8Array => {
  writer.take()
  wire.write(writer, value)
  return writer.take()
}

/** @throws RangeError when `source` is not exactly one value of the layout. */
export const decodeWire = <A>(wire: Wire<A>, source: Uint8Array): A => {
  const reader = new WireReader(source)
  const value = wire.read(reader)
  reader.end()
  return value
}
