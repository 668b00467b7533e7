import { describe, expect, test } from "vitest"
import {
  bytes,
  type Cell,
  cells,
  type DeviceTreeNode,
  empty,
  reference,
  strings,
  u64,
} from "../../../src/devices/device-tree-node.ts"
import { encodeDeviceTree } from "../../../src/machine/device-tree/index.ts"
import { type DecodedNode, decodeDeviceTree } from "./blob-reader.ts"

describe("device tree blob", () => {
  test("holds what the tree holds", () => {
    const root: DeviceTreeNode = {
      name: "",
      properties: { model: strings("a", "bc"), "dma-coherent": empty(), seed: bytes(Uint8Array.of(1, 2, 3, 4, 5)) },
      children: [
        { name: "user@1", properties: { at: cells(reference("late"), 5), wide: u64(2 ** 52 + 3) } },
        { name: "late", label: "late", properties: { model: strings("") } },
      ],
    }
    const decoded = decodeDeviceTree(encodeDeviceTree(root))
    const expected: DecodedNode = {
      name: "",
      properties: { model: [97, 0, 98, 99, 0], "dma-coherent": [], seed: [1, 2, 3, 4, 5] },
      children: [
        { name: "user@1", properties: { at: [0, 0, 0, 1, 0, 0, 0, 5], wide: [0, 16, 0, 0, 0, 0, 0, 3] }, children: [] },
        { name: "late", properties: { model: [0], phandle: [0, 0, 0, 1] }, children: [] },
      ],
    }
    expect(decoded).toEqual(expected)
  })

  test("refuses what it cannot hold", () => {
    const node = (value: Cell): DeviceTreeNode => ({ name: "", properties: { p: cells(value) } })
    expect(() => encodeDeviceTree(node(2 ** 32))).toThrow("Property p")
    expect(() => encodeDeviceTree(node(-1))).toThrow("Property p")
    expect(() => encodeDeviceTree(node(reference("nobody")))).toThrow("nobody")
    expect(() => encodeDeviceTree({ name: "", properties: { p: u64(2 ** 53) } })).toThrow("Property p")
    const twin = { name: "n", label: "twin", properties: {} }
    expect(() => encodeDeviceTree({ name: "", properties: {}, children: [twin, twin] })).toThrow("twin")
  })
})
