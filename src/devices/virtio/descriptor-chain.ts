// One request on a virtqueue: the buffers of a descriptor chain, seen as bytes to read and then bytes to write
// (Virtual I/O Device 1.2, section 2.6.4 "Message Framing": how they are cut into buffers means nothing).

import type { GuestMemory } from "../guest-memory.ts"

/** A piece of guest RAM; whoever makes one has checked that it is. */
export interface Buffer {
  readonly address: number
  readonly length: number
}

export class DescriptorChain {
  /** Number of the first descriptor, which names the chain in the used ring. */
  readonly head: number
  /** Bytes the driver hands to the device. */
  readonly readableBytes: number
  /** Bytes the device may write. */
  readonly writableBytes: number
  readonly #memory: GuestMemory
  readonly #readable: readonly Buffer[]
  readonly #writable: readonly Buffer[]

  constructor(memory: GuestMemory, head: number, readable: readonly Buffer[], writable: readonly Buffer[]) {
    this.head = head
    this.readableBytes = totalBytes(readable)
    this.writableBytes = totalBytes(writable)
    this.#memory = memory
    this.#readable = readable
    this.#writable = writable
  }

  /** A copy of `length` bytes from position `offset` of the readable part. Precondition: they are in it. */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    forEachPiece(this.#readable, offset, length, (address, position, size) => {
      bytes.set(this.#memory.read(address, size), position)
    })
    return bytes
  }

  /** Writes at position `offset` of the writable part. Precondition: the bytes fit in it. */
  write(offset: number, bytes: Uint8Array): void {
    forEachPiece(this.#writable, offset, bytes.length, (address, position, size) => {
      this.#memory.write(address, bytes.subarray(position, position + size))
    })
  }
}

const totalBytes = (buffers: readonly Buffer[]): number => buffers.reduce((sum, buffer) => sum + buffer.length, 0)

function forEachPiece(
  buffers: readonly Buffer[],
  offset: number,
  length: number,
  visit: (address: number, position: number, size: number) => void,
): void {
  let start = 0
  let position = 0
  for (const buffer of buffers) {
    if (position === length) return
    const skip = Math.max(offset + position - start, 0)
    start += buffer.length
    if (skip >= buffer.length) continue
    const size = Math.min(buffer.length - skip, length - position)
    visit(buffer.address + skip, position, size)
    position += size
  }
}
