/**
 * A recorded history that one can go to any place of, forth and back. One machine stands somewhere in it; going back takes up a
 * checkpoint before and runs forth to the place. Checkpoints are left behind on the way, closer together near where somebody looks.
 */
import { Effect } from "effect"
import {
  comparePositions,
  formatPosition,
  origin,
  type Position,
  type ReadError,
  type SnapshotInfo,
  type World,
} from "../../events/index.ts"
import type { Machine, Observation, Sighting } from "../../machine/machine.ts"
import { decodeSleeping, executedBy } from "../../machine/sleeping-machine.ts"
import { sleepingMachineOf } from "../build-machine.ts"
import { Divergence, type PositionNotReached, type PositionNowhere } from "../errors.ts"
import { requireWithin } from "../position-within.ts"
import { memoryErrors } from "../snapshots.ts"
import { Checkpoints } from "./checkpoints.ts"
import { PageVersions, type Versions } from "./page-versions.ts"
import { type Arrival, type Checkpoint, Traveler } from "./traveler.ts"

/** Instructions between two looks at the host's other work. */
const SLICE_INSTRUCTIONS = 4_000_000
/** Single steps between two looks at the host's other work. */
const STEPS_AT_ONCE = 256
/** While a long way is gone, a checkpoint is left behind every so many instructions. */
const STRIDE_INSTRUCTIONS = 48_000_000
/** And before a place that is looked at, so many instructions before it. */
const APPROACH = [16_000_000, 4_000_000, 1_000_000, 250_000, 60_000, 15_000, 4_000, 1_000]

/** Who searches backward looks at so many instructions by himself before others are asked. */
const NEAR_INSTRUCTIONS = 100_000_000

/** How a way is gone. */
export interface Going {
  /** Told now and then how much of the way is done, 0 to 1. */
  readonly progress?: (done: number) => void
  /** Asked now and then; true ends the way where it is. */
  readonly isCancelled?: () => boolean
}

/** What a search is for. */
export interface Sought {
  readonly observation: Observation
  /** Console output is told of too. */
  readonly output?: boolean
  /** The machine is looked at between two rounds too. */
  readonly rounds?: boolean
  /** Told that the machine was put somewhere, before it goes on from there. */
  readonly begins?: (machine: Machine) => void
  /** Whether something met is what is sought; asked with the machine at that moment. All of it where absent. */
  readonly accepts?: (sighting: Seen, machine: Machine) => boolean
}

/** What was met; null: nothing but the end of a round. */
export type Seen = Sighting | null

/** Something sought that was met. */
export interface Found {
  readonly sighting: Seen
  /** Before the instruction that it belongs to. */
  readonly before: Position
  /** Where the machine stood when it was told of. */
  readonly after: Position
}

/** How going on or back ended. */
export type Journey =
  | { readonly kind: "found"; readonly found: Found }
  /** Where history, or the way that was asked for, ends or begins. */
  | { readonly kind: "end" }
  | { readonly kind: "begin" }
  | { readonly kind: "cancelled" }

/** Where the machine stands after the last of what is sought that lies before a position; null: there is none. */
export type FarSearch = (before: Position) => Effect.Effect<Position | null | "cancelled", TimelineError>

/** A moment that can be gone to at once. */
export type Moment = Pick<Checkpoint, "position" | "virtualNs" | "executed" | "nextSeq">

export type TimelineError = ReadError | Divergence | PositionNotReached | PositionNowhere

/** As a traveler tells of it. */
type Meeting = Extract<Arrival, { readonly kind: "sighting" | "round" }>

const instructionsAt = (checkpoint: Checkpoint): number => checkpoint.executed.reduce((a, b) => a + b, 0)

export class Timeline {
  readonly world: World
  readonly begin: Position = origin
  private endPosition: Position
  private readonly traveler: Traveler
  private readonly checkpoints: Checkpoints
  private readonly breathe: Effect.Effect<void>
  /** Where somebody looks: the machine is brought there again after a way that was not finished. */
  private stand: Position
  /** At first it is nowhere. */
  private isAway = true

  constructor(world: World, traveler: Traveler, checkpoints: Checkpoints, end: Position, breathe: Effect.Effect<void>) {
    this.world = world
    this.traveler = traveler
    this.checkpoints = checkpoints
    this.endPosition = end
    this.breathe = breathe
    this.stand = traveler.position
  }

