/** Byte sink of the binary format: LEB128 integers, names, sections. WebAssembly core specification, section 5.2. */
export class Bytes {
  private buffer = new Uint8Array(256)
  length = 0

  private reserve(count: number): void {
    if (this.length + count <= this.buffer.length) return
    const larger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + count))
    larger.set(this.buffer.subarray(0, this.length))
    this.buffer = larger
  }

  byte(value: number): void {
    this.reserve(1)
    this.buffer[this.length++] = value
  }

  raw(bytes: ArrayLike<number>): void {
    this.reserve(bytes.length)
    this.buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Unsigned LEB128 of a number in [0, 2^32). */
  unsigned(value: number): void {
    let rest = value >>> 0
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.byte(rest)
  }

  /** Signed LEB128 of a 32-bit integer. */
  signed32(value: number): void {
    let rest = value | 0
    for (;;) {
      const low = rest & 0x7f
      rest >>= 7
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low)
      this.byte(low | 0x80)
    }
  }

  /** Signed LEB128 of a 64-bit integer. */
  signed64(value: bigint): void {
    let rest = BigInt.asIntN(64, value)
    if (rest >= -0x40000000n && rest < 0x40000000n) return this.signed32(Number(rest))
    for (;;) {
      const low = Number(rest & 0x7fn)
      rest >>= 7n
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return this.byte(low)
      this.byte(low | 0x80)
    }
  }

  /** A name: its UTF-8 length, then its bytes. */
  name(text: string): void {
    const encoded = new TextEncoder().encode(text)
    this.unsigned(encoded.length)
    this.raw(encoded)
  }

  /** A section: its id, its size, what `fill` writes. */
  section(id: number, fill: (content: Bytes) => void): void {
    const content = new Bytes()
    fill(content)
    this.byte(id)
    this.unsigned(content.length)
    this.raw(content.view())
  }

  /** What has been written so far; valid until the next write. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length)
  }

  /** A copy of what has been written so far. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length)
  }
}
