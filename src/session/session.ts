/** Worlds in motion: recording, resuming, replaying, verifying, snapshots. Every operation works on a world file by its path. */
import { Clock, Effect, Option, type Scope, Stream } from "effect"
import {
  comparePositions,
  formatPosition,
  type LogWriter,
  type LogWriterOptions,
  type Parent,
  type Position,
  type ReadError,
  type RecordingWorld,
  type SnapshotInfo,
  type StoredEvent,
  type World,
  WorldDamaged,
  WorldStore,
} from "../events/index.ts"
import { hex } from "../machine/digest.ts"
import type { Machine } from "../machine/machine.ts"
import { buildMachine, machineOf } from "./build-machine.ts"
import { type Condition, ConsoleWatch } from "./condition.ts"
import { findDivergence, momentOf } from "./divergence.ts"
import { type CannotStart, Divergence, HistoryEnded, PositionNotReached } from "./errors.ts"
import { lastEventOf, runToFork, unbegunFork, type WaitingMoment, waitingAt } from "./fork.ts"
import { loadedPages } from "./loaded-pages.ts"
import type { Outside } from "./outside.ts"
import { requireHart } from "./position-within.ts"
import { type RunOptions, runMachine } from "./record.ts"
import { type Flip, type Mismatch, Replayer } from "./replay.ts"
import { machineAt, memoryErrors, SnapshotMaker } from "./snapshots.ts"
import type { Summary } from "./summary.ts"
import { contentsOf, genesisOf, hashOf, type WorldSpec } from "./world-spec.ts"

/** Events read from the log at a time: few at first, as a run may end with one of them. */
const EVENTS_AT_FIRST = 8
const EVENTS_AT_ONCE = 512

/** What every history begins with, after its genesis. */
const noteStart = (log: LogWriter, machine: Machine): void => {
  log.append({ ...machine.position, machine: 0 }, "lifecycle", { change: "started" })
}

/** A new world at `path` with its machine at the first instruction. It is in use until the scope ends. */
export const createWorld = (path: string, spec: WorldSpec, options?: LogWriterOptions) =>
  Effect.gen(function* () {
    // What cannot be started leaves no file behind.
    const machine = yield* machineFromSpec(spec)
    const store = yield* WorldStore
    const world = yield* store.create(path, genesisOf(spec), { ...options, ...creationOptions(spec) })
    noteStart(world.log, machine)
    return { world, machine }
  })

const creationOptions = (spec: WorldSpec) => ({
  contents: contentsOf(spec).map(({ bytes }) => ({ hash: hashOf(bytes), bytes })),
})

/** The machine of a spec, with no world. */
export const machineFromSpec = (spec: WorldSpec): Effect.Effect<Machine, CannotStart> => {
  const genesis = genesisOf(spec)
  const [machine] = genesis.machines
  const references = [machine.firmware, machine.kernel, machine.initrd, ...machine.disks.map(disk => disk.content)]
  const contents = contentsOf(spec)
  const byHash = new Map(
    references
      .filter(reference => reference !== null && typeof reference !== "string")
      .map(({ hash }, at) => [hash, contents[at]!.bytes]),
  )
  return buildMachine(genesis, reference => Effect.succeed(byHash.get(reference.hash)!))
}

export interface RecordOptions extends RunOptions {
  /** Removes a world that is there already. */
  readonly replace?: boolean
  /** Where templates of world files are kept. */
  readonly templates?: string
}

/** Runs a spec and records it at `path`; null records nothing. */
export const record = (path: string | null, spec: WorldSpec, outside: Outside, options: RecordOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      // What cannot be started leaves no file behind.
      const machine = yield* machineFromSpec(spec)
      if (path === null) return yield* runMachine(machine, null, outside, options)
      const store = yield* WorldStore
      if (options.replace) yield* Effect.catchTag(store.remove(path), "WorldNotFound", () => Effect.void)
      const log = yield* store.begin(path, genesisOf(spec), {
        ...creationOptions(spec),
        templates: options.templates,
      })
      noteStart(log, machine)
      return yield* runMachine(machine, log, outside, options, null, loadedPages(machine, genesisOf(spec)))
    }),
  )

