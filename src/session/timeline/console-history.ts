/** What was printed in the course of a history. */
import { Effect } from "effect"
import type { Position, ReadError, World } from "../../events/index.ts"

/** A piece of output, with the event that recorded it. */
export interface Printed {
  readonly seq: number
  readonly position: Position
  /** Length of all text before it. */
  readonly from: number
}

const EVENTS_AT_ONCE = 1024

export class ConsoleHistory {
  private readonly world: World
  private readonly decoder = new TextDecoder("utf-8")
  private readonly pieces: Printed[] = []
  private all = ""
  private nextSeq = 0

  constructor(world: World) {
    this.world = world
  }

  /** Reads what was recorded since the last time. */
  readonly refresh: Effect.Effect<void, ReadError> = Effect.suspend(() =>
    Effect.gen({ self: this }, function* () {
      for (;;) {
        const filter = { kinds: ["console"], fromSeq: this.nextSeq } as const
        const events = yield* this.world.readEvents(filter, EVENTS_AT_ONCE)
        for (const { seq, position, ...event } of events) {
          if (event.kind !== "console") continue
          this.pieces.push({ seq, position, from: this.all.length })
          this.all += this.decoder.decode(event.payload.bytes, { stream: true })
          this.nextSeq = seq + 1
        }
        if (events.length < EVENTS_AT_ONCE) return
      }
    }),
  )

  /** All text of events before `seq`. */
  textBefore(seq: number): string {
    let low = 0
    let high = this.pieces.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.pieces[middle]!.seq < seq) low = middle + 1
      else high = middle
    }
    return low === this.pieces.length ? this.all : this.all.slice(0, this.pieces[low]!.from)
  }

  get text(): string {
    return this.all
  }

  /** The pieces in order. */
  get printed(): readonly Printed[] {
    return this.pieces
  }
}
