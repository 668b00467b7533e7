// A disk whose content is an array of bytes.

import { assertOnDisk, type BlockBackend, SECTOR_BYTES } from "./block-backend.ts"

/** Stands on `content` itself, not on a copy. */
export class MemoryDisk implements BlockBackend {
  readonly sectors: number
  readonly readOnly: boolean
  readonly #content: Uint8Array

  /** @throws Error when `content` is not whole sectors. */
  constructor(content: Uint8Array, options: { readonly readOnly?: boolean } = {}) {
    if (content.length % SECTOR_BYTES !== 0) {
      throw new Error(`A disk has whole sectors of ${SECTOR_BYTES} bytes; ${content.length} bytes are not.`)
    }
    this.sectors = content.length / SECTOR_BYTES
    this.readOnly = options.readOnly ?? false
    this.#content = content
  }

  read(sector: number, count: number): Uint8Array {
    assertOnDisk(this.sectors, sector, count)
    return this.#content.slice(sector * SECTOR_BYTES, (sector + count) * SECTOR_BYTES)
  }

  write(sector: number, bytes: Uint8Array): void {
    if (this.readOnly) throw new Error("This disk is read-only.")
    assertOnDisk(this.sectors, sector, bytes.length / SECTOR_BYTES)
    this.#content.set(bytes, sector * SECTOR_BYTES)
  }

  flush(): void {}
}
