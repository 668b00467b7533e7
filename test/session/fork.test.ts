import { execFileSync, spawn } from "node:child_process"
import { copyFileSync, rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { Effect, Stream } from "effect"
import { describe, expect, test } from "vitest"
import { truncateLog } from "../../src/events/event-reader.ts"
import { formatPosition, isInherited, type Position, WorldStore } from "../../src/events/index.ts"
import type { Machine } from "../../src/machine/machine.ts"
import { machineOf } from "../../src/session/build-machine.ts"
import { type Act, type Director, direct, type Moment } from "../../src/session/direct.ts"
import { ForkPastEnd, HistoryEnded, PositionNotReached, PositionPassed } from "../../src/session/errors.ts"
import { fork } from "../../src/session/fork.ts"
import { Replayer } from "../../src/session/replay.ts"
import { catchUp, createSnapshot, createWorld, record, replay, resume, verify } from "../../src/session/session.ts"
import { openTimeline } from "../../src/session/timeline/timeline.ts"
import type { WorldSpec } from "../../src/session/world-spec.ts"
import { embedded, failure, run, script, Watcher, withPath } from "./embedded.ts"

const auto = embedded({ bootargs: "auto" })
const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))
const beside = (path: string, name: string) => join(dirname(path), `${name}.cv`)
const restorer = new URL("./restorer.ts", import.meta.url).pathname
const resumer = new URL("./resumer.ts", import.meta.url).pathname
const replayElsewhere = (path: string) => execFileSync(process.execPath, [restorer, path], { encoding: "utf8" }).trim()

/** A generator of its own, so that each run draws the same. */
const random = (seed: number) => {
  let state = seed
  return (max: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state % max
  }
}

/** Positions of a history: of every other some event, else somewhere in the middle of what the next batch executed. */
const somePositions = (path: string, seed: number, count: number) =>
  Effect.gen(function* () {
    const draw = random(seed)
    const world = yield* (yield* WorldStore).openReadOnly(path)
    const events = yield* Stream.runCollect(world.events())
    const wanted = new Set(Array.from({ length: count }, () => draw(events.length - 3)))
    const replayer = new Replayer(yield* machineOf(world), {})
    const { machine } = replayer
    const positions: Position[] = []
    for (const [seq, event] of events.entries()) {
      expect(replayer.meet(event)).toBeNull()
      const isBoundary = events[seq + 1] && formatPosition(events[seq + 1]!.position) !== formatPosition(event.position)
      if (!isBoundary || !wanted.delete(seq)) {
        if (wanted.delete(seq)) wanted.add(seq + 1)
        continue
      }
      const batch = events.slice(seq + 1).find(({ kind }) => kind === "batch")
      if (positions.length % 2 === 1 && batch?.kind === "batch") {
        const executed = batch.payload.harts.reduce((sum, { from, to }) => sum + to - from, 0)
        const goal = machine.executed + 1 + draw(executed - 1)
        while (machine.executed < goal) {
          const exit = replayer.step(goal - machine.executed, null)
          if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
        }
      }
      positions.push(replayer.history.position)
    }
    return positions
  })

type Line = readonly [ms: number, line: string]

/** Types each line at the first moment at or after a virtual time. */
class Typist implements Director {
  readonly stands = Effect.void
  private readonly lines: Line[]

  constructor(lines: readonly Line[]) {
    this.lines = [...lines]
  }

  printed(): void {}

  next({ machine, offCode }: Moment): Act {
    if (offCode !== null) return { kind: "end" }
    const [line] = this.lines
    if (line !== undefined && machine.nowNs >= line[0] * 1e6)
      return { kind: "type", bytes: new TextEncoder().encode(`${line[1]}\n`) }
    return { kind: "go on", alarmNs: line === undefined ? Number.POSITIVE_INFINITY : line[0] * 1e6 }
  }

  done(): void {
    this.lines.shift()
  }
}

const LINES = [
  [300, "add first note"],
  [450, "list"],
  [600.5, "add second note"],
  [700, "stat"],
  [900, "quit"],
] as const

const recordTyped = (path: string, spec: WorldSpec, lines: Typist) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { world, machine } = yield* createWorld(path, spec)
      return yield* direct({ world, machine, exit: null, woken: null }, lines, breathe)
    }),
  )

/** Goes on with a fork, with lines that are typed to it. */
const resumeTyped = (path: string, lines: Typist) =>
  Effect.scoped(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).open(path)
      const { machine, woken } = yield* catchUp(world)
      // It may stand in the middle of a round.
      return yield* direct({ world, machine, exit: { kind: "budget" }, woken }, lines, breathe)
    }),
  )

