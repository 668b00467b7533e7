// A driver for virtio-mmio devices, as small as the specification allows: what the tests play the guest with.

import type { VirtioMmio } from "../../../src/devices/index.ts"
import type { ByteMemory } from "../support/byte-memory.ts"

export interface Descriptor {
  readonly address: number
  readonly length: number
  readonly flags?: number
  readonly next?: number
}

export const NEXT = 1
export const WRITE = 2
export const INDIRECT = 4

export const REGISTERS = {
  deviceFeatures: 0x10,
  deviceFeaturesSelect: 0x14,
  driverFeatures: 0x20,
  driverFeaturesSelect: 0x24,
  queueSelect: 0x30,
  queueSizeMax: 0x34,
  queueSize: 0x38,
  queueReady: 0x44,
  queueNotify: 0x50,
  interruptStatus: 0x60,
  interruptAcknowledge: 0x64,
  status: 0x70,
  queueDescriptors: 0x80,
  queueAvailable: 0x90,
  queueUsed: 0xa0,
} as const

/** Each queue's parts lie in a page of their own: descriptors, available ring at 0x800, used ring at 0xc00. */
export class QueueDriver {
  readonly memory: ByteMemory
  readonly base: number
  readonly size: number
  #made = 0

  constructor(memory: ByteMemory, base: number, size: number) {
    this.memory = memory
    this.base = base
    this.size = size
  }

  get available(): number {
    return this.base + 0x800
  }

  get used(): number {
    return this.base + 0xc00
  }

  get usedIndex(): number {
    return this.memory.load16(this.used + 2)
  }

  usedEntry(index: number): { id: number; length: number } {
    const entry = this.used + 4 + 8 * (index % this.size)
    return { id: this.memory.load32(entry), length: this.memory.load32(entry + 4) }
  }

  describe(index: number, descriptor: Descriptor, table = this.base): void {
    const at = table + 16 * index
    this.memory.store32(at, descriptor.address >>> 0)
    this.memory.store32(at + 4, Math.floor(descriptor.address / 2 ** 32))
    this.memory.store32(at + 8, descriptor.length)
    this.memory.store16(at + 12, descriptor.flags ?? 0)
    this.memory.store16(at + 14, descriptor.next ?? 0)
  }

  /** Puts buffers at descriptors `first`, `first` + 1, … and makes the chain available. */
  offer(first: number, buffers: readonly Descriptor[]): void {
    buffers.forEach((buffer, i) => {
      const next = i + 1 < buffers.length ? NEXT : 0
      this.describe(first + i, { ...buffer, flags: (buffer.flags ?? 0) | next, next: first + i + 1 })
    })
    this.makeAvailable(first)
  }

  makeAvailable(head: number): void {
    this.memory.store16(this.available + 4 + 2 * (this.#made % this.size), head)
    this.#made += 1
    this.memory.store16(this.available + 2, this.#made & 0xffff)
  }
}

export function readRegister(mmio: VirtioMmio, register: keyof typeof REGISTERS): number {
  return mmio.load(REGISTERS[register], 4)
}

export function writeRegister(mmio: VirtioMmio, register: keyof typeof REGISTERS, value: number): void {
  mmio.store(REGISTERS[register], 4, value)
}

/** Resets the device, takes `featuresLow` and VERSION_1, makes the queues and sets DRIVER_OK. Returns the final status. */
export function startDriver(mmio: VirtioMmio, queues: readonly QueueDriver[], featuresLow = 0): number {
  const write = (register: keyof typeof REGISTERS, value: number): void => writeRegister(mmio, register, value)
  write("status", 0)
  write("status", 3)
  write("driverFeaturesSelect", 0)
  write("driverFeatures", featuresLow)
  write("driverFeaturesSelect", 1)
  write("driverFeatures", 1)
  write("status", 11)
  queues.forEach((queue, index) => {
    write("queueSelect", index)
    write("queueSize", queue.size)
    write("queueDescriptors", queue.base)
    write("queueAvailable", queue.available)
    write("queueUsed", queue.used)
    write("queueReady", 1)
  })
  write("status", 15)
  return readRegister(mmio, "status")
}
