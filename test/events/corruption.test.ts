import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { Effect, Exit, Stream } from "effect"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { WorldDamaged, WorldStore } from "../../src/events/index.ts"
import { appendBatch, at, failure, genesis, run } from "./fixture.ts"

const directory = mkdtempSync(join(tmpdir(), "cv-damage-"))
const original = join(directory, "original.cv")
const rounds = 600

beforeAll(() =>
  run(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).create(original, genesis)
      for (let round = 1; round <= rounds; round++) appendBatch(world.log, round)
      yield* world.putBlob(Stream.make(Uint8Array.from({ length: 200_000 }, (_, index) => (index * index) >> 5)))
      const pages = Array.from({ length: 64 }, (_, index) => ({ index, bytes: new Uint8Array(4096).fill(index + 1) }))
      yield* world.saveSnapshot({
        name: "s",
        seq: 5,
        position: at(5),
        virtualNs: 0,
        digest: new Uint8Array(32),
        state: new Uint8Array(100).fill(1),
        pageCount: 64,
        parent: null,
        pages,
      })
    }),
  ),
)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A generator of its own, so that each run flips the same bits. */
const random = (seed: number) => () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

const damagedCopy = (change: (bytes: Buffer) => void): string => {
  const file = join(directory, "damaged.cv")
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true })
  const bytes = readFileSync(original)
  change(bytes)
  writeFileSync(file, bytes)
  return file
}

const readOnly = (path: string) => Effect.flatMap(WorldStore, store => store.openReadOnly(path))
const verify = (path: string) => Effect.flatMap(readOnly(path), world => world.verify)

/** Everything that reads, to the end. */
const readAll = (path: string) =>
  Effect.gen(function* () {
    const world = yield* readOnly(path)
    const { bad } = yield* world.verify
    yield* Effect.exit(Stream.runDrain(world.events()))
    yield* Effect.exit(Stream.runDrain(world.events({ kinds: ["genesis"] })))
    yield* world.sql("select count(*), max(payload) from events")
    yield* world.sql("select * from snapshots, blobs")
    yield* world.verifyContents
    return bad
  })

/** Fails the test on anything but success or an error of this project's with one sentence. */
const expectNoDefect = (exit: Exit.Exit<unknown, { readonly _tag: string; readonly message: string }>) => {
  if (Exit.isSuccess(exit)) return
  for (const reason of exit.cause.reasons) {
    if (reason._tag !== "Fail") throw new Error(`an unhandled exception: ${JSON.stringify(reason)}`, { cause: reason })
    expect(reason.error.message).toMatch(/\.$/)
  }
}