  /** The machine at `position`. To look at, not to run. */
  get machine(): Machine {
    return this.traveler.machine
  }
  get position(): Position {
    return this.stand
  }
  /** Where history ends, as far as it is recorded. */
  get end(): Position {
    return this.endPosition
  }
  /** The first event that had not happened at `position`. */
  get seq(): number {
    return this.traveler.seq
  }
  /** What was printed at `position` since the last event that had happened. */
  get printedSince(): Uint8Array {
    return this.traveler.printedSince
  }
  /** The moments that can be gone to at once. */
  get moments(): readonly Moment[] {
    return this.checkpoints.all
  }

  /** Those that any process finds that opens the world. */
  get keptMoments(): readonly Moment[] {
    return this.checkpoints.kept
  }

  /** The last of `moments` before a position; null: there is none. */
  momentBefore(position: Position): Moment | null {
    return this.checkpoints.strictlyBefore(position)
  }

  /** Whether anything is in the machine. */
  get isLoaded(): boolean {
    return this.traveler.isLoaded
  }

  /** Has the machine loaded where history begins. */
  readonly load: Effect.Effect<void, ReadError> = memoryErrors(
    Effect.sync(() => {
      this.takeUp(this.checkpoints.at({ position: origin }))
      this.arrive()
    }),
  )

  /** Looks how far the history is recorded by now. */
  readonly refresh: Effect.Effect<void, ReadError> = Effect.suspend(() =>
    Effect.map(lastPosition(this.world), end => {
      this.endPosition = end
    }),
  )

  /** Goes to a checkpoint. With `leaves`, what is loaded at the beginning is kept for the next who goes there. */
  private takeUp(checkpoint: Checkpoint, leaves = true): void {
    this.traveler.takeUp(checkpoint, leaves ? beginning => this.checkpoints.add(beginning, true) : null)
  }

  /** Whether the machine has come to a moment and not gone past it. */
  private isJustBefore({ position, nextSeq }: Moment): boolean {
    const { traveler } = this
    return traveler.isLoaded && comparePositions(traveler.position, position) === 0 && traveler.seq <= nextSeq
  }

  private leaveCheckpoint(): void {
    const { traveler, checkpoints } = this
    checkpoints.thin(traveler.machine.executed)
    checkpoints.add(traveler.checkpoint())
  }

  private readonly fail = ({ event, problem }: Extract<Arrival, { kind: "differs" }>) =>
    new Divergence({
      seq: event.seq,
      kind: event.kind,
      position: formatPosition(event.position),
      problem,
      instruction: null,
    })

  /** Takes the machine up at the last checkpoint from which `position` lies ahead, unless it is nearer already. */
  private takeUpBefore(position: Position): void {
    const { traveler } = this
    const checkpoint = this.checkpoints.before(position)!
    const order = comparePositions(traveler.position, position)
    const isAhead = order < 0 || (order === 0 && traveler.isArrival)
    if (traveler.isLoaded && isAhead && comparePositions(traveler.position, checkpoint.position) >= 0) return
    this.takeUp(checkpoint)
  }

  /**
   * Goes forth to a position, leaving checkpoints behind. `each` is told of what is met; what it gives ends the way. No further than the
   * history.
   */
  private readonly goForth = Effect.fnUntraced(function* <A>(
    this: Timeline,
    to: Position,
    going: Going,
    each: (arrival: Meeting) => A | null,
    share: (executed: number) => number,
    leaves = true,
  ) {
    const { traveler } = this
    let sinceCheckpoint = 0
    let sinceBreath = 0
    for (;;) {
      const before = traveler.machine.executed
      const arrival = traveler.go(to, SLICE_INSTRUCTIONS)
      const passed = traveler.machine.executed - before
      sinceCheckpoint += passed
      sinceBreath += passed + 1000
      switch (arrival.kind) {
        case "there":
          return null
        case "end":
          return null
        case "differs":
          return yield* this.fail(arrival)
        case "round":
        case "sighting": {
          const result = each(arrival)
          if (result !== null) return result
          if (arrival.kind === "sighting") traveler.machine.pass()
        }
      }
      if (leaves && sinceCheckpoint >= STRIDE_INSTRUCTIONS) {
        this.leaveCheckpoint()
        sinceCheckpoint = 0
      }
      if (sinceBreath < SLICE_INSTRUCTIONS) continue
      sinceBreath = 0
      going.progress?.(share(traveler.machine.executed))
      yield* this.breathe
      if (going.isCancelled?.()) return "cancelled" as const
    }
  })

