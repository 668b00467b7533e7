// The virtio transport over memory-mapped registers, version 2 (Virtual I/O Device 1.2, section 4.2).
// A slot without a device answers as one whose device type is zero, which drivers skip.

import type { AccessSize } from "../access.ts"
import type { Device } from "../device.ts"
import { type DevicePlacement, type DeviceTreeNode, placedProperties, strings, unitName } from "../device-tree-node.ts"
import type { GuestMemory } from "../guest-memory.ts"
import type { InterruptLine } from "../interrupt-line.ts"
import { StateFields } from "../state-fields.ts"
import type { StateValue } from "../state-value.ts"
import type { VirtioDevice, VirtioPort } from "./virtio-device.ts"
import { Virtqueue, type VirtqueueOwner } from "./virtqueue.ts"

const REGISTER = {
  magic: 0x000,
  version: 0x004,
  deviceType: 0x008,
  vendor: 0x00c,
  deviceFeatures: 0x010,
  deviceFeaturesSelect: 0x014,
  driverFeatures: 0x020,
  driverFeaturesSelect: 0x024,
  queueSelect: 0x030,
  queueSizeMax: 0x034,
  queueSize: 0x038,
  queueReady: 0x044,
  queueNotify: 0x050,
  interruptStatus: 0x060,
  interruptAcknowledge: 0x064,
  status: 0x070,
  queueDescriptorsLow: 0x080,
  queueDescriptorsHigh: 0x084,
  queueAvailableLow: 0x090,
  queueAvailableHigh: 0x094,
  queueUsedLow: 0x0a0,
  queueUsedHigh: 0x0a4,
  sharedMemoryLengthLow: 0x0b0,
  sharedMemoryLengthHigh: 0x0b4,
  sharedMemoryBaseLow: 0x0b8,
  sharedMemoryBaseHigh: 0x0bc,
  configurationGeneration: 0x0fc,
  configuration: 0x100,
} as const

/** "virt" and "QEMU", read as little-endian words. */
const MAGIC = 0x7472_6976
const VENDOR = 0x554d_4551
const VERSION = 2

const STATUS_DRIVER_OK = 4
const STATUS_FEATURES_OK = 8
const STATUS_NEEDS_RESET = 64
/** What a driver may set. */
const STATUS_DRIVER_BITS = 0x8f

const STATUS_READY = STATUS_FEATURES_OK | STATUS_DRIVER_OK

const INTERRUPT_USED_BUFFERS = 1
const INTERRUPT_CONFIGURATION = 2

/** Features of the transport, by the half of the feature bits they are in. */
const FEATURE_INDIRECT_DESCRIPTORS = 1 << 28
const FEATURE_EVENT_INDEX = 1 << 29
const FEATURE_HIGH_VERSION_1 = 1 << 0

export interface VirtioMmioOptions {
  /** E.g. `virtio0`. */
  readonly id: string
  readonly memory: GuestMemory
  readonly interrupt: InterruptLine
  /** What is plugged into the slot, if anything. */
  readonly device?: VirtioDevice
}

export class VirtioMmio implements Device {
  readonly id: string
  readonly size = 0x1000
  readonly accessSizes = 1 | 2 | 4 | 8
  readonly #interrupt: InterruptLine
  readonly #device: VirtioDevice | undefined
  readonly #queues: readonly Virtqueue[]
  #deviceFeaturesSelect = 0
  #driverFeaturesSelect = 0
  #driverFeaturesLow = 0
  #driverFeaturesHigh = 0
  #queueSelect = 0
  #status = 0
  #interruptStatus = 0

