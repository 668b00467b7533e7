/**
 * Saved states. The pages of a memory are stored by their sha256, equal ones once and those of zeros not at all; a snapshot names a
 * memory map, which says where each page is. What is read is checked: a snapshot's record by its seal, its map by a hash in that record,
 * packs of pages by seals over their numbers and the hashes of their pages, and each page by its hash.
 */
import { Buffer } from "node:buffer"
import { createHash, hash as digestOf } from "node:crypto"
import type { Database } from "better-sqlite3"
import { ContentDamaged } from "./content-damaged.ts"
import { isInContent, pieceOf, readPieceOf } from "./content-pages.ts"
import { mapBytes, readMap, type StoredMap } from "./memory-map.ts"
import { unpack } from "./pack.ts"
import type { Position } from "./position.ts"
import { plainBytes } from "./row.ts"
import { prepare, query, type SnapshotTable, selectAll, selectFirst } from "./tables.ts"

export const pageBytes = 4096
/** A page's place is the number of its pack times this, plus its slot there. */
export const pagesPerPack = 16
export const hashBytes = 32
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
  const { name, seq, round, machine, hart, instret, virtual_ns, page_count, digest, state, map, map_hash } = columns
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
  return createHash("sha256").update(head).update(digest).update(state).update(`${map}`).update(map_hash).digest()
}

/** sha256 over a pack's number and the hashes of its pages. */
export const packSealOf = (id: number, hashes: Uint8Array): Buffer =>
  createHash("sha256").update(`${id}`).update(hashes).digest()

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

const nameOf = ({ name, id }: { readonly name: string | null; readonly id: number }): string => `snapshot ${name ?? id}`

/** A snapshot's record, checked; null where there is no such snapshot. @throws ContentDamaged where any column is not what was written. */
const readRecord = (db: Database, id: number) => {
  const columns = selectFirst(db, query.selectFrom("snapshot").selectAll().where("id", "=", id))
  if (columns === undefined) return null
  toInfo(columns)
  const { state, map_hash, seal } = columns
  if (![state, map_hash, seal].every(value => value instanceof Uint8Array))
    throw new ContentDamaged(`the record of ${nameOf(columns)} has columns of the wrong type`)
  if (Buffer.compare(sealOf(columns), columns.seal) !== 0)
    throw new ContentDamaged(`${nameOf(columns)} is not what was stored`)
  return columns
}

/** The machine's state; null where there is no such snapshot. @throws ContentDamaged where any column is not what was written. */
export const readState = (db: Database, id: number): Buffer | null => {
  const columns = readRecord(db, id)
  return columns && unpack(columns.state, stateBytesMax, `the state of ${nameOf(columns)}`)
}

/** Where each page of a snapshot's memory is; null where there is no such snapshot. @throws ContentDamaged */
export const readPlaces = (db: Database, id: number): StoredMap | null => {
  const columns = readRecord(db, id)
  if (columns === null) return null
  const map = readMap(db, columns.map, columns.page_count)
  if (Buffer.compare(sha256(mapBytes(map.places)), columns.map_hash) !== 0)
    throw new ContentDamaged(`the memory map of ${nameOf(columns)} is not what was stored`)
  return map
}

interface Pack {
  readonly hashes: Buffer
  readonly content: Buffer
}

/** What was unpacked last is kept. */
const unpackedMax = 512

const keepOne = <A>(kept: Map<number, A>, key: number, value: A): void => {
  if (kept.size === unpackedMax) kept.delete(kept.keys().next().value!)
  kept.set(key, value)
}

/**
 * Reads pages by their places: those in packs are checked against their hashes, those in contents by the pieces they lie in. Keeps the
 * last packs and pieces unpacked.
 */
export class PageReader {
  private readonly db: Database
  private readonly selectHashes
  private readonly selectData
  private readonly packs = new Map<number, Pack>()
  private readonly pieces = new Map<number, Buffer>()

  constructor(db: Database) {
    this.db = db
    this.selectHashes = prepare(db, query.selectFrom("page_pack").select(["seal", "hashes"]).where("id", "=", 0))
    this.selectData = prepare(db, query.selectFrom("page_pack").select("data").where("id", "=", 0))
  }

  /** The hashes of a pack's pages, one after another; `what` is named where they are not what was stored. */
  hashes(id: number, what: string): Buffer {
    const found = this.selectHashes.get(id)
    if (found === undefined) throw new ContentDamaged(`${what} is missing`)
    const { seal, hashes } = found
    const sound = Buffer.isBuffer(seal) && Buffer.isBuffer(hashes) && hashes.length === pagesPerPack * hashBytes
    if (!sound || !packSealOf(id, hashes).equals(seal)) throw new ContentDamaged(`${what} has lost its place`)
    return hashes
  }