/** A machine at the beginning of a world, or at one of its snapshots, and the first event that lies after. */
export const startAt = (world: World, snapshot: SnapshotInfo | null) =>
  Effect.gen(function* () {
    const machine = yield* snapshot ? machineAt(world, snapshot) : machineOf(world)
    return { machine, fromSeq: snapshot ? snapshot.seq + 1 : 0 }
  })

export interface ReplayOptions {
  /** Stops there; the end of the recording where absent. */
  readonly until?: Condition | Position
  /** Begins at this snapshot instead of the beginning. */
  readonly from?: string
  readonly flip?: Flip
  readonly show?: (output: Uint8Array) => void
  /** Told the seq of each event that was compared. */
  readonly progress?: (seq: number) => void
  readonly breathe?: Effect.Effect<void>
}

/** How far a replay went. */
interface Walk {
  readonly mismatch: Mismatch | null
  readonly compared: number
  /** The last event compared and found good. */
  readonly last: StoredEvent | null
  /** The condition came true. */
  readonly stopped: boolean
}

/** Compares events from `fromSeq` on. */
const walk = (
  world: World,
  replayer: Replayer,
  fromSeq: number,
  stopBefore: (event: StoredEvent) => boolean,
  options: Pick<ReplayOptions, "progress" | "breathe">,
): Effect.Effect<Walk, ReadError> =>
  Effect.gen(function* () {
    let compared = 0
    let last: StoredEvent | null = null
    let count = EVENTS_AT_FIRST
    for (let seq = fromSeq; ; ) {
      const events = yield* world.readEvents({ fromSeq: seq, toSeq: seq + count - 1 }, count)
      count = EVENTS_AT_ONCE
      if (events.length === 0) return { mismatch: null, compared, last, stopped: false }
      for (const event of events) {
        if (stopBefore(event)) return { mismatch: null, compared, last, stopped: true }
        const mismatch = replayer.meet(event)
        if (mismatch) return { mismatch, compared, last, stopped: false }
        compared++
        last = event
        options.progress?.(event.seq)
        if (options.breathe && compared % 16 === 0) yield* options.breathe
      }
      seq = events.at(-1)!.seq + 1
    }
  })

const isPosition = (until: Condition | Position): until is Position => "round" in until

/** Replays a world, comparing every event. A difference fails with what differs. */
export const replay = (path: string, options: ReplayOptions = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const startMs = yield* Clock.currentTimeMillis
      const store = yield* WorldStore
      const world = yield* store.openReadOnly(path)
      const snapshot = options.from === undefined ? null : yield* world.snapshot(options.from)
      const { machine, fromSeq } = yield* startAt(world, snapshot)
      const { until } = options
      if (until !== undefined && isPosition(until)) yield* requireHart(world, until)
      const watch = until && !isPosition(until) && until.kind === "console" ? new ConsoleWatch(until.pattern) : null
      let matched = false
      const replayer = new Replayer(machine, {
        flip: options.flip ?? null,
        show: output => {
          options.show?.(output)
          if (watch?.saw(output)) matched = true
        },
      })
      const startInstructions = machine.executed
      const stopBefore = (event: StoredEvent): boolean => {
        if (matched) return true
        if (until === undefined) return false
        if (isPosition(until)) return comparePositions(event.position, until) > 0
        if (until.kind === "instret")
          return replayer.history.machine.executed >= until.instructions || passes(event, until)
        if (until.kind === "time") return virtualNsOf(event) > until.virtualNs
        return false
      }
      const { mismatch, compared, last, stopped } = yield* walk(world, replayer, fromSeq, stopBefore, options)
      if (mismatch) return yield* describe(world, snapshot, mismatch, options.flip ?? null)
      const unbegun = stopped ? null : yield* unbegunFork(world)
      if (until === undefined && unbegun) yield* runToFork(replayer, unbegun)
      else if (until !== undefined && isPosition(until)) {
        const end = replayer.history.position
        if (comparePositions(end, until) < 0) {
          const isWithin = stopped || (unbegun !== null && comparePositions(until, unbegun.position) <= 0)
          const problem = isWithin ? replayer.runTo(until) : "the history ends before"
          if (problem) return yield* new PositionNotReached({ wanted: formatPosition(until), end: formatPosition(end) })
        }
      } else if (until?.kind === "instret" && stopped) {
        while (machine.executed < until.instructions) {
          const exit = replayer.step(until.instructions - machine.executed, null)
          if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
          if (exit.kind === "off") break
        }
      }
      const endMs = yield* Clock.currentTimeMillis
      const off = last?.kind === "lifecycle" && last.payload.change === "stopped" ? last.payload : null
      return {
        instructions: machine.executed - startInstructions,
        virtualNs: machine.nowNs,
        wallMs: endMs - startMs,
        events: compared,
        digest: hex(machine.digest()),
        reason: stopped ? "condition" : "end of history",
        exit: stopped ? 0 : (off?.exitCode ?? 0),
      } satisfies Summary
    }),
  ).pipe(memoryErrors)

