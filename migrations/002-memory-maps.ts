/**
 * Snapshots as small changes: a memory map says for each page where its content is, and is stored as what differs from another. Pages
 * are found by a part of their hash; the hashes stand beside the pages.
 */
import { createHash, hash as digestOf } from "node:crypto"
import { zstdCompressSync, zstdDecompressSync } from "node:zlib"
import { type Kysely, sql } from "kysely"

const HASH_BYTES = 32
const SEGMENT_PAGES = 128
const PACK_PAGES = 16

const sha256 = (bytes: Uint8Array): Buffer => digestOf("sha256", bytes, "buffer")

/** The bytes of unsigned LEB128 integers. */
const leb128 = (values: readonly number[]): Buffer => {
  const bytes: number[] = []
  for (let value of values) {
    for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80)
    bytes.push(value)
  }
  return Buffer.from(bytes)
}

/** A whole map: how many pages are not zero, the gaps between their numbers, the steps between their places. */
const encodeMap = (places: Uint32Array): Buffer => {
  const gaps: number[] = []
  const steps: number[] = []
  let [lastIndex, lastPlace] = [-1, 0]
  for (const [index, place] of places.entries()) {
    if (place === 0) continue
    gaps.push(index - lastIndex - 1)
    const step = place - lastPlace - 1
    steps.push(1 + (step < 0 ? -2 * step - 1 : 2 * step))
    lastIndex = index
    lastPlace = place
  }
  return leb128([gaps.length, ...gaps, ...steps])
}

class DamagedSnapshot extends Error {}

interface OldSnapshot {
  readonly id: number
  readonly name: string | null
  readonly seq: number
  readonly round: number
  readonly machine: number
  readonly hart: number
  readonly instret: number
  readonly virtual_ns: number
  readonly digest: Buffer
  readonly page_count: number
  readonly state: Buffer
  readonly segments: Buffer
  readonly seal: Buffer
}

const headOf = (of: OldSnapshot): string =>
  JSON.stringify([
    of.name,
    of.seq,
    of.round,
    of.machine,
    of.hart,
    of.instret,
    of.virtual_ns,
    of.page_count,
    of.digest.length,
    of.state.length,
  ])

const oldSeal = (of: OldSnapshot): Buffer =>
  createHash("sha256").update(headOf(of)).update(of.digest).update(of.state).update(of.segments).digest()

const newSeal = (of: OldSnapshot, map: number, mapHash: Buffer): Buffer =>
  createHash("sha256").update(headOf(of)).update(of.digest).update(of.state).update(`${map}`).update(mapHash).digest()

const unpacked = (data: Buffer | undefined): Buffer => {
  try {
    return zstdDecompressSync(data!)
  } catch {
    throw new DamagedSnapshot()
  }
}

/** Where each page of an old snapshot is, by the hashes it names. */
const placesOf = async (
  db: Kysely<unknown>,
  snapshot: OldSnapshot,
  pages: ReadonlyMap<string, number>,
): Promise<Uint32Array> => {
  const list = unpacked(snapshot.segments)
  const places = new Uint32Array(snapshot.page_count)
  for (let segment = 0; segment * HASH_BYTES < list.length; segment++) {
    const name = list.subarray(segment * HASH_BYTES, (segment + 1) * HASH_BYTES)
    if (name.every(byte => byte === 0)) continue
    const { rows } = await sql<{ data: Buffer }>`SELECT data FROM page_segment WHERE hash = ${name}`.execute(db)
    const hashes = unpacked(rows[0]?.data)
    if (!sha256(hashes).equals(name)) throw new DamagedSnapshot()
    for (let slot = 0; slot < SEGMENT_PAGES; slot++) {
      const hash = hashes.subarray(slot * HASH_BYTES, (slot + 1) * HASH_BYTES)
      if (hash.every(byte => byte === 0)) continue
      const place = pages.get(hash.toString("latin1"))
      if (place === undefined) throw new DamagedSnapshot()
      places[segment * SEGMENT_PAGES + slot] = place
    }
  }
  return places
}

