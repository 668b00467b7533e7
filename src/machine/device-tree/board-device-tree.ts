// The device tree of the board: what QEMU's `virt` shows, less its PCI bus, flash and firmware configuration device.
// Harts are described as the Linux binding riscv/cpus.yaml asks.

import type { Device } from "../../devices/device.ts"
import {
  bytes,
  cells,
  type DevicePlacement,
  type DeviceTreeNode,
  empty,
  hartInterruptControllerLabel,
  type Property,
  reference,
  strings,
  TEST_LABEL,
  u64,
  unitName,
} from "../../devices/device-tree-node.ts"
import { TEST_FINISHER } from "../../devices/test-finisher.ts"

const RAM_BASE = 0x8000_0000
const TIMEBASE_HZ = 10_000_000
const RNG_SEED_BYTES = 32

const BASE_EXTENSIONS = ["i", "m", "a", "f", "d", "c"]
const NAMED_EXTENSIONS = ["zicsr", "zifencei", "zicntr", "zba", "zbb", "zbs", "sstc"]

export interface PlacedDevice extends DevicePlacement {
  readonly device: Device
}

export interface BoardSpec {
  /** At least one. */
  readonly harts: number
  readonly memoryBytes: number
  /** Largest virtual address space the harts translate; `sv48` unless told otherwise. */
  readonly virtualMemory?: "sv39" | "sv48"
  /** Devices in any order; interrupt controllers among them. The first serial port is the console. */
  readonly devices: readonly PlacedDevice[]
  /** The kernel's command line. */
  readonly bootArguments?: string
  /** Physical addresses of the first byte and of the byte after the last. */
  readonly initrd?: { readonly start: number; readonly end: number }
  /** 32 bytes from the world's seed, the kernel's first entropy. */
  readonly rngSeed: Uint8Array
}

/** The tree an operating system on the board is given. @throws Error when a part of `spec` makes no board. */
export function boardDeviceTree(spec: BoardSpec): DeviceTreeNode {
  if (!Number.isInteger(spec.harts) || spec.harts < 1) throw new Error(`A board cannot have ${spec.harts} harts.`)
  if (spec.rngSeed.length !== RNG_SEED_BYTES) {
    throw new Error(`The random seed of a board has ${RNG_SEED_BYTES} bytes, not ${spec.rngSeed.length}.`)
  }
  const devices = spec.devices.toSorted((a, b) => a.base - b.base).map(placed => placed.device.deviceTreeNode(placed))
  return {
    name: "",
    properties: {
      "#address-cells": cells(2),
      "#size-cells": cells(2),
      compatible: strings("riscv-virtio"),
      model: strings("riscv-virtio,chronovisor"),
    },
    children: [
      chosen(spec, devices),
      ...powerNodes(devices),
      {
        name: unitName("memory", RAM_BASE),
        properties: { device_type: strings("memory"), reg: u64(RAM_BASE, spec.memoryBytes) },
      },
      cpus(spec),
      {
        name: "soc",
        properties: {
          "#address-cells": cells(2),
          "#size-cells": cells(2),
          compatible: strings("simple-bus"),
          ranges: empty(),
        },
        children: devices,
      },
    ],
  }
}

function chosen(spec: BoardSpec, devices: readonly DeviceTreeNode[]): DeviceTreeNode {
  const properties: Record<string, Property> = {}
  if (spec.bootArguments !== undefined) properties.bootargs = strings(spec.bootArguments)
  const serial = devices.find(node => node.name.startsWith("serial@"))
  if (serial !== undefined) properties["stdout-path"] = strings(`/soc/${serial.name}`)
  if (spec.initrd !== undefined) {
    properties["linux,initrd-start"] = u64(spec.initrd.start)
    properties["linux,initrd-end"] = u64(spec.initrd.end)
  }
  properties["rng-seed"] = bytes(spec.rngSeed)
  return { name: "chosen", properties }
}

/** How the generic drivers turn the board off and reset it, if it has the device for that. */
function powerNodes(devices: readonly DeviceTreeNode[]): DeviceTreeNode[] {
  if (!devices.some(node => node.label === TEST_LABEL)) return []
  const node = (name: string, value: number): DeviceTreeNode => ({
    name,
    properties: {
      compatible: strings(`syscon-${name}`),
      regmap: cells(reference(TEST_LABEL)),
      offset: cells(0),
      value: cells(value),
    },
  })
  return [node("poweroff", TEST_FINISHER.pass), node("reboot", TEST_FINISHER.reset)]
}

const hartLabel = (hart: number): string => `cpu${hart}`

function cpus(spec: BoardSpec): DeviceTreeNode {
  const harts = Array.from({ length: spec.harts }, (_, hart) => hart)
  return {
    name: "cpus",
    properties: {
      "#address-cells": cells(1),
      "#size-cells": cells(0),
      "timebase-frequency": cells(TIMEBASE_HZ),
    },
    children: [...harts.map(hart => cpu(spec, hart)), cpuMap(harts)],
  }
}

function cpu(spec: BoardSpec, hart: number): DeviceTreeNode {
  return {
    name: unitName("cpu", hart),
    label: hartLabel(hart),
    properties: {
      device_type: strings("cpu"),
      reg: cells(hart),
      status: strings("okay"),
      compatible: strings("riscv"),
      "riscv,isa": strings(`rv64${BASE_EXTENSIONS.join("")}_${NAMED_EXTENSIONS.join("_")}`),
      "riscv,isa-base": strings("rv64i"),
      "riscv,isa-extensions": strings(...BASE_EXTENSIONS, ...NAMED_EXTENSIONS),
      "mmu-type": strings(`riscv,${spec.virtualMemory ?? "sv48"}`),
    },
    children: [
      {
        name: "interrupt-controller",
        label: hartInterruptControllerLabel(hart),
        properties: {
          "#interrupt-cells": cells(1),
          "interrupt-controller": empty(),
          compatible: strings("riscv,cpu-intc"),
        },
      },
    ],
  }
}

function cpuMap(harts: readonly number[]): DeviceTreeNode {
  const cores = harts.map(hart => ({ name: `core${hart}`, properties: { cpu: cells(reference(hartLabel(hart))) } }))
  return { name: "cpu-map", properties: {}, children: [{ name: "cluster0", properties: {}, children: cores }] }
}
