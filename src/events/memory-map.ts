/**
 * Memory maps: for each page of a memory the place of its content, 0 for a page of zeros. A map is stored as what differs from another,
 * its base, or from an empty one; so a snapshot costs about the pages that changed.
 */
import { Buffer } from "node:buffer"
import type { Database } from "better-sqlite3"
import type { Selectable } from "kysely"
import { ContentDamaged } from "./content-damaged.ts"
import { pack, unpack } from "./pack.ts"
import { insertRow, query, run, selectAll, selectFirst, type Tables } from "./tables.ts"
import { WireWriter } from "./wire.ts"

/** A map with this many bases below it is the last: the next is stored whole. */
export const depthMax = 16
const bytesMax = 1 << 26

/** A map and where it is stored. */
export interface StoredMap {
  readonly id: number
  readonly depth: number
  readonly places: Uint32Array
}

/** New content mostly lies place after place: then the step is zero. */
const writeStep = (writer: WireWriter, step: number): void => writer.natural(1 + (step < 0 ? -2 * step - 1 : 2 * step))

const stepOf = (token: number): number => {
  const zigzag = token - 1
  return zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2
}

/** The number of entries, the gaps between their pages' numbers, then for each 0 for zeros or the step from the place before. */
const encode = (places: Uint32Array, changed: readonly number[]): Uint8Array => {
  const writer = new WireWriter()
  writer.natural(changed.length)
  let last = -1
  for (const index of changed) {
    writer.natural(index - last - 1)
    last = index
  }
  let lastPlace = 0
  for (const index of changed) {
    const place = places[index]!
    if (place === 0) writer.natural(0)
    else {
      writeStep(writer, place - lastPlace - 1)
      lastPlace = place
    }
  }
  return writer.take()
}

/** Takes `count` integers out of LEB128 bytes from `offset` on; gives the offset behind them. Maps are long: this runs before a restore. */
const readNaturals = (bytes: Uint8Array, offset: number, into: Float64Array): number => {
  let at = offset
  for (let entry = 0; entry < into.length; entry++) {
    let value = bytes[at++]!
    if (value >= 0x80) {
      value -= 0x80
      for (let scale = 0x80, byte = 0x80; byte >= 0x80; scale *= 0x80) {
        byte = bytes[at++]!
        value += (byte & 0x7f) * scale
      }
    }
    into[entry] = value
  }
  return at
}

/** @throws RangeError when the bytes are not of this layout. */
const applyTo = (places: Uint32Array, bytes: Uint8Array): void => {
  const head = new Float64Array(1)
  const start = readNaturals(bytes, 0, head)
  const [count] = head
  if (!(count! <= places.length)) throw new RangeError("it has more entries than the memory has pages")
  const gaps = new Float64Array(count!)
  const tokens = new Float64Array(count!)
  if (readNaturals(bytes, readNaturals(bytes, start, gaps), tokens) !== bytes.length)
    throw new RangeError("it has another length")
  let index = -1
  let place = 0
  for (let entry = 0; entry < gaps.length; entry++) {
    index += gaps[entry]! + 1
    const token = tokens[entry]!
    if (!(index < places.length)) throw new RangeError("it names a page beyond the memory")
    if (token !== 0) place += stepOf(token) + 1
    places[index] = token === 0 ? 0 : place
  }
}

/** Stores `places`, of which only those of the pages `changed`, in order, may differ from the base's. Run within a transaction. */
export const storeMap = (
  db: Database,
  places: Uint32Array,
  changed: readonly number[],
  base: StoredMap | null,
): StoredMap => {
  const onto = base !== null && base.depth < depthMax ? base : null
  const entries = onto === null ? [...places.keys()].filter(index => places[index] !== 0) : changed
  const depth = onto === null ? 0 : onto.depth + 1
  const data = pack(encode(places, entries))
  const row = query.insertInto("memory_map").values({ base: onto?.id ?? null, depth, data })
  return { id: insertRow(db, row), depth, places }
}

/** @throws ContentDamaged where it, or a map below it, is missing or not one. */
export const readMap = (db: Database, id: number, pageCount: number): StoredMap => {
  const chain: Uint8Array[] = []
  let depth = 0
  for (let at: number | null = id; at !== null; ) {
    const found: Selectable<Tables["memory_map"]> | undefined = selectFirst(
      db,
      query.selectFrom("memory_map").selectAll().where("id", "=", at),
    )
    if (found === undefined) throw new ContentDamaged(`the memory map ${at} is missing`)
    if (chain.length === 0) depth = found.depth
    chain.push(unpack(found.data, bytesMax, `the memory map ${at}`))
    if (chain.length > depthMax + 1 || (found.base !== null && found.base >= at))
      throw new ContentDamaged(`the memory map ${id} rests on itself`)
    at = found.base
  }
  const places = new Uint32Array(pageCount)
  try {
    for (const bytes of chain.toReversed()) applyTo(places, bytes)
  } catch (cause) {
    throw new ContentDamaged(`the memory map ${id} cannot be read (${cause instanceof Error ? cause.message : cause})`)
  }
  return { id, depth, places }
}

/** The bytes that a map's hash is of. */
export const mapBytes = (places: Uint32Array): Buffer =>
  Buffer.from(places.buffer, places.byteOffset, places.byteLength)

/** Removes the maps that none of `needed` is or rests on; gives those that stay. Run within a transaction. */
export const removeOtherMaps = (db: Database, needed: Iterable<number>): ReadonlySet<number> => {
  const bases = new Map(
    selectAll(db, query.selectFrom("memory_map").select(["id", "base"])).map(({ id, base }) => [id, base]),
  )
  const kept = new Set<number>()
  for (const id of needed)
    for (let at: number | null = id; at !== null && !kept.has(at); at = bases.get(at) ?? null) kept.add(at)
  for (const id of bases.keys()) if (!kept.has(id)) run(db, query.deleteFrom("memory_map").where("id", "=", id))
  return kept
}

/**
 * Every place that a map names which is stored under this number: maps that rest on it may have others in their stead.
 * @throws ContentDamaged where it is none
 */
export const placesNamed = (db: Database, id: number, pageCount: number): Iterable<number> => {
  const found = selectFirst(db, query.selectFrom("memory_map").select("data").where("id", "=", id))
  const places = new Uint32Array(pageCount)
  try {
    applyTo(places, unpack(found?.data, bytesMax, `the memory map ${id}`))
  } catch (cause) {
    if (cause instanceof ContentDamaged) throw cause
    throw new ContentDamaged(`the memory map ${id} cannot be read (${cause instanceof Error ? cause.message : cause})`)
  }
  return places
}
