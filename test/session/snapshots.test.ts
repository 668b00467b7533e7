import { execFileSync } from "node:child_process"
import { copyFileSync } from "node:fs"
import BetterSqlite from "better-sqlite3"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { truncateLog } from "../../src/events/event-reader.ts"
import { WorldDamaged, WorldStore } from "../../src/events/index.ts"
import type { Machine } from "../../src/machine/machine.ts"
import { type Act, branchAt, type Director, direct, type Moment } from "../../src/session/direct.ts"
import { HistoryEnded } from "../../src/session/errors.ts"
import { createSnapshot, createWorld, record, replay, resume, verify } from "../../src/session/session.ts"
import { machineAt } from "../../src/session/snapshots.ts"
import { embedded, failure, run, script, Watcher, withPath } from "./embedded.ts"

const spec = embedded({ bootargs: "auto" })
const restorer = new URL("./restorer.ts", import.meta.url).pathname
const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

/** Asks for a snapshot in each of some rounds; the guest runs to its end by itself. */
class Snapper implements Director {
  readonly stands = Effect.void
  readonly digests = new Map<string, string>()
  private readonly rounds: number[]

  constructor(rounds: readonly number[]) {
    this.rounds = rounds.toSorted((a, b) => a - b)
  }

  printed(): void {}

  next({ machine, offCode }: Moment): Act {
    if (offCode !== null) return { kind: "end" }
    const [round] = this.rounds
    if (round !== undefined && machine.round >= round) return { kind: "snapshot", name: `s${round}` }
    return { kind: "go on", alarmNs: Number.POSITIVE_INFINITY }
  }

  done(_: Machine, digest: Uint8Array | null): void {
    this.digests.set(`s${this.rounds.shift()}`, Buffer.from(digest!).toString("hex"))
  }
}

const recordWith = (path: string, director: Director) =>
  Effect.gen(function* () {
    const { world, machine } = yield* createWorld(path, spec)
    return yield* direct({ world, machine, exit: null, woken: null }, director, breathe)
  })

/** Rounds to take snapshots in, other ones for each seed. */
const someRounds = (seed: number, count: number, max: number): number[] => {
  let state = seed
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return 1 + (state % max)
  })
}

test(
  "taken of a running machine at any moment, they change nothing and are gone on from in a new process",
  () =>
    withPath(async path => {
      const straight = await run(record(null, spec, new Watcher(), script("")))
      for (const seed of [1, 2]) {
        const world = path.replace(".cv", `${seed}.cv`)
        const director = new Snapper([...new Set(someRounds(seed, 12, 600))])
        const recorded = await run(recordWith(world, director))
        expect(recorded.digest).toBe(straight.digest)
        expect(director.digests.size).toBeGreaterThan(8)
        for (const [position, name] of [...director.digests.keys()].entries()) {
          if (position % 4 === 0)
            expect(execFileSync(process.execPath, [restorer, world, name], { encoding: "utf8" }).trim()).toBe(
              straight.digest,
            )
          else expect((await run(replay(world, { from: name }))).digest).toBe(straight.digest)
        }
        expect((await run(replay(world))).digest).toBe(straight.digest)
        await run(verify(world))
      }
    }),
  240_000,
)

test(
  "restored, a machine has the digest it had, whether its memory was read or not",
  () =>
    withPath(async path => {
      const director = new Snapper([60, 400])
      await run(recordWith(path, director))
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).openReadOnly(path)
          for (const [name, digest] of director.digests) {
            const machine = yield* machineAt(world, yield* world.snapshot(name))
            expect(Buffer.from(machine.digest()).toString("hex")).toBe(digest)
            const pagewise = machine.pagewiseDigest()
            const { mark, pages } = machine.writtenPages(0)
            expect([mark, pages.length]).toEqual([0, 0])
            // Every page was brought in now; hashing them all anew gives the same.
            const copies = Array.from(machine.pages(), ({ index, bytes }) => ({ index, bytes: bytes.slice() }))
            machine.restore(machine.save(), copies)
            expect(Buffer.from(machine.digest()).toString("hex")).toBe(digest)
            expect(machine.pagewiseDigest()).toEqual(pagewise)
          }
        }),
      )
    }),
  120_000,
)

