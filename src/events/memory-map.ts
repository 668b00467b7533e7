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

/**
 * What has to be applied, one after another, to the map `onto`, or to an empty one, to get a map; how deep that lies; and whether it does
 * rest on `onto`. @throws ContentDamaged where it, or a map below it, is missing or not one
 */
const stepsTo = (db: Database, id: number, onto: number | null) => {
  const steps: Uint8Array[] = []
  let depth = 0
  let at: number | null = id
  while (at !== null && at !== onto) {
    const found: Selectable<Tables["memory_map"]> | undefined = selectFirst(
      db,
      query.selectFrom("memory_map").selectAll().where("id", "=", at),
    )
    if (found === undefined) throw new ContentDamaged(`the memory map ${at} is missing`)
    if (steps.length === 0) depth = found.depth
    steps.push(unpack(found.data, bytesMax, `the memory map ${at}`))
    if (steps.length > depthMax + 1 || (found.base !== null && found.base >= at))
      throw new ContentDamaged(`the memory map ${id} rests on itself`)
    at = found.base
  }
  return { steps: steps.toReversed(), depth, isOnto: at !== null }
}

const applyAll = (places: Uint32Array, steps: readonly Uint8Array[], id: number): void => {
  try {
    for (const bytes of steps) applyTo(places, bytes)
  } catch (cause) {
    throw new ContentDamaged(`the memory map ${id} cannot be read (${cause instanceof Error ? cause.message : cause})`)
  }
}

/** @throws ContentDamaged where it, or a map below it, is missing or not one. */
export const readMap = (db: Database, id: number, pageCount: number): StoredMap => {
  const { steps, depth } = stepsTo(db, id, null)
  const places = new Uint32Array(pageCount)
  applyAll(places, steps, id)
  return { id, depth, places }
}

/** The places of several maps, good until the next is asked for: each is read on from the one before, where it rests on that. */
export function* eachMap(db: Database, ids: Iterable<number>, pageCount: number): Generator<Uint32Array> {
  let last: number | null = null
  const places = new Uint32Array(pageCount)
  for (const id of [...new Set(ids)].sort((a, b) => a - b)) {
    const { steps, isOnto } = stepsTo(db, id, last)
    if (!isOnto) places.fill(0)
    applyAll(places, steps, id)
    last = id
    yield places
  }
}

/** The bytes that a map's hash is of. */
export const mapBytes = (places: Uint32Array): Buffer =>
  Buffer.from(places.buffer, places.byteOffset, places.byteLength)

/** Removes the maps that none of `needed` is or rests on. Run within a transaction. */
export const removeOtherMaps = (db: Database, needed: Iterable<number>): void => {
  const bases = new Map(
    selectAll(db, query.selectFrom("memory_map").select(["id", "base"])).map(({ id, base }) => [id, base]),
  )
  const kept = new Set<number>()
  for (const id of needed)
    for (let at: number | null = id; at !== null && !kept.has(at); at = bases.get(at) ?? null) kept.add(at)
  for (const id of bases.keys()) if (!kept.has(id)) run(db, query.deleteFrom("memory_map").where("id", "=", id))
}
