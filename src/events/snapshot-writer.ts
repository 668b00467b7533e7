/** Writing saved states: new pages into packs, changed segments, the snapshot itself; and removing them. Runs in the log's worker. */
import { Buffer } from "node:buffer"
import type { Database } from "better-sqlite3"
import { pack } from "./pack.ts"
import type { Position } from "./position.ts"
import {
  hashBytes,
  PageReader,
  pageBytes,
  pagesPerPack,
  pagesPerSegment,
  readSegmentList,
  type SnapshotInfo,
  sealOf,
  segmentBytes,
  sha256,
  zeroHash,
} from "./snapshot.ts"
import { prepare, query, run, selectAll, selectFirst } from "./tables.ts"

const zeroPage = Buffer.alloc(pageBytes)
const key = (hash: Buffer): string => hash.toString("latin1")

export interface SnapshotHead {
  readonly name: string | null
  readonly seq: number
  readonly position: Position
  readonly virtualNs: number
  readonly digest: Uint8Array
  readonly state: Uint8Array
}

/** Writes one snapshot: pages in any order, each at most once, on top of the parent's. Every method runs within a transaction. */
export class SnapshotWriter {
  private readonly db: Database
  private readonly pageCount: number
  /** Hashes of all segments, those of changed ones out of date until `finish`. */
  private readonly segments: Buffer
  private readonly changed = new Map<number, Buffer>()
  private readonly reader: PageReader
  private readonly selectPage
  private readonly insertPage
  private readonly insertPack

  constructor(db: Database, pageCount: number, parent: number | null) {
    this.db = db
    this.pageCount = pageCount
    this.segments = Buffer.alloc(Math.ceil(pageCount / pagesPerSegment) * hashBytes)
    if (parent !== null) {
      const inherited = readSegmentList(db, parent)
      if (inherited === null || inherited.length !== this.segments.length)
        throw new RangeError(`snapshot ${parent} cannot be the parent of one of ${pageCount} pages`)
      this.segments.set(inherited)
    }
    this.reader = new PageReader(db)
    this.selectPage = prepare(db, query.selectFrom("page").select("pack").where("hash", "=", zeroHash))
    this.insertPage = prepare(db, query.insertInto("page").values({ hash: zeroHash, pack: 0, slot: 0 }))
    this.insertPack = prepare(db, query.insertInto("page_pack").values({ data: zeroHash }))
  }

  private changedSegment(index: number): Buffer {
    let hashes = this.changed.get(index)
    if (hashes === undefined) {
      hashes = Buffer.from(this.reader.segment(this.segments.subarray(index * hashBytes, (index + 1) * hashBytes)))
      this.changed.set(index, hashes)
    }
    return hashes
  }

  /** `contents`: the 4096 bytes of each page of `indexes`, one after another. */
  pages(indexes: Uint32Array, contents: Buffer): void {
    let fresh: Array<Buffer> = []
    let freshHashes = new Map<string, Buffer>()
    const flush = () => {
      if (fresh.length === 0) return
      const id = this.insertPack.run(pack(Buffer.concat(fresh))).lastInsertRowid
      let slot = 0
      for (const hash of freshHashes.values()) this.insertPage.run(hash, id, slot++)
      fresh = []
      freshHashes = new Map()
    }
    for (const [order, index] of indexes.entries()) {
      if (index >= this.pageCount) throw new RangeError(`page ${index} is beyond the memory of ${this.pageCount} pages`)
      const content = contents.subarray(order * pageBytes, (order + 1) * pageBytes)
      const zero = content.equals(zeroPage)
      const hash = zero ? zeroHash : sha256(content)
      const slot = (index % pagesPerSegment) * hashBytes
      this.changedSegment(Math.floor(index / pagesPerSegment)).set(hash, slot)
      if (zero || freshHashes.has(key(hash)) || this.selectPage.get(hash) !== undefined) continue
      fresh.push(content)
      freshHashes.set(key(hash), hash)
      if (fresh.length === pagesPerPack) flush()
    }
    flush()
  }

  finish(head: SnapshotHead): SnapshotInfo {
    const insert = this.db.prepare(
      query
        .insertInto("page_segment")
        .values({ hash: zeroHash, data: zeroHash })
        .onConflict(conflict => conflict.doNothing())
        .compile().sql,
    )
    const zeroSegment = Buffer.alloc(segmentBytes)
    for (const [index, hashes] of this.changed) {
      const hash = hashes.equals(zeroSegment) ? zeroHash : sha256(hashes)
      this.segments.set(hash, index * hashBytes)
      if (hash !== zeroHash) insert.run(hash, pack(hashes))
    }
    const { name, seq, position, virtualNs, digest, state } = head
    const columns = {
      name,
      seq,
      ...position,
      virtual_ns: virtualNs,
      digest,
      page_count: this.pageCount,
      state: pack(state),
      segments: pack(this.segments),
    }
    const { sql, parameters } = query
      .insertInto("snapshot")
      .values({ ...columns, seal: sealOf(columns) })
      .compile()
    const id = Number(this.db.prepare(sql).run(...parameters).lastInsertRowid)
    return { id, name, seq, position, virtualNs, digest, pageCount: this.pageCount }
  }

  /** Adds the hashes of pages that only this unfinished snapshot refers to. */
  collectPages(pages: Set<string>): void {
    for (const hashes of this.changed.values()) addHashes(hashes, pages)
  }

  collectSegments(segments: Set<string>): void {
    addHashes(this.segments, segments)
  }
}

const addHashes = (hashes: Buffer, to: Set<string>): void => {
  for (let at = 0; at < hashes.length; at += hashBytes) to.add(hashes.toString("latin1", at, at + hashBytes))
}

/** Removes what no snapshot, finished or in `unfinished`, refers to. Run within a transaction. */
const collectGarbage = (db: Database, unfinished: Iterable<SnapshotWriter>): void => {
  const writers = [...unfinished]
  const segments = new Set<string>()
  for (const { id } of selectAll(db, query.selectFrom("snapshot").select("id")))
    addHashes(readSegmentList(db, id)!, segments)
  for (const writer of writers) writer.collectSegments(segments)
  const pages = new Set<string>()
  for (const writer of writers) writer.collectPages(pages)
  const reader = new PageReader(db)
  const deleteSegment = prepare(db, query.deleteFrom("page_segment").where("hash", "=", zeroHash))
  for (const { hash } of selectAll(db, query.selectFrom("page_segment").select("hash"))) {
    const stored = Buffer.from(hash)
    if (segments.has(key(stored))) addHashes(reader.segment(stored), pages)
    else deleteSegment.run(stored)
  }
  const deletePage = prepare(db, query.deleteFrom("page").where("hash", "=", zeroHash))
  for (const { hash } of selectAll(db, query.selectFrom("page").select("hash")))
    if (!pages.has(key(Buffer.from(hash)))) deletePage.run(hash)
  run(db, query.deleteFrom("page_pack").where("id", "not in", query.selectFrom("page").select("pack")))
}

/** False where there is no such snapshot. Run within a transaction. */
export const removeSnapshot = (db: Database, id: number, unfinished: Iterable<SnapshotWriter>): boolean => {
  if (selectFirst(db, query.selectFrom("snapshot").select("id").where("id", "=", id)) === undefined) return false
  run(db, query.deleteFrom("snapshot").where("id", "=", id))
  collectGarbage(db, unfinished)
  return true
}
