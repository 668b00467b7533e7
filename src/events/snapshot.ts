/**
 * Saved states. Memory is a tree of hashes: 4 KiB pages by their sha256, segments of 128 page hashes by theirs, and a snapshot is its
 * list of segments. Equal parts are stored once, so a snapshot costs about its new pages. All-zero pages are not stored.
 */
import { Buffer } from "node:buffer"
import { createHash, hash as digestOf } from "node:crypto"
import type { Database } from "better-sqlite3"
import { ContentDamaged } from "./content-damaged.ts"
import { unpack } from "./pack.ts"
import type { Position } from "./position.ts"
import { plainBytes } from "./row.ts"
import { prepare, query, type SnapshotTable, selectAll, selectFirst } from "./tables.ts"

export const pageBytes = 4096
export const pagesPerSegment = 128
export const pagesPerPack = 16
export const hashBytes = 32
export const segmentBytes = pagesPerSegment * hashBytes
/** Stands for a page, or a segment, of zeros only. */
export const zeroHash = Buffer.alloc(hashBytes)
export const stateBytesMax = 1 << 30

export interface SnapshotInfo {
  readonly id: number
  /** null: a checkpoint of the engine's own. */
  readonly name: string | null
  /** The last event that had happened. */
  readonly seq: number
  readonly position: Position
  readonly virtualNs: number
  /** As given: over all of memory and device state. */
  readonly digest: Uint8Array
  /** Size of the memory, in pages of 4 KiB. */
  readonly pageCount: number
}

export interface Page {
  readonly index: number
  /** 4096 bytes. */
  readonly bytes: Uint8Array
}

type SealedColumns = Omit<SnapshotTable, "id" | "seal">

export const sha256 = (bytes: Uint8Array): Buffer => digestOf("sha256", bytes, "buffer")

/** sha256 over all columns of a snapshot. */
export const sealOf = (columns: SealedColumns): Buffer => {
  const { name, seq, round, machine, hart, instret, virtual_ns, page_count, digest, state, segments } = columns
  const head = JSON.stringify([
    name,
    seq,
    round,
    machine,
    hart,
    instret,
    virtual_ns,
    page_count,
    digest.length,
    state.length,
  ])
  return createHash("sha256").update(head).update(digest).update(state).update(segments).digest()
}

const infoColumns = [
  "id",
  "name",
  "seq",
  "round",
  "machine",
  "hart",
  "instret",
  "virtual_ns",
  "digest",
  "page_count",
] as const

const toInfo = (
  columns: Pick<SnapshotTable, Exclude<(typeof infoColumns)[number], "id">> & { id: number },
): SnapshotInfo => {
  const { id, name, seq, round, machine, hart, instret, virtual_ns, digest, page_count } = columns
  const numbers = [id, seq, round, machine, hart, instret, virtual_ns, page_count]
  const sound = numbers.every(value => Number.isSafeInteger(value) && value >= 0) && digest instanceof Uint8Array
  if (!sound || !(name === null || typeof name === "string"))
    throw new ContentDamaged(`the record of snapshot ${name ?? id} has columns of the wrong type`)
  return {
    id,
    name,
    seq,
    position: { round, machine, hart, instret },
    virtualNs: virtual_ns,
    digest: plainBytes(digest),
    pageCount: page_count,
  }
}

/** All snapshots and checkpoints in the order of history. */
export const listSnapshots = (db: Database): ReadonlyArray<SnapshotInfo> =>
  selectAll(db, query.selectFrom("snapshot").select(infoColumns).orderBy("seq").orderBy("id")).map(toInfo)

/** By id or by name. */
export const findSnapshot = (db: Database, which: number | string): SnapshotInfo | null => {
  const select = query.selectFrom("snapshot").select(infoColumns)
  const found = selectFirst(
    db,
    typeof which === "number" ? select.where("id", "=", which) : select.where("name", "=", which),
  )
  return found === undefined ? null : toInfo(found)
}

const segmentCount = (pageCount: number): number => Math.ceil(pageCount / pagesPerSegment)

/** The segment hashes of a snapshot, one after another; null where there is no such snapshot. */
export const readSegmentList = (db: Database, id: number): Buffer | null => {
  const found = selectFirst(db, query.selectFrom("snapshot").select(["segments", "page_count"]).where("id", "=", id))
  if (found === undefined) return null
  const count = segmentCount(found.page_count)
  const hashes = unpack(found.segments, count * hashBytes, `the memory map of snapshot ${id}`)
  if (hashes.length !== count * hashBytes)
    throw new ContentDamaged(`the memory map of snapshot ${id} has ${hashes.length} bytes`)
  return hashes
}

