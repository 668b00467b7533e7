/** Writing saved states: new pages into packs, a memory map, the snapshot itself; and removing them. Runs in the log's worker. */
import { Buffer } from "node:buffer"
import type { Database } from "better-sqlite3"
import type { WrittenLines } from "../machine/memory-watch.ts"
import { type LoadedPages, placeInContent } from "./content-pages.ts"
import { eachMap, mapBytes, removeOtherMaps, type StoredMap, storeMap } from "./memory-map.ts"
import { pack } from "./pack.ts"
import type { PageIndex } from "./page-index.ts"
import type { Position } from "./position.ts"
import {
  hashBytes,
  PageReader,
  packSealOf,
  pageBytes,
  pagesPerPack,
  prefixOf,
  readPlaces,
  type SnapshotInfo,
  sealOf,
  sha256,
} from "./snapshot.ts"
import { insertRow, prepare, query, run, selectAll, selectFirst } from "./tables.ts"
import { storeWritten } from "./written-lines.ts"

const zeroPage = Buffer.alloc(pageBytes)
const nothing = Buffer.alloc(0)

export interface SnapshotHead {
  readonly name: string | null
  readonly seq: number
  readonly position: Position
  readonly virtualNs: number
  readonly digest: Uint8Array
  readonly state: Uint8Array
  /** What was written since an event; absent or null where that is not known. */
  readonly written?: (WrittenLines & { readonly since: number }) | null
}

/** A snapshot that was stored, with its map: another may be made on top of it. */
export interface StoredSnapshot {
  readonly info: SnapshotInfo
  readonly map: StoredMap
}

/** The map of a snapshot that is in the file. @throws RangeError where there is none. */
export const mapOf = (db: Database, snapshot: number): StoredMap => {
  const map = readPlaces(db, snapshot)
  if (map === null) throw new RangeError(`there is no snapshot ${snapshot} to build on`)
  return map
}

/**
 * Takes in the pages of one snapshot, in any order, each at most once, on top of its parent's. Nothing is written before `finish`, so
 * the snapshot is in the file whole or not at all.
 */
export class SnapshotWriter {
  private readonly db: Database
  private readonly parent: StoredMap | null
  /** Of the pages taken in so far: their places, or where they will be in `packs`, as a negative number. */
  private readonly changed = new Map<number, number>()
  private readonly packs: { hashes: Buffer; data: Buffer }[] = []
  /** Pages that are new, by hash: where they will be. */
  private readonly fresh = new Map<string, number>()
  private gathered: { hash: Buffer; content: Buffer }[] = []
  private readonly places: Uint32Array
  private readonly reader: PageReader
  private readonly index: PageIndex

  /** @throws RangeError where the parent is of another size; ContentDamaged where the file has not what was loaded. */
  constructor(
    db: Database,
    pageCount: number,
    parent: StoredMap | null,
    index: PageIndex,
    loaded: readonly LoadedPages[] = [],
  ) {
    if (parent !== null && parent.places.length !== pageCount)
      throw new RangeError(`a memory of ${parent.places.length} pages cannot be the parent of one of ${pageCount}`)
    this.db = db
    this.parent = parent
    this.places = parent === null ? new Uint32Array(pageCount) : parent.places.slice()
    for (const { page, count, hash, contentPage } of loaded) {
      const place = placeInContent(db, hash, contentPage)
      for (let order = 0; order < count; order++) this.places[page + order] = place + order
    }
    this.reader = new PageReader(db)
    this.index = index
  }

  /** `contents`: the 4096 bytes of each page of `indexes`, one after another. */
  pages(indexes: Uint32Array, contents: Buffer): void {
    for (const [order, index] of indexes.entries())
      this.change(index, this.placeOf(contents.subarray(order * pageBytes, (order + 1) * pageBytes)))
  }

  /** The numbers of pages that are all zero. */
  zeros(indexes: readonly number[]): void {
    for (const index of indexes) this.change(index, 0)
  }

  private change(index: number, place: number): void {
    if (index >= this.places.length)
      throw new RangeError(`page ${index} is beyond the memory of ${this.places.length} pages`)
    // What stands where it stood before does not change.
    if (place === this.places[index]) this.changed.delete(index)
    else this.changed.set(index, place)
  }

  private placeOf(content: Buffer): number {
    if (content.equals(zeroPage)) return 0
    const hash = sha256(content)
    const key = hash.toString("latin1")
    const known = this.fresh.get(key) ?? this.storedPlace(hash)
    if (known !== null) return known
    const place = -(this.packs.length * pagesPerPack + this.gathered.length + 1)
    this.fresh.set(key, place)
    // The content belongs to the caller, who may use its memory again.
    this.gathered.push({ hash, content: Buffer.from(content) })
    if (this.gathered.length === pagesPerPack) this.pack()
    return place
  }

  private storedPlace(hash: Buffer): number | null {
    const place = this.index.find(prefixOf(hash))
    if (place === undefined) return null
    const slot = place % pagesPerPack
    const hashes = this.reader.hashes(Math.floor(place / pagesPerPack), `the page at place ${place}`)
    return hashes.subarray(slot * hashBytes, (slot + 1) * hashBytes).equals(hash) ? place : null
  }

  private pack(): void {
    if (this.gathered.length === 0) return
    const hashes = Buffer.alloc(pagesPerPack * hashBytes)
    for (const [slot, { hash }] of this.gathered.entries()) hashes.set(hash, slot * hashBytes)
    this.packs.push({ hashes, data: pack(Buffer.concat(this.gathered.map(({ content }) => content))) })
    this.gathered = []
  }