test(
  "made afterwards, from the one before, they are the same",
  () =>
    withPath(async path => {
      const director = new Snapper([200])
      const recorded = await run(recordWith(path, director))
      const other = path.replace(".cv", "-other.cv")
      copyFileSync(path, other)
      const at = { round: 500, machine: 0, hart: 0, instret: 0 }
      const late = await run(createSnapshot(path, "late", at))
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).open(other)
          yield* world.removeSnapshot((yield* world.snapshot("s200")).id)
        }),
      )
      const alone = await run(createSnapshot(other, "late", at))
      expect(late.position).toEqual(alone.position)
      expect(late.digest).toEqual(alone.digest)
      expect((await run(replay(path, { from: "late" }))).digest).toBe(recorded.digest)
    }),
  120_000,
)

test(
  "one of a history that has ended does not let it go on",
  () =>
    withPath(async path => {
      const recorded = await run(record(path, spec, new Watcher(), script("")))
      await run(createSnapshot(path, "end", null))
      expect(await failure(resume(path, new Watcher(), script("")))).toBeInstanceOf(HistoryEnded)
      expect((await run(replay(path))).digest).toBe(recorded.digest)
    }),
  60_000,
)

test(
  "one of a history that broke off in the middle of a cut completes the cut",
  () =>
    withPath(async path => {
      const recorded = await run(record(path, spec, new Watcher(), script("")))
      const db = new BetterSqlite(path)
      // The schedule of a cut without its batch.
      const kept = db
        .prepare<[], { seq: number; digest: Buffer }>(
          "select seq, digest from event where kind = 'schedule' limit 1 offset 20",
        )
        .get()!
      truncateLog(db, kept.seq + 1, kept.digest)
      db.close()
      const snapshot = await run(createSnapshot(path, "end", null))
      expect(snapshot.seq).toBe(kept.seq + 1)
      expect((await run(resume(path, new Watcher(), script("")))).digest).toBe(recorded.digest)
      for (const options of [{}, { from: "end" }])
        expect((await run(replay(path, options))).digest).toBe(recorded.digest)
    }),
  60_000,
)

test(
  "a branch from one has all of its memory",
  () =>
    withPath(async path => {
      const recorded = await run(recordWith(path, new Snapper([200])))
      const branch = path.replace(".cv", "-branch.cv")
      const end = await run(
        Effect.gen(function* () {
          const director = new Snapper([400])
          const { stage } = yield* branchAt(path, "s200", branch, director)
          return yield* direct(stage, director, breathe)
        }),
      )
      expect(end.digest).toBe(recorded.digest)
      for (const from of ["s200", "s400"]) expect((await run(replay(branch, { from }))).digest).toBe(recorded.digest)
      await run(verify(branch))
    }),
  120_000,
)

test(
  "damaged ones are named by verify, and end a run that needs them as damage, not as a defect",
  () =>
    withPath(async path => {
      await run(recordWith(path, new Snapper([200])))
      const db = new BetterSqlite(path)
      for (const { id, data } of db.prepare<[], { id: number; data: Buffer }>("select id, data from page_pack").all()) {
        data[data.length >> 1]! ^= 16
        db.prepare("update page_pack set data = ? where id = ?").run(data, id)
      }
      db.close()
      const found = await failure(verify(path))
      expect(found).toBeInstanceOf(WorldDamaged)
      expect(found.message).toMatch(/page \d+ of the memory of snapshot s200/)
      const ended = await failure(replay(path, { from: "s200" }))
      expect(ended).toBeInstanceOf(WorldDamaged)
      expect(ended.message).toMatch(/page \d+ of the memory of snapshot s200/)
    }),
  60_000,
)
