/** Snapshots of a running machine, and machines from snapshots. */
import { Effect, Stream } from "effect"
import {
  isInherited,
  isReadError,
  type LoadedPages,
  type LogWriter,
  type ReadError,
  type SnapshotExists,
  type SnapshotInfo,
  type SnapshotInput,
  type SnapshotUnderWay,
  type World,
  WorldDamaged,
  WorldUnreadable,
  type WorldWriteFailed,
} from "../events/index.ts"
import type { Machine } from "../machine/machine.ts"
import { decodeSleeping, encodeSleeping } from "../machine/sleeping-machine.ts"
import { machineOf, sleepingMachineOf } from "./build-machine.ts"
import { CannotStart } from "./errors.ts"

/** What the next snapshot builds on. */
interface Base {
  /** null: what was loaded at the beginning. */
  readonly parent: number | SnapshotUnderWay | null
  /** The machine's mark at that snapshot. */
  readonly mark: number
  /** The last event that had happened. */
  readonly seq: number
}

const isIn = ({ page, count }: LoadedPages, index: number): boolean => page <= index && index < page + count

/** Makes snapshots of one machine in the log it is recorded in, each of what changed since the one before. */
export class SnapshotMaker {
  private readonly log: LogWriter
  private readonly machine: Machine
  private base: Base | null
  /** Its machine began at the beginning of history. */
  private readonly isFromBeginning: boolean
  private readonly loaded: readonly LoadedPages[]
  /** Pages that were loaded from nothing the world's file has. */
  private readonly otherPages: readonly number[]
  /** How many pages the machine was given by a snapshot that a fork inherits, as far as the fork's own file has none of them. */
  private inheritedPages: number
  private underWay: SnapshotUnderWay[] = []

  /**
   * `woken`: the snapshot of the same world that the machine began with, null for the beginning. `loaded`: of a machine that has executed
   * nothing yet, what in its memory is as it is in contents of the world's own file.
   */
  constructor(log: LogWriter, machine: Machine, woken: SnapshotInfo | null, loaded: readonly LoadedPages[] = []) {
    this.log = log
    this.machine = machine
    const isElsewhere = woken !== null && isInherited(woken)
    this.inheritedPages = isElsewhere ? machine.wokenPages : 0
    this.base = woken && !isElsewhere ? { parent: woken.id, mark: 0, seq: woken.seq } : null
    this.isFromBeginning = woken === null
    this.loaded = loaded
    this.otherPages = []
    if (loaded.length === 0) return
    const { mark, pages } = machine.writtenPages(0)
    // What was loaded is no write of the guest's.
    machine.takeWrittenLines(0)
    this.base = { parent: null, mark, seq: 0 }
    this.otherPages = pages.map(({ index }) => index).filter(index => !loaded.some(run => isIn(run, index)))
  }

  /** About how many pages the next one has to hold. */
  get unsavedPages(): number {
    return this.machine.unsavedPages + this.inheritedPages
  }

  /** Saves the machine's state, under a name or none; it stands right after event `seq`. The machine may go on at once. */
  begin(name: string | null, seq: number, digest: Uint8Array): SnapshotUnderWay {
    if (this.inheritedPages > 0) return this.beginWhole(name, seq, digest)
    const { base, machine } = this
    const since = base ?? (this.isFromBeginning ? { mark: 0, seq: 0 } : null)
    const { mark, pages } = machine.writtenPages(since?.mark ?? 0)
    const written = since && { since: since.seq, ...machine.takeWrittenLines(since.mark) }
    const parent = base?.parent ?? null
    if (parent !== null || this.loaded.length === 0)
      return this.handOver({ name, seq, digest, parent, pages, written }, mark)
    const indexes = new Set(pages.map(({ index }) => index))
    const others = this.otherPages.filter(index => !indexes.has(index)).map(index => machine.page(index))
    return this.handOver(
      { name, seq, digest, parent, pages: [...pages, ...others], written, loaded: this.loaded },
      mark,
    )
  }

  /** The same with every page, also of a machine that was woken in another world. */
  beginWhole(name: string | null, seq: number, digest: Uint8Array): SnapshotUnderWay {
    const { machine } = this
    this.inheritedPages = 0
    const { mark } = machine.writtenPages(0)
    return this.handOver({ name, seq, digest, parent: null, pages: machine.pages() }, mark)
  }

  private handOver(
    input: Pick<SnapshotInput, "name" | "seq" | "digest" | "parent" | "pages" | "written" | "loaded">,
    mark: number,
  ): SnapshotUnderWay {
    const { machine } = this
    const handed = this.log.beginSnapshot({
      ...input,
      position: { ...machine.position, machine: 0 },
      virtualNs: machine.nowNs,
      state: encodeSleeping(machine.saveForWake()),
      pageCount: machine.config.ramBytes / 4096,
    })
    this.base = { parent: handed, mark, seq: input.seq }
    this.underWay.push(handed)
    return handed
  }

  /** Waits until all that was begun is durable. */
  readonly settled: Effect.Effect<void, SnapshotExists | WorldWriteFailed | WorldDamaged> = Effect.suspend(() =>
    Effect.forEach(this.underWay.splice(0), ({ durable }) => durable, { discard: true }),
  )
}

/** Why a saved state cannot be taken up. Damage of the file stays what it is. */
const cannotRestore = (cause: unknown): CannotStart | WorldDamaged | WorldUnreadable =>
  cause instanceof WorldDamaged || cause instanceof WorldUnreadable
    ? cause
    : new CannotStart({
        problem: `The snapshot cannot be restored: ${cause instanceof Error ? cause.message : cause}; it was made by another version of the engine.`,
      })

const restoring = (body: () => void) => Effect.try({ try: body, catch: cannotRestore })

/** As the first snapshots want it: their states lack what a machine needs to wake. */
const restoreWhole = (world: World, snapshot: SnapshotInfo, state: Uint8Array) =>
  Effect.gen(function* () {
    const machine = yield* machineOf(world)
    const pages = yield* Stream.runCollect(world.snapshotPages(snapshot.id))
    yield* restoring(() => machine.restore(state, pages))
    return machine
  })

/**
 * A machine where a snapshot left it. Its memory is read page by page, each when the guest needs it first: until then the world stays
 * open, and a run may end with `memoryErrors`.
 */
export const machineAt = (world: World, snapshot: SnapshotInfo) =>
  Effect.gen(function* () {
    const state = yield* world.snapshotState(snapshot.id)
    const sleeping = yield* Effect.try({ try: () => decodeSleeping(state), catch: cannotRestore })
    if (sleeping === null) return yield* restoreWhole(world, snapshot, state)
    const memory = yield* world.snapshotMemory(snapshot.id)
    const machine = yield* sleepingMachineOf(world)
    yield* restoring(() => machine.wake(sleeping, memory.indexes, (page, target) => target.set(memory.read(page))))
    return machine
  })

/** What reading a page of memory, or an event, threw in the middle of a run, as the failure that it is. */
export const memoryErrors = <A, E, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, E | ReadError, R> =>
  Effect.catchDefect(
    run,
    (defect): Effect.Effect<never, ReadError> => (isReadError(defect) ? Effect.fail(defect) : Effect.die(defect)),
  )
