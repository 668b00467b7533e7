// A split virtqueue, the device's side (Virtual I/O Device 1.2, section 2.7), with indirect descriptors and event indices.
// Nothing the driver puts in memory is trusted: what breaks the rules makes the queue report itself malformed and stand still.

import type { GuestMemory } from "../guest-memory.ts"
import { StateFields } from "../state-fields.ts"
import type { StateValue } from "../state-value.ts"
import { type Buffer, DescriptorChain } from "./descriptor-chain.ts"

const DESCRIPTOR_BYTES = 16
const DESCRIPTOR_NEXT = 1
const DESCRIPTOR_WRITE = 2
const DESCRIPTOR_INDIRECT = 4
const AVAILABLE_NO_INTERRUPT = 1

/** Longest indirect table. The specification allows the queue's size only; drivers are known to use more. */
const INDIRECT_DESCRIPTORS_MAX = 1024
/** Most bytes in one chain: more than any driver asks for at once, little enough to be handled at one position. */
const CHAIN_BYTES_MAX = 2 ** 28

/** What was negotiated and where to report: the transport. */
export interface VirtqueueOwner {
  readonly hasIndirectDescriptors: boolean
  readonly hasEventIndex: boolean
  /** Buffers were used: tell the driver. */
  usedBuffers(): void
  /** The queue cannot go on before the device is reset. */
  malformed(): void
}

export class Virtqueue {
  /** Largest size the driver may choose, a power of two. */
  readonly sizeMax: number
  readonly #memory: GuestMemory
  readonly #owner: VirtqueueOwner
  #size: number
  #ready = false
  #broken = false
  #descriptorsLow = 0
  #descriptorsHigh = 0
  #availableLow = 0
  #availableHigh = 0
  #usedLow = 0
  #usedHigh = 0
  /** The next entry of the available ring to take, and of the used ring to fill; both count modulo 2^16. */
  #availableIndex = 0
  #usedIndex = 0
  /** The used index at the last decision whether to interrupt. */
  #signalledIndex = 0

  constructor(memory: GuestMemory, owner: VirtqueueOwner, sizeMax: number) {
    if (sizeMax < 1 || sizeMax > 32768 || (sizeMax & (sizeMax - 1)) !== 0) {
      throw new Error(`A virtqueue's size is a power of two up to 32768, not ${sizeMax}.`)
    }
    this.sizeMax = sizeMax
    this.#memory = memory
    this.#owner = owner
    this.#size = sizeMax
  }

  get isReady(): boolean {
    return this.#ready
  }

  /** Entries, as the driver chose. At most so many chains are outstanding. */
  get size(): number {
    return this.#size
  }