/** Each pack with the hashes of its pages; gives where every page is. */
const convertPages = async (db: Kysely<unknown>): Promise<ReadonlyMap<string, number>> => {
  const places = new Map<string, number>()
  const packs = new Map<number, Buffer>()
  const { rows } = await sql<{
    hash: Buffer
    pack: number
    slot: number
  }>`SELECT hash, pack, slot FROM old_page`.execute(db)
  for (const { hash, pack, slot } of rows) {
    const hashes = packs.get(pack) ?? Buffer.alloc(PACK_PAGES * HASH_BYTES)
    hashes.set(hash, slot * HASH_BYTES)
    packs.set(pack, hashes)
    places.set(hash.toString("latin1"), pack * PACK_PAGES + slot)
  }
  for (const [hash, place] of places) {
    const prefix = Buffer.from(hash, "latin1").readUIntBE(0, 6)
    await sql`INSERT OR IGNORE INTO page VALUES (${prefix}, ${place})`.execute(db)
  }
  for (const [id, hashes] of packs) {
    const seal = createHash("sha256").update(`${id}`).update(hashes).digest()
    await sql`INSERT INTO page_pack SELECT id, ${seal}, ${hashes}, data FROM old_page_pack WHERE id = ${id}`.execute(db)
  }
  return places
}

const createTables = async (db: Kysely<unknown>): Promise<void> => {
  // Sixteen pages, zstd of all, with the sha256 of each (zeros where there is none); sealed with their own number.
  await sql`CREATE TABLE page_pack (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    seal BLOB NOT NULL,
    hashes BLOB NOT NULL,
    data BLOB NOT NULL
  ) STRICT`.execute(db)
  // Finding a page by the first 48 bits of its hash: its place is the number of its pack times sixteen, plus its slot there.
  await sql`CREATE TABLE page (prefix INTEGER PRIMARY KEY, place INTEGER NOT NULL) STRICT`.execute(db)
  // The places of all pages of a memory, 0 for zeros: those that differ from the map "base", or from an empty one.
  await sql`CREATE TABLE memory_map (
    id INTEGER PRIMARY KEY,
    base INTEGER,
    depth INTEGER NOT NULL,
    data BLOB NOT NULL
  ) STRICT`.execute(db)
  await sql`CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY,
    name TEXT UNIQUE,
    seq INTEGER NOT NULL,
    round INTEGER NOT NULL,
    machine INTEGER NOT NULL,
    hart INTEGER NOT NULL,
    instret INTEGER NOT NULL,
    virtual_ns INTEGER NOT NULL,
    digest BLOB NOT NULL,
    page_count INTEGER NOT NULL,
    state BLOB NOT NULL,
    map INTEGER NOT NULL,
    map_hash BLOB NOT NULL,
    seal BLOB NOT NULL
  ) STRICT`.execute(db)
}

const convertSnapshot = async (
  db: Kysely<unknown>,
  snapshot: OldSnapshot,
  pages: ReadonlyMap<string, number>,
): Promise<void> => {
  if (!oldSeal(snapshot).equals(snapshot.seal)) throw new DamagedSnapshot()
  const places = await placesOf(db, snapshot, pages)
  const { id, name, seq, round, machine, hart, instret, virtual_ns, digest, page_count, state } = snapshot
  const data = zstdCompressSync(encodeMap(places))
  const mapHash = sha256(new Uint8Array(places.buffer))
  await sql`INSERT INTO memory_map VALUES (${id}, NULL, 0, ${data})`.execute(db)
  await sql`INSERT INTO snapshot VALUES (${id}, ${name}, ${seq}, ${round}, ${machine}, ${hart}, ${instret}, ${virtual_ns},
    ${digest}, ${page_count}, ${state}, ${id}, ${mapHash}, ${newSeal(snapshot, id, mapHash)})`.execute(db)
}

export const up = async (db: Kysely<unknown>): Promise<void> => {
  for (const table of ["snapshot", "page", "page_pack"])
    await sql`ALTER TABLE ${sql.table(table)} RENAME TO ${sql.table(`old_${table}`)}`.execute(db)
  await createTables(db)
  const places = await convertPages(db)
  const { rows } = await sql<OldSnapshot>`SELECT * FROM old_snapshot ORDER BY id`.execute(db)
  for (const snapshot of rows) {
    try {
      await convertSnapshot(db, snapshot, places)
    } catch (cause) {
      // What cannot be restored is left behind: the log can make it again.
      if (!(cause instanceof DamagedSnapshot)) throw cause
    }
  }
  for (const table of ["old_snapshot", "old_page", "old_page_pack", "page_segment"])
    await sql`DROP TABLE ${sql.table(table)}`.execute(db)
}
