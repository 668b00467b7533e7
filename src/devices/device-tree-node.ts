// The nodes and properties of a device tree, as values (Devicetree Specification 0.4, sections 2.2 and 2.3).
// The blob encoder and the board's tree are in machine/device-tree.

/** One 32-bit cell: an unsigned number, or the phandle of the node that carries the label. */
export type Cell = number | { readonly reference: string }

export type Property =
  | { readonly kind: "empty" }
  | { readonly kind: "cells"; readonly cells: readonly Cell[] }
  | { readonly kind: "u64"; readonly values: readonly number[] }
  | { readonly kind: "strings"; readonly values: readonly string[] }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }

/** A node. Properties and children are written in the order given. */
export interface DeviceTreeNode {
  /** Node name with its unit address, e.g. `serial@10000000`; empty for the root only. */
  readonly name: string
  /** What references call the node. A labelled node gets a phandle; labels are unique in a tree. */
  readonly label?: string
  readonly properties: Readonly<Record<string, Property>>
  readonly children?: readonly DeviceTreeNode[]
}

/** Where a device stands on the board. */
export interface DevicePlacement {
  /** Physical address of its first register. */
  readonly base: number
  /** The PLIC source its interrupt line is wired to. */
  readonly interrupt?: number
}

/** A property whose presence is its value. */
export const empty = (): Property => ({ kind: "empty" })
/** Unsigned 32-bit cells and phandle references. */
export const cells = (...values: readonly Cell[]): Property => ({ kind: "cells", cells: values })
/** Unsigned 64-bit values, each below 2^53, two cells each. */
export const u64 = (...values: readonly number[]): Property => ({ kind: "u64", values })
/** One string, or a list of them. */
export const strings = (...values: readonly string[]): Property => ({ kind: "strings", values })
/** Raw bytes. */
export const bytes = (value: Uint8Array): Property => ({ kind: "bytes", bytes: value })
/** A cell holding the phandle of the node labelled `label`. */
export const reference = (label: string): Cell => ({ reference: label })

/** Label of the platform-level interrupt controller, the interrupt parent of everything on the board. */
export const PLIC_LABEL = "plic"
/** Label of the device that powers the board off and resets it. */
export const TEST_LABEL = "test"
/** Label of the interrupt controller inside a hart. */
export const hartInterruptControllerLabel = (hart: number): string => `cpu${hart}_intc`

/** The properties every interrupting device has: its register window and, when it is wired, its source. */
export function placedProperties(placement: DevicePlacement, size: number): Record<string, Property> {
  const registers = { reg: u64(placement.base, size) }
  return placement.interrupt === undefined
    ? registers
    : { ...registers, "interrupt-parent": cells(reference(PLIC_LABEL)), interrupts: cells(placement.interrupt) }
}

/** A node name with its unit address. */
export const unitName = (name: string, base: number): string => `${name}@${base.toString(16)}`
