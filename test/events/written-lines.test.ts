import BetterSqlite from "better-sqlite3"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { WorldStore } from "../../src/events/index.ts"
import { appendBatch, at, genesis, run, withPath } from "./fixture.ts"

const page = (index: number) => ({ index, bytes: new Uint8Array(4096).fill(index + 1) })
/** The first and last line of each page. */
const linesOf = (pages: readonly number[]) => ({
  pages: Uint32Array.from(pages),
  lines: Uint32Array.from(pages.flatMap(() => [1, 0x8000_0000])),
})
const input = (seq: number, parent: number | null, pages: readonly number[], since: number | null) => ({
  name: null,
  seq,
  position: at(seq),
  virtualNs: seq,
  digest: new Uint8Array(32),
  state: new Uint8Array(0),
  pageCount: 100_000,
  parent,
  pages: pages.map(page),
  written: since === null ? null : { since, ...linesOf(pages.toSorted((a, b) => a - b)) },
})

/** A world with seven events after its first, and checkpoints after the second and the sixth. */
const recordWorld = (path: string) =>
  Effect.gen(function* () {
    const world = yield* (yield* WorldStore).create(path, genesis)
    const append = (from: number, to: number) => {
      for (let round = from; round <= to; round++) appendBatch(world.log, round)
    }
    append(1, 2)
    const { id } = yield* world.saveSnapshot(input(2, null, [99_999, 3, 4, 70_000], 0))
    append(3, 6)
    yield* world.saveSnapshot(input(6, id, [4, 5], 2))
    // Nobody knows since when.
    yield* world.saveSnapshot(input(6, id, [9], null))
    append(7, 7)
    yield* world.log.flush
  })

const first = { fromSeq: 0, toSeq: 2, ...linesOf([3, 4, 70_000, 99_999]) }
const second = { fromSeq: 2, toSeq: 6, ...linesOf([4, 5]) }

const spansOf = (path: string) =>
  Effect.flatMap(WorldStore, store => Effect.flatMap(store.openReadOnly(path), world => world.writtenSpans))

const change = (path: string, sql: string): void => {
  const db = new BetterSqlite(path)
  db.exec(sql)
  db.close()
}

test(
  "what was written is kept with each checkpoint, and stays when that goes",
  () =>
    withPath(async path => {
      await run(recordWorld(path))
      expect(await run(spansOf(path))).toEqual([first, second])
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).open(path)
          for (const { id } of yield* world.snapshots) yield* world.removeSnapshot(id)
          yield* world.verifyContents
        }),
      )
      expect(await run(spansOf(path))).toEqual([first, second])
    }),
  60_000,
)

test(
  "a fork knows it of what it shares, in a file of its own too",
  () =>
    withPath(async path => {
      await run(recordWorld(path))
      const [fork, whole] = [`${path}.fork`, `${path}.whole`]
      await run(
        Effect.gen(function* () {
          const store = yield* WorldStore
          const world = yield* store.openReadOnly(path)
          yield* world.forkTo(fork, { seq: 4, position: at(4) })
          yield* (yield* store.openReadOnly(fork)).exportTo(whole)
        }),
      )
      for (const file of [fork, whole]) expect(await run(spansOf(file))).toEqual([first, { ...second, toSeq: 4 }])
    }),
  60_000,
)

test(
  "what is damaged says nothing, and is found by whoever checks",
  () =>
    withPath(async path => {
      await run(recordWorld(path))
      for (const sql of [
        "UPDATE written SET to_seq = 7 WHERE to_seq = 6",
        "UPDATE written SET lines = x'00' WHERE id = 2",
      ]) {
        change(path, sql)
        expect(await run(spansOf(path))).toEqual([first])
        const checked = await run(
          Effect.result(
            Effect.flatMap(WorldStore, store =>
              Effect.flatMap(store.openReadOnly(path), world => world.verifyContents),
            ),
          ),
        )
        expect(checked).toMatchObject({ _tag: "Failure", failure: { _tag: "WorldDamaged" } })
        expect(String(checked)).toMatch(/list 2 of written lines is not what was stored/)
      }
    }),
  60_000,
)

test(
  "where the log was cut off, nothing is said of what lay behind",
  () =>
    withPath(async path => {
      await run(recordWorld(path))
      change(path, "UPDATE event SET payload = x'01' WHERE seq = 5")
      await run(Effect.flatMap(WorldStore, store => store.open(path)))
      expect(await run(spansOf(path))).toEqual([first])
    }),
  60_000,
)
