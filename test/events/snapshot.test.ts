import { Effect, Stream } from "effect"
import { describe, expect, test } from "vitest"
import {
  type Page,
  type RecordingWorld,
  SnapshotExists,
  type SnapshotInfo,
  SnapshotNotFound,
  type World,
  WorldStore,
} from "../../src/events/index.ts"
import { appendBatch, at, genesis, run, withPath } from "./fixture.ts"

const pageCount = 1000
const page = (index: number, fill: number): Page => ({ index, bytes: new Uint8Array(4096).fill(fill) })
const input = (name: string | null, parent: number | null, pages: Iterable<Page>) => ({
  name,
  seq: 0,
  position: at(0),
  virtualNs: 77,
  digest: new Uint8Array(32).fill(9),
  state: new TextEncoder().encode(`state of ${name}`),
  pageCount,
  parent,
  pages,
})

const load = (world: World, id: number, since?: number) =>
  Effect.map(Stream.runCollect(world.snapshotPages(id, since)), pages =>
    pages.map(({ index, bytes }) => {
      expect(bytes.every(byte => byte === bytes[0])).toBe(true)
      return [index, bytes[0]]
    }),
  )

const count = (world: World, table: string) =>
  Effect.map(world.sql(`select count(*) from ${table}`), ({ rows }) => rows[0]![0] as number)

const withWorld = (body: (world: RecordingWorld) => Effect.Effect<void, unknown>) =>
  withPath(path =>
    run(
      Effect.gen(function* () {
        yield* body(yield* (yield* WorldStore).create(path, genesis))
      }),
    ),
  )

describe("checkpoints", () => {
  test(
    "are 96 at most, fewer the further back, and those that stay are whole",
    () =>
      withWorld(world =>
        Effect.gen(function* () {
          let parent: number | null = null
          const contents = new Map<number, readonly (readonly [number, number])[]>()
          const memory = new Map<number, number>()
          for (let round = 1; round <= 230; round++) {
            const seq = appendBatch(world.log, round)
            const written = [page(0, round), page(1 + (round % 90), 1)]
            for (const { index, bytes } of written) memory.set(index, bytes[0]!)
            const info: SnapshotInfo = yield* world.saveSnapshot({ ...input(null, parent, written), seq })
            parent = info.id
            contents.set(
              info.id,
              [...memory].filter(([, fill]) => fill !== 0).sort(([a], [b]) => a - b),
            )
          }
          const kept = yield* world.snapshots
          expect(kept.length).toBeLessThanOrEqual(96)
          expect(kept.length).toBeGreaterThanOrEqual(48)
          expect(kept.at(-1)!.id).toBe(parent)
          const half = kept.filter(({ seq }) => seq <= 115).length
          expect(half).toBeGreaterThan(3)
          expect(half).toBeLessThan(kept.length / 2)
          for (const { id } of kept) expect(yield* load(world, id)).toEqual(contents.get(id))
          yield* world.verifyContents
          // What only those had that went is gone too.
          expect(yield* count(world, "page_pack")).toBeLessThanOrEqual(kept.length + 49)
          expect(yield* count(world, "memory_map")).toBeLessThan(230)
        }),
      ),
    120_000,
  )

  test(
    "that are removed stay there for who holds them, until he goes",
    () =>
      withPath(path =>
        run(
          Effect.gen(function* () {
            const store = yield* WorldStore
            const world = yield* store.create(path, genesis)
            const first = yield* world.saveSnapshot(input(null, null, [page(3, 1), page(500, 2)]))
            yield* Effect.scoped(
              Effect.gen(function* () {
                const holding = yield* store.openReadOnly(path, { holdsSnapshots: true })
                const second = yield* world.saveSnapshot(input(null, null, [page(3, 7)]))
                yield* world.removeSnapshot(first.id)
                appendBatch(world.log, 1)
                yield* world.log.flush
                expect((yield* world.snapshots).map(({ id }) => id)).toEqual([second.id])
                expect((yield* holding.snapshots).map(({ id }) => id)).toEqual([first.id])
                expect((yield* holding.head).seq).toBe(1)
                expect(yield* load(holding, first.id)).toEqual([
                  [3, 1],
                  [500, 2],
                ])
                expect((yield* Effect.flip(world.snapshotMemory(first.id)))._tag).toBe("SnapshotNotFound")
              }),
            )
            const later = yield* store.openReadOnly(path, { holdsSnapshots: true })
            expect((yield* later.snapshots).length).toBe(1)
          }),
        ),
      ),
    60_000,
  )
})

