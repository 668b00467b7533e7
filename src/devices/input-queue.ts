// Bytes that came from outside and wait for the guest to make room for them.

/** First in, first out, of bounded size. */
export class InputQueue {
  readonly capacity: number
  readonly #ring: Uint8Array
  #head = 0
  #length = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#ring = new Uint8Array(capacity)
  }

  get length(): number {
    return this.#length
  }

  /** Takes bytes from the front of `bytes` as far as they fit and says how many those were. */
  push(bytes: Uint8Array): number {
    const accepted = Math.min(bytes.length, this.capacity - this.#length)
    for (let i = 0; i < accepted; i += 1) this.#ring[(this.#head + this.#length + i) % this.capacity] = bytes[i]!
    this.#length += accepted
    return accepted
  }

  /** Removes and returns up to `count` bytes. */
  take(count: number): Uint8Array {
    const taken = new Uint8Array(Math.min(count, this.#length))
    for (let i = 0; i < taken.length; i += 1) taken[i] = this.shift()
    return taken
  }

  /** Removes and returns the first byte. Precondition: the queue is not empty. */
  shift(): number {
    const byte = this.#ring[this.#head]!
    this.#head = (this.#head + 1) % this.capacity
    this.#length -= 1
    return byte
  }

  clear(): void {
    this.#head = 0
    this.#length = 0
  }

  /** A copy of what is in the queue. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length)
    for (let i = 0; i < bytes.length; i += 1) bytes[i] = this.#ring[(this.#head + i) % this.capacity]!
    return bytes
  }
}
