import BetterSqlite from "better-sqlite3"
import { Kysely, SqliteDialect } from "kysely"
import { expect, test } from "vitest"
import { up as first } from "../../migrations/001-world.ts"
import { up as second } from "../../migrations/002-memory-maps.ts"
import { depthMax, readMap, removeOtherMaps, type StoredMap, storeMap } from "../../src/events/memory-map.ts"

const database = async () => {
  const db = new BetterSqlite(":memory:")
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: db }) })
  await first(kysely)
  await second(kysely)
  return db
}

const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

/** Changes some places, now in runs, now scattered; gives where, in order. */
const change = (places: Uint32Array, next: () => number): number[] => {
  const changed = new Set<number>()
  for (let run = 0; run < 20; run++) {
    const start = Math.floor(next() * places.length)
    const place = next() < 0.2 ? 0 : Math.floor(next() * 2 ** 32)
    for (let at = start; at < Math.min(places.length, start + Math.floor(next() * 30)); at++) {
      places[at] = place === 0 ? 0 : (place + at) >>> 0
      changed.add(at)
    }
  }
  return [...changed].sort((a, b) => a - b)
}

test("maps are read as they were stored, each of what changed, and no chain grows for ever", async () => {
  const db = await database()
  const next = random(5)
  const stored: StoredMap[] = []
  for (let round = 0; round < 40; round++) {
    const base = stored.at(-1) ?? null
    const places = base === null ? new Uint32Array(5000) : base.places.slice()
    stored.push(storeMap(db, places, change(places, next), base))
  }
  for (const { id, depth, places } of stored) {
    const found = readMap(db, id, 5000)
    expect(found).toEqual({ id, depth, places })
    expect(depth).toBeLessThanOrEqual(depthMax)
  }
  const kept = stored[20]!
  removeOtherMaps(db, [kept.id])
  expect(readMap(db, kept.id, 5000).places).toEqual(kept.places)
  expect(db.prepare("select count(*) from memory_map").pluck().get()).toBe(kept.depth + 1)
  expect(() => readMap(db, stored[30]!.id, 5000)).toThrow(/is missing/)
})

test("what is no map is refused", async () => {
  const db = await database()
  const places = Uint32Array.from({ length: 300 }, (_, index) => index * 7)
  const { id } = storeMap(db, places, [], null)
  expect(() => readMap(db, id, 200)).toThrow(/cannot be read/)
  db.prepare("update memory_map set base = id").run()
  expect(() => readMap(db, id, 300)).toThrow(/rests on itself/)
})
