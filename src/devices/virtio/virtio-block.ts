// The virtio block device (Virtual I/O Device 1.2, section 5.2).

import { type BlockBackend, SECTOR_BYTES } from "../block/block-backend.ts"
import { StateFields } from "../state-fields.ts"
import type { StateValue } from "../state-value.ts"
import type { DescriptorChain } from "./descriptor-chain.ts"
import type { VirtioDevice, VirtioPort } from "./virtio-device.ts"

const DEVICE_TYPE = 2
const QUEUE_SIZE = 256

const FEATURE_SEGMENTS_MAX = 1 << 2
const FEATURE_READ_ONLY = 1 << 5
const FEATURE_BLOCK_SIZE = 1 << 6
const FEATURE_FLUSH = 1 << 9

const CONFIGURATION_BYTES = 0x3c
const CONFIGURATION_CAPACITY = 0x00
const CONFIGURATION_SEGMENTS_MAX = 0x0c
const CONFIGURATION_BLOCK_SIZE = 0x14

const HEADER_BYTES = 16
const STATUS_BYTES = 1
const SERIAL_BYTES = 20

const REQUEST = { in: 0, out: 1, flush: 4, getId: 8 } as const
const STATUS = { ok: 0, error: 1, unsupported: 2 } as const

/** How much is moved at a time between disk and memory. */
const PIECE_SECTORS = 128

export interface VirtioBlockOptions {
  readonly backend: BlockBackend
  /** What the guest sees as the serial number: printable ASCII, cut after 20 characters. */
  readonly serial?: string
}

/** Requests are done when the driver notifies. What is on the disk is not part of the device's state. */
export class VirtioBlock implements VirtioDevice {
  readonly deviceType = DEVICE_TYPE
  readonly features: number
  readonly queueSizes = [QUEUE_SIZE]
  readonly configuration: Uint8Array
  readonly #backend: BlockBackend
  readonly #serial: Uint8Array
  #port!: VirtioPort

  constructor(options: VirtioBlockOptions) {
    this.#backend = options.backend
    const readOnly = options.backend.readOnly ? FEATURE_READ_ONLY : 0
    this.features = FEATURE_SEGMENTS_MAX | FEATURE_BLOCK_SIZE | FEATURE_FLUSH | readOnly
    this.configuration = new Uint8Array(CONFIGURATION_BYTES)
    const view = new DataView(this.configuration.buffer)
    view.setUint32(CONFIGURATION_CAPACITY, options.backend.sectors >>> 0, true)
    view.setUint32(CONFIGURATION_CAPACITY + 4, Math.floor(options.backend.sectors / 2 ** 32), true)
    // Header and status take two descriptors of the longest chain.
    view.setUint32(CONFIGURATION_SEGMENTS_MAX, QUEUE_SIZE - 2, true)
    view.setUint32(CONFIGURATION_BLOCK_SIZE, SECTOR_BYTES, true)
    this.#serial = new TextEncoder().encode(options.serial ?? "").slice(0, SERIAL_BYTES)
  }

  connect(port: VirtioPort): void {
    this.#port = port
  }

  notify(index: number): void {
    const queue = this.#port.queue(index)
    // No more than one lap: buffers that overlap the rings cannot keep the device busy.
    for (let left = queue.size; left > 0; left -= 1) {
      const chain = queue.take()
      if (chain === undefined) break
      if (chain.readableBytes < HEADER_BYTES || chain.writableBytes < STATUS_BYTES) {
        queue.fail()
        break
      }
      chain.write(chain.writableBytes - STATUS_BYTES, Uint8Array.of(this.#perform(chain)))
      queue.give(chain, chain.writableBytes)
    }
    queue.signal()
  }

  save(): StateValue {
    return {}
  }

  restore(state: StateValue): void {
    new StateFields("virtio block device", state, [])
  }

  reset(): void {}

  /** Does what the header asks and returns the request's status. */
  #perform(chain: DescriptorChain): number {
    const header = new DataView(chain.read(0, HEADER_BYTES).buffer)
    const sector = header.getUint32(8, true) + header.getUint32(12, true) * 2 ** 32
    switch (header.getUint32(0, true)) {
      case REQUEST.in:
        return this.#readDisk(chain, sector)
      case REQUEST.out:
        return this.#writeDisk(chain, sector)
      case REQUEST.flush:
        this.#backend.flush()
        return STATUS.ok
      case REQUEST.getId:
        return this.#identify(chain)
      default:
        return STATUS.unsupported
    }
  }

  #readDisk(chain: DescriptorChain, sector: number): number {
    const bytes = chain.writableBytes - STATUS_BYTES
    if (!this.#isOnDisk(sector, bytes)) return STATUS.error
    forEachPiece(bytes, (done, sectors) => chain.write(done * SECTOR_BYTES, this.#backend.read(sector + done, sectors)))
    return STATUS.ok
  }

  #writeDisk(chain: DescriptorChain, sector: number): number {
    const bytes = chain.readableBytes - HEADER_BYTES
    if (this.#backend.readOnly || !this.#isOnDisk(sector, bytes)) return STATUS.error
    forEachPiece(bytes, (done, sectors) => {
      const piece = chain.read(HEADER_BYTES + done * SECTOR_BYTES, sectors * SECTOR_BYTES)
      this.#backend.write(sector + done, piece)
    })
    return STATUS.ok
  }

  /** The serial number, padded with zeroes as far as there is room. */
  #identify(chain: DescriptorChain): number {
    const bytes = new Uint8Array(Math.min(SERIAL_BYTES, chain.writableBytes - STATUS_BYTES))
    bytes.set(this.#serial.subarray(0, bytes.length))
    chain.write(0, bytes)
    return STATUS.ok
  }

  #isOnDisk(sector: number, bytes: number): boolean {
    return bytes % SECTOR_BYTES === 0 && sector + bytes / SECTOR_BYTES <= this.#backend.sectors
  }
}

/** Visits `bytes` of whole sectors: how many sectors are done and how many come next. */
function forEachPiece(bytes: number, visit: (done: number, sectors: number) => void): void {
  const total = bytes / SECTOR_BYTES
  for (let done = 0; done < total; done += PIECE_SECTORS) visit(done, Math.min(PIECE_SECTORS, total - done))
}
