/**
 * Regions that one run compiled, kept for the next of the same guest: it need not find out again what is worth it. A file is a cache:
 * of what is damaged nothing is used, and which pages a region is for is told by their content.
 */
import { createHash } from "node:crypto"
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs"
import { dirname } from "node:path"
import { deserialize, serialize } from "node:v8"
import { keepNewest } from "../events/cache-directory.ts"
import type { CompiledBatch } from "../machine/machine-config.ts"

/** A batch with its module's bytes. */
export type KeptBatch = Pick<CompiledBatch, "regions"> & { readonly bytes: Uint8Array<ArrayBuffer> }

/** No more is kept of a guest. */
const FILE_BYTES_MAX = 16 << 20
/** The files used last are kept. */
const FILES_MAX = 8
const HASH_BYTES = 16
/** A batch is its hash, its length (32 bits, little-endian) and its content: the number of pages, their keys, and the rest. */
const HEADER_BYTES = HASH_BYTES + 4

const hashOf = (content: Uint8Array): Buffer => createHash("sha256").update(content).digest().subarray(0, HASH_BYTES)

/** A batch in a file, and the `pageKey`s of the pages it is for. */
export interface StoredBatch {
  readonly pages: readonly number[]
  readonly read: () => KeptBatch
}

const storedBatch = (content: Buffer): StoredBatch => {
  const count = content.readUInt32LE(0)
  return {
    pages: Array.from({ length: count }, (_, at) => content.readInt32LE(4 + at * 4)),
    read: () => ownBytes(deserialize(content.subarray(4 + count * 4))),
  }
}

/** What a file holds, in the order in which it was compiled. A damaged file goes, and what comes before the damage is used. */
export const readKept = (file: string): readonly StoredBatch[] => {
  const batches: StoredBatch[] = []
  try {
    const all = readFileSync(file)
    for (let at = 0; at < all.length; ) {
      const begin = at + HEADER_BYTES
      const end = begin + (begin <= all.length ? all.readUInt32LE(at + HASH_BYTES) : 0)
      const content = all.subarray(begin, end)
      if (!hashOf(content).equals(all.subarray(at, at + HASH_BYTES))) {
        rmSync(file)
        return batches
      }
      batches.push(storedBatch(content))
      at = end
    }
    const now = new Date()
    utimesSync(file, now, now)
  } catch {
    // There is none, or it cannot be read: the machine starts without it.
  }
  return batches
}

/** What was read lies in the file's bytes: what is sent to another thread shall not take all of them along. */
const ownBytes = ({ bytes, regions }: KeptBatch): KeptBatch => ({
  bytes,
  regions: regions.map(region => ({ ...region, code: region.code.slice() })),
})

/** Adds a batch to a file. */
export const keepBatch = (file: string, { bytes, regions }: KeptBatch): void => {
  const pages = [...new Set(regions.map(({ page }) => page))]
  const content = Buffer.concat([
    new Uint8Array(new Uint32Array([pages.length, ...pages]).buffer),
    serialize({ bytes, regions }),
  ])
  const header = Buffer.alloc(HEADER_BYTES)
  hashOf(content).copy(header)
  header.writeUInt32LE(content.length, HASH_BYTES)
  try {
    const before = statSync(file, { throwIfNoEntry: false })
    if (before === undefined) {
      mkdirSync(dirname(file), { recursive: true })
      keepNewest(dirname(file), FILES_MAX - 1)
    }
    // In one piece, as another run of the same guest may add to it.
    if ((before?.size ?? 0) + content.length <= FILE_BYTES_MAX) appendFileSync(file, Buffer.concat([header, content]))
  } catch {
    // A run goes on without what would make the next one faster.
  }
}