  /** Places of stored pages that this unfinished snapshot refers to. */
  *storedPlaces(): Generator<number> {
    yield* this.places
    for (const place of this.changed.values()) if (place > 0) yield place
  }

  /** The maps that this unfinished snapshot rests on. */
  get base(): number | null {
    return this.parent?.id ?? null
  }

  /** Writes everything. Run within a transaction. */
  finish(head: SnapshotHead): StoredSnapshot {
    this.pack()
    const firstPlace = this.writePacks() * pagesPerPack
    const placeIn = (place: number) => (place >= 0 ? place : firstPlace - place - 1)
    for (const [index, place] of this.changed) this.places[index] = placeIn(place)
    this.indexPages(placeIn)
    const map = storeMap(
      this.db,
      this.places,
      [...this.changed.keys()].sort((a, b) => a - b),
      this.parent,
    )
    const { seq, written = null } = head
    if (written !== null) storeWritten(this.db, { ...written, fromSeq: written.since, toSeq: seq })
    return { info: this.writeRecord(head, map), map }
  }

  /** Gives the number of the first. The number of a pack is never used again. */
  private writePacks(): number {
    const used = query.selectFrom("sqlite_sequence").select("seq").where("name", "=", "page_pack")
    const first = (selectFirst(this.db, used)?.seq ?? 0) + 1
    const values = { id: 0, seal: nothing, hashes: nothing, data: nothing }
    const insert = prepare(this.db, query.insertInto("page_pack").values(values))
    for (const [order, { hashes, data }] of this.packs.entries())
      insert.run(first + order, packSealOf(first + order, hashes), hashes, data)
    return first
  }

  private indexPages(placeIn: (place: number) => number): void {
    for (const [key, place] of this.fresh) this.index.add(prefixOf(Buffer.from(key, "latin1")), placeIn(place))
  }

  private writeRecord(head: SnapshotHead, map: StoredMap): SnapshotInfo {
    const { name, seq, position, virtualNs, digest, state } = head
    const columns = {
      name,
      seq,
      ...position,
      virtual_ns: virtualNs,
      digest,
      page_count: this.places.length,
      state: pack(state),
      map: map.id,
      map_hash: sha256(mapBytes(map.places)),
    }
    const id = insertRow(this.db, query.insertInto("snapshot").values({ ...columns, seal: sealOf(columns) }))
    return { id, name, seq, position, virtualNs, digest, pageCount: this.places.length }
  }
}

/** Removes what no snapshot, finished or in `unfinished`, refers to. Run within a transaction. */
const collectGarbage = (db: Database, unfinished: readonly SnapshotWriter[]): void => {
  const packs = new Set<number>()
  const keep = (places: Iterable<number>) => {
    for (const place of places) packs.add(Math.floor(place / pagesPerPack))
  }
  const snapshots = selectAll(db, query.selectFrom("snapshot").select(["map", "page_count"]))
  const maps = snapshots.map(({ map }) => map)
  const pageCount = Math.max(0, ...snapshots.map(({ page_count }) => page_count))
  for (const places of eachMap(db, maps, pageCount)) keep(places)
  for (const writer of unfinished) {
    if (writer.base !== null) maps.push(writer.base)
    keep(writer.storedPlaces())
  }
  removeOtherMaps(db, maps)
  const deletePack = prepare(db, query.deleteFrom("page_pack").where("id", "=", 0))
  for (const { id } of selectAll(db, query.selectFrom("page_pack").select("id"))) if (!packs.has(id)) deletePack.run(id)
  const deletePage = prepare(db, query.deleteFrom("page").where("prefix", "=", 0))
  for (const { prefix, place } of selectAll(db, query.selectFrom("page").selectAll()))
    if (!packs.has(Math.floor(place / pagesPerPack))) deletePage.run(prefix)
}

/** Checkpoints a file may have; when there are more, half of them go. */
const checkpointsMax = 96

/** Removes checkpoints where there are too many: the further back they lie, the fewer stay. Run within a transaction. */
export const thinCheckpoints = (db: Database, unfinished: readonly SnapshotWriter[]): void => {
  const select = query.selectFrom("snapshot").select(["id", "seq"]).where("name", "is", null).orderBy("seq")
  const kept = selectAll(db, select)
  if (kept.length <= checkpointsMax) return
  const newest = kept.at(-1)!.seq
  while (kept.length > checkpointsMax / 2) {
    // The one whose neighbours would be closest, for how far back it lies.
    const gap = (order: number) =>
      (kept[order + 1]!.seq - (kept[order - 1]?.seq ?? 0)) / (newest - kept[order]!.seq + 1)
    let best = 0
    for (let order = 1; order < kept.length - 1; order++) if (gap(order) < gap(best)) best = order
    run(db, query.deleteFrom("snapshot").where("id", "=", kept[best]!.id))
    kept.splice(best, 1)
  }
  collectGarbage(db, unfinished)
}

/**
 * False where there is no such snapshot. What neither another nor one of `unfinished` refers to goes too. Run within a transaction.
 */
export const removeSnapshot = (db: Database, id: number, unfinished: readonly SnapshotWriter[]): boolean => {
  if (selectFirst(db, query.selectFrom("snapshot").select("id").where("id", "=", id)) === undefined) return false
  run(db, query.deleteFrom("snapshot").where("id", "=", id))
  collectGarbage(db, unfinished)
  return true
}