  /** Brings the machine to where somebody looks, after a way that was not finished. */
  private readonly settle = Effect.fnUntraced(function* (this: Timeline) {
    if (!this.isAway) return
    this.lookAway()
    this.takeUpBefore(this.stand)
    yield* this.goForth(
      this.stand,
      {},
      () => null,
      () => 0,
    )
    this.isAway = false
  })

  /** Leaves checkpoints on the way to a place that will be looked at, closer together near it. */
  private readonly approach = Effect.fnUntraced(function* (
    this: Timeline,
    to: Position,
    executed: number,
    going: Going,
  ) {
    const { traveler } = this
    const from = traveler.machine.executed
    const share = (now: number) => (executed > from ? (now - from) / (executed - from) : 1)
    let distance = executed - from
    for (const before of APPROACH) {
      if (distance <= before * 2) continue
      const arrival = yield* this.goInstructions(executed - before, to, going, share)
      if (arrival !== null) return arrival
      this.leaveCheckpoint()
      distance = executed - traveler.machine.executed
    }
    return yield* this.goForth(to, going, () => null, share)
  })

  /** Goes on until all harts together have executed so many instructions, or to a position. */
  private readonly goInstructions = Effect.fnUntraced(function* (
    this: Timeline,
    executed: number,
    to: Position,
    going: Going,
    share: (executed: number) => number,
  ) {
    const { traveler } = this
    let next = traveler.machine.executed + STRIDE_INSTRUCTIONS
    while (traveler.machine.executed < executed) {
      const arrival = traveler.go(to, Math.min(SLICE_INSTRUCTIONS, executed - traveler.machine.executed))
      if (arrival.kind === "differs") return yield* this.fail(arrival)
      if (arrival.kind !== "budget") return null
      if (traveler.machine.executed >= next) {
        this.leaveCheckpoint()
        next = traveler.machine.executed + STRIDE_INSTRUCTIONS
      }
      going.progress?.(share(traveler.machine.executed))
      yield* this.breathe
      if (going.isCancelled?.()) return "cancelled" as const
    }
    return null
  })

  /** About how many instructions all harts together have executed at a position. */
  private readonly executedAbout = Effect.fnUntraced(function* (this: Timeline, position: Position) {
    const { harts } = this.machine.config
    const seq = yield* this.world.seqAt(position)
    const [batch] = yield* this.world.readEvents({ kinds: ["batch"], fromSeq: seq }, 1)
    const known = batch?.kind === "batch" ? batch.payload.harts : []
    const checkpoint = this.checkpoints.before(position)!
    let sum = 0
    for (let hart = 0; hart < harts; hart++) {
      const range = known.find(entry => entry.hart === hart)
      if (range) sum += hart === position.hart ? Math.min(range.to, position.instret) : (range.from + range.to) / 2
      else sum += checkpoint.executed[hart]!
    }
    return Math.max(sum, instructionsAt(checkpoint))
  })

  /**
   * Goes to a position: where the machine first gets to it, or past it where no instruction ends there. With `leaves`, checkpoints are
   * left behind on the way, so that what is near is quickly gone to afterwards.
   */
  readonly seek = Effect.fnUntraced(function* (
    this: Timeline,
    position: Position,
    going: Going = {},
    leaves: boolean = true,
  ) {
    if (comparePositions(position, this.endPosition) > 0) yield* this.refresh
    yield* requireWithin(this.world, position, this.endPosition)
    this.lookAway()
    this.isAway = true
    this.takeUpBefore(position)
    const executed = Math.floor(yield* this.executedAbout(position))
    const straight = () =>
      this.goForth(
        position,
        going,
        () => null,
        () => 0,
        false,
      )
    const way = leaves ? this.approach(position, executed, going) : straight()
    // Where a way breaks off, whoever looks stands where he stood.
    const outcome = yield* Effect.onError(way, () => Effect.exit(this.settle()))
    if (outcome === "cancelled") {
      yield* this.settle()
      return "cancelled" as const
    }
    this.arrive()
    return "there" as const
  }, memoryErrors)

