/** Places in a history by virtual time. */
import { Effect } from "effect"
import type { Position, ReadError, StoredEvent, World } from "../events/index.ts"
import type { Going } from "../session/timeline/timeline.ts"
import type { Debugger } from "./debugger.ts"

type Batch = Extract<StoredEvent, { kind: "batch" }>

/** The first batch at or after an event; null where there is none. */
const batchFrom = (world: World, fromSeq: number): Effect.Effect<Batch | null, ReadError> =>
  Effect.map(world.readEvents({ kinds: ["batch"], fromSeq }, 1), ([event]) => (event?.kind === "batch" ? event : null))

/** The last batch of which something holds that holds of all before it; null where it holds of none. */
const lastBatch = Effect.fnUntraced(function* (world: World, holds: (batch: Batch) => boolean) {
  let low = 0
  let high = (yield* world.head).seq + 1
  let found: Batch | null = null
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const batch = yield* batchFrom(world, middle)
    if (batch === null || !holds(batch)) high = middle
    else {
      found = batch
      low = batch.seq + 1
    }
  }
  return found
})

/** Virtual nanoseconds at the end of a history, as far as it is recorded. */
export const virtualEnd = (world: World): Effect.Effect<number, ReadError> =>
  Effect.map(
    lastBatch(world, () => true),
    batch => batch?.payload.virtualNs ?? 0,
  )

/**
 * Goes to a virtual time: to the beginning of the last round that does not begin later, and where its first hart runs, on to the
 * nanosecond. To the end of history where that is before.
 */
export const goToTime = Effect.fnUntraced(function* (debugged: Debugger, ns: number, going: Going = {}) {
  const { inspection, timeline, world } = debugged
  const { machine } = inspection
  const roundAt = (round: number): Position => ({ round, machine: 0, hart: 0, instret: 0 })
  const known = yield* lastBatch(world, ({ payload }) => payload.virtualNs <= ns)
  let stop = yield* debugged.goTo(known?.position ?? timeline.begin, going)
  if (stop.reason.kind === "cancelled") return stop

  let low = machine.round
  const rounds = Math.ceil((ns - debugged.nowNs) / machine.roundNs) + 1
  const later = known && (yield* batchFrom(world, known.seq + 1))
  // Where the machine is idle a round takes longer: there are fewer of them.
  let high = Math.min(low + Math.max(1, rounds), (later?.position.round ?? timeline.end.round) + 1)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    stop = yield* debugged.goTo(roundAt(middle), going)
    if (stop.reason.kind === "cancelled") return stop
    if (debugged.nowNs <= ns) low = middle
    else high = middle
  }
  if (machine.round !== low) stop = yield* debugged.goTo(roundAt(low), going)
  if (stop.reason.kind === "cancelled") return stop
  const { hart, instret } = machine.position
  const rest = ns - debugged.nowNs
  if (rest <= 0 || hart !== 0 || machine.lifeOf(0) !== "running") return stop
  const goal = { ...debugged.position, instret: instret + rest }
  const { end } = timeline
  return yield* debugged.goTo(
    goal.round === end.round && end.hart === 0 && end.instret < goal.instret ? end : goal,
    going,
  )
})
