// The system bus: which device answers at a physical address.
// Widths and alignment are refused as on QEMU's `virt` board: with an access fault and without reaching the device.

import { ACCESS_FAULT, type AccessSize } from "./access.ts"
import type { Device } from "./device.ts"

interface Mapping {
  readonly base: number
  readonly size: number
  readonly device: Device
}

const NOTHING: Device = {
  id: "nothing",
  size: 0,
  accessSizes: 0,
  load: () => 0,
  store: () => {},
  save: () => null,
  restore: () => {},
  reset: () => {},
  deviceTreeNode: () => ({ name: "nothing", properties: {} }),
}

/** Accesses allocate nothing and never throw. The bus itself has no state that a guest can observe. */
export class Bus {
  readonly #mappings: Mapping[] = []
  // The mapping that answered last: guests mostly talk to one device for a while.
  #last: Mapping = { base: 0, size: 0, device: NOTHING }
  #loadedHigh = 0

  /** Puts `device` at [base, base + device.size). @throws Error when the range or the device's id is already taken. */
  map(base: number, device: Device): void {
    if (!Number.isSafeInteger(base) || base < 0 || base % 8 !== 0) {
      throw new Error(`Device ${device.id} needs a base that is a multiple of 8, not ${base}.`)
    }
    for (const other of this.#mappings) {
      if (other.device.id === device.id) throw new Error(`Two devices are called ${device.id}.`)
      if (base < other.base + other.size && other.base < base + device.size) {
        throw new Error(`Devices ${other.device.id} and ${device.id} overlap at 0x${base.toString(16)}.`)
      }
    }
    this.#mappings.push({ base, size: device.size, device })
    this.#mappings.sort((a, b) => a.base - b.base)
  }

  /** The devices with their bases, in order of address. */
  get devices(): readonly { readonly base: number; readonly device: Device }[] {
    return this.#mappings
  }

  /** The unsigned value at physical address `address`, or `ACCESS_FAULT`. */
  load(address: number, size: AccessSize): number {
    const mapping = this.#find(address)
    if (mapping === undefined) return ACCESS_FAULT
    const offset = address - mapping.base
    if (!isTaken(mapping, offset, size)) return ACCESS_FAULT
    return mapping.device.load(offset, size)
  }

  /** Stores the low `size` bytes of `value`. False means an access fault. */
  store(address: number, size: AccessSize, value: number): boolean {
    const mapping = this.#find(address)
    if (mapping === undefined) return false
    const offset = address - mapping.base
    if (!isTaken(mapping, offset, size)) return false
    mapping.device.store(offset, size, size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff)
    return true
  }

  /** Loads eight bytes, low half first: the low half, or `ACCESS_FAULT`. The high half is then in `loadedHigh`. */
  loadDouble(address: number): number {
    const mapping = this.#find(address)
    if (mapping === undefined) return ACCESS_FAULT
    const offset = address - mapping.base
    if (!isTaken(mapping, offset, 8)) return ACCESS_FAULT
    const low = mapping.device.load(offset, 4)
    this.#loadedHigh = mapping.device.load(offset + 4, 4)
    return low
  }

  /** The high half that the last successful `loadDouble` read. */
  get loadedHigh(): number {
    return this.#loadedHigh
  }

  /** Stores eight bytes, low half first. False means an access fault. */
  storeDouble(address: number, low: number, high: number): boolean {
    const mapping = this.#find(address)
    if (mapping === undefined) return false
    const offset = address - mapping.base
    if (!isTaken(mapping, offset, 8)) return false
    mapping.device.store(offset, 4, low >>> 0)
    mapping.device.store(offset + 4, 4, high >>> 0)
    return true
  }

  #find(address: number): Mapping | undefined {
    const last = this.#last
    if (address >= last.base && address < last.base + last.size) return last
    const mappings = this.#mappings
    for (let i = 0; i < mappings.length; i += 1) {
      const mapping = mappings[i]!
      if (address >= mapping.base && address < mapping.base + mapping.size) {
        this.#last = mapping
        return mapping
      }
    }
    return undefined
  }
}

// Sizes are powers of two and offsets small, so the bit operations are exact. Sizes of devices are multiples of eight.
const isTaken = (mapping: Mapping, offset: number, size: number): boolean =>
  (mapping.device.accessSizes & size) !== 0 && (offset & (size - 1)) === 0
