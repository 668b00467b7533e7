import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { Effect, Stream } from "effect"
import { describe, expect, test, vi } from "vitest"
import {
  ForkTooDeep,
  isInherited,
  ParentUnusable,
  SnapshotInherited,
  type World,
  WorldDamaged,
  WorldExists,
  WorldHasForks,
  WorldInUse,
  WorldStore,
} from "../../src/events/index.ts"
import { appendBatch, at, failure, genesis, run, snapshotPages, withPath } from "./fixture.ts"

vi.setConfig({ testTimeout: 60_000 })

const beside = (path: string, name: string) => join(dirname(path), `${name}.cv`)
const readOnly = (path: string) => Effect.flatMap(WorldStore, store => store.openReadOnly(path))

/** Records `rounds` batches, one a round, each with its round as seq. */
const record = (path: string, rounds: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { log } = yield* (yield* WorldStore).create(path, genesis)
      for (let round = 1; round <= rounds; round++) appendBatch(log, round)
      yield* log.flush
    }),
  )

/** Goes on with a world up to a round. `odd`: in another way than `record` does. */
const goOn = (path: string, rounds: number, odd = false) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { log } = yield* (yield* WorldStore).open(path)
      for (let round = log.nextSeq; round <= rounds; round++)
        if (odd) log.append(at(round), "console", { device: "uart0", bytes: Uint8Array.of(round) })
        else appendBatch(log, round)
      yield* log.flush
    }),
  )

const fork = (path: string, file: string, seq: number) =>
  Effect.scoped(Effect.flatMap(readOnly(path), world => world.forkTo(file, { seq, position: at(seq) })))

/** A snapshot at a round: what `snapshotPages` gives, on top of `parent`. */
const saveSnapshot = (path: string, name: string, seq: number, parent: number | null = null) =>
  Effect.scoped(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).open(path)
      return yield* world.saveSnapshot({
        name,
        seq,
        position: at(seq),
        virtualNs: seq,
        digest: new Uint8Array(16).fill(seq),
        state: new TextEncoder().encode(`state of ${name}`),
        pageCount: 4096,
        parent,
        pages: snapshotPages(seq),
      })
    }),
  )

const all = (world: World) => Stream.runCollect(world.events())
const pagesOf = (world: World, id: number, since?: number) =>
  Effect.map(Stream.runCollect(world.snapshotPages(id, since)), pages =>
    pages.map(({ index, bytes }) => [index, Buffer.from(bytes).toString("base64")] as const),
  )

