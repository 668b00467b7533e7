// A device tree as a flattened blob, version 17 (Devicetree Specification 0.4, chapter 5).

import type { Cell, DeviceTreeNode, Property } from "../../devices/device-tree-node.ts"

const MAGIC = 0xd00dfeed
const VERSION = 17
const COMPATIBLE_VERSION = 16
const HEADER_BYTES = 40
const RESERVATION_BYTES = 16

const BEGIN_NODE = 1
const END_NODE = 2
const PROPERTY = 3
const END = 9

/**
 * The blob of the tree under `root`. Labelled nodes get phandles from 1 on, in document order.
 *
 * @throws Error when two nodes carry one label, a reference has no node, or a number does not fit its cells.
 */
export function encodeDeviceTree(root: DeviceTreeNode): Uint8Array {
  const phandles = assignPhandles(root)
  const names = new StringTable()
  const structure = new BlobWriter()
  writeNode(structure, names, phandles, root)
  structure.cell(END)

  const structureOffset = HEADER_BYTES + RESERVATION_BYTES
  const stringsOffset = structureOffset + structure.length
  const total = stringsOffset + names.length
  const blob = new BlobWriter()
  const header = [MAGIC, total, structureOffset, stringsOffset, HEADER_BYTES, VERSION, COMPATIBLE_VERSION, 0]
  for (const word of [...header, names.length, structure.length]) blob.cell(word)
  // The memory reservation block: nothing but its terminator.
  blob.bytes(new Uint8Array(RESERVATION_BYTES))
  blob.bytes(structure.finish())
  blob.bytes(names.finish())
  return blob.finish()
}

function assignPhandles(root: DeviceTreeNode): ReadonlyMap<string, number> {
  const phandles = new Map<string, number>()
  const visit = (node: DeviceTreeNode): void => {
    if (node.label !== undefined) {
      if (phandles.has(node.label)) throw new Error(`Two device-tree nodes are labelled ${node.label}.`)
      phandles.set(node.label, phandles.size + 1)
    }
    node.children?.forEach(visit)
  }
  visit(root)
  return phandles
}

function writeNode(
  writer: BlobWriter,
  names: StringTable,
  phandles: ReadonlyMap<string, number>,
  node: DeviceTreeNode,
): void {
  writer.cell(BEGIN_NODE)
  writer.text(node.name)
  writer.align()
  const property = (name: string, content: Uint8Array): void => {
    writer.cell(PROPERTY)
    writer.cell(content.length)
    writer.cell(names.offset(name))
    writer.bytes(content)
    writer.align()
  }
  for (const [name, value] of Object.entries(node.properties)) property(name, encodeProperty(name, value, phandles))
  if (node.label !== undefined) {
    const content = new BlobWriter()
    content.cell(phandles.get(node.label)!)
    property("phandle", content.finish())
  }
  for (const child of node.children ?? []) writeNode(writer, names, phandles, child)
  writer.cell(END_NODE)
}

function encodeProperty(name: string, property: Property, phandles: ReadonlyMap<string, number>): Uint8Array {
  const writer = new BlobWriter()
  switch (property.kind) {
    case "empty":
      break
    case "cells":
      for (const cell of property.cells) writer.cell(cellValue(name, cell, phandles))
      break
    case "u64":
      for (const value of property.values) {
        if (!Number.isSafeInteger(value) || value < 0) throw new Error(`Property ${name} cannot hold ${value}.`)
        writer.cell(Math.floor(value / 2 ** 32))
        writer.cell(value >>> 0)
      }
      break
    case "strings":
      for (const value of property.values) {
        if (value.includes("\0")) throw new Error(`Property ${name} has a string with a zero byte inside.`)
        writer.text(value)
      }
      break
    case "bytes":
      writer.bytes(property.bytes)
      break
  }
  return writer.finish()
}

function cellValue(name: string, cell: Cell, phandles: ReadonlyMap<string, number>): number {
  if (typeof cell !== "number") {
    const phandle = phandles.get(cell.reference)
    if (phandle === undefined) throw new Error(`Property ${name} refers to ${cell.reference}, which labels no node.`)
    return phandle
  }
  if (!Number.isInteger(cell) || cell < 0 || cell > 0xffff_ffff) {
    throw new Error(`Property ${name} cannot hold ${cell} in one cell.`)
  }
  return cell
}

/** Property names, each once. */
class StringTable {
  readonly #writer = new BlobWriter()
  readonly #offsets = new Map<string, number>()

  get length(): number {
    return this.#writer.length
  }

  offset(name: string): number {
    const known = this.#offsets.get(name)
    if (known !== undefined) return known
    const offset = this.#writer.length
    this.#writer.text(name)
    this.#offsets.set(name, offset)
    return offset
  }

  finish(): Uint8Array {
    return this.#writer.finish()
  }
}

/** Big-endian output. */
class BlobWriter {
  readonly #bytes: number[] = []

  get length(): number {
    return this.#bytes.length
  }

  cell(value: number): void {
    this.#bytes.push(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
  }

  bytes(value: Uint8Array): void {
    for (const byte of value) this.#bytes.push(byte)
  }

  /** UTF-8 and a terminating zero. */
  text(value: string): void {
    this.bytes(new TextEncoder().encode(value))
    this.#bytes.push(0)
  }

  align(): void {
    while (this.#bytes.length % 4 !== 0) this.#bytes.push(0)
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }
}