describe("a fork that is told what its parent was", () => {
  test.each([
    ["one hart", embedded({ bootargs: "auto", harts: 1 }), 3],
    ["four harts", auto, 4],
  ])(
    "ends as its parent did, from anywhere, with %s",
    (_, spec, seed) =>
      withPath(async path => {
        const recorded = await run(record(path, spec, new Watcher(), script("")))
        const positions = await run(Effect.scoped(somePositions(path, seed, 7)))
        expect(positions.length).toBeGreaterThan(4)
        for (const [order, position] of positions.entries()) {
          const child = beside(path, `child${order}`)
          await run(fork(path, child, position))
          expect(statSync(child).size).toBeLessThan(32 << 10)
          const end = await run(resume(child, new Watcher(), script("")))
          expect([formatPosition(position), end.digest]).toEqual([formatPosition(position), recorded.digest])
          expect((await run(replay(child))).digest).toBe(recorded.digest)
          expect((await run(verify(child))).events).toBe(end.events)
          expect(await failure(resume(child, new Watcher(), script("")))).toBeInstanceOf(HistoryEnded)
        }
      }),
    240_000,
  )

  test(
    "ends as its parent did when the rest of its input is typed to it",
    () =>
      withPath(async path => {
        const recorded = await run(recordTyped(path, embedded(), new Typist(LINES)))
        expect(recorded.reason).toBe("powered off")
        const positions = await run(Effect.scoped(somePositions(path, 12, 8)))
        for (const [order, position] of positions.entries()) {
          const child = beside(path, `child${order}`)
          await run(fork(path, child, position))
          const rest = await run(
            Effect.gen(function* () {
              const world = yield* (yield* WorldStore).openReadOnly(child)
              return LINES.slice((yield* world.readEvents({ kinds: ["input"] }, 100)).length)
            }),
          )
          const end = await run(resumeTyped(child, new Typist(rest)))
          expect([formatPosition(position), end.digest]).toEqual([formatPosition(position), recorded.digest])
          if (order % 3 === 0) expect(replayElsewhere(child)).toBe(recorded.digest)
        }
      }),
    240_000,
  )
})

test(
  "a fork that is told something else has another history, which replays bit for bit in a new process; so have its own forks",
  () =>
    withPath(async path => {
      const recorded = await run(recordTyped(path, embedded(), new Typist(LINES)))
      const digests = new Map([[path, recorded.digest]])
      const [, position] = await run(Effect.scoped(somePositions(path, 77, 3)))
      let last = path
      for (const [order, text] of ["add another note", "crash", "list"].entries()) {
        const child = beside(path, `child${order}`)
        if (order === 0) await run(fork(last, child, position!))
        else {
          const inputs = await run(
            Effect.gen(function* () {
              const world = yield* (yield* WorldStore).openReadOnly(last)
              return yield* world.readEvents({ kinds: ["input"], fromSeq: world.parent!.seq + 1 }, 9)
            }),
          )
          await run(createSnapshot(last, `s${order}`, inputs[1]!.position))
          await run(fork(last, child, `s${order}`))
        }
        const end = await run(
          resumeTyped(
            child,
            new Typist([
              [200 + order * 150, text],
              [800, "quit"],
            ]),
          ),
        )
        expect([...digests.values()]).not.toContain(end.digest)
        digests.set(child, end.digest)
        last = child
      }
      for (const [world, digest] of digests) {
        expect(replayElsewhere(world)).toBe(digest)
        await run(verify(world))
      }
      // On another computer.
      const file = join(dirname(path), "exported")
      await run(
        Effect.flatMap(WorldStore, store => Effect.flatMap(store.openReadOnly(last), world => world.exportTo(file))),
      )
      for (const world of digests.keys()) rmSync(world)
      await run(Effect.flatMap(WorldStore, store => store.importFrom(file, path)))
      expect(replayElsewhere(path)).toBe(digests.get(last))
    }),
  240_000,
)

/** Has a process go on with a fork, and ends it as hard as can be once so many events of its own are durable. */
const killAfter = (path: string, count: number) =>
  Effect.gen(function* () {
    const world = yield* (yield* WorldStore).openReadOnly(path)
    const child = spawn(process.execPath, [resumer, path], { stdio: "ignore" })
    const closed = new Promise<void>(resolve => child.on("close", () => resolve()))
    while (child.exitCode === null && (yield* world.head).seq < world.parent!.seq + count) yield* Effect.sleep(2)
    child.kill("SIGKILL")
    yield* Effect.promise(() => closed)
  })