  constructor(options: VirtioMmioOptions) {
    this.id = options.id
    this.#interrupt = options.interrupt
    this.#device = options.device
    const owner = this.#queueOwner()
    this.#queues = (options.device?.queueSizes ?? []).map(size => new Virtqueue(options.memory, owner, size))
    options.device?.connect(this.#port())
  }

  load(offset: number, size: AccessSize): number {
    const device = this.#device
    if (device === undefined) return size === 4 ? loadEmptySlot(offset) : 0
    if (offset >= REGISTER.configuration) {
      return loadLittleEndian(device.configuration, offset - REGISTER.configuration, size)
    }
    return size === 4 ? this.#loadRegister(device, offset) : 0
  }

  store(offset: number, size: AccessSize, value: number): void {
    if (this.#device === undefined || size !== 4 || offset >= REGISTER.configuration) return
    this.#storeRegister(this.#device, offset, value)
  }

  save(): StateValue {
    return {
      deviceType: this.#device?.deviceType ?? 0,
      deviceFeaturesSelect: this.#deviceFeaturesSelect,
      driverFeaturesSelect: this.#driverFeaturesSelect,
      driverFeatures: { high: this.#driverFeaturesHigh, low: this.#driverFeaturesLow },
      queueSelect: this.#queueSelect,
      status: this.#status,
      interruptStatus: this.#interruptStatus,
      queues: this.#queues.map(queue => queue.save()),
      device: this.#device?.save() ?? null,
    }
  }

  restore(state: StateValue): void {
    const fields = new StateFields(this.id, state, [
      "deviceType",
      "deviceFeaturesSelect",
      "driverFeaturesSelect",
      "driverFeatures",
      "queueSelect",
      "status",
      "interruptStatus",
      "queues",
      "device",
    ])
    const deviceType = this.#device?.deviceType ?? 0
    fields.integer("deviceType", deviceType, deviceType)
    const queues = fields.array("queues")
    if (queues.length !== this.#queues.length) {
      throw new Error(`The state of ${this.id} must have ${this.#queues.length} queues, not ${queues.length}.`)
    }
    this.#deviceFeaturesSelect = fields.uint32("deviceFeaturesSelect")
    this.#driverFeaturesSelect = fields.uint32("driverFeaturesSelect")
    const features = fields.uint64("driverFeatures")
    this.#driverFeaturesLow = features.low
    this.#driverFeaturesHigh = features.high
    this.#queueSelect = fields.uint32("queueSelect")
    this.#status = fields.uint8("status")
    this.#interruptStatus = fields.integer("interruptStatus", 0, 3)
    for (const [index, queue] of this.#queues.entries()) queue.restore(`${this.id}.queues[${index}]`, queues[index]!)
    if (this.#device !== undefined) this.#device.restore(fields.value("device"))
    else if (fields.value("device") !== null)
      throw new Error(`The slot ${this.id} is empty, but the state has a device.`)
    this.#drive()
  }

  reset(): void {
    this.#deviceFeaturesSelect = 0
    this.#driverFeaturesSelect = 0
    this.#queueSelect = 0
    this.#resetDevice()
  }

  deviceTreeNode(placement: DevicePlacement): DeviceTreeNode {
    return {
      name: unitName("virtio_mmio", placement.base),
      properties: { compatible: strings("virtio,mmio"), ...placedProperties(placement, this.size) },
    }
  }

  #loadRegister(device: VirtioDevice, offset: number): number {
    switch (offset) {
      case REGISTER.magic:
        return MAGIC
      case REGISTER.version:
        return VERSION
      case REGISTER.deviceType:
        return device.deviceType
      case REGISTER.vendor:
        return VENDOR
      case REGISTER.deviceFeatures:
        return this.#offeredFeatures(device, this.#deviceFeaturesSelect)
      case REGISTER.queueSizeMax:
        return this.#selectedQueue()?.sizeMax ?? 0
      case REGISTER.queueReady:
        return this.#selectedQueue()?.isReady ? 1 : 0
      case REGISTER.interruptStatus:
        return this.#interruptStatus
      case REGISTER.status:
        return this.#status
      case REGISTER.sharedMemoryLengthLow:
      case REGISTER.sharedMemoryLengthHigh:
      case REGISTER.sharedMemoryBaseLow:
      case REGISTER.sharedMemoryBaseHigh:
        // All ones: there is no such region.
        return 0xffff_ffff
      default:
        return 0
    }
  }

  #storeRegister(device: VirtioDevice, offset: number, value: number): void {
    switch (offset) {
      case REGISTER.deviceFeaturesSelect:
        this.#deviceFeaturesSelect = value
        break
      case REGISTER.driverFeatures:
        this.#writeDriverFeatures(value)
        break
      case REGISTER.driverFeaturesSelect:
        this.#driverFeaturesSelect = value
        break
      case REGISTER.queueSelect:
        this.#queueSelect = value
        break
      case REGISTER.queueSize:
        this.#selectedQueue()?.setSize(value)
        break
      case REGISTER.queueReady:
        this.#selectedQueue()?.setReady((value & 1) === 1)
        break
      case REGISTER.queueNotify:
        if (value < this.#queues.length && this.#isDriverReady()) device.notify(value)
        break
      case REGISTER.interruptAcknowledge:
        this.#interruptStatus &= ~value
        this.#drive()
        break
      case REGISTER.status:
        this.#writeStatus(device, value)
        break
      case REGISTER.queueDescriptorsLow:
        this.#selectedQueue()?.setDescriptors("low", value)
        break
      case REGISTER.queueDescriptorsHigh:
        this.#selectedQueue()?.setDescriptors("high", value)
        break
      case REGISTER.queueAvailableLow:
        this.#selectedQueue()?.setAvailable("low", value)
        break
      case REGISTER.queueAvailableHigh:
        this.#selectedQueue()?.setAvailable("high", value)
        break
      case REGISTER.queueUsedLow:
        this.#selectedQueue()?.setUsed("low", value)
        break
      case REGISTER.queueUsedHigh:
        this.#selectedQueue()?.setUsed("high", value)
        break
    }
  }

  #selectedQueue(): Virtqueue | undefined {
    return this.#queues[this.#queueSelect]
  }

  #isDriverReady(): boolean {
    return (this.#status & (STATUS_FEATURES_OK | STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) === STATUS_READY
  }

  #offeredFeatures(device: VirtioDevice, select: number): number {
    if (select === 0) return (device.features | FEATURE_INDIRECT_DESCRIPTORS | FEATURE_EVENT_INDEX) >>> 0
    return select === 1 ? FEATURE_HIGH_VERSION_1 : 0
  }

  /** Features are settled once FEATURES_OK is set. */
  #writeDriverFeatures(value: number): void {
    if (this.#status & STATUS_FEATURES_OK) return
    if (this.#driverFeaturesSelect === 0) this.#driverFeaturesLow = value
    else if (this.#driverFeaturesSelect === 1) this.#driverFeaturesHigh = value
  }

  /** A device that does not accept the driver's features leaves FEATURES_OK clear. */
  #acceptsFeatures(device: VirtioDevice): boolean {
    const unknownLow = this.#driverFeaturesLow & ~this.#offeredFeatures(device, 0)
    const unknownHigh = this.#driverFeaturesHigh & ~FEATURE_HIGH_VERSION_1
    return unknownLow === 0 && unknownHigh === 0 && (this.#driverFeaturesHigh & FEATURE_HIGH_VERSION_1) !== 0
  }

  #writeStatus(device: VirtioDevice, value: number): void {
    if (value === 0) {
      this.#resetDevice()
      return
    }
    const wasReady = this.#isDriverReady()
    let status = (value & STATUS_DRIVER_BITS) | (this.#status & STATUS_NEEDS_RESET)
    const isSettling = (status & ~this.#status & STATUS_FEATURES_OK) !== 0
    if (isSettling && !this.#acceptsFeatures(device)) status &= ~STATUS_FEATURES_OK
    this.#status = status
    if (wasReady || !this.#isDriverReady()) return
    // Buffers may have been made available before.
    for (let index = 0; index < this.#queues.length && this.#isDriverReady(); index += 1) device.notify(index)
  }

  #resetDevice(): void {
    this.#driverFeaturesLow = 0
    this.#driverFeaturesHigh = 0
    this.#status = 0
    this.#interruptStatus = 0
    for (const queue of this.#queues) queue.reset()
    this.#device?.reset()
    this.#drive()
  }

  #raise(cause: number): void {
    this.#interruptStatus |= cause
    this.#drive()
  }

  #drive(): void {
    this.#interrupt.set(this.#interruptStatus !== 0)
  }

  #hasFeature(bit: number): boolean {
    return (this.#driverFeaturesLow & bit) !== 0
  }

  /** The driver is told through the configuration interrupt, but only once it is ready. */
  #needReset(): void {
    this.#status |= STATUS_NEEDS_RESET
    if (this.#status & STATUS_DRIVER_OK) this.#raise(INTERRUPT_CONFIGURATION)
  }

  #queueOwner(): VirtqueueOwner {
    const hasFeature = (bit: number): boolean => this.#hasFeature(bit)
    return {
      get hasIndirectDescriptors() {
        return hasFeature(FEATURE_INDIRECT_DESCRIPTORS)
      },
      get hasEventIndex() {
        return hasFeature(FEATURE_EVENT_INDEX)
      },
      usedBuffers: () => this.#raise(INTERRUPT_USED_BUFFERS),
      malformed: () => this.#needReset(),
    }
  }

  #port(): VirtioPort {
    const isDriverReady = (): boolean => this.#isDriverReady()
    return {
      get isDriverReady() {
        return isDriverReady()
      },
      queue: index => this.#queues[index]!,
    }
  }
}

function loadEmptySlot(offset: number): number {
  if (offset === REGISTER.magic) return MAGIC
  if (offset === REGISTER.version) return VERSION
  return offset === REGISTER.vendor ? VENDOR : 0
}

/** Bytes past the end read as zero. */
function loadLittleEndian(bytes: Uint8Array, offset: number, size: number): number {
  let value = 0
  for (let i = size - 1; i >= 0; i -= 1) value = value * 256 + (bytes[offset + i] ?? 0)
  return value
}
