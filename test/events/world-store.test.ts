import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { Effect, Stream } from "effect"
import { describe, expect, test } from "vitest"
import { WorldExists, WorldNewer, WorldNotFound, WorldStore, WorldUnreadable } from "../../src/events/index.ts"
import { appendBatch, at, failure, genesis, run, withPath } from "./fixture.ts"

const record = (path: string, rounds: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).create(path, genesis)
      for (let round = 1; round <= rounds; round++) appendBatch(world.log, round)
      return yield* world.log.flush
    }),
  )

const opened = (path: string) => Effect.flatMap(WorldStore, store => store.open(path))
const readOnly = (path: string) => Effect.flatMap(WorldStore, store => store.openReadOnly(path))

describe("a world file", () => {
  test("is one plain file at rest and goes on where it ended", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const head = yield* record(path, 10)
          expect(readdirSync(dirname(path))).toEqual(["test.cv"])
          const world = yield* opened(path)
          expect(world.genesis).toEqual(genesis)
          expect(yield* world.head).toEqual(head)
          expect(appendBatch(world.log, 11)).toBe(11)
          yield* world.log.flush
          expect(yield* world.verify).toMatchObject({ events: 12, bad: null, lastPosition: at(11) })
        }),
      ),
    ))

  test("is read by kind, by seq and by position", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const { log, ...world } = yield* (yield* WorldStore).create(path, genesis)
          for (let round = 1; round <= 3000; round++)
            if (round % 10 === 0) log.append(at(round), "console", { device: "uart0", bytes: Uint8Array.of(round) })
            else appendBatch(log, round)
          yield* log.flush
          const seqs = (filter: Parameters<typeof world.events>[0]) =>
            Effect.map(Stream.runCollect(world.events(filter)), events => events.map(({ seq }) => seq))
          expect((yield* seqs({})).length).toBe(3001)
          expect(yield* seqs({ kinds: ["console"], fromSeq: 2985 })).toEqual([2990, 3000])
          expect(yield* seqs({ kinds: ["genesis", "console"], toSeq: 20 })).toEqual([0, 10, 20])
          expect(yield* seqs({ fromPosition: at(2999) })).toEqual([2999, 3000])
          expect(yield* seqs({ fromPosition: at(4000) })).toEqual([])
          expect(yield* world.seqAt({ ...at(7), instret: 0 })).toBe(7)
          expect((yield* world.readEvents({ fromSeq: 5 }, 2)).map(({ seq }) => seq)).toEqual([5, 6])
        }),
      ),
    ))

  test("is exported as one file and imported", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const store = yield* WorldStore
          const file = `${path}.exported`
          const copy = join(dirname(path), "copy.cv")
          const world = yield* store.create(path, genesis)
          for (let round = 1; round <= 500; round++) appendBatch(world.log, round)
          const blob = yield* world.putBlob(Stream.make(new Uint8Array(100_000).fill(3)))
          const head = yield* world.log.flush
          yield* world.exportTo(file)
          expect(yield* Effect.flip(world.exportTo(file))).toBeInstanceOf(WorldExists)
          yield* store.importFrom(file, copy)
          expect(yield* Effect.flip(store.importFrom(file, copy))).toBeInstanceOf(WorldExists)
          const imported = yield* store.open(copy)
          expect(yield* imported.head).toEqual(head)
          expect((yield* imported.readBlob(blob.hash)).length).toBe(100_000)
          yield* imported.verifyContents
        }),
      ),
    ))

  test("that is not one is refused in one sentence", () =>
    withPath(async path => {
      const other = (name: string, content: string | Uint8Array) => {
        const file = join(dirname(path), name)
        writeFileSync(file, content)
        return file
      }
      expect(await failure(readOnly(path))).toBeInstanceOf(WorldNotFound)
      expect(await failure(opened(path))).toBeInstanceOf(WorldNotFound)
      expect(await failure(readOnly(join(path, "below")))).toBeInstanceOf(WorldNotFound)
      expect(readdirSync(dirname(path))).toEqual([])
      const garbage = [
        other("empty.cv", ""),
        other("text.cv", "hello\n".repeat(1000)),
        other("short.cv", "SQLite format 3\0"),
        other(
          "random.cv",
          new Uint8Array(50_000).map((_, index) => (index * 7919) >> 3),
        ),
      ]
      mkdirSync(join(dirname(path), "directory.cv"))
      garbage.push(join(dirname(path), "directory.cv"))
      const foreign = join(dirname(path), "foreign.cv")
      const db = new BetterSqlite(foreign)
      db.exec("create table event (a)")
      db.close()
      garbage.push(foreign)
      for (const file of garbage)
        for (const open of [
          failure(readOnly(file)),
          failure(opened(file)),
          failure(Effect.flatMap(WorldStore, store => store.importFrom(file, path))),
        ]) {
          const error = await open
          expect(error).toBeInstanceOf(WorldUnreadable)
          expect(error.message).toMatch(/^\S+ cannot be opened as a world: [^.\n]+\.$/)
        }
      expect(existsSync(path)).toBe(false)
    }))

  test("of a newer format says so", () =>
    withPath(async path => {
      await run(record(path, 1))
      const db = new BetterSqlite(path)
      db.pragma("user_version = 7")
      db.close()
      for (const attempt of [readOnly(path), opened(path)]) {
        const error = await failure(attempt)
        expect(error).toBeInstanceOf(WorldNewer)
        expect(error.message).toMatch(/was written by a newer chronovisor \(format 7/)
      }
    }))

  test("is not created over another, and its removal leaves nothing", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const store = yield* WorldStore
          yield* record(path, 1)
          expect(yield* Effect.flip(Effect.scoped(store.create(path, genesis)))).toBeInstanceOf(WorldExists)
          copyFileSync(path, `${path}.kept`)
          yield* store.remove(path)
          expect(readdirSync(dirname(path))).toEqual(["test.cv.kept"])
        }),
      ),
    ))
})
