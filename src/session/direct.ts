/**
 * Directed runs: a machine whose driver looks at it whenever an input may be applied, and says what happens next. Time is virtual, and
 * everything the director sees is the guest's doing, so the same director gives the same history.
 *
 * The log alone tells how far a directed run came: after a crash a new director is shown the recorded history, step by step as it was
 * made, and then goes on by itself.
 */
import { Clock, Effect, Stream } from "effect"
import {
  formatPosition,
  type Genesis,
  type ReadError,
  type RecordingWorld,
  type SnapshotInfo,
  type World,
  WorldStore,
} from "../events/index.ts"
import type { Exit, Machine } from "../machine/machine.ts"
import { machineOf } from "./build-machine.ts"
import { Divergence } from "./errors.ts"
import { History } from "./history.ts"
import { Replayer } from "./replay.ts"
import { startAt } from "./session.ts"
import { SnapshotMaker } from "./snapshots.ts"
import type { Summary } from "./summary.ts"

/** Instructions between two looks at the host's other work. */
const SLICE_INSTRUCTIONS = 2_000_000
const EVENTS_AT_ONCE = 512
/** Source of the input events that carry what a director types. */
const SOURCE = "scenario"
const NOTHING = new Uint8Array(0)

/** A moment at which an input may be applied: between two rounds, while every hart waits, or after the end. */
export interface Moment {
  readonly machine: Machine
  /** While every hart waits: until when, Infinity when only an input can wake one. */
  readonly idleUntilNs: number | null
  /** What the guest turned itself off with. */
  readonly offCode: number | null
}

/** What a director wants now. */
export type Act =
  /** The guest runs on; the director is asked again at `alarmNs` at the latest if the machine is idle then. */
  | { readonly kind: "go on"; readonly alarmNs: number }
  | { readonly kind: "type"; readonly bytes: Uint8Array }
  | { readonly kind: "snapshot"; readonly name: string }
  /** The machine stands still until the process is killed. */
  | { readonly kind: "stand" }
  | { readonly kind: "end" }

export interface Director {
  /** Told of console output as it comes. */
  printed(output: Uint8Array): void
  /** Asked at every moment; the answer stays the same until `done`. */
  next(moment: Moment): Act
  /** What was wanted, typing or a snapshot, has happened. With the digest of the machine for a snapshot. */
  done(machine: Machine, digest: Uint8Array | null): void
  /** The machine stands still, as was wanted. */
  readonly stands: Effect.Effect<void>
}

/** Where a directed machine is. */
export interface Stage {
  readonly world: RecordingWorld
  readonly machine: Machine
  /** The last exit, null before the first. */
  readonly exit: Exit | null
  /** The world's snapshot that the machine began with, null for the beginning. */
  readonly woken: SnapshotInfo | null
}

const momentAfter = (machine: Machine, exit: Exit | null): Moment | null => {
  // After a reset the machine stands inside a round.
  if (exit?.kind === "reset" || exit?.kind === "budget") return null
  return {
    machine,
    idleUntilNs: exit?.kind === "idle" ? exit.deadlineNs : null,
    offCode: exit?.kind === "off" ? exit.code : null,
  }
}

/** Runs and records a machine as `director` wants. */
export const direct = (stage: Stage, director: Director, breathe: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { world, machine } = stage
    const { log } = world
    const startMs = yield* Clock.currentTimeMillis
    const startInstructions = machine.executed
    const history = new History(machine, (position, kind, payload) => void log.append(position, kind, payload))
    const snapshots = new SnapshotMaker(log, machine, stage.woken)
    let exit = stage.exit

    /** Lets the director act where it may; false: it wants no more. */
    const act = Effect.fnUntraced(function* () {
      for (;;) {
        const moment = momentAfter(machine, exit)
        if (moment === null) return true
        const wanted = director.next(moment)
        switch (wanted.kind) {
          case "end":
            return false
          case "stand":
            yield* snapshots.settled
            yield* director.stands
            return yield* Effect.never
          case "type":
            history.input(SOURCE, wanted.bytes, machine.nowNs)
            director.done(machine, null)
            exit = null
            break
          case "snapshot": {
            const digest = history.snapshot(wanted.name)
            snapshots.begin(wanted.name, log.nextSeq - 1, digest)
            director.done(machine, digest)
            break
          }
          case "go on":
            if (exit?.kind !== "idle") return true
            if (wanted.alarmNs >= exit.deadlineNs) {
              machine.skipTo(exit.deadlineNs)
              return true
            }
            history.input("clock", NOTHING, wanted.alarmNs)
            exit = null
        }
      }
    })

    while (yield* act()) {
      let left = SLICE_INSTRUCTIONS
      do {
        const before = machine.executed
        const step = history.step(Number.MAX_SAFE_INTEGER)
        exit = step.exit
        left -= machine.executed - before
        director.printed(step.output)
        if (history.isCutDue(exit)) history.cut()
        if (exit.kind === "reset") history.lifecycle({ change: "rebooted" })
        const moment = momentAfter(machine, exit)
        if (moment !== null && director.next(moment).kind !== "go on") break
      } while (left > 0 && exit.kind === "round")
      yield* log.room
      if (exit.kind !== "idle") yield* breathe
    }

    const offCode = exit?.kind === "off" ? exit.code : null
    const reason = offCode === null ? "condition" : "powered off"
    const digest = history.stop(reason, offCode)
    const head = yield* log.flush
    yield* snapshots.settled
    const endMs = yield* Clock.currentTimeMillis
    return {
      instructions: machine.executed - startInstructions,
      virtualNs: machine.nowNs,
      wallMs: endMs - startMs,
      events: head.seq + 1,
      digest,
      reason,
      exit: offCode ?? 0,
    } satisfies Summary
  })

