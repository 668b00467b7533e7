// What a kind of virtio device adds to the transport (Virtual I/O Device 1.2, chapter 2).

import type { StateValue } from "../state-value.ts"
import type { Virtqueue } from "./virtqueue.ts"

/** A device's view of its transport. */
export interface VirtioPort {
  /** Whether the driver has said that it is ready; queues may be used only then. */
  readonly isDriverReady: boolean
  queue(index: number): Virtqueue
}

/** The device half of a virtio device. It belongs to one transport, which calls `connect` once. */
export interface VirtioDevice {
  /** Device type, section 5. */
  readonly deviceType: number
  /** Feature bits 0 to 23, the ones that mean something to this type. */
  readonly features: number
  /** The largest size of each queue. */
  readonly queueSizes: readonly number[]
  /** The configuration space, read-only to the driver. */
  readonly configuration: Uint8Array

  connect(port: VirtioPort): void
  /** The driver has put buffers into queue `index`, or may have: handles all it can. */
  notify(index: number): void
  /** State beyond the queues. */
  save(): StateValue
  restore(state: StateValue): void
  reset(): void
}