/** Whether an event lies after the moment a number of instructions is reached. Exact for one hart; else to the event. */
const passes = (event: StoredEvent, until: { readonly instructions: number }): boolean =>
  event.kind === "batch" && event.payload.harts.reduce((sum, { to }) => sum + to, 0) > until.instructions

const virtualNsOf = (event: StoredEvent): number =>
  "virtualNs" in event.payload ? (event.payload.virtualNs as number) : 0

/** Fails with the instruction behind a mismatch: replays up to the last good event and narrows from there. */
const describe = (world: World, snapshot: SnapshotInfo | null, mismatch: Mismatch, flip: Flip | null) =>
  Effect.gen(function* () {
    const { event, problem } = mismatch
    const { machine, fromSeq } = yield* startAt(world, snapshot)
    const replayer = new Replayer(machine, {})
    const suspect = (flip && (yield* batchWith(world, flip))) ?? event
    yield* walk(world, replayer, fromSeq, candidate => comparePositions(candidate.position, suspect.position) >= 0, {})
    const start = momentOf(machine)
    const machines: [Machine, Machine] = [machine, yield* machineOf(world)]
    const instruction = findDivergence(machines, start, event, flip)
    return yield* new Divergence({
      seq: event.seq,
      kind: event.kind,
      position: formatPosition(event.position),
      problem,
      instruction,
    })
  })

/** The batch in which a deliberate fault was made: its traces may show only in a later one. */
const batchWith = (world: World, flip: Flip) =>
  world.events({ kinds: ["batch"] }).pipe(
    Stream.filter(
      event =>
        event.kind === "batch" && event.payload.harts.some(({ hart, to }) => hart === flip.hart && to >= flip.executed),
    ),
    Stream.runHead,
    Effect.map(Option.getOrNull),
  )

export interface VerifyReport {
  readonly events: number
  readonly digest: string
  readonly end: string
}

/** Checks every row of the log and every stored content. Fails naming the first bad event. */
export const verify = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* WorldStore
      const world = yield* store.openReadOnly(path)
      const report = yield* world.verify
      if (report.bad) {
        const { bad } = report
        return yield* new WorldDamaged({
          path: bad.path,
          seq: bad.seq,
          kind: bad.kind,
          position: bad.position && formatPosition(bad.position),
          problem: bad.problem,
        })
      }
      yield* world.verifyContents
      return {
        events: report.events,
        digest: hex(report.digest),
        end: report.lastPosition ? formatPosition(report.lastPosition) : "the beginning",
      } satisfies VerifyReport
    }),
  )

/** Writes what a recording world's machine caused beyond its log: the rest of what that broke off in, and the beginning of a fork. */
const appendCaused = (world: RecordingWorld, replayer: Replayer): void => {
  for (const { position, kind, payload } of replayer.takeCaused()) world.log.append(position, kind, payload as never)
}