describe("damage", () => {
  test("of any byte of any row is found, with the event it is in", async () => {
    const clean = readFileSync(original)
    const db = new BetterSqlite(original, { readonly: true })
    const rows = db
      .prepare<[], { seq: number; payload: Buffer; digest: Buffer }>("select seq, payload, digest from event")
      .all()
    db.close()
    // A damaged genesis is found at opening already.
    const seqOfFlip = (offset: number): Promise<unknown> =>
      run(
        Effect.match(
          verify(
            damagedCopy(bytes => {
              bytes[offset]! ^= 1 << (offset % 8)
            }),
          ),
          { onSuccess: ({ bad }) => bad?.seq, onFailure: error => "seq" in error && error.seq },
        ),
      )
    let flips = 0
    for (const { seq, payload, digest } of rows) {
      if (seq % 29 !== 0) continue
      // Where SQLite moved a row it leaves its old bytes behind, in room that is free now: the row is where a flip shows.
      const content = Buffer.concat([payload, digest])
      let start = clean.indexOf(content)
      while (start >= 0 && (await seqOfFlip(start)) !== seq) start = clean.indexOf(content, start + 1)
      expect(start).toBeGreaterThan(0)
      // From the integers before the payload to the last byte of the digest.
      for (let offset = start - 16; offset < start + content.length; offset += 5, flips++)
        expect([offset, await seqOfFlip(offset)]).toEqual([offset, seq])
    }
    expect(flips).toBeGreaterThan(200)
  }, 60_000)

  test("of any kind in any place is an error in one sentence, never an exception", async () => {
    const next = random(7)
    const size = statSync(original).size
    for (let attempt = 0; attempt < 150; attempt++) {
      const path = damagedCopy(bytes => {
        const flips = attempt % 3 === 0 ? 20 : 1
        for (let flip = 0; flip < flips; flip++) {
          const offset = Math.floor(next() * (attempt % 2 === 0 ? size : 8192))
          bytes[offset]! ^= 1 << Math.floor(next() * 8)
        }
      })
      expectNoDefect(await run(Effect.exit(Effect.scoped(readAll(path)))))
      if (attempt % 10 === 0)
        expectNoDefect(await run(Effect.exit(Effect.scoped(Effect.flatMap(WorldStore, store => store.open(path))))))
    }
  }, 120_000)

  test("of a fork or of its parent, in any place, is an error in one sentence, never an exception", async () => {
    const next = random(11)
    const files = [join(directory, "parent.cv"), join(directory, "fork.cv")] as const
    const [parent, fork] = files
    copyFileSync(original, parent)
    await run(
      Effect.gen(function* () {
        const store = yield* WorldStore
        yield* (yield* store.openReadOnly(parent)).forkTo(fork, { seq: 300, position: at(300) })
        const { log } = yield* store.open(fork)
        for (let round = 301; round <= 500; round++) appendBatch(log, round)
        yield* log.flush
      }),
    )
    const clean = files.map(file => readFileSync(file))
    for (let attempt = 0; attempt < 120; attempt++) {
      for (const [which, file] of files.entries()) {
        for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(file + suffix, { force: true })
        const bytes = Buffer.from(clean[which]!)
        const flips = which !== attempt % 2 ? 0 : attempt % 3 === 0 ? 20 : 1
        for (let flip = 0; flip < flips; flip++)
          bytes[Math.floor(next() * bytes.length)]! ^= 1 << Math.floor(next() * 8)
        writeFileSync(file, bytes)
      }
      expectNoDefect(await run(Effect.exit(Effect.scoped(readAll(fork)))))
      const exported = join(directory, "exported.cv")
      rmSync(exported, { force: true })
      const exporting = Effect.flatMap(readOnly(fork), world => world.exportTo(exported))
      expectNoDefect(await run(Effect.exit(Effect.scoped(exporting))))
      if (attempt % 10 < 2)
        expectNoDefect(await run(Effect.exit(Effect.scoped(Effect.flatMap(WorldStore, store => store.open(fork))))))
    }
  }, 120_000)

  test("by truncation is an error in one sentence", async () => {
    const size = statSync(original).size
    for (let part = 1; part < 40; part++) {
      const path = damagedCopy(() => {})
      truncateSync(path, Math.floor((size * part) / 40))
      const error = await failure(readAll(path))
      expect(error._tag).toMatch(/WorldDamaged|WorldUnreadable/)
      expect(error.message).toMatch(/damaged|cannot be opened/)
    }
  }, 60_000)

  test("of snapshots and contents is found by verifying them", async () => {
    const places = [
      ["blob_chunk", "data", "chunk = 1"],
      ["page_pack", "data", "id = 2"],
      ["page_pack", "hashes", "id = 3"],
      ["page_pack", "seal", "id = 1"],
      ["memory_map", "data", "true"],
      ["snapshot", "state", "true"],
      ["snapshot", "map_hash", "true"],
      ["snapshot", "map", "true"],
      ["snapshot", "digest", "true"],
      ["page", "place", "place = 17"],
    ] as const
    for (const [table, column, where] of places) {
      const path = damagedCopy(() => {})
      const db = new BetterSqlite(path)
      const content = db.prepare(`select ${column} from ${table} where ${where}`).pluck().get()
      const changed = Buffer.isBuffer(content) ? Buffer.from(content) : (content as number) + 1
      if (Buffer.isBuffer(changed)) changed[changed.length - 1]! ^= 4
      db.prepare(`update ${table} set ${column} = ? where ${where}`).run(changed)
      db.close()
      const error = await failure(Effect.flatMap(readOnly(path), world => world.verifyContents))
      expect(error).toBeInstanceOf(WorldDamaged)
    }
  })

  test("is cut off when recording goes on, or refused", async () => {
    const change = (path: string) => {
      const db = new BetterSqlite(path)
      db.exec("update event set instret = instret + 1 where seq = 400")
      db.close()
    }
    const path = damagedCopy(() => {})
    change(path)
    const open = (onDamage: "truncate" | "refuse") =>
      Effect.flatMap(WorldStore, store => store.open(path, { onDamage }))
    const error = await failure(open("refuse"))
    expect(error).toMatchObject({ _tag: "WorldDamaged", seq: 400, kind: "batch", position: "r400.m0.h0.i400001" })
    expect(error.message).toMatch(
      /is damaged at event 400 \(batch\) at r400\.m0\.h0\.i400001: its digest does not match/,
    )
    await run(
      Effect.gen(function* () {
        const world = yield* open("truncate")
        expect(world.truncation).toMatchObject({ removed: rounds - 399, bad: { seq: 400 } })
        expect(appendBatch(world.log, 400)).toBe(400)
        yield* world.log.flush
        expect(yield* world.verify).toMatchObject({ events: 401, bad: null })
        expect((yield* world.snapshots).length).toBe(1)
      }),
    )
  })

  test("by rows missing at the end is noticed", async () => {
    const path = damagedCopy(() => {})
    const db = new BetterSqlite(path)
    db.exec("delete from event where seq > 590")
    db.close()
    const { bad } = await run(verify(path))
    expect(bad).toMatchObject({ seq: 591, problem: "the log should go on to event 600" })
  })

  test("by a lost write-ahead log leaves an earlier state or an error", async () => {
    const live = join(directory, "live.cv")
    const copy = join(directory, "without-wal.cv")
    await run(
      Effect.gen(function* () {
        const { log } = yield* (yield* WorldStore).create(live, genesis)
        for (let round = 1; round <= 20_000; round++) appendBatch(log, round)
        yield* log.flush
        for (let round = 20_001; round <= 20_100; round++) appendBatch(log, round)
        yield* log.flush
        copyFileSync(live, copy)
      }),
    )
    const exit = await run(Effect.exit(Effect.scoped(readAll(copy))))
    expectNoDefect(exit)
    if (Exit.isSuccess(exit)) expect(exit.value).toBeNull()
    expect(dirname(copy)).toBe(directory)
  })
})

