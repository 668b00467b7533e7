// A disk that keeps what is written apart from the disk it stands on.

import { StateFields } from "../state-fields.ts"
import type { StateValue } from "../state-value.ts"
import { assertOnDisk, type BlockBackend, SECTOR_BYTES } from "./block-backend.ts"

export const COW_BLOCK_BYTES = 4096
const BLOCK_SECTORS = COW_BLOCK_BYTES / SECTOR_BYTES

/**
 * Copy-on-write over a base that it never writes. The overlay holds whole blocks of 4 KiB, the last one of the disk padded with
 * zeroes when the disk ends inside it. Only the overlay is state: whoever restores it brings the same base.
 */
export class CowDisk implements BlockBackend {
  readonly sectors: number
  readonly readOnly: boolean
  readonly #base: BlockBackend
  readonly #overlay = new Map<number, Uint8Array>()

  constructor(base: BlockBackend, options: { readonly readOnly?: boolean } = {}) {
    this.sectors = base.sectors
    this.readOnly = options.readOnly ?? false
    this.#base = base
  }

  read(sector: number, count: number): Uint8Array {
    assertOnDisk(this.sectors, sector, count)
    const bytes = this.#base.read(sector, count)
    if (this.#overlay.size === 0) return bytes
    forEachBlock(sector, count, (index, first, sectors, position) => {
      const block = this.#overlay.get(index)
      if (block !== undefined)
        bytes.set(block.subarray(first * SECTOR_BYTES, (first + sectors) * SECTOR_BYTES), position)
    })
    return bytes
  }

  write(sector: number, bytes: Uint8Array): void {
    if (this.readOnly) throw new Error("This disk is read-only.")
    const count = bytes.length / SECTOR_BYTES
    assertOnDisk(this.sectors, sector, count)
    forEachBlock(sector, count, (index, first, sectors, position) => {
      const piece = bytes.subarray(position, position + sectors * SECTOR_BYTES)
      this.#writableBlock(index).set(piece, first * SECTOR_BYTES)
    })
  }

  /** Nothing to do: the overlay lasts as long as what saves it. */
  flush(): void {}

  /** Numbers of the blocks in the overlay, ascending. Block n holds sectors 8n to 8n + 7. */
  dirtyBlocks(): number[] {
    return [...this.#overlay.keys()].sort((a, b) => a - b)
  }

  /** A copy of block `index` of the overlay. @throws Error when the overlay does not hold it. */
  dirtyBlock(index: number): Uint8Array {
    const block = this.#overlay.get(index)
    if (block === undefined) throw new Error(`Block ${index} was not written.`)
    return block.slice()
  }

  /** Puts a block of 4096 bytes into the overlay. @throws Error when it is not on the disk or not of that size. */
  setDirtyBlock(index: number, bytes: Uint8Array): void {
    const isOnDisk = Number.isInteger(index) && index >= 0 && index * BLOCK_SECTORS < this.sectors
    if (!isOnDisk) throw new Error(`Block ${index} is not on a disk of ${this.sectors} sectors.`)
    if (bytes.length !== COW_BLOCK_BYTES) throw new Error(`A block has ${COW_BLOCK_BYTES} bytes, not ${bytes.length}.`)
    this.#overlay.set(index, bytes.slice())
  }

  /** Forgets everything written. */
  clear(): void {
    this.#overlay.clear()
  }

  save(): StateValue {
    const blocks = this.dirtyBlocks().map(index => ({ index, bytes: this.dirtyBlock(index) }))
    return { sectors: this.sectors, blocks }
  }

  /** @throws Error when `state` is not the overlay of a disk of this size. */
  restore(state: StateValue): void {
    const fields = new StateFields("disk", state, ["sectors", "blocks"])
    fields.integer("sectors", this.sectors, this.sectors)
    this.#overlay.clear()
    for (const saved of fields.array("blocks")) {
      const block = new StateFields("disk block", saved, ["index", "bytes"])
      this.setDirtyBlock(block.integer("index", 0, Number.MAX_SAFE_INTEGER), block.bytes("bytes", COW_BLOCK_BYTES))
    }
  }

  #writableBlock(index: number): Uint8Array {
    const known = this.#overlay.get(index)
    if (known !== undefined) return known
    const block = new Uint8Array(COW_BLOCK_BYTES)
    const start = index * BLOCK_SECTORS
    block.set(this.#base.read(start, Math.min(BLOCK_SECTORS, this.sectors - start)))
    this.#overlay.set(index, block)
    return block
  }
}

/** Visits the blocks under a range: block number, first sector inside it, sectors inside it, byte position in the range. */
function forEachBlock(
  sector: number,
  count: number,
  visit: (index: number, first: number, sectors: number, position: number) => void,
): void {
  const end = sector + count
  for (let at = sector; at < end; ) {
    const first = at % BLOCK_SECTORS
    const sectors = Math.min(BLOCK_SECTORS - first, end - at)
    visit((at - first) / BLOCK_SECTORS, first, sectors, (at - sector) * SECTOR_BYTES)
    at += sectors
  }
}