  /** The content at a place; `what` is named where it is not what was stored. Its bytes are shared: they must not be changed. */
  page(place: number, what: string): Buffer {
    if (isInContent(place)) return this.contentPage(place, what)
    const slot = place % pagesPerPack
    const { hashes, content } = this.pack(Math.floor(place / pagesPerPack), what)
    const bytes = content.subarray(slot * pageBytes, (slot + 1) * pageBytes)
    const expected = hashes.subarray(slot * hashBytes, (slot + 1) * hashBytes)
    if (bytes.length !== pageBytes || !sha256(bytes).equals(expected))
      throw new ContentDamaged(`${what} is not what was stored`)
    return bytes
  }

  private contentPage(place: number, what: string): Buffer {
    const { blob, chunk, slot, number } = pieceOf(place)
    const cached = this.pieces.get(number)
    const piece = cached ?? readPieceOf(this.db, blob, chunk, what)
    if (cached === undefined) keepOne(this.pieces, number, piece)
    const bytes = piece.subarray(slot * pageBytes, (slot + 1) * pageBytes)
    if (bytes.length !== pageBytes) throw new ContentDamaged(`${what} is missing`)
    return bytes
  }

  private pack(id: number, what: string): Pack {
    const cached = this.packs.get(id)
    if (cached !== undefined) return cached
    const hashes = this.hashes(id, what)
    const content = unpack(this.selectData.get(id)?.data, pagesPerPack * pageBytes, what)
    keepOne(this.packs, id, { hashes, content })
    return { hashes, content }
  }
}

const pageName = (index: number, info: SnapshotInfo): string => `page ${index} of the memory of ${nameOf(info)}`

/** A snapshot's memory, whose pages are read one by one. */
export interface SnapshotMemory {
  /** The file its pages are in. */
  readonly file: string
  /** The numbers of the pages that are not zero, in order. */
  readonly indexes: Uint32Array
  /** The content of one of them. Its bytes are shared: they must not be changed. @throws ContentDamaged, database errors */
  read(index: number): Uint8Array
  /** For each page where it is stored, 0 for zeros: what is stored in one place is alike, also in other snapshots of the same file. */
  readonly places: Uint32Array
  /** The content of a place. */
  readPlace(place: number): Uint8Array
}

/** null where there is no such snapshot. @throws ContentDamaged */
export const openMemory = (db: Database, id: number): Omit<SnapshotMemory, "file"> | null => {
  const info = findSnapshot(db, id)
  const map = readPlaces(db, id)
  if (map === null || info === null) return null
  const { places } = map
  const indexes = new Uint32Array(places.length)
  let count = 0
  for (let index = 0; index < places.length; index++) if (places[index] !== 0) indexes[count++] = index
  const reader = new PageReader(db)
  return {
    indexes: indexes.subarray(0, count),
    read: index => reader.page(places[index]!, pageName(index, info)),
    places,
    readPlace: place => reader.page(place, `the page at place ${place}`),
  }
}

/**
 * The pages of a snapshot in address order. Without `since`: those that are not zero. With it: those that differ from that snapshot,
 * zero pages too. A page's bytes are shared: they must not be changed.
 */
export function* eachPage(db: Database, id: number, since: number | null): Generator<Page> {
  const map = readPlaces(db, id)
  const info = findSnapshot(db, id)
  const older = since === null ? new Uint32Array(0) : readPlaces(db, since)?.places
  if (map === null || info === null || older === undefined)
    throw new ContentDamaged("the snapshot was removed meanwhile")
  const reader = new PageReader(db)
  const zero = Buffer.alloc(pageBytes)
  for (const [index, place] of map.places.entries())
    if (place !== (older[index] ?? 0))
      yield { index, bytes: place === 0 ? zero : reader.page(place, pageName(index, info)) }
}

/** Checks every snapshot that is `wanted` with all its pages. @throws ContentDamaged, naming the first that is damaged. */
export const verifySnapshots = (db: Database, wanted: (info: SnapshotInfo) => boolean): void => {
  const reader = new PageReader(db)
  const checked = new Set<number>()
  for (const info of listSnapshots(db).filter(wanted)) {
    readState(db, info.id)
    for (const [index, place] of readPlaces(db, info.id)!.places.entries()) {
      if (place === 0 || checked.has(place)) continue
      reader.page(place, pageName(index, info))
      checked.add(place)
    }
  }
  verifyPlaces(db, reader)
}

/** Checks that the pages that are found by their hashes have them. */
const verifyPlaces = (db: Database, reader: PageReader): void => {
  let pack = 0
  let hashes: Buffer = Buffer.alloc(0)
  for (const { prefix, place } of selectAll(db, query.selectFrom("page").selectAll().orderBy("place"))) {
    const what = `the page at place ${place}`
    if (Math.floor(place / pagesPerPack) !== pack) {
      pack = Math.floor(place / pagesPerPack)
      hashes = reader.hashes(pack, what)
    }
    if (prefixOf(hashes.subarray((place % pagesPerPack) * hashBytes)) !== prefix)
      throw new ContentDamaged(`${what} is recorded under another hash`)
  }
}

/** What a page is found by: the first 48 bits of its hash. */
export const prefixOf = (hash: Buffer): number => hash.readUIntBE(0, 6)