describe("an index", () => {
  /** Flips a bit of a row's kind as the index has it by which queries find rows of a kind. */
  const damaged = (): string =>
    damagedCopy(bytes => {
      const db = new BetterSqlite(original, { readonly: true })
      const [{ rootpage }] = db.prepare("SELECT rootpage FROM sqlite_master WHERE name = 'event_kind'").all() as [
        { rootpage: number },
      ]
      const pageBytes = db.pragma("page_size", { simple: true }) as number
      db.close()
      // A page below its root, where there are pages below.
      const root = bytes.subarray((rootpage - 1) * pageBytes, rootpage * pageBytes)
      const isInner = root[0] === 2
      const page = isInner ? root.readUInt32BE(8) : rootpage
      const found = bytes.indexOf("batch", (page - 1) * pageBytes)
      expect(found).toBeLessThan(page * pageBytes)
      bytes[found]! ^= 1
    })

  test("that does not agree with the rows is found", async () => {
    const path = damaged()
    await run(
      Effect.gen(function* () {
        const world = yield* readOnly(path)
        expect((yield* world.verify).bad).toBeNull()
        const error = yield* Effect.flip(world.verifyContents)
        expect(error).toBeInstanceOf(WorldDamaged)
        expect(error.message).toContain("the database is inconsistent (")
      }),
    )
  })
})

test("a world that is written to meanwhile is verified as it is at one moment", async () => {
  const path = join(directory, "growing.cv")
  await run(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).create(path, genesis)
      let round = 0
      const reader = yield* readOnly(path)
      for (let times = 0; times < 40; times++) {
        for (let batch = 0; batch < 200; batch++) appendBatch(world.log, ++round)
        expect((yield* reader.verify).bad).toBeNull()
        yield* reader.verifyContents
      }
      yield* world.log.flush
    }),
  )
})