/** The machine's state; null where there is no such snapshot. @throws ContentDamaged where any column is not what was written. */
export const readState = (db: Database, id: number): Buffer | null => {
  const columns = selectFirst(db, query.selectFrom("snapshot").selectAll().where("id", "=", id))
  if (columns === undefined) return null
  toInfo(columns)
  const { state, segments, seal } = columns
  if (![state, segments, seal].every(value => value instanceof Uint8Array))
    throw new ContentDamaged(`the record of snapshot ${columns.name ?? id} has columns of the wrong type`)
  if (Buffer.compare(sealOf(columns), columns.seal) !== 0)
    throw new ContentDamaged(`snapshot ${columns.name ?? id} is not what was stored`)
  return unpack(columns.state, stateBytesMax, `the state of snapshot ${columns.name ?? id}`)
}

/** Reads segments and pages, checking each against its hash. Keeps the last packs unpacked. */
export class PageReader {
  private readonly selectSegment
  private readonly selectPage
  private readonly selectPack
  private readonly packs = new Map<number, Buffer>()
  private static readonly packsMax = 64

  constructor(db: Database) {
    this.selectSegment = prepare(db, query.selectFrom("page_segment").select("data").where("hash", "=", zeroHash))
    this.selectPage = prepare(db, query.selectFrom("page").select(["pack", "slot"]).where("hash", "=", zeroHash))
    this.selectPack = prepare(db, query.selectFrom("page_pack").select("data").where("id", "=", 0))
  }

  /** The 128 page hashes of a segment, one after another. */
  segment(hash: Buffer): Buffer {
    if (hash.equals(zeroHash)) return Buffer.alloc(segmentBytes)
    const found = this.selectSegment.get(hash)
    const name = hash.toString("hex")
    if (found === undefined) throw new ContentDamaged(`the memory segment ${name} is missing`)
    const hashes = unpack(found.data, segmentBytes, `the memory segment ${name}`)
    if (hashes.length !== segmentBytes || !sha256(hashes).equals(hash))
      throw new ContentDamaged(`the memory segment ${name} is not what was stored`)
    return hashes
  }

  page(hash: Buffer): Buffer {
    if (hash.equals(zeroHash)) return Buffer.alloc(pageBytes)
    const name = hash.toString("hex")
    const found = this.selectPage.get(hash)
    if (found === undefined) throw new ContentDamaged(`the memory page ${name} is missing`)
    const bytes = this.pack(found.pack).subarray(found.slot * pageBytes, (found.slot + 1) * pageBytes)
    if (bytes.length !== pageBytes || !sha256(bytes).equals(hash))
      throw new ContentDamaged(`the memory page ${name} is not what was stored`)
    return bytes
  }

  private pack(id: number): Buffer {
    const cached = this.packs.get(id)
    if (cached !== undefined) return cached
    const found = this.selectPack.get(id)
    if (found === undefined) throw new ContentDamaged(`the memory page pack ${id} is missing`)
    const content = unpack(found.data, pagesPerPack * pageBytes, `the memory page pack ${id}`)
    if (this.packs.size === PageReader.packsMax) this.packs.delete(this.packs.keys().next().value!)
    this.packs.set(id, content)
    return content
  }
}

/**
 * The pages of a snapshot in address order. Without `since`: those that are not zero. With it: those that differ from that snapshot,
 * zero pages too. A page's bytes are shared: they must not be changed.
 */
export function* eachPage(db: Database, id: number, since: number | null): Generator<Page> {
  const segments = readSegmentList(db, id)
  const info = findSnapshot(db, id)
  const older = since === null ? Buffer.alloc(0) : readSegmentList(db, since)
  if (segments === null || info === null || older === null)
    throw new ContentDamaged("the snapshot was removed meanwhile")
  const reader = new PageReader(db)
  for (let at = 0; at < segments.length; at += hashBytes) {
    const hash = segments.subarray(at, at + hashBytes)
    const olderHash = at < older.length ? older.subarray(at, at + hashBytes) : zeroHash
    if (hash.equals(olderHash)) continue
    const hashes = reader.segment(hash)
    const olderHashes = reader.segment(olderHash)
    const firstPage = (at / hashBytes) * pagesPerSegment
    for (let slot = 0; slot < pagesPerSegment && firstPage + slot < info.pageCount; slot++) {
      const from = slot * hashBytes
      const pageHash = hashes.subarray(from, from + hashBytes)
      if (pageHash.equals(olderHashes.subarray(from, from + hashBytes))) continue
      yield { index: firstPage + slot, bytes: reader.page(pageHash) }
    }
  }
}