  /**
   * Goes to a position and leaves checkpoints on the way, closer together near it, for whoever will search from there backward. Where
   * somebody looks stays where it is.
   */
  readonly goNear = Effect.fnUntraced(function* (this: Timeline, position: Position, going: Going = {}) {
    this.isAway = true
    this.lookAway()
    this.takeUpBefore(position)
    const executed = Math.floor(yield* this.executedAbout(position))
    const outcome = yield* this.approach(position, executed, going)
    return outcome === "cancelled" ? outcome : ("there" as const)
  }, memoryErrors)

  private arrive(): void {
    this.stand = this.traveler.position
    this.isAway = false
  }

  /** Has what is sought told of from here on. */
  private lookOut(sought: Sought): void {
    const { machine } = this
    machine.observe(sought.observation, sought.output)
    this.traveler.tellsRounds = sought.rounds ?? false
    sought.begins?.(machine)
  }

  /** Has nothing told of any more. */
  private lookAway(): void {
    this.machine.observe(null)
    this.traveler.tellsRounds = false
  }

  /** Goes on to what is sought, or to the end of history, or to `to`. */
  readonly goOn = Effect.fnUntraced(function* (this: Timeline, sought: Sought, going: Going = {}, to?: Position) {
    yield* this.settle()
    const { machine } = this
    const goal = to ?? this.endPosition
    const from = machine.executed
    const total = Math.max(1, (yield* this.executedAbout(goal)) - from)
    this.lookOut(sought)
    machine.pass()
    this.isAway = true
    const outcome = yield* this.goForth(
      goal,
      going,
      arrival => this.accepted(sought, arrival),
      executed => (executed - from) / total,
    )
    this.lookAway()
    this.arrive()
    yield* this.standWhereArrived()
    if (outcome === "cancelled") return { kind: "cancelled" } satisfies Journey
    if (outcome === null) return { kind: "end" } satisfies Journey
    return { kind: "found", found: outcome } satisfies Journey
  }, memoryErrors)

  /** What is told of after a wait is found at the same position as before it: stands where the machine first got there. */
  private readonly standWhereArrived = Effect.fnUntraced(function* (this: Timeline) {
    if (this.traveler.isArrival) return
    this.isAway = true
    yield* this.settle()
  })

  private accepted({ accepts }: Sought, arrival: Meeting): Found | null {
    const [sighting, isAfter] = arrival.kind === "round" ? [null, false] : [arrival.sighting, arrival.isAfter]
    if (accepts && !accepts(sighting, this.machine)) return null
    const after = this.traveler.position
    const before = isAfter ? { ...after, instret: after.instret - 1 } : after
    return { sighting, before, after }
  }

  /**
   * Goes from one of `moments` on to `to` and tells `each` of all that is sought on the way, until that gives true. Where somebody looks
   * stays where it is. With `leaves`, checkpoints are left behind, for whoever will come back.
   */
  readonly scan = Effect.fnUntraced(function* (
    this: Timeline,
    from: Moment,
    to: Position,
    sought: Sought,
    each: (found: Found) => boolean,
    going: Going = {},
    leaves = false,
  ) {
    const { machine } = this
    this.isAway = true
    this.lookAway()
    if (!this.isJustBefore(from)) this.takeUp(this.checkpoints.at(from), leaves)
    this.lookOut(sought)
    machine.core.pass(null)
    const start = machine.executed
    const total = Math.max(1, (yield* this.executedAbout(to)) - start)
    const outcome = yield* this.goForth(
      to,
      going,
      arrival => {
        const found = this.accepted(sought, arrival)
        return found !== null && each(found) ? ("enough" as const) : null
      },
      executed => (executed - start) / total,
      leaves,
    )
    this.lookAway()
    return outcome ?? ("there" as const)
  }, memoryErrors)

