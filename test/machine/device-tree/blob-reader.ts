// A reader of flattened device trees, written from the specification alone to check the encoder against.

import { expect } from "vitest"

export interface DecodedNode {
  readonly name: string
  readonly properties: Record<string, number[]>
  readonly children: DecodedNode[]
}

export function decodeDeviceTree(blob: Uint8Array): DecodedNode {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length)
  const [magic, total, structure, names, reservations, version, compatible, , namesBytes, structureBytes] = Array.from(
    { length: 10 },
    (_, i) => view.getUint32(4 * i),
  ) as [number, number, number, number, number, number, number, number, number, number]
  expect([magic, total, version, compatible]).toEqual([0xd00dfeed, blob.length, 17, 16])
  expect([reservations % 8, structure % 4, names + namesBytes]).toEqual([0, 0, blob.length])
  expect(blob.slice(reservations, reservations + 16)).toEqual(new Uint8Array(16))

  const text = (at: number): string => new TextDecoder().decode(blob.subarray(at, blob.indexOf(0, at)))
  const aligned = (at: number): number => (at + 3) & -4
  let at = structure
  const readNode = (): DecodedNode => {
    expect(view.getUint32(at)).toBe(1)
    const name = text(at + 4)
    at = aligned(at + 4 + name.length + 1)
    const node: DecodedNode = { name, properties: {}, children: [] }
    while (view.getUint32(at) === 3) {
      const length = view.getUint32(at + 4)
      node.properties[text(names + view.getUint32(at + 8))] = [...blob.subarray(at + 12, at + 12 + length)]
      at = aligned(at + 12 + length)
    }
    while (view.getUint32(at) === 1) node.children.push(readNode())
    expect(view.getUint32(at)).toBe(2)
    at += 4
    return node
  }
  const root = readNode()
  expect([view.getUint32(at), at + 4]).toEqual([9, structure + structureBytes])
  return root
}
