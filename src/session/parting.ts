/**
 * Where two histories part: the first event that is not the same in both, and the first input. Each event's digest covers all before
 * it, so what is common is found without reading it.
 */
import { Buffer } from "node:buffer"
import { Effect } from "effect"
import { comparePositions, type EventFilter, encodeEvent, type StoredEvent, type World } from "../events/index.ts"

/** Of two histories, in their order; null: that history ends before. */
export type Pair = readonly [StoredEvent | null, StoredEvent | null]

export interface Parting {
  /** How many events are the same, from event 0 on. */
  readonly common: number
  /** How many events each has. */
  readonly lengths: readonly [number, number]
  /** The first that differ; both null: the histories are equal. */
  readonly events: Pair
  /** The first inputs that differ, which is why the guests do; both null: they were told the same. */
  readonly inputs: Pair
}

const EVENTS_AT_ONCE = 512

const bytesOf = ({ kind, payload }: StoredEvent): Uint8Array => encodeEvent(kind, payload as never)
const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at])

/** Whether two events say the same, whatever was before them and in which version they were written. */
const isSame = (a: StoredEvent, b: StoredEvent): boolean =>
  a.kind === b.kind && comparePositions(a.position, b.position) === 0 && isEqual(bytesOf(a), bytesOf(b))

/** How many events have the same digests in both, of `count` that both have. */
const commonChain = (a: World, b: World, count: number) =>
  Effect.gen(function* () {
    let low = 0
    let high = count
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const [one, other] = [yield* a.eventAt(middle), yield* b.eventAt(middle)]
      if (isEqual(one.digest, other.digest)) low = middle + 1
      else high = middle
    }
    return low
  })

/** The first two events that differ when those that pass the filter are compared one by one, and how many are the same before. */
const firstDifference = (a: World, b: World, filter: EventFilter, fromSeq: number) =>
  Effect.gen(function* () {
    let same = 0
    const next = [fromSeq, fromSeq]
    const waiting: StoredEvent[][] = [[], []]
    const refill = Effect.fnUntraced(function* (side: 0 | 1) {
      if (waiting[side]!.length > 0) return
      const events = yield* [a, b][side]!.readEvents({ ...filter, fromSeq: next[side]! }, EVENTS_AT_ONCE)
      waiting[side] = [...events]
      next[side] = (events.at(-1)?.seq ?? next[side]!) + 1
    })
    for (;;) {
      yield* refill(0)
      yield* refill(1)
      const pair = [waiting[0]!.shift() ?? null, waiting[1]!.shift() ?? null] as const
      if (pair[0] === null || pair[1] === null || !isSame(pair[0], pair[1])) return { same, pair: pair satisfies Pair }
      same++
    }
  })

export const partingOf = (a: World, b: World) =>
  Effect.gen(function* () {
    const lengths = [(yield* a.head).seq + 1, (yield* b.head).seq + 1] as const
    const chained = yield* commonChain(a, b, Math.min(...lengths))
    const { same, pair: events } = yield* firstDifference(a, b, {}, chained)
    const { pair: inputs } = yield* firstDifference(a, b, { kinds: ["input"] }, chained + same)
    return { common: chained + same, lengths, events, inputs } satisfies Parting
  })

const NEWLINE = 10

/** What the console of a history said last, before event `seq`: at most so many lines. */
export const consoleBefore = (world: World, seq: number, lines: number) =>
  Effect.gen(function* () {
    const bytes: Uint8Array[] = []
    let found = 0
    // Backwards, as there may be a lot of it.
    for (let to = seq; to > 0 && found <= lines; to -= EVENTS_AT_ONCE) {
      const filter = { kinds: ["console"], fromSeq: Math.max(0, to - EVENTS_AT_ONCE), toSeq: to - 1 } as const
      for (const event of (yield* world.readEvents(filter, EVENTS_AT_ONCE)).toReversed())
        if (event.kind === "console") {
          bytes.unshift(event.payload.bytes)
          found += event.payload.bytes.filter(byte => byte === NEWLINE).length
        }
    }
    const text = Buffer.concat(bytes).toString().replaceAll("\r", "")
    return text.replace(/\n$/, "").split("\n").slice(-lines).join("\n")
  })