/** Brings a machine from the last event of a recording world to the world's end, completing what is incomplete there. */
const complete = (world: RecordingWorld, replayer: Replayer, unbegun: Parent | null) =>
  Effect.gen(function* () {
    appendCaused(world, replayer)
    if (unbegun === null) return
    yield* runToFork(replayer, unbegun)
    replayer.history.lifecycle({ change: "forked" })
    appendCaused(world, replayer)
  })

/**
 * Brings a recording world's machine to the end of its history. What the log broke off in the middle of is completed; a fork's own
 * history begins.
 */
export const catchUp = (world: RecordingWorld, options: Pick<ReplayOptions, "progress" | "breathe"> = {}) =>
  Effect.gen(function* () {
    const woken = lastBefore(yield* world.snapshots, null)
    const { machine, fromSeq } = yield* startAt(world, woken)
    const replayer = new Replayer(machine, {})
    const { mismatch } = yield* walk(world, replayer, fromSeq, () => false, options)
    if (mismatch) return yield* describe(world, woken, mismatch, null)
    const unbegun = yield* unbegunFork(world)
    yield* complete(world, replayer, unbegun)
    return { machine, woken, begins: unbegun !== null }
  })

/** Goes on with a world where its history ends: after a stop, after a crash, or, the first time, where a fork leaves its parent. */
export const resume = (
  path: string,
  outside: Outside,
  options: RunOptions & Pick<ReplayOptions, "progress" | "breathe">,
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* WorldStore
      const world = yield* store.open(path)
      const { seq } = yield* world.head
      const [last] = yield* world.readEvents({ fromSeq: seq, toSeq: seq }, 1)
      if (last?.kind === "lifecycle" && last.payload.change === "stopped" && last.payload.exitCode !== null)
        return yield* new HistoryEnded({ world: path })
      const { machine, woken, begins } = yield* catchUp(world, options)
      if (!begins) world.log.append({ ...machine.position, machine: 0 }, "lifecycle", { change: "resumed" })
      return yield* runMachine(machine, world.log, outside, options, woken)
    }),
  ).pipe(memoryErrors)

/** The last snapshot that is not after a position. */
const lastBefore = (snapshots: readonly SnapshotInfo[], at: WaitingMoment | null): SnapshotInfo | null =>
  snapshots.findLast(
    ({ position, virtualNs }) =>
      at === null || (comparePositions(position, at.position) <= 0 && virtualNs <= at.virtualNs),
  ) ?? null

/** Makes a named snapshot of a world that is not running: at its end, or at the last event not after a position or moment. */
export const createSnapshot = (
  path: string,
  name: string,
  at: Position | WaitingMoment | null,
  options: Pick<ReplayOptions, "progress" | "breathe"> = {},
) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* WorldStore
      const world = yield* store.open(path, { onDamage: "refuse" })
      const moment = at && waitingAt(at)
      const begin = lastBefore(yield* world.snapshots, moment)
      const lastSeq = moment === null ? Number.POSITIVE_INFINITY : yield* lastEventOf(world, moment)
      const { machine, fromSeq } = yield* startAt(world, begin)
      const replayer = new Replayer(machine, {})
      const { mismatch, last, stopped } = yield* walk(world, replayer, fromSeq, event => event.seq > lastSeq, options)
      if (mismatch) return yield* describe(world, begin, mismatch, null)
      let seq = last?.seq ?? begin?.seq ?? 0
      if (!stopped) {
        const unbegun = yield* unbegunFork(world)
        const isBefore = unbegun !== null && moment !== null && comparePositions(moment.position, unbegun.position) < 0
        yield* complete(world, replayer, isBefore ? null : unbegun)
        seq = world.log.nextSeq - 1
      }
      return yield* new SnapshotMaker(world.log, machine, begin).begin(name, seq, machine.digest()).durable
    }),
  ).pipe(memoryErrors)

export type SessionServices = WorldStore | Scope.Scope
