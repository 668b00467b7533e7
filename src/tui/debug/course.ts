/**
 * The course of a history, read from its log: how far each batch of instructions brought it, and what happened meanwhile. It turns shares
 * of the whole into positions, and counts activity for charts. It is read piece by piece, so that nothing waits for it.
 */
import { Effect } from "effect"
import {
  comparePositions,
  origin,
  type Position,
  type ReadError,
  type StoredEvent,
  type World,
} from "../../events/index.ts"

const EVENTS_AT_ONCE = 256

/** A place of which it is known how far the machine has come there. */
export interface Milestone {
  readonly position: Position
  /** Instructions of each hart, and of all together. */
  readonly harts: readonly number[]
  readonly executed: number
}

/** The end of a batch. */
interface Sample extends Milestone {
  /** What came since the sample before. */
  readonly interrupts: number
  readonly printed: number
  readonly typed: number
  readonly snapshots: number
}

/** What happened in each of so many equal parts of a history. */
export interface Activity {
  readonly interrupts: readonly number[]
  /** Bytes printed. */
  readonly printed: readonly number[]
  /** Whether something came from outside, or a snapshot was taken. */
  readonly typed: readonly boolean[]
  readonly snapshots: readonly boolean[]
}

const nothingYet = { interrupts: 0, printed: 0, typed: 0, snapshots: 0 }

export class Course {
  private readonly world: World
  private readonly samples: Sample[] = []
  /** The samples, and places where somebody was, in order. */
  private readonly milestones: Milestone[] = []
  private since = { ...nothingYet }
  private nextSeq = 0
  private harts: readonly number[]
  private charted: { readonly columns: number; readonly samples: number; readonly activity: Activity } | null = null
  /** Whether all that was recorded has been read. */
  isWhole = false

  constructor(world: World) {
    this.world = world
    this.harts = new Array<number>(world.genesis.machines[0].harts).fill(0)
  }

  /** Reads what was recorded since the last time; `breathe` lets other work happen in between. */
  read(breathe: Effect.Effect<void>, progress: () => void = () => {}): Effect.Effect<void, ReadError> {
    return Effect.gen({ self: this }, function* () {
      for (;;) {
        const kinds = ["batch", "interrupt", "console", "input", "snapshot"] as const
        const events = yield* this.world.readEvents({ kinds, fromSeq: this.nextSeq }, EVENTS_AT_ONCE)
        for (const event of events) this.take(event)
        this.isWhole = events.length < EVENTS_AT_ONCE
        progress()
        if (this.isWhole) return
        yield* breathe
      }
    })
  }

  private take(event: StoredEvent): void {
    this.nextSeq = event.seq + 1
    switch (event.kind) {
      case "interrupt":
        this.since.interrupts += event.payload.interrupts.length
        break
      case "console":
        this.since.printed += event.payload.bytes.length
        break
      case "input":
        this.since.typed++
        break
      case "snapshot":
        this.since.snapshots++
        break
      case "batch": {
        const harts = [...this.harts]
        for (const { hart, to } of event.payload.harts) harts[hart] = to
        this.harts = harts
        const executed = harts.reduce((a, b) => a + b, 0)
        const sample = { position: event.position, harts, executed, ...this.since }
        this.samples.push(sample)
        this.learn(sample)
        this.since = { ...nothingYet }
      }
    }
  }

  /** Takes note of a place: what lies near it is found more exactly from now on. */
  learn(milestone: Milestone): void {
    const { milestones } = this
    const at = this.firstThat(({ position }) => comparePositions(position, milestone.position) >= 0)
    const there = milestones[at]
    if (there === undefined || comparePositions(there.position, milestone.position) !== 0)
      milestones.splice(at, 0, milestone)
  }

  /** Instructions of all harts in all of the history, as far as it has been read. */
  get executed(): number {
    return this.samples.at(-1)?.executed ?? 0
  }

  /** The share of the history that lies before so many instructions, 0 to 1. */
  share(executed: number): number {
    return this.executed === 0 ? 0 : Math.min(1, executed / this.executed)
  }

  /**
   * Where so many instructions of all harts have been executed, as near as is known: between the milestones before and after, in
   * proportion. The ends of the history are exact; `end` is where it ends.
   */
  positionAt(executed: number, end: Position): Position {
    if (executed <= 0) return origin
    const { milestones } = this
    const order = this.firstThat(milestone => milestone.executed >= executed)
    const after = milestones[order]
    if (after === undefined || executed >= this.executed) return end
    const before = milestones[order - 1] ?? { position: origin, harts: this.harts.map(() => 0), executed: 0 }
    const share = (executed - before.executed) / (after.executed - before.executed)
    if (share >= 1) return after.position
    const round = before.position.round + Math.floor(share * (after.position.round - before.position.round))
    // Hart 0 comes first in a round: where it has got so far, or at the beginning of the round if it has got further already.
    const instret = Math.floor(before.harts[0]! + share * (after.harts[0]! - before.harts[0]!))
    return { round, machine: 0, hart: 0, instret }
  }

  /** The last place before a position that is known, or the first one after it; null where there is none. */
  neighbour(position: Position, isBefore: boolean): Position | null {
    const order = this.firstThat(milestone => {
      const distance = comparePositions(milestone.position, position)
      return isBefore ? distance >= 0 : distance > 0
    })
    return this.milestones[isBefore ? order - 1 : order]?.position ?? null
  }

  /** The end of the last batch before a position; the beginning where there is none. */
  batchBefore(position: Position): Position {
    return this.samples.findLast(sample => comparePositions(sample.position, position) < 0)?.position ?? origin
  }

  /** The first milestone of which something holds that holds of all behind it. */
  private firstThat(holds: (milestone: Milestone) => boolean): number {
    let low = 0
    let high = this.milestones.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.milestones[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }

  /** What happened, in so many parts of equal numbers of instructions. Counts of a batch are spread over the parts it lies in. */
  activity(columns: number): Activity {
    const { charted, samples } = this
    if (charted?.columns === columns && charted.samples === samples.length) return charted.activity
    const numbers = () => new Array<number>(columns).fill(0)
    const [interrupts, printed, typed, snapshots] = [numbers(), numbers(), numbers(), numbers()]
    const columnOf = (executed: number) => Math.min(columns - 1, Math.floor(this.share(executed) * columns))
    let from = 0
    for (const sample of samples) {
      const to = columnOf(sample.executed)
      const parts = to - from + 1
      for (let column = from; column <= to; column++) {
        interrupts[column]! += sample.interrupts / parts
        printed[column]! += sample.printed / parts
      }
      typed[to]! += sample.typed
      snapshots[to]! += sample.snapshots
      from = to
    }
    const activity = { interrupts, printed, typed: typed.map(Boolean), snapshots: snapshots.map(Boolean) }
    this.charted = { columns, samples: samples.length, activity }
    return activity
  }
}