  /** Ignored while the queue is ready, as are the addresses. A size that cannot be is reported when the queue is made ready. */
  setSize(value: number): void {
    if (!this.#ready) this.#size = value
  }

  setDescriptors(half: "low" | "high", value: number): void {
    if (this.#ready) return
    if (half === "low") this.#descriptorsLow = value
    else this.#descriptorsHigh = value
  }

  setAvailable(half: "low" | "high", value: number): void {
    if (this.#ready) return
    if (half === "low") this.#availableLow = value
    else this.#availableHigh = value
  }

  setUsed(half: "low" | "high", value: number): void {
    if (this.#ready) return
    if (half === "low") this.#usedLow = value
    else this.#usedHigh = value
  }

  setReady(ready: boolean): void {
    if (ready === this.#ready) return
    this.#ready = ready
    if (!ready) return
    this.#broken = false
    this.#availableIndex = 0
    this.#usedIndex = 0
    this.#signalledIndex = 0
    if (!this.#isWellPlaced()) this.#fail()
  }

  /** Takes the next chain the driver made available; nothing when there is none or the queue has failed. */
  take(): DescriptorChain | undefined {
    if (!this.#ready || this.#broken) return undefined
    const memory = this.#memory
    const available = this.#available()
    const outstanding = (memory.load16(available + 2) - this.#availableIndex) & 0xffff
    if (outstanding > this.#size) return this.#fail()
    if (outstanding === 0) return undefined
    const head = memory.load16(available + 4 + 2 * (this.#availableIndex % this.#size))
    const chain = this.#chain(head)
    if (chain === undefined) return this.#fail()
    this.#availableIndex = (this.#availableIndex + 1) & 0xffff
    // Ask to be notified of the very next buffer: all before it are handled by then.
    if (this.#owner.hasEventIndex) memory.store16(this.#used() + 4 + 8 * this.#size, this.#availableIndex)
    return chain
  }

  /** Gives a chain back; `writtenBytes` of its writable part were filled. All writes to its buffers came before. */
  give(chain: DescriptorChain, writtenBytes: number): void {
    if (!this.#ready || this.#broken) return
    const entry = this.#used() + 4 + 8 * (this.#usedIndex % this.#size)
    this.#memory.store32(entry, chain.head)
    this.#memory.store32(entry + 4, writtenBytes)
    this.#usedIndex = (this.#usedIndex + 1) & 0xffff
    this.#memory.store16(this.#used() + 2, this.#usedIndex)
  }

  /** Interrupts the driver if it wants to know about the chains given back since the last call. */
  signal(): void {
    if (!this.#ready || this.#broken) return
    const before = this.#signalledIndex
    if (before === this.#usedIndex) return
    const isWanted = this.#owner.hasEventIndex
      ? this.#passedEvent(before)
      : (this.#memory.load16(this.#available()) & AVAILABLE_NO_INTERRUPT) === 0
    this.#signalledIndex = this.#usedIndex
    if (isWanted) this.#owner.usedBuffers()
  }

  /** A request that makes no sense to the device: the queue stands still until the device is reset. */
  fail(): void {
    this.#fail()
  }

  save(): StateValue {
    return {
      size: this.#size,
      ready: this.#ready,
      broken: this.#broken,
      descriptors: { high: this.#descriptorsHigh, low: this.#descriptorsLow },
      available: { high: this.#availableHigh, low: this.#availableLow },
      used: { high: this.#usedHigh, low: this.#usedLow },
      availableIndex: this.#availableIndex,
      usedIndex: this.#usedIndex,
      signalledIndex: this.#signalledIndex,
    }
  }

  /** @throws Error when `state` is not the state of such a queue over this memory. */
  restore(component: string, state: StateValue): void {
    const fields = new StateFields(component, state, [
      "size",
      "ready",
      "broken",
      "descriptors",
      "available",
      "used",
      "availableIndex",
      "usedIndex",
      "signalledIndex",
    ])
    this.#size = fields.uint32("size")
    this.#ready = fields.boolean("ready")
    this.#broken = fields.boolean("broken")
    const descriptors = fields.uint64("descriptors")
    const available = fields.uint64("available")
    const used = fields.uint64("used")
    this.#descriptorsLow = descriptors.low
    this.#descriptorsHigh = descriptors.high
    this.#availableLow = available.low
    this.#availableHigh = available.high
    this.#usedLow = used.low
    this.#usedHigh = used.high
    this.#availableIndex = fields.uint16("availableIndex")
    this.#usedIndex = fields.uint16("usedIndex")
    this.#signalledIndex = fields.uint16("signalledIndex")
    if (this.#ready && !this.#broken && !this.#isWellPlaced()) {
      throw new Error(`The state of ${component} has rings outside of memory.`)
    }
  }

  reset(): void {
    this.#size = this.sizeMax
    this.#ready = false
    this.#broken = false
    this.#descriptorsLow = 0
    this.#descriptorsHigh = 0
    this.#availableLow = 0
    this.#availableHigh = 0
    this.#usedLow = 0
    this.#usedHigh = 0
    this.#availableIndex = 0
    this.#usedIndex = 0
    this.#signalledIndex = 0
  }

  #descriptors(): number {
    return this.#descriptorsHigh * 2 ** 32 + this.#descriptorsLow
  }

  #available(): number {
    return this.#availableHigh * 2 ** 32 + this.#availableLow
  }

  #used(): number {
    return this.#usedHigh * 2 ** 32 + this.#usedLow
  }

  #fail(): undefined {
    if (this.#broken) return
    this.#broken = true
    this.#owner.malformed()
  }

  /** Size and the three parts, aligned and in memory, each with room for its event index. */
  #isWellPlaced(): boolean {
    const size = this.#size
    if (size < 1 || size > this.sizeMax || (size & (size - 1)) !== 0) return false
    const isPlaced = (address: number, alignment: number, bytes: number): boolean =>
      address < 2 ** 53 && address % alignment === 0 && this.#memory.contains(address, bytes)
    return (
      isPlaced(this.#descriptors(), 16, DESCRIPTOR_BYTES * size) &&
      isPlaced(this.#available(), 2, 6 + 2 * size) &&
      isPlaced(this.#used(), 4, 6 + 8 * size)
    )
  }

  /** The chain that starts at descriptor `head`, or nothing when it breaks a rule. */
  #chain(head: number): DescriptorChain | undefined {
    const memory = this.#memory
    const readable: Buffer[] = []
    const writable: Buffer[] = []
    let table = this.#descriptors()
    let tableLength = this.#size
    let isIndirect = false
    let index = head
    let bytes = 0
    for (let left = tableLength; left > 0; left -= 1) {
      if (index >= tableLength) return undefined
      const descriptor = table + DESCRIPTOR_BYTES * index
      const address = memory.load32(descriptor) + memory.load32(descriptor + 4) * 2 ** 32
      const length = memory.load32(descriptor + 8)
      const flags = memory.load16(descriptor + 12)
      if (length > 0 && (address >= 2 ** 53 || !memory.contains(address, length))) return undefined
      if (flags & DESCRIPTOR_INDIRECT) {
        if (!this.#owner.hasIndirectDescriptors || isIndirect || flags & DESCRIPTOR_NEXT) return undefined
        tableLength = length / DESCRIPTOR_BYTES
        if (!Number.isInteger(tableLength) || tableLength < 1 || tableLength > INDIRECT_DESCRIPTORS_MAX)
          return undefined
        table = address
        isIndirect = true
        index = 0
        left = tableLength + 1
        continue
      }
      bytes += length
      if (bytes > CHAIN_BYTES_MAX) return undefined
      if (flags & DESCRIPTOR_WRITE) writable.push({ address, length })
      else if (writable.length > 0) return undefined
      else readable.push({ address, length })
      if (!(flags & DESCRIPTOR_NEXT)) return new DescriptorChain(memory, head, readable, writable)
      index = memory.load16(descriptor + 14)
    }
    return undefined
  }

  /** Whether filling entries `before` to the present index went past the one the driver waits for. */
  #passedEvent(before: number): boolean {
    const event = this.#memory.load16(this.#available() + 4 + 2 * this.#size)
    return ((this.#usedIndex - event - 1) & 0xffff) < ((this.#usedIndex - before) & 0xffff)
  }
}