describe("a fork whose recording breaks off", () => {
  test(
    "by a kill resumes to the end it would have had",
    () =>
      withPath(async path => {
        const recorded = await run(record(path, auto, new Watcher(), script("")))
        const [, position] = await run(Effect.scoped(somePositions(path, 5, 6)))
        let cut = 0
        for (const count of [0, 1, 8, 30]) {
          const child = beside(path, `child${count}`)
          await run(fork(path, child, position!))
          await run(killAfter(child, count))
          await run(verify(child))
          const result = await run(resume(child, new Watcher(), script(""))).catch(error => error)
          if (!(result instanceof HistoryEnded)) {
            expect(result.digest).toBe(recorded.digest)
            cut++
          }
          expect((await run(replay(child))).digest).toBe(recorded.digest)
          rmSync(child)
        }
        expect(cut).toBeGreaterThan(1)
        expect((await run(replay(path))).digest).toBe(recorded.digest)
      }),
    120_000,
  )

  test(
    "after any of its first events begins as it would have",
    () =>
      withPath(async path => {
        const recorded = await run(record(path, auto, new Watcher(), script("")))
        const positions = await run(Effect.scoped(somePositions(path, 9, 5)))
        const whole = beside(path, "whole")
        await run(fork(path, whole, positions[1]!))
        await run(resume(whole, new Watcher(), script("")))
        const { seq, first } = await run(
          Effect.gen(function* () {
            const world = yield* (yield* WorldStore).openReadOnly(whole)
            const { seq } = world.parent!
            return { seq, first: yield* world.readEvents({ fromSeq: seq }, 12) }
          }),
        )
        const forked = first.findIndex(
          ({ kind, payload }) => kind === "lifecycle" && "change" in payload && payload.change === "forked",
        )
        // There is a cut before, as this is in the middle of a batch.
        expect(forked).toBeGreaterThan(1)
        for (let kept = 0; kept < first.length; kept++) {
          const child = beside(path, "child")
          copyFileSync(whole, child)
          const db = new BetterSqlite(child)
          truncateLog(db, seq + kept + 1, first[kept]!.digest)
          db.close()
          await run(resume(child, new Watcher(), script("")))
          await run(
            Effect.gen(function* () {
              const world = yield* (yield* WorldStore).openReadOnly(child)
              const own = yield* world.readEvents({ kinds: ["lifecycle"], fromSeq: seq + 1 }, 9)
              const changes = own.map(({ payload }) => "change" in payload && payload.change)
              expect(changes).toEqual(kept < forked ? ["forked", "stopped"] : ["forked", "resumed", "stopped"])
            }),
          )
          expect((await run(replay(child))).digest).toBe(recorded.digest)
          rmSync(child)
        }
      }),
    240_000,
  )
})

test(
  "a fork is made where the history is, and nowhere else",
  () =>
    withPath(async path => {
      const recorded = await run(
        record(path, embedded(), new Watcher(), { until: { kind: "time", virtualNs: 2e9 }, script: null }),
      )
      const child = beside(path, "child")
      const [end] = await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).openReadOnly(path)
          return yield* world.readEvents({ fromSeq: (yield* world.head).seq }, 1)
        }),
      )
      const { position } = end!
      for (const past of [
        { ...position, round: position.round + 1 },
        { ...position, instret: position.instret + 1 },
      ]) {
        const error = await failure(fork(path, child, past))
        expect(error).toBeInstanceOf(PositionNotReached)
        expect(error.message).toContain(formatPosition(position))
      }
      expect(await failure(fork(path, child, "nothing"))).toMatchObject({ _tag: "SnapshotNotFound" })

      // At the end: nothing is lost, and the guest goes on.
      expect(await run(fork(path, child, null))).toEqual({ seq: end!.seq, position })
      expect((await run(replay(child))).digest).toBe(recorded.digest)
      const ended = await run(resume(child, new Watcher(), script("quit\n")))
      expect(ended.reason).toBe("powered off")
      expect((await run(replay(child))).digest).toBe(ended.digest)
      const late = beside(path, "late")
      expect(await failure(fork(child, late, null))).toBeInstanceOf(ForkPastEnd)
      await run(fork(child, late, { round: 5, machine: 0, hart: 0, instret: 1 }))
      const error = await failure(resume(late, new Watcher(), script("")))
      expect(error).toBeInstanceOf(PositionPassed)
      expect(error.message).toMatch(/^The guest is never at r5\.m0\.h0\.i1: it went past it to r\d+/)
      // The sentence names a position that it is at.
      rmSync(late)
      const [, round, , hart, instret] = /to r(\d+)\.m(\d+)\.h(\d+)\.i(\d+);/.exec(error.message)!.map(Number)
      await run(fork(child, late, { round: round!, machine: 0, hart: hart!, instret: instret! }))
      const other = await run(resume(late, new Watcher(), script("quit\n")))
      expect(other.reason).toBe("powered off")
    }),
  120_000,
)

