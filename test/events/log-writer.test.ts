import { execFileSync } from "node:child_process"
import { mkdirSync } from "node:fs"
import { dirname, join } from "node:path"
import { Effect, Stream } from "effect"
import { describe, expect, test } from "vitest"
import { WorldStore, WorldWriteFailed } from "../../src/events/index.ts"
import { appendBatch, at, genesis, run, withPath } from "./fixture.ts"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

/** Appends until the host takes no more; the error, and what the file then says. */
const fillUp = (path: string, fileBytesMax?: number) =>
  run(
    Effect.gen(function* () {
      const store = yield* WorldStore
      const error = yield* Effect.scoped(
        Effect.gen(function* () {
          const { log } = yield* store.create(path, genesis, {
            ...(fileBytesMax === undefined ? {} : { fileBytesMax }),
          })
          const bytes = new Uint8Array(5000).map((_, index) => index * index)
          let thrown: unknown
          for (let round = 1; round < 20_000 && thrown === undefined; round++) {
            try {
              log.append(at(round), "console", { device: "uart0", bytes })
            } catch (cause) {
              thrown = cause
            }
          }
          expect(yield* Effect.flip(log.flush)).toBe(thrown)
          expect(log.failure).toBe(thrown)
          return thrown
        }),
      )
      const world = yield* store.openReadOnly(path)
      return { error, verification: yield* world.verify }
    }),
  )

describe("the log writer", () => {
  test("gives dense numbers and makes them durable", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const { log, ...world } = yield* (yield* WorldStore).create(path, genesis)
          expect(log.durableSeq).toBe(0)
          expect(appendBatch(log, 1)).toBe(1)
          expect(log.append(at(2), "console", { device: "uart0", bytes: Uint8Array.of(65) })).toBe(2)
          expect(log.nextSeq).toBe(3)
          yield* log.durable(2)
          expect(log.durableSeq).toBe(2)
          expect(log.queuedBytes).toBe(0)
          const head = yield* log.flush
          expect(head.seq).toBe(2)
          expect(yield* world.head).toEqual(head)
          const events = yield* Stream.runCollect(world.events())
          expect(events.map(event => [event.seq, event.kind, event.position.round])).toEqual([
            [0, "genesis", 0],
            [1, "batch", 1],
            [2, "console", 2],
          ])
          expect(events[2]!.digest).toEqual(head.digest)
        }),
      ),
    ))

  test("commits by itself a moment after an append, without being asked", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const { log } = yield* (yield* WorldStore).create(path, genesis)
          for (let round = 1; round <= 20; round++) {
            appendBatch(log, round)
            yield* Effect.sleep(round * 3)
          }
          yield* Effect.sleep(500)
          expect(log.durableSeq).toBe(20)
        }),
      ),
    ))

  test(
    "takes 100 000 batches, reads them back and checks the chain; twice with one digest",
    () =>
      withPath(async path => {
        const digests: Array<string> = []
        for (const name of ["a.cv", "b.cv"]) {
          const timings = await run(
            Effect.gen(function* () {
              const { log, ...world } = yield* (yield* WorldStore).create(join(dirname(path), name), genesis)
              const marks = [performance.now()]
              for (let round = 1; round <= 100_000; round++) appendBatch(log, round)
              marks.push(performance.now())
              const head = yield* log.flush
              marks.push(performance.now())
              const { events, bad, digest } = yield* world.verify
              marks.push(performance.now())
              const count = yield* Stream.runFold(
                world.events({ kinds: ["batch"] }),
                () => 0,
                (sum, event) =>
                  sum + (event.kind === "batch" ? event.payload.harts[0]!.to - event.payload.harts[0]!.from : 0),
              )
              marks.push(performance.now())
              expect([events, bad, count]).toEqual([100_001, null, 100_000_000])
              expect(digest).toEqual(head.digest)
              digests.push(hex(digest))
              return marks.slice(1).map((mark, index) => Math.round(mark - marks[index]!))
            }),
          )
          console.log(`100 000 batches: append, durable, verify, read in ${timings.join(", ")} ms`)
          expect(timings.reduce((sum, part) => sum + part, 0)).toBeLessThan(10_000)
        }
        expect(digests[0]).toBe(digests[1])
      }),
    60_000,
  )

  test("holds the appender when the queue is full, and loses nothing", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const { log, ...world } = yield* (yield* WorldStore).create(path, genesis, { queueBytesMax: 2 << 20 })
          const bytes = new Uint8Array(100_000).fill(7)
          for (let round = 1; round <= 100; round++) {
            log.append(at(round), "console", { device: "uart0", bytes })
            expect(log.queuedBytes).toBeLessThanOrEqual(log.queueBytesMax)
            if (round % 10 === 0) yield* log.room
          }
          yield* log.flush
          expect((yield* world.verify).events).toBe(101)
        }),
      ),
    ))

  test("a payload that is too large or not of its kind is a mistake of the caller", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const { log } = yield* (yield* WorldStore).create(path, genesis)
          expect(() => log.append(at(1), "console", { device: "", bytes: new Uint8Array((1 << 20) + 1) })).toThrow(
            RangeError,
          )
          expect(() => log.append({ ...at(1), round: -1 }, "console", { device: "", bytes: new Uint8Array() })).toThrow(
            RangeError,
          )
          expect(log.append(at(1), "console", { device: "", bytes: new Uint8Array() })).toBe(1)
          expect((yield* log.flush).seq).toBe(1)
        }),
      ),
    ))

  test("says so when the file may not grow, and the file stays valid", () =>
    withPath(async path => {
      const { error, verification } = await fillUp(path, 1 << 20)
      expect(error).toBeInstanceOf(WorldWriteFailed)
      expect((error as Error).message).toMatch(/is full; make room, then resume\. Everything up to event \d+ is safe\./)
      expect(verification.bad).toBeNull()
      expect(verification.events).toBe((error as WorldWriteFailed).durableSeq + 1)
    }))

  const mayMount = process.platform === "linux" && process.getuid?.() === 0
  test.skipIf(!mayMount)(
    "says so when the disk is full, and the file stays valid and can be resumed",
    ({ skip }) =>
      withPath(async path => {
        const disk = join(dirname(path), "disk")
        mkdirSync(disk)
        try {
          execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], { stdio: "ignore" })
        } catch {
          skip("mounting is not allowed here")
        }
        try {
          const world = join(disk, "full.cv")
          const { error, verification } = await fillUp(world)
          expect(error).toBeInstanceOf(WorldWriteFailed)
          expect((error as WorldWriteFailed).code).toMatch(/SQLITE_FULL|SQLITE_IOERR/)
          expect(verification.bad).toBeNull()
          expect(verification.events).toBe((error as WorldWriteFailed).durableSeq + 1)
          execFileSync("mount", ["-o", "remount,size=32m", disk])
          await run(
            Effect.gen(function* () {
              const { log, truncation } = yield* (yield* WorldStore).open(world)
              expect(truncation).toBeNull()
              expect(appendBatch(log, 100_000)).toBe(verification.events)
              yield* log.flush
            }),
          )
        } finally {
          execFileSync("umount", ["-l", disk])
        }
      }),
    30_000,
  )
})
