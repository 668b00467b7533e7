/**
 * A 128-bit digest of machine state: four 32-bit lanes of multiply-and-rotate, as MurmurHash3_x86_128 mixes them. It finds accidents,
 * not forgeries; what must resist forgery (the chain of events, stored pages) is hashed with SHA-256 above this layer.
 */
const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

const rotl = (value: number, count: number) => (value << count) | (value >>> (32 - count))

const finish = (value: number): number => {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

export class Digest {
  private a = 0x9368e53c
  private b = 0x2f6af274
  private c = 0x586dcd20
  private d = 0x8d43e3f2
  private length = 0

  /** Takes bytes in. Their number counts too: the same bytes in other portions give another digest. */
  bytes(content: Uint8Array): this {
    const whole = content.length & ~15
    if (content.byteOffset % 4 === 0) this.words(new Uint32Array(content.buffer, content.byteOffset, whole / 4))
    else this.words(new Uint32Array(content.slice(0, whole).buffer))
    if (whole !== content.length) {
      const rest = new Uint8Array(16)
      rest.set(content.subarray(whole))
      this.words(new Uint32Array(rest.buffer))
    }
    return this.number(content.length)
  }

  /** Takes a non-negative integer below 2^53 in. */
  number(value: number): this {
    return this.words(new Uint32Array([value >>> 0, Math.floor(value / 0x100000000) >>> 0, 0, 0]))
  }

  /** Takes words in; their count is a multiple of four. */
  words(words: Uint32Array): this {
    let { a, b, c, d } = this
    for (let at = 0; at < words.length; at += 4) {
      a ^= Math.imul(rotl(Math.imul(words[at]!, C1), 15), C2)
      a = (Math.imul(rotl(a, 19) + b, 5) + 0x561ccd1b) | 0
      b ^= Math.imul(rotl(Math.imul(words[at + 1]!, C2), 16), C3)
      b = (Math.imul(rotl(b, 17) + c, 5) + 0x0bcaa747) | 0
      c ^= Math.imul(rotl(Math.imul(words[at + 2]!, C3), 17), C4)
      c = (Math.imul(rotl(c, 15) + d, 5) + 0x96cd1c35) | 0
      d ^= Math.imul(rotl(Math.imul(words[at + 3]!, C4), 18), C1)
      d = (Math.imul(rotl(d, 13) + a, 5) + 0x32ac3b17) | 0
    }
    this.a = a
    this.b = b
    this.c = c
    this.d = d
    this.length += words.length
    return this
  }

  /** The 16 bytes. */
  result(): Uint8Array<ArrayBuffer> {
    let a = this.a ^ this.length
    let b = this.b ^ this.length
    let c = this.c ^ this.length
    let d = this.d ^ this.length
    for (let pass = 0; pass < 2; pass++) {
      a = (a + b + c + d) | 0
      b = (b + a) | 0
      c = (c + a) | 0
      d = (d + a) | 0
      if (pass === 0) {
        a = finish(a)
        b = finish(b)
        c = finish(c)
        d = finish(d)
      }
    }
    return new Uint8Array(new Uint32Array([a, b, c, d]).buffer)
  }
}

/** Sixteen bytes as 32 hexadecimal digits. */
export const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, "0")).join("")