  /**
   * The last of what is sought that lies before `from` and not before `to`, searched moment by moment into the past. The machine is
   * anywhere afterwards. `far` is asked where the search goes far.
   */
  private readonly lastBefore = Effect.fnUntraced(function* (
    this: Timeline,
    sought: Sought,
    from: Position,
    to: Position,
    going: Going,
    far: FarSearch | null = null,
  ) {
    let end = from
    let wasFar = far === null
    let passed = 0
    for (;;) {
      const moment = this.checkpoints.strictlyBefore(end)
      if (moment === null) return null
      if (!wasFar && passed >= NEAR_INSTRUCTIONS) {
        wasFar = true
        const after = yield* far!(end)
        if (after === null || after === "cancelled") return after
        // Here it is found again, with all that belongs to it.
        end = { ...after, instret: after.instret + 1 }
        continue
      }
      const last: { found: Found | null } = { found: null }
      const each = (found: Found) => {
        const { before } = found
        if (comparePositions(to, before) <= 0 && comparePositions(before, from) < 0) last.found = found
        return false
      }
      if ((yield* this.scan(moment, end, sought, each, going, true)) === "cancelled") return "cancelled" as const
      passed += this.machine.executed - instructionsAt(moment)
      if (last.found !== null) return last.found
      if (comparePositions(moment.position, to) <= 0) return null
      end = moment.position
    }
  })

  /** Goes back to before what is sought, or to the beginning of history. `far` is asked for what lies far back. */
  readonly goBack = Effect.fnUntraced(function* (
    this: Timeline,
    sought: Sought,
    going: Going = {},
    far: FarSearch | null = null,
  ) {
    yield* this.settle()
    this.isAway = true
    const found = yield* this.lastBefore(sought, this.stand, origin, going, far)
    if (found === "cancelled") {
      yield* this.settle()
      return { kind: "cancelled" } satisfies Journey
    }
    const outcome = yield* this.seek(found === null ? origin : found.before, going)
    if (outcome === "cancelled") return { kind: "cancelled" } satisfies Journey
    return found === null ? ({ kind: "begin" } satisfies Journey) : ({ kind: "found", found } satisfies Journey)
  }, memoryErrors)

  /**
   * Goes on until a hart has executed so many instructions more; "end" where history ends before. What is `sought` on the way ends it
   * earlier.
   */
  readonly stepHart = Effect.fnUntraced(function* (
    this: Timeline,
    hart: number,
    count = 1,
    going: Going = {},
    sought: Sought | null = null,
  ) {
    yield* this.settle()
    if (sought !== null) {
      this.lookOut(sought)
      this.machine.pass()
    }
    const goal = this.machine.core.executed(hart) + count
    const outcome = yield* this.toExecuted(hart, goal, going, true, sought)
    if (sought !== null) this.lookAway()
    return outcome
  }, memoryErrors)

  /** Goes on instruction by instruction of a hart, at least one, as long as `goesOn` says after each. Otherwise as `stepHart`. */
  readonly stepHartWhile = Effect.fnUntraced(function* (
    this: Timeline,
    hart: number,
    goesOn: () => boolean,
    going: Going = {},
    sought: Sought | null = null,
  ) {
    yield* this.settle()
    const { machine } = this
    if (sought !== null) {
      this.lookOut(sought)
      machine.pass()
    }
    for (let steps = 1; ; steps++) {
      const goal = machine.core.executed(hart) + 1
      const outcome = yield* this.toExecuted(hart, goal, going, true, sought)
      const isOver = outcome !== "there" || !goesOn()
      if (!isOver && steps % STEPS_AT_ONCE === 0) yield* this.breathe
      const isCancelled = !isOver && steps % STEPS_AT_ONCE === 0 && going.isCancelled?.()
      if (!isOver && !isCancelled) continue
      if (sought !== null) this.lookAway()
      return isOver ? outcome : ("cancelled" as const)
    }
  }, memoryErrors)

