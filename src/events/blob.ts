/** Contents of any size (kernels, initial RAM disks, disk images), by the sha256 of all their bytes, in pieces of 64 KiB. */
import { Buffer } from "node:buffer"
import { createHash, type Hash } from "node:crypto"
import type { Database } from "better-sqlite3"
import { ContentDamaged } from "./content-damaged.ts"
import { pack, unpack } from "./pack.ts"
import { insertRow, prepare, query, run, selectFirst } from "./tables.ts"

export const chunkBytes = 65536
const zeroChunk = Buffer.alloc(chunkBytes)
const isZero = (chunk: Uint8Array): boolean => zeroChunk.compare(chunk, 0, chunk.length, 0, chunk.length) === 0

export interface StoredBlob {
  /** 64 hexadecimal digits. */
  readonly hash: string
  readonly bytes: number
}

/** Writes one content, in order. It becomes visible with `finish`. */
export class BlobWriter {
  private readonly db: Database
  private readonly id: number
  private readonly hash: Hash | null
  private readonly known: Buffer | null
  private readonly pending = Buffer.alloc(chunkBytes)
  private pendingBytes = 0
  private chunk = 0
  private readonly insert

  /** `known`: the hash of what will be written, where the caller has it already. */
  constructor(db: Database, known: string | null = null) {
    this.db = db
    this.known = known === null ? null : Buffer.from(known, "hex")
    this.hash = known === null ? createHash("sha256") : null
    this.id = insertRow(db, query.insertInto("blob").values({ hash: null, size: 0 }))
    this.insert = prepare(db, query.insertInto("blob_chunk").values({ blob: 0, chunk: 0, data: zeroChunk }))
  }

  /** Run within a transaction. */
  write(bytes: Uint8Array): void {
    this.hash?.update(bytes)
    let rest = bytes
    while (rest.length > 0) {
      const part = rest.subarray(0, chunkBytes - this.pendingBytes)
      this.pending.set(part, this.pendingBytes)
      this.pendingBytes += part.length
      rest = rest.subarray(part.length)
      if (this.pendingBytes === chunkBytes) this.flush()
    }
  }

  private flush(): void {
    const content = this.pending.subarray(0, this.pendingBytes)
    if (!isZero(content)) this.insert.run(this.id, this.chunk, pack(content))
    this.chunk++
    this.pendingBytes = 0
  }

  /** Run within a transaction. A content that is there already is not stored twice. */
  finish(): StoredBlob {
    const size = this.chunk * chunkBytes + this.pendingBytes
    if (this.pendingBytes > 0) this.flush()
    const hash = this.known ?? this.hash!.digest()
    if (selectFirst(this.db, query.selectFrom("blob").select("id").where("hash", "=", hash)) !== undefined)
      this.abandon()
    else run(this.db, query.updateTable("blob").set({ hash, size }).where("id", "=", this.id))
    return { hash: hash.toString("hex"), bytes: size }
  }

  abandon(): void {
    run(this.db, query.deleteFrom("blob_chunk").where("blob", "=", this.id))
    run(this.db, query.deleteFrom("blob").where("id", "=", this.id))
  }
}

/** Removes contents whose writing was cut off. */
export const removeIncompleteBlobs = (db: Database): void => {
  db.transaction(() => {
    const incomplete = query.selectFrom("blob").select("id").where("hash", "is", null)
    run(db, query.deleteFrom("blob_chunk").where("blob", "in", incomplete))
    run(db, query.deleteFrom("blob").where("hash", "is", null))
  })()
}

export const findBlob = (db: Database, hash: string): { id: number; size: number } | undefined => {
  const found = selectFirst(
    db,
    query.selectFrom("blob").select(["id", "size"]).where("hash", "=", Buffer.from(hash, "hex")),
  )
  if (found !== undefined && !(Number.isSafeInteger(found.size) && found.size >= 0))
    throw new ContentDamaged(`the size of the content ${hash} is not a number`)
  return found
}

/** Size in bytes, null where the content is not there. */
export const blobSize = (db: Database, hash: string): number | null => findBlob(db, hash)?.size ?? null

/**
 * The pieces of a content in order, 64 KiB each but the last; null where it is not there.
 * @throws ContentDamaged where a piece is not what was written, at the latest after the last piece.
 */
export const readBlob = (db: Database, hash: string): Iterable<Uint8Array> | null => {
  const found = findBlob(db, hash)
  return found === undefined ? null : eachPiece(db, hash, found.id, found.size)
}

/** All of a content in one piece; null where it is not there. @throws ContentDamaged */
export const readWholeBlob = (db: Database, hash: string): Uint8Array | null => {
  const found = findBlob(db, hash)
  if (found === undefined) return null
  const whole = new Uint8Array(found.size)
  let at = 0
  for (const piece of eachPiece(db, hash, found.id, found.size)) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/**
 * A part of a content, cut off where that ends; null where it is not there. Each piece is checked by itself, not the whole.
 * @throws ContentDamaged
 */
export const readBlobPart = (db: Database, hash: string, from: number, bytes: number): Uint8Array | null => {
  const found = findBlob(db, hash)
  if (found === undefined) return null
  const part = new Uint8Array(Math.max(0, Math.min(bytes, found.size - from)))
  const end = from + part.length
  for (let chunk = Math.floor(from / chunkBytes); chunk * chunkBytes < end; chunk++) {
    const start = chunk * chunkBytes
    const piece = readPiece(db, hash, found, chunk)
    const wanted = piece.subarray(Math.max(0, from - start), end - start)
    part.set(wanted, Math.max(0, start - from))
  }
  return part
}

/** One piece of a content, which `hash` is named by. @throws ContentDamaged */
export const readPiece = (
  db: Database,
  hash: string,
  { id, size }: { id: number; size: number },
  chunk: number,
): Buffer => {
  const select = prepare(db, query.selectFrom("blob_chunk").select("data").where("blob", "=", 0).where("chunk", "=", 0))
  const length = Math.min(chunkBytes, size - chunk * chunkBytes)
  const stored = select.get(id, chunk)
  const what = `piece ${chunk} of the content ${hash}`
  const piece = stored === undefined ? Buffer.alloc(length) : unpack(stored.data, chunkBytes, what)
  if (piece.length !== length) throw new ContentDamaged(`${what} has ${piece.length} bytes instead of ${length}`)
  return piece
}

function* eachPiece(db: Database, hash: string, id: number, size: number): Generator<Uint8Array> {
  const whole = createHash("sha256")
  for (let chunk = 0; chunk * chunkBytes < size; chunk++) {
    const piece = readPiece(db, hash, { id, size }, chunk)
    whole.update(piece)
    yield piece
  }
  if (whole.digest("hex") !== hash) throw new ContentDamaged(`the content ${hash} is not what was stored`)
}