test(
  "before it is resumed a fork is replayed, forked and snapshotted where it leaves its parent",
  () =>
    withPath(async path => {
      const recorded = await run(record(path, auto, new Watcher(), script("")))
      const positions = await run(Effect.scoped(somePositions(path, 21, 8)))
      const position = positions[3]!
      const [child, second, third] = ["child", "second", "third"].map(name => beside(path, name)) as [
        string,
        string,
        string,
      ]
      await run(fork(path, child, position))
      const there = (await run(replay(path, { until: position }))).digest
      expect((await run(replay(child))).digest).toBe(there)
      expect((await run(replay(child, { until: position }))).digest).toBe(there)
      expect(await failure(replay(child, { until: { ...position, round: position.round + 1 } }))).toBeInstanceOf(
        PositionNotReached,
      )
      expect((await run(fork(child, second, null))).position).toEqual(position)
      expect(await failure(fork(child, third, { ...position, instret: position.instret + 1 }))).toBeInstanceOf(
        PositionNotReached,
      )
      const snapshot = await run(createSnapshot(child, "here", null))
      expect(snapshot.position).toEqual(position)
      expect(Buffer.from(snapshot.digest).toString("hex")).toBe(there)
      expect((await run(replay(child))).digest).toBe(there)
      await run(fork(child, third, "here"))
      for (const world of [child, second, third]) {
        expect((await run(resume(world, new Watcher(), script("")))).digest).toBe(recorded.digest)
        expect((await run(replay(world))).digest).toBe(recorded.digest)
        await run(verify(world))
      }
    }),
  120_000,
)

/** Asks for snapshots in some rounds. */
class Snapper implements Director {
  readonly stands = Effect.void
  private readonly rounds: number[]

  constructor(...rounds: readonly number[]) {
    this.rounds = [...rounds]
  }

  printed(): void {}

  next({ machine, offCode }: Moment): Act {
    if (offCode !== null) return { kind: "end" }
    const [round] = this.rounds
    if (round !== undefined && machine.round >= round) return { kind: "snapshot", name: `own${round}` }
    return { kind: "go on", alarmNs: Number.POSITIVE_INFINITY }
  }

  done(_: Machine): void {
    this.rounds.shift()
  }
}

test(
  "a fork begins with its parent's snapshots and makes its own, which hold all they need",
  () =>
    withPath(async path => {
      const recorded = await run(record(path, auto, new Watcher(), script("")))
      const [early, late] = (await run(Effect.scoped(somePositions(path, 30, 6)))).filter((_, at) => at % 4 === 0)
      await run(createSnapshot(path, "early", early!))
      const child = beside(path, "child")
      await run(fork(path, child, late!))
      const rounds = [late!.round + 20, late!.round + 60, late!.round + 61]
      const end = await run(
        Effect.scoped(
          Effect.gen(function* () {
            const world = yield* (yield* WorldStore).open(child)
            const { machine, woken } = yield* catchUp(world)
            expect(woken && isInherited(woken)).toBe(true)
            return yield* direct({ world, machine, exit: { kind: "budget" }, woken }, new Snapper(...rounds), breathe)
          }),
        ),
      )
      expect(end.digest).toBe(recorded.digest)
      const names = rounds.map(round => `own${round}`)
      for (const from of ["early", ...names]) expect((await run(replay(child, { from }))).digest).toBe(recorded.digest)
      await run(verify(child))
      // What the parent loses, the fork's own do not need.
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).open(path)
          yield* world.removeSnapshot((yield* world.snapshot("early")).id)
        }),
      )
      for (const from of names) expect((await run(replay(child, { from }))).digest).toBe(recorded.digest)
      await run(verify(child))
    }),
  120_000,
)

test(
  "a timeline of a fork goes anywhere in it, with snapshots that lie in both files",
  () =>
    withPath(async path => {
      await run(record(path, auto, new Watcher(), script("")))
      const positions = await run(Effect.scoped(somePositions(path, 40, 9)))
      const at = positions[5]!
      await run(createSnapshot(path, "early", positions[2]!))
      const child = beside(path, "child")
      await run(fork(path, child, at))
      await run(resume(child, new Watcher(), script("")))
      await run(createSnapshot(child, "own", positions[7] ?? null))
      const digests = new Map<Position, string>()
      for (const position of positions) digests.set(position, (await run(replay(child, { until: position }))).digest)
      await run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).openReadOnly(child)
          const timeline = yield* openTimeline(world, breathe)
          expect(timeline.keptMoments.length).toBe(3)
          for (const position of [...positions, ...positions.toReversed()]) {
            expect(yield* timeline.seek(position)).toBe("there")
            const digest = Buffer.from(timeline.machine.digest()).toString("hex")
            expect([formatPosition(position), digest]).toEqual([formatPosition(position), digests.get(position)])
          }
        }),
      )
    }),
  120_000,
)
