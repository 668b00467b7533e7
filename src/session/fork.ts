/**
 * Forks: worlds that share another's history up to a position and go on from there by themselves. Making one writes down where it
 * leaves its parent and runs nothing; its first resumption goes there, and notes it as the first event of the fork's own.
 */
import { Effect } from "effect"
import {
  comparePositions,
  type ForkPoint,
  formatPosition,
  type Parent,
  type Position,
  type World,
  WorldStore,
} from "../events/index.ts"
import { ForkPastEnd, PositionNotReached, PositionPassed } from "./errors.ts"
import { requireWithin } from "./position-within.ts"
import type { Replayer } from "./replay.ts"

/** The parent of a fork whose own history has not begun yet, else null. */
export const unbegunFork = (world: World) =>
  Effect.gen(function* () {
    const { parent } = world
    if (parent === null) return null
    const [first] = yield* world.readEvents({ kinds: ["lifecycle"], fromSeq: parent.seq + 1 }, 1)
    return first === undefined ? parent : null
  })

/** The last event of a history, and where it ends: there, or where a fork that has not begun leaves its parent. */
const endOf = (world: World) =>
  Effect.gen(function* () {
    const { seq } = yield* world.head
    const last = yield* world.eventAt(seq)
    return { seq, position: (yield* unbegunFork(world))?.position ?? last.position } satisfies ForkPoint
  })

/** A moment of a guest that waits: at a position, before what comes from outside later than that. */
export interface WaitingMoment {
  readonly position: Position
  readonly virtualNs: number
}

/** A moment, or one at a position with all that happened there. */
export const waitingAt = (at: Position | WaitingMoment): WaitingMoment =>
  "round" in at ? { position: at, virtualNs: Number.POSITIVE_INFINITY } : at

/** The last event of a moment. */
export const lastEventOf = (world: World, { position, virtualNs }: WaitingMoment) =>
  Effect.gen(function* () {
    const next = yield* world.seqAt({ ...position, instret: position.instret + 1 })
    const there = yield* world.readEvents({ fromSeq: yield* world.seqAt(position), toSeq: next - 1 }, next)
    const later = there.find(event => event.kind === "input" && event.payload.virtualNs > virtualNs)
    return (later?.seq ?? next) - 1
  })

/** Where in a history a moment lies, a snapshot by its name, or its end. */
const pointOf = (world: World, at: WaitingMoment | string | null) =>
  Effect.gen(function* () {
    if (typeof at === "string") {
      const { seq, position } = yield* world.snapshot(at)
      return { seq, position } satisfies ForkPoint
    }
    const end = yield* endOf(world)
    if (at === null) return end
    const { position } = at
    yield* requireWithin(world, position, end.position)
    return { seq: yield* lastEventOf(world, at), position } satisfies ForkPoint
  })

/**
 * Makes a fork at `path` of the world `from`: at a position, at a moment, at a snapshot by its name, or at the end. Gives where it leaves it. Whether
 * the guest is ever at the position, to the instruction, its first resumption finds out.
 */
export const fork = (from: string, path: string, at: Position | WaitingMoment | string | null) =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* WorldStore
      const world = yield* store.openReadOnly(from)
      const point = yield* pointOf(world, at === null || typeof at === "string" ? at : waitingAt(at))
      const last = yield* world.eventAt(point.seq)
      if (last.kind === "lifecycle" && last.payload.change === "stopped" && last.payload.exitCode !== null)
        return yield* new ForkPastEnd({ world: from, end: formatPosition(last.position) })
      yield* world.forkTo(path, point)
      return point
    }),
  )

/** Runs a machine that stands at the last event of a fork on to where the fork leaves its parent. */
export const runToFork = (replayer: Replayer, { position }: Parent) =>
  Effect.gen(function* () {
    const problem = replayer.runTo(position)
    if (problem === null) return
    const [wanted, found] = [formatPosition(position), formatPosition(replayer.history.position)]
    if (comparePositions(replayer.history.position, position) > 0) return yield* new PositionPassed({ wanted, found })
    return yield* new PositionNotReached({ wanted, end: found })
  })
