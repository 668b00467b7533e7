/**
 * The course of a history, read from its log: how far each batch of instructions brought it, and what happened meanwhile. It turns shares
 * of the whole and virtual times into positions, and counts activity for charts. It is read piece by piece, so that nothing waits for it.
 */
import { Effect } from "effect"
import { origin, type Position, type ReadError, type StoredEvent, type World } from "../../events/index.ts"

const EVENTS_AT_ONCE = 256

/** The end of a batch. */
interface Sample {
  readonly position: Position
  /** Instructions of each hart, and of all together. */
  readonly harts: readonly number[]
  readonly executed: number
  readonly virtualNs: number
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
        const { virtualNs } = event.payload
        this.samples.push({ position: event.position, harts, executed, virtualNs, ...this.since })
        this.since = { ...nothingYet }
      }
    }
  }

  /** Instructions of all harts in all of the history, as far as it has been read. */
  get executed(): number {
    return this.samples.at(-1)?.executed ?? 0
  }

  /** The share of the history that lies before so many instructions, 0 to 1. */
  share(executed: number): number {
    return this.executed === 0 ? 0 : Math.min(1, executed / this.executed)
  }

  /** Where so many instructions of all harts have been executed, as near as the log tells. */
  positionAt(executed: number): Position {
    return this.between(this.order("executed", executed), sample => sample.executed, executed)
  }

  /** Where virtual time is about so many nanoseconds. */
  positionAtTime(ns: number): Position {
    return this.between(this.order("virtualNs", ns), sample => sample.virtualNs, ns)
  }

  /** The end of the last batch before a position, or of the first one after it. */
  neighbour(position: Position, isBefore: boolean, compare: (a: Position, b: Position) => number): Position | null {
    const found = isBefore
      ? this.samples.findLast(sample => compare(sample.position, position) < 0)
      : this.samples.find(sample => compare(sample.position, position) > 0)
    return found?.position ?? null
  }

  /** The first sample that has got so far. */
  private order(what: "executed" | "virtualNs", value: number): number {
    let low = 0
    let high = this.samples.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.samples[middle]![what] < value) low = middle + 1
      else high = middle
    }
    return low
  }

  /** A place between the sample before `order` and it, in proportion. */
  private between(order: number, measure: (sample: Sample) => number, value: number): Position {
    const after = this.samples[order]
    if (after === undefined) return this.samples.at(-1)?.position ?? origin
    const before = this.samples[order - 1]
    const from = before === undefined ? 0 : measure(before)
    if (value <= from) return before?.position ?? origin
    const share = (value - from) / (measure(after) - from)
    if (share >= 1) return after.position
    const start = before?.position ?? origin
    const round = start.round + Math.floor(share * (after.position.round - start.round))
    const [done, todo] = [before?.harts[0] ?? 0, after.harts[0]!]
    // Hart 0 comes first in a round: where it has got so far, or at the beginning of the round if it has got further already.
    return { round, machine: 0, hart: 0, instret: Math.floor(done + share * (todo - done)) }
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