  /**
   * Goes back to before the last instructions a hart has executed; "begin" where there are none. What is `sought` on the way ends it
   * earlier.
   */
  readonly stepHartBack = Effect.fnUntraced(function* (
    this: Timeline,
    hart: number,
    count = 1,
    going: Going = {},
    sought: Sought | null = null,
  ) {
    yield* this.settle()
    const { machine, checkpoints } = this
    const from = this.stand
    const goal = machine.core.executed(hart) - count
    if (goal < 0) {
      if ((yield* this.seek(origin, going)) === "cancelled") return "cancelled" as const
    } else {
      this.lookAway()
      this.takeUp(checkpoints.beforeExecuted(hart, goal, from)!)
      // Near the place checkpoints are left, so that the next step back is quick.
      for (const before of [...APPROACH, 0]) {
        if (before > 0 && machine.core.executed(hart) + 2 * before >= goal) continue
        const outcome = yield* this.toExecuted(hart, goal - before, going, before === 0)
        if (outcome === "cancelled") return outcome
        if (before > 0) this.leaveCheckpoint()
      }
    }
    const outcome = goal < 0 ? ("begin" as const) : ("there" as const)
    if (sought === null) return outcome
    const place = this.stand
    const found = yield* this.lastBefore(sought, from, place, going)
    this.isAway = true
    const isCancelled =
      found === "cancelled" || (yield* this.seek(found === null ? place : found.before, going)) === "cancelled"
    if (isCancelled) {
      this.stand = from
      this.isAway = true
      yield* this.settle()
      return "cancelled" as const
    }
    return found ?? outcome
  }, memoryErrors)

  /**
   * Goes on until a hart has executed so many instructions and it is its turn; where `isGoal`, that is where somebody looks then. Goes
   * back when cancelled. What is `sought` ends the way earlier.
   */
  private readonly toExecuted = Effect.fnUntraced(function* (
    this: Timeline,
    hart: number,
    goal: number,
    going: Going,
    isGoal = true,
    sought: Sought | null = null,
  ) {
    const { machine, traveler } = this
    this.isAway = true
    let sinceBreath = 0
    for (;;) {
      const before = machine.executed
      const arrival = traveler.go(this.endPosition, SLICE_INSTRUCTIONS, { hart, executed: goal })
      if (arrival.kind === "differs") return yield* this.fail(arrival)
      if (arrival.kind === "sighting") {
        const found = sought && this.accepted(sought, arrival)
        if (found !== null) {
          this.arrive()
          yield* this.standWhereArrived()
          return found
        }
        machine.pass()
      }
      if (arrival.kind === "there" || arrival.kind === "end") {
        if (isGoal) this.arrive()
        return machine.core.executed(hart) >= goal ? ("there" as const) : ("end" as const)
      }
      sinceBreath += machine.executed - before
      if (sinceBreath < SLICE_INSTRUCTIONS) continue
      sinceBreath = 0
      yield* this.breathe
      if (going.isCancelled?.()) {
        yield* this.settle()
        return "cancelled" as const
      }
    }
  })
}

const lastPosition = (world: World): Effect.Effect<Position, ReadError> =>
  Effect.gen(function* () {
    const { seq } = yield* world.head
    const [last] = yield* world.readEvents({ fromSeq: seq }, 1)
    return last?.position ?? origin
  })

/** A snapshot of the world's file as a checkpoint; null for one that a machine cannot wake from. */
const checkpointOf = (world: World, snapshot: SnapshotInfo, pages: PageVersions) =>
  Effect.gen(function* () {
    const sleeping = decodeSleeping(yield* world.snapshotState(snapshot.id))
    if (sleeping === null) return null
    const { id, position, seq, virtualNs } = snapshot
    let executed: readonly number[] | null = null
    let versions: Versions | null = null
    // A history has many, of which few are gone to.
    return {
      position,
      nextSeq: seq + 1,
      get executed() {
        executed ??= executedBy(sleeping)
        return executed
      },
      virtualNs,
      isArrival: false,
      sleeping,
      get versions() {
        versions ??= pages.ofSnapshot(world.snapshotMemoryNow(id))
        return versions
      },
      hasOnlyPlaces: true,
      printed: new Uint8Array(0),
    } satisfies Checkpoint
  })

/** Opens the history of a world. It stands at its beginning; nothing is loaded before it goes somewhere, or is told to `load`. */
export const openTimeline = (world: World, breathe: Effect.Effect<void>) =>
  Effect.gen(function* () {
    const pages = new PageVersions()
    const checkpoints = new Checkpoints(pages)
    const traveler = new Traveler(world, yield* sleepingMachineOf(world), pages)
    checkpoints.add(traveler.blank, true)
    for (const snapshot of yield* world.snapshots) {
      const checkpoint = yield* Effect.catchTag(checkpointOf(world, snapshot, pages), "SnapshotNotFound", () =>
        Effect.succeed(null),
      )
      if (checkpoint !== null) checkpoints.add(checkpoint, true)
    }
    return new Timeline(world, traveler, checkpoints, yield* lastPosition(world), breathe)
  })