/**
 * Opens a world whose recording broke off, replays it from the beginning, and shows the history from event `fromSeq` on to a director,
 * which must be one like the one that made it.
 */
export const resumeDirected = (path: string, fromSeq: number, director: Director) =>
  Effect.gen(function* () {
    const store = yield* WorldStore
    const world = yield* store.open(path)
    const machine = yield* machineOf(world)
    let exit: Exit | null = null
    let directed = false
    const look = () => {
      const moment = momentAfter(machine, exit)
      return directed && moment ? director.next(moment) : null
    }
    const replayer = new Replayer(machine, {
      show: (output, at) => {
        exit = at
        director.printed(output)
        look()
      },
    })
    for (let seq = 0; ; ) {
      const events = yield* world.readEvents({ fromSeq: seq }, EVENTS_AT_ONCE)
      if (events.length === 0) break
      for (const event of events) {
        if (event.seq === fromSeq) {
          directed = true
          exit = null
          look()
        }
        const mismatch = replayer.meet(event)
        if (mismatch)
          return yield* new Divergence({
            seq: event.seq,
            kind: event.kind,
            position: formatPosition(event.position),
            problem: mismatch.problem,
            instruction: null,
          })
        if (event.kind === "input") {
          if (directed && event.payload.source === SOURCE) director.done(machine, null)
          exit = null
          look()
        } else if (event.kind === "snapshot" && directed) {
          director.done(machine, event.payload.digest)
          look()
        }
      }
      seq = events.at(-1)!.seq + 1
    }
    // What the log broke off in the middle of.
    for (const { position, kind, payload } of replayer.takeCaused()) world.log.append(position, kind, payload as never)
    world.log.append({ ...machine.position, machine: 0 }, "lifecycle", { change: "resumed" })
    return { world, machine, exit, woken: null } satisfies Stage
  })

const referencesOf = ({ machines: [machine] }: Genesis) =>
  [machine.firmware, machine.kernel, machine.initrd, ...machine.disks.map(({ content }) => content)].filter(
    reference => reference !== null && typeof reference !== "string",
  )

/**
 * Makes a new world at `path` that shares a world's history up to one of its snapshots, with a machine where the snapshot left it. The
 * director is told what was printed up to there.
 */
export const branchAt = (from: string, name: string, path: string, director: Director) =>
  Effect.gen(function* () {
    const store = yield* WorldStore
    const parent = yield* store.openReadOnly(from)
    const snapshot = yield* parent.snapshot(name)
    const world = yield* store.create(path, parent.genesis)
    for (const { hash } of referencesOf(parent.genesis)) yield* world.putBlob(parent.blob(hash))
    yield* copyHistory(parent, world, snapshot, director)
    const { machine } = yield* startAt(parent, snapshot)
    const saved = new SnapshotMaker(world.log, machine, null).beginWhole(name, snapshot.seq, snapshot.digest)
    return { stage: { world, machine, exit: null, woken: yield* saved.durable } satisfies Stage, snapshot }
  })

const copyHistory = (
  parent: World,
  world: RecordingWorld,
  { seq: last }: SnapshotInfo,
  director: Director,
): Effect.Effect<void, ReadError | Effect.Error<RecordingWorld["log"]["room"]>> =>
  parent.events({ fromSeq: 1, toSeq: last }).pipe(
    Stream.runForEach(({ position, kind, payload }) => {
      world.log.append(position, kind, payload as never)
      if (kind === "console") director.printed((payload as { readonly bytes: Uint8Array }).bytes)
      return world.log.room
    }),
  )
