/** Compression of what is stored: zstd at its fastest regular level, with zstd's own checksum. */
import type { Buffer } from "node:buffer"
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { ContentDamaged } from "./content-damaged.ts"

const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 }

/** Bytes of memory that is taken at once for what is unpacked. */
const ONE_PIECE_MAX = (1 << 16) + 64

/** The size is told beforehand: the compressor's tables are then no larger than the content needs. */
export const pack = (content: Uint8Array): Buffer =>
  zstdCompressSync(content, { params, pledgedSrcSize: content.length })

/** @throws ContentDamaged, naming `what`, unless `packed` gives at most `bytesMax` bytes. */
export const unpack = (packed: unknown, bytesMax: number, what: string): Buffer => {
  try {
    if (!(packed instanceof Uint8Array)) throw new TypeError("it is not a blob")
    // One piece of memory for what is small, as most is: several would be put together in another one.
    const chunkSize = Math.min(ONE_PIECE_MAX, Math.max(64, bytesMax + 1))
    return zstdDecompressSync(packed, { maxOutputLength: Math.max(1, bytesMax), chunkSize })
  } catch (cause) {
    throw new ContentDamaged(`${what} cannot be unpacked (${cause instanceof Error ? cause.message : String(cause)})`)
  }
}
