import { createHash } from "node:crypto"
import { zstdCompressSync } from "node:zlib"
import BetterSqlite from "better-sqlite3"
import { Effect, Stream } from "effect"
import { Kysely, SqliteDialect } from "kysely"
import { describe, expect, test } from "vitest"
import { up } from "../../migrations/001-world.ts"
import { applicationId } from "../../src/events/creation.ts"
import { WorldStore } from "../../src/events/index.ts"
import { at, genesis, run, withPath } from "./fixture.ts"

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest()
const pageCount = 300
const pageAt = (index: number) => Buffer.alloc(4096, index)

/** Puts a world back into the first format, with snapshots of pages 5 to 44 as that format has them. */
const makeOld = async (path: string, names: readonly string[]) => {
  const db = new BetterSqlite(path)
  for (const table of ["snapshot", "page", "page_pack", "memory_map", "parent", "written"])
    db.exec(`DROP TABLE ${table}`)
  for (const table of ["event", "head", "blob", "blob_chunk"]) db.exec(`ALTER TABLE ${table} RENAME TO new_${table}`)
  db.exec("DROP INDEX event_kind")
  await up(new Kysely<unknown>({ dialect: new SqliteDialect({ database: db }) }))
  for (const table of ["event", "head", "blob", "blob_chunk"])
    db.exec(`INSERT INTO ${table} SELECT * FROM new_${table}; DROP TABLE new_${table}`)
  db.exec("DELETE FROM kysely_migration WHERE name <> '001-world'")
  const pages = Array.from({ length: 40 }, (_, order) => order + 5)
  for (let first = 0; first < pages.length; first += 16) {
    const some = pages.slice(first, first + 16)
    const data = zstdCompressSync(Buffer.concat(some.map(pageAt)))
    const pack = db.prepare("INSERT INTO page_pack (data) VALUES (?)").run(data).lastInsertRowid
    for (const [slot, index] of some.entries())
      db.prepare("INSERT INTO page VALUES (?, ?, ?)").run(sha256(pageAt(index)), pack, slot)
  }
  const segment = Buffer.alloc(128 * 32)
  for (const index of pages) segment.set(sha256(pageAt(index)), index * 32)
  db.prepare("INSERT INTO page_segment VALUES (?, ?)").run(sha256(segment), zstdCompressSync(segment))
  const segments = zstdCompressSync(Buffer.concat([sha256(segment), Buffer.alloc(64)]))
  for (const name of names) {
    const state = zstdCompressSync(Buffer.from(`state of ${name}`))
    const digest = Buffer.alloc(16, 3)
    const head = JSON.stringify([name, 0, 0, 0, 0, 0, 77, pageCount, digest.length, state.length])
    const seal = createHash("sha256").update(head).update(digest).update(state).update(segments).digest()
    if (name === "damaged") seal[0]! ^= 1
    db.prepare(
      "INSERT INTO snapshot (name, seq, round, machine, hart, instret, virtual_ns, digest, page_count, state, segments, seal) VALUES (?, 0, 0, 0, 0, 0, 77, ?, ?, ?, ?, ?)",
    ).run(name, digest, pageCount, state, segments, seal)
  }
  expect(db.pragma("application_id", { simple: true })).toBe(applicationId)
  db.pragma("user_version = 1")
  db.close()
}

describe("a world of the first format", () => {
  test("is upgraded when it is read, with its snapshots but for damaged ones", () =>
    withPath(async path => {
      await run(Effect.flatMap(WorldStore, store => store.create(path, genesis)))
      await makeOld(path, ["one", "damaged", "two"])
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).openReadOnly(path)
          expect((yield* world.verify).bad).toBeNull()
          yield* world.verifyContents
          const snapshots = yield* world.snapshots
          expect(snapshots.map(({ name }) => name)).toEqual(["one", "two"])
          for (const { id, name } of snapshots) {
            expect(Buffer.from(yield* world.snapshotState(id)).toString()).toBe(`state of ${name}`)
            const pages = yield* Stream.runCollect(world.snapshotPages(id))
            expect(pages.map(({ index }) => index)).toEqual(Array.from({ length: 40 }, (_, order) => order + 5))
            for (const { index, bytes } of pages) expect(pageAt(index).equals(bytes)).toBe(true)
          }
        }),
      )
      const pages = [{ index: 9, bytes: pageAt(9) }]
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).open(path)
          const head = { name: "three", seq: 0, position: at(0), virtualNs: 0, digest: new Uint8Array(16) }
          const { id } = yield* world.saveSnapshot({ ...head, state: new Uint8Array(1), pageCount, parent: 1, pages })
          expect((yield* Stream.runCollect(world.snapshotPages(id, 1))).length).toBe(0)
          yield* world.verifyContents
        }),
      )
    }))
})
