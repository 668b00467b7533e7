// What the bus and the machine ask of a device.

import type { AccessSize, AccessSizes } from "./access.ts"
import type { DevicePlacement, DeviceTreeNode } from "./device-tree-node.ts"
import type { StateValue } from "./state-value.ts"

/**
 * A memory-mapped device. It does not know where in the address space it stands: offsets count from its base.
 *
 * `load` and `store` never throw, whatever the guest does: an offset that holds no register reads as zero and ignores writes.
 * All that a guest can observe is in `save`; what the device was constructed with (identity, lines, backends) is not.
 */
export interface Device {
  /** Stable name, unique on a board, e.g. `uart0`. Names the device's part of a snapshot. */
  readonly id: string
  /** Bytes of address space the device answers for. */
  readonly size: number
  /** Widths of access it takes; the bus refuses the others. */
  readonly accessSizes: AccessSizes

  /** Reads a register: an unsigned value of `size` bytes. `offset` is a multiple of `size` and below the device's `size`. */
  load(offset: number, size: AccessSize): number
  /** Writes a register. `value` is unsigned and fits in `size` bytes. */
  store(offset: number, size: AccessSize, value: number): void

  /** The whole state, independent of later changes to the device. */
  save(): StateValue
  /**
   * Takes over a saved state and drives the device's interrupt lines to the levels that follow from it.
   * The clock, if the device has one, must already show the time of the save.
   *
   * @throws Error naming the device and the field when the state has unknown, missing or impossible fields; the device then
   * must not be used until another `restore` or a `reset` succeeds.
   */
  restore(state: StateValue): void
  /** Back to power-on. What came from outside and waits beyond the guest's reach (queued input, a disk's content) stays. */
  reset(): void

  /** How an operating system finds this device at `placement`. */
  deviceTreeNode(placement: DevicePlacement): DeviceTreeNode
}
