/**
 * A cursor over a section's bytes, little-endian, with the variable-length numbers of DWARF 5, section 7.6 (LEB128).
 * Whatever would lie past the end is DebugInfoDamaged.
 */
import { DebugInfoDamaged } from "./errors.ts"

const decoder = new TextDecoder()

export class ByteReader {
  readonly data: Uint8Array
  /** The section's name, for errors. */
  readonly section: string
  at: number
  readonly end: number
  private readonly view: DataView

  constructor(data: Uint8Array, section: string, at = 0, end = data.length) {
    this.data = data
    this.section = section
    this.at = at
    this.end = Math.min(end, data.length)
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (!(at >= 0 && at <= this.end)) this.damaged(`it ends at byte ${this.end}`)
  }

  /** @throws DebugInfoDamaged always, naming where the cursor is. */
  damaged(problem: string): never {
    throw new DebugInfoDamaged({ section: this.section, offset: this.at, problem })
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  /** Moves past so many bytes and gives where they began. */
  skip(length: number): number {
    const start = this.at
    if (!(length >= 0 && length <= this.end - start)) this.damaged(`${length} bytes do not fit`)
    this.at = start + length
    return start
  }

  u8(): number {
    return this.view.getUint8(this.skip(1))
  }

  i8(): number {
    return this.view.getInt8(this.skip(1))
  }

  u16(): number {
    return this.view.getUint16(this.skip(2), true)
  }

  u32(): number {
    return this.view.getUint32(this.skip(4), true)
  }

  u64(): bigint {
    return this.view.getBigUint64(this.skip(8), true)
  }

  /** An unsigned number of 1 to 8 bytes. */
  unsigned(size: number): bigint {
    if (size === 8) return this.u64()
    let value = 0n
    const start = this.skip(size)
    for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(this.data[start + index]!)
    return value
  }

  /** An offset or a length: 8 bytes in the 64-bit format of DWARF, else 4. */
  offset(is64: boolean): number {
    return is64 ? Number(this.u64()) : this.u32()
  }

  /** A length that begins a unit or an entry: what follows it, and which format that has (section 7.4). */
  unitLength(): { readonly length: number; readonly is64: boolean } {
    const short = this.u32()
    if (short < 0xffff_fff0) return { length: short, is64: false }
    if (short !== 0xffff_ffff) this.damaged("a length is of a reserved kind")
    return { length: Number(this.u64()), is64: true }
  }

  /** A reader of the next `length` bytes only; this one moves past them. */
  part(length: number): ByteReader {
    const start = this.skip(length)
    return new ByteReader(this.data, this.section, start, start + length)
  }

  bytes(length: number): Uint8Array {
    const start = this.skip(length)
    return this.data.subarray(start, start + length)
  }

  /** ULEB128 as a number; beyond 2^53 it is not exact, only large. */
  uleb(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    return this.damaged("a number is longer than 64 bits")
  }

  /** SLEB128 as a number; beyond 2^53 it is not exact, only large. */
  sleb(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 10; count++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) return byte & 0x40 ? value - scale : value
    }
    return this.damaged("a number is longer than 64 bits")
  }

  /** ULEB128 as an exact number of 64 bits. */
  uleb64(): bigint {
    return BigInt.asUintN(64, this.leb64().value)
  }

  /** SLEB128 as an exact number of 64 bits. */
  sleb64(): bigint {
    const { value, bits, isNegative } = this.leb64()
    return BigInt.asIntN(64, isNegative ? value - (1n << bits) : value)
  }

  private leb64(): { value: bigint; bits: bigint; isNegative: boolean } {
    let value = 0n
    for (let bits = 0n; bits < 70n; bits += 7n) {
      const byte = this.u8()
      value |= BigInt(byte & 0x7f) << bits
      if (byte < 0x80) return { value, bits: bits + 7n, isNegative: (byte & 0x40) !== 0 }
    }
    return this.damaged("a number is longer than 64 bits")
  }

  /** UTF-8 text that ends with a zero byte. */
  text(): string {
    const zero = this.data.indexOf(0, this.at)
    if (zero < 0 || zero >= this.end) this.damaged("a text has no end")
    const start = this.skip(zero + 1 - this.at)
    return decoder.decode(this.data.subarray(start, zero))
  }
}
