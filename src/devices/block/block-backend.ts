// What a disk device stands on.

export const SECTOR_BYTES = 512

/**
 * Sectors of 512 bytes, read and written at once. Every range must lie within [0, sectors). Devices check what guests ask,
 * so a range outside is a programmer's error.
 */
export interface BlockBackend {
  readonly sectors: number
  readonly readOnly: boolean
  /** A copy of `count` sectors. */
  read(sector: number, count: number): Uint8Array
  /** Whole sectors. Not called when `readOnly`. */
  write(sector: number, bytes: Uint8Array): void
  /** Makes what was written last, as far as the backend can. */
  flush(): void
}

/** @throws Error when [sector, sector + count) is not on a disk of `sectors` sectors. */
export function assertOnDisk(sectors: number, sector: number, count: number): void {
  const isOnDisk = Number.isInteger(sector) && Number.isInteger(count) && sector >= 0 && count >= 0
  if (!isOnDisk || sector + count > sectors) {
    throw new Error(`Sectors ${sector} to ${sector + count} are not on a disk of ${sectors} sectors.`)
  }
}