describe("snapshots", () => {
  test("give back state and pages, and inherit what did not change", () =>
    withWorld(world =>
      Effect.gen(function* () {
        const first = yield* world.saveSnapshot(
          input("first", null, [page(3, 1), page(500, 2), page(999, 1), page(7, 0)]),
        )
        expect(first).toMatchObject({ id: 1, name: "first", seq: 0, position: at(0), virtualNs: 77, pageCount })
        const second = yield* world.saveSnapshot(input(null, first.id, [page(500, 0), page(4, 3)]))
        expect(yield* load(world, first.id)).toEqual([
          [3, 1],
          [500, 2],
          [999, 1],
        ])
        expect(yield* load(world, second.id)).toEqual([
          [3, 1],
          [4, 3],
          [999, 1],
        ])
        expect(yield* load(world, second.id, first.id)).toEqual([
          [4, 3],
          [500, 0],
        ])
        expect(yield* load(world, first.id, second.id)).toEqual([
          [4, 0],
          [500, 2],
        ])
        expect(new TextDecoder().decode(yield* world.snapshotState(first.id))).toBe("state of first")
        expect((yield* world.snapshots).map(({ name }) => name)).toEqual(["first", null])
        expect(yield* world.snapshot("first")).toEqual(first)
        expect(yield* count(world, "page")).toBe(3)
        yield* world.verifyContents
      }),
    ))

  test("are stored after the events before them, while the machine goes on", () =>
    withWorld(world =>
      Effect.gen(function* () {
        const seq = world.log.append(at(1), "snapshot", { name: "x", virtualNs: 1, digest: new Uint8Array(32) })
        const memory = new Uint8Array(4096).fill(5)
        const { durable } = yield* world.beginSnapshot({ ...input("x", null, [{ index: 0, bytes: memory }]), seq })
        memory.fill(6)
        const info = yield* durable
        expect(world.log.durableSeq).toBeGreaterThanOrEqual(seq)
        expect(yield* load(world, info.id)).toEqual([[0, 5]])
      }),
    ))

  test("removed, take with them what only they had", () =>
    withWorld(world =>
      Effect.gen(function* () {
        const pages = (from: number, fill: number) =>
          Array.from({ length: 40 }, (_, index) => page(from + index, fill + index))
        const first = yield* world.saveSnapshot(input("first", null, pages(0, 1)))
        const second = yield* world.saveSnapshot(input("second", first.id, pages(20, 100)))
        expect(yield* count(world, "page")).toBe(80)
        const before = yield* load(world, second.id)
        expect(yield* count(world, "page_pack")).toBe(6)
        yield* world.removeSnapshot(first.id)
        // A pack goes when none of its pages is needed.
        expect(yield* count(world, "page_pack")).toBe(5)
        expect(yield* count(world, "page")).toBe(72)
        expect(yield* count(world, "memory_map")).toBe(2)
        expect(yield* load(world, second.id)).toEqual(before)
        yield* world.verifyContents
        yield* world.removeSnapshot(second.id)
        for (const table of ["page", "page_pack", "memory_map", "snapshot"]) expect(yield* count(world, table)).toBe(0)
        expect(yield* Effect.flip(world.removeSnapshot(second.id))).toBeInstanceOf(SnapshotNotFound)
      }),
    ))

  test("with a name that is taken, or that is not there, are an error", () =>
    withWorld(world =>
      Effect.gen(function* () {
        yield* world.saveSnapshot(input("a", null, []))
        const error = yield* Effect.flip(world.saveSnapshot(input("a", null, [page(1, 1)])))
        expect(error).toBeInstanceOf(SnapshotExists)
        expect(yield* Effect.flip(world.snapshot("b"))).toBeInstanceOf(SnapshotNotFound)
        expect(yield* Effect.flip(world.snapshotState(7))).toBeInstanceOf(SnapshotNotFound)
        expect(yield* Effect.flip(Stream.runCollect(world.snapshotPages(7)))).toBeInstanceOf(SnapshotNotFound)
      }),
    ))

  test(
    "of tens of thousands of pages are saved and loaded",
    () =>
      withWorld(world =>
        Effect.gen(function* () {
          const total = 30_000
          function* pages() {
            const bytes = Buffer.alloc(4096)
            for (let index = 0; index < total; index++) {
              for (let offset = 0; offset < 1024; offset += 4)
                bytes.writeUInt32LE(Math.imul(index + 1, offset + 3) >>> 0, offset)
              yield { index, bytes }
            }
          }
          const began = performance.now()
          const { durable } = yield* world.beginSnapshot({ ...input("big", null, pages()), pageCount: total })
          const handed = performance.now()
          const { id } = yield* durable
          const saved = performance.now()
          expect(yield* Stream.runCount(world.snapshotPages(id))).toBe(total)
          const loaded = performance.now()
          const times = [handed - began, saved - began, loaded - saved].map(Math.round)
          console.log(`${total} pages: handed over in ${times[0]}, saved in ${times[1]}, loaded in ${times[2]} ms`)
        }),
      ),
    60_000,
  )
})