describe("a fork", () => {
  test("is small, shares its parent's history and goes on by itself, in one chain", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          yield* record(path, 3000)
          const child = beside(path, "child")
          yield* fork(path, child, 2000)
          expect(statSync(child).size).toBeLessThan(32 << 10)
          expect(readdirSync(dirname(path))).toEqual(["child.cv", "test.cv"])
          expect(yield* Effect.flip(fork(path, child, 5))).toBeInstanceOf(WorldExists)

          const parent = yield* readOnly(path)
          const fresh = yield* readOnly(child)
          expect(parent.parent).toBeNull()
          expect(fresh.genesis).toEqual(genesis)
          expect(fresh.parent).toMatchObject({ path, seq: 2000, position: at(2000) })
          expect((yield* fresh.head).seq).toBe(2000)
          expect(yield* all(fresh)).toEqual((yield* all(parent)).slice(0, 2001))
          expect(yield* fresh.verify).toMatchObject({ events: 2001, bad: null, lastPosition: at(2000) })

          yield* goOn(child, 2500, true)
          yield* goOn(path, 4000)
          const world = yield* readOnly(child)
          expect((yield* parent.head).seq).toBe(4000)
          expect((yield* world.head).seq).toBe(2500)
          const events = yield* all(world)
          expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 2501 }, (_, seq) => seq))
          expect(events[2000]!.kind).toBe("batch")
          expect(events[2001]!.kind).toBe("console")
          const seqs = (filter: Parameters<typeof world.events>[0], limit: number) =>
            Effect.map(world.readEvents(filter ?? {}, limit), found => found.map(({ seq }) => seq))
          expect(yield* seqs({ fromSeq: 1999 }, 4)).toEqual([1999, 2000, 2001, 2002])
          expect(yield* seqs({ fromSeq: 1999, toSeq: 2000 }, 4)).toEqual([1999, 2000])
          expect(yield* seqs({ kinds: ["console"] }, 2)).toEqual([2001, 2002])
          expect(yield* seqs({ kinds: ["batch"], fromSeq: 1999 }, 9)).toEqual([1999, 2000])
          expect(yield* seqs({ fromPosition: at(2000) }, 2)).toEqual([2000, 2001])
          for (const seq of [0, 1, 1999, 2000, 2001, 2002, 2500]) expect(yield* world.seqAt(at(seq))).toBe(seq)
          expect(yield* world.seqAt(at(9000))).toBe(2501)
          expect(yield* world.verify).toMatchObject({ events: 2501, bad: null })
          yield* world.verifyContents
        }),
      ),
    ))

  test("is made of a world that is being recorded, of what is durable", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const { log } = yield* (yield* WorldStore).create(path, genesis)
          for (let round = 1; round <= 20; round++) appendBatch(log, round)
          yield* log.flush
          const child = beside(path, "child")
          yield* fork(path, child, 20)
          for (let round = 21; round <= 40; round++) appendBatch(log, round)
          yield* log.flush
          yield* goOn(child, 30, true)
          const world = yield* readOnly(child)
          expect(yield* world.verify).toMatchObject({ events: 31, bad: null })
          expect((yield* world.readEvents({ fromSeq: 21 }, 1))[0]!.kind).toBe("console")
        }),
      ),
    ))

  test("of a fork of a fork reads through all of them, also with SQL", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const [two, three, early] = [beside(path, "two"), beside(path, "three"), beside(path, "early")]
          yield* record(path, 100)
          yield* fork(path, two, 60)
          yield* goOn(two, 90, true)
          yield* fork(two, three, 70)
          yield* goOn(three, 80)
          // One that leaves its parent before that one's own history begins.
          yield* fork(two, early, 50)
          yield* goOn(early, 55, true)
          const world = yield* readOnly(three)
          const kinds = (yield* all(world)).map(({ kind }) => kind)
          expect(kinds).toEqual([
            "genesis",
            ...Array(60).fill("batch"),
            ...Array(10).fill("console"),
            ...Array(10).fill("batch"),
          ])
          expect(yield* world.verify).toMatchObject({ events: 81, bad: null })
          const rows = (text: string) => Effect.map(world.sql(text), result => result.rows)
          expect(yield* rows("select seq from events where seq > 58 and seq < 73")).toEqual(
            Array.from({ length: 14 }, (_, order) => [59 + order]),
          )
          expect(yield* rows("select kind, count(*) from events group by kind order by kind")).toEqual([
            ["batch", 70],
            ["console", 10],
            ["genesis", 1],
          ])
          expect(yield* rows("select min(seq), max(seq) from console")).toEqual([[61, 70]])
          expect(yield* rows("select digest from events where seq = 65")).toEqual([
            [Buffer.from((yield* world.readEvents({ fromSeq: 65 }, 1))[0]!.digest).toString("hex")],
          ])
          const other = yield* readOnly(early)
          expect((yield* all(other)).map(({ kind }) => kind)).toEqual([
            "genesis",
            ...Array(50).fill("batch"),
            ...Array(5).fill("console"),
          ])
          expect(yield* other.verify).toMatchObject({ events: 56, bad: null })
          expect((yield* other.sql("select count(*) from events")).rows).toEqual([[56]])
        }),
      ),
    ))

  test("has its parent's contents, and its snapshots up to where it leaves it", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const child = beside(path, "child")
          yield* record(path, 30)
          const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * index) >> 3)
          const { hash } = yield* Effect.scoped(
            Effect.gen(function* () {
              const world = yield* (yield* WorldStore).open(path)
              return yield* world.putBlob(Stream.make(bytes))
            }),
          )
          const one = yield* saveSnapshot(path, "one", 10)
          yield* saveSnapshot(path, "after", 25, one.id)
          yield* fork(path, child, 20)
          yield* goOn(child, 30, true)
          const own = yield* saveSnapshot(child, "own", 28)
          // Later, but of an earlier moment.
          yield* saveSnapshot(path, "late", 15, one.id)
          expect(isInherited(own)).toBe(false)

          const world = yield* readOnly(child)
          const parent = yield* readOnly(path)
          expect(yield* world.readBlob(hash)).toEqual(bytes)
          expect(Buffer.from(world.readBlobNow(hash)).equals(bytes)).toBe(true)
          expect(Buffer.concat(yield* Stream.runCollect(world.blob(hash))).equals(bytes)).toBe(true)
          const snapshots = yield* world.snapshots
          expect(snapshots.map(({ name }) => name)).toEqual(["one", "late", "own"])
          expect(snapshots.map(isInherited)).toEqual([true, true, false])
          expect(new Set(snapshots.map(({ id }) => id)).size).toBe(3)
          for (const { id, name } of snapshots) {
            expect(yield* world.snapshot(id)).toEqual(yield* world.snapshot(name!))
            expect(Buffer.from(yield* world.snapshotState(id)).toString()).toBe(`state of ${name}`)
            if (name === "own") continue
            const there = yield* parent.snapshot(name!)
            expect(yield* pagesOf(world, id)).toEqual(yield* pagesOf(parent, there.id))
            const memory = yield* world.snapshotMemory(id)
            const index = memory.indexes[7]!
            expect(memory.read(index)).toEqual((yield* parent.snapshotMemory(there.id)).read(index))
          }
          const [first, second, third] = snapshots.map(({ id }) => id) as [number, number, number]
          expect(yield* pagesOf(world, second, first)).toEqual(
            yield* pagesOf(parent, (yield* parent.snapshot("late")).id, one.id),
          )
          // Between files: what differs, pages of zeros too.
          const [before, after] = [new Map(yield* pagesOf(world, first)), new Map(yield* pagesOf(world, third))]
          for (const [index, content] of yield* pagesOf(world, third, first)) {
            expect(content).not.toBe(before.get(index))
            if (after.has(index)) before.set(index, content)
            else before.delete(index)
          }
          expect(new Map([...before].sort(([a], [b]) => a - b))).toEqual(after)
          expect((yield* Effect.flip(world.snapshot("after")))._tag).toBe("SnapshotNotFound")
          expect((yield* Effect.flip(world.snapshot((yield* parent.snapshot("after")).id + first - one.id)))._tag).toBe(
            "SnapshotNotFound",
          )
          expect((yield* world.sql("select id, name from snapshots order by seq")).rows).toEqual(
            snapshots.map(({ id, name }) => [id, name]),
          )
          expect((yield* world.sql("select hash from blobs")).rows).toEqual([[hash]])
          yield* world.verifyContents
          const writing = yield* (yield* WorldStore).open(child)
          expect(yield* Effect.flip(writing.removeSnapshot(first))).toBeInstanceOf(SnapshotInherited)
          yield* writing.removeSnapshot(third)
          expect((yield* writing.snapshots).length).toBe(2)
        }),
      ),
    ))

  test("is exported as a file that needs no other", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const store = yield* WorldStore
          const [two, three] = [beside(path, "two"), beside(path, "three")]
          yield* record(path, 40)
          const first = yield* saveSnapshot(path, "first", 10)
          yield* saveSnapshot(path, "second", 20, first.id)
          yield* saveSnapshot(path, "not shared", 35, first.id)
          yield* fork(path, two, 30)
          yield* goOn(two, 40, true)
          const third = yield* saveSnapshot(two, "third", 33)
          yield* saveSnapshot(two, "fourth", 36, third.id)
          yield* fork(two, three, 38)
          yield* goOn(three, 45)

          const read = (world: World) =>
            Effect.gen(function* () {
              const snapshots = yield* world.snapshots
              return {
                events: yield* all(world),
                head: yield* world.head,
                snapshots: yield* Effect.forEach(snapshots, ({ id, ...info }) =>
                  Effect.gen(function* () {
                    return { info, state: yield* world.snapshotState(id), pages: yield* pagesOf(world, id) }
                  }),
                ),
              }
            })
          const expected = yield* read(yield* readOnly(three))
          expect(expected.snapshots.map(({ info }) => info.name)).toEqual(["first", "second", "third", "fourth"])
          const elsewhere = join(dirname(path), "elsewhere")
          mkdirSync(elsewhere)
          const file = join(elsewhere, "exported.cv")
          yield* (yield* readOnly(three)).exportTo(file)
          yield* store.importFrom(three, join(elsewhere, "direct.cv"))
          for (const world of [path, two, three]) yield* store.remove(world, { force: true })
          yield* store.importFrom(file, join(elsewhere, "imported.cv"))
          expect(readdirSync(elsewhere).sort()).toEqual(["direct.cv", "exported.cv", "imported.cv"])
          for (const name of ["exported", "direct", "imported"]) {
            const world = yield* readOnly(join(elsewhere, `${name}.cv`))
            expect(world.parent).toBeNull()
            expect(yield* read(world)).toEqual(expected)
            expect((yield* world.verify).bad).toBeNull()
            yield* world.verifyContents
          }
        }),
      ),
    ))

  test("moves with its parent, and says when that is not there or another", () =>
    withPath(async path => {
      const child = beside(path, "child")
      await run(Effect.andThen(record(path, 30), fork(path, child, 20)))
      const moved = join(dirname(path), "moved")
      mkdirSync(moved)
      for (const name of ["test.cv", "child.cv"]) renameSync(join(dirname(path), name), join(moved, name))
      const [parent, fork2] = [join(moved, "test.cv"), join(moved, "child.cv")]
      await run(goOn(fork2, 25, true))
      const fails = async (problem: RegExp) => {
        const errors = [
          await failure(readOnly(fork2)),
          await failure(Effect.flatMap(WorldStore, store => store.open(fork2))),
          await failure(Effect.flatMap(WorldStore, store => store.importFrom(fork2, path))),
        ]
        for (const error of errors) {
          expect(error).toBeInstanceOf(ParentUnusable)
          expect(error.message).toMatch(problem)
          expect(error.message).toMatch(/^[^\n]*; put the parent back as it was, or use an export of the fork\.$/)
        }
      }
      renameSync(parent, `${parent}.kept`)
      await fails(/child\.cv is a fork, and its parent world \S+test\.cv is not there;/)
      await run(record(parent, 15))
      await fails(/ends before event 20, at which it was forked/)
      rmSync(parent)
      await run(Effect.andThen(record(parent, 10), goOn(parent, 40, true)))
      await fails(/has another history than it had when it was forked at event 20/)
      copyFileSync(fork2, parent)
      await fails(/is a fork of it/)
      renameSync(`${parent}.kept`, parent)
      await run(
        Effect.gen(function* () {
          expect(yield* (yield* readOnly(fork2)).verify).toMatchObject({ events: 26, bad: null })
        }),
      )
      // In another directory it names its parent in full.
      const far = join(dirname(path), "far.cv")
      await run(fork(parent, far, 7))
      await run(Effect.map(readOnly(far), world => expect(world.parent?.path).toBe(parent)))
      renameSync(far, join(moved, "far.cv"))
      await run(readOnly(join(moved, "far.cv")))
    }))

  test("names damage by the file it is in; its own is cut off", () =>
    withPath(async path => {
      const child = beside(path, "child")
      await run(Effect.andThen(record(path, 30), Effect.andThen(fork(path, child, 20), goOn(child, 30, true))))
      const change = (file: string, text: string) => {
        const db = new BetterSqlite(file)
        db.exec(text)
        db.close()
      }
      change(child, "update event set payload = x'00' where seq = 27")
      await run(
        Effect.gen(function* () {
          const { truncation, head } = yield* (yield* WorldStore).open(child)
          expect(truncation).toMatchObject({ removed: 4, bad: { seq: 27, path: child } })
          expect((yield* head).seq).toBe(26)
        }),
      )
      change(child, "update event set payload = x'00' where seq = 21")
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).open(child)
          expect((yield* world.head).seq).toBe(20)
          expect(appendBatch(world.log, 21)).toBe(21)
          yield* world.log.flush
          expect(yield* world.verify).toMatchObject({ events: 22, bad: null })
        }),
      )
      change(path, "update event set payload = x'00' where seq = 12")
      const { bad } = await run(Effect.flatMap(readOnly(child), world => world.verify))
      expect(bad).toMatchObject({ path, seq: 12 })
      const error = await failure(Effect.flatMap(WorldStore, store => store.open(child)))
      expect(error).toBeInstanceOf(WorldDamaged)
      expect(error).toMatchObject({ path, seq: 12 })
      for (const column of ["seq", "round", "machine", "hart", "instret"]) {
        copyFileSync(child, beside(path, "copy"))
        change(beside(path, "copy"), `update parent set ${column} = ${column} + 1`)
        expect((await failure(readOnly(beside(path, "copy")))).message).toMatch(
          /the record of the world it was forked from/,
        )
      }
      for (const assignment of ["path = 'other.cv'", "digest = zeroblob(32)", "seal = zeroblob(32)"]) {
        copyFileSync(child, beside(path, "copy"))
        change(beside(path, "copy"), `update parent set ${assignment}`)
        expect(await failure(readOnly(beside(path, "copy")))).toBeInstanceOf(WorldDamaged)
      }
    }))

  test("keeps its parent from being removed, unless that is forced", () =>
    withPath(async path => {
      const [child, other] = [beside(path, "child"), beside(path, "other")]
      await run(Effect.andThen(record(path, 30), Effect.andThen(fork(path, child, 20), fork(path, other, 10))))
      await run(record(beside(path, "stranger"), 3))
      const remove = (file: string, force = false) => Effect.flatMap(WorldStore, store => store.remove(file, { force }))
      const error = await failure(remove(path))
      expect(error).toBeInstanceOf(WorldHasForks)
      expect(error).toMatchObject({ forks: [child, other] })
      await run(remove(other))
      expect(await failure(remove(path))).toMatchObject({ forks: [child] })
      await run(remove(path, true))
      expect(existsSync(path)).toBe(false)
      await run(remove(child))
    }))

  test("is of ten worlds at most", () =>
    withPath(async path => {
      await run(record(path, 5))
      let last = path
      for (let depth = 1; depth <= 10; depth++) {
        const next = beside(path, `fork${depth}`)
        await run(Effect.andThen(fork(last, next, 4 + depth), goOn(next, 5 + depth, depth % 2 === 1)))
        last = next
      }
      const error = await failure(fork(last, beside(path, "more"), 3))
      expect(error).toBeInstanceOf(ForkTooDeep)
      await run(
        Effect.gen(function* () {
          const world = yield* readOnly(last)
          expect(yield* world.verify).toMatchObject({ events: 16, bad: null })
          expect((yield* world.sql("select count(*), count(distinct seq) from events")).rows).toEqual([[16, 16]])
          const flat = beside(path, "flat")
          yield* world.exportTo(flat)
          yield* fork(flat, beside(path, "more"), 3)
        }),
      )
    }))

  test("is not made where another is being made", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          yield* record(path, 5)
          const child = beside(path, "child")
          yield* (yield* WorldStore).begin(child, genesis)
          expect(yield* Effect.flip(fork(path, child, 3))).toBeInstanceOf(WorldInUse)
        }),
      ),
    ))
})
