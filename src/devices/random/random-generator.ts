// The generator behind the entropy device: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled Linear Pseudorandom Number
// Generators", 2021), its state spread from the seed by a multiply-and-xor-shift mixer. Not for cryptography.

import { StateFields } from "../state-fields.ts"
import type { StateValue } from "../state-value.ts"

const WORDS = 4

/** Same seed, same bytes. */
export class RandomGenerator {
  readonly #state: Uint32Array

  /** `seed` may have any length; every byte of it counts. */
  constructor(seed: Uint8Array) {
    this.#state = new Uint32Array(WORDS)
    let hash = mix(seed.length)
    for (const byte of seed) hash = mix(hash ^ byte)
    for (let i = 0; i < WORDS; i += 1) {
      hash = mix(hash)
      this.#state[i] = hash
    }
    // All zeroes is the one state that xoshiro never leaves.
    if (this.#state.every(word => word === 0)) this.#state[0] = 1
  }

  /** Unsigned 32 bits. */
  next(): number {
    const s = this.#state
    const scrambled = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0
    const shifted = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= shifted
    s[3] = rotateLeft(s[3]!, 11)
    return scrambled
  }

  /** The next `length` bytes: four from each number, lowest first, the rest of the last number dropped. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i += 4) {
      const word = this.next()
      for (let j = 0; j < 4 && i + j < length; j += 1) bytes[i + j] = (word >>> (8 * j)) & 0xff
    }
    return bytes
  }

  save(): StateValue {
    return { words: [...this.#state] }
  }

  /** @throws Error when `state` is not the state of such a generator. */
  restore(state: StateValue): void {
    const words = new StateFields("random generator", state, ["words"]).integers("words", WORDS, 0xffff_ffff)
    if (words.every(word => word === 0)) throw new Error("The state of a random generator cannot be all zeroes.")
    this.#state.set(words)
  }
}

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

/** One step of a counter and its finalizer: a permutation of the 32-bit words that spreads every bit. */
function mix(word: number): number {
  let mixed = (word + 0x9e37_79b9) >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
