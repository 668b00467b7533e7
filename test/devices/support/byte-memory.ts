import type { GuestMemory } from "../../../src/devices/index.ts"

/** RAM as an array of bytes, from `base` on. An access outside is a broken device and throws. */
export class ByteMemory implements GuestMemory {
  readonly base: number
  readonly bytes: Uint8Array
  readonly #view: DataView

  constructor(base: number, bytes: Uint8Array) {
    this.base = base
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  contains(address: number, length: number): boolean {
    return address >= this.base && address + length <= this.base + this.bytes.length
  }

  read(address: number, length: number): Uint8Array {
    this.#check(address, length)
    return this.bytes.slice(address - this.base, address - this.base + length)
  }

  write(address: number, bytes: Uint8Array): void {
    this.#check(address, bytes.length)
    this.bytes.set(bytes, address - this.base)
  }

  load16(address: number): number {
    return this.#view.getUint16(address - this.base, true)
  }

  load32(address: number): number {
    return this.#view.getUint32(address - this.base, true)
  }

  store16(address: number, value: number): void {
    this.#view.setUint16(address - this.base, value, true)
  }

  store32(address: number, value: number): void {
    this.#view.setUint32(address - this.base, value, true)
  }

  #check(address: number, length: number): void {
    if (!this.contains(address, length)) throw new Error(`DMA outside of memory: ${address}, ${length} bytes.`)
  }
}
