/** A recorded history gone through once, forth, by a machine of its own: what every walk is compared with. */
import { Effect } from "effect"
import { comparePositions, formatPosition, type Position, type World } from "../../../src/events/index.ts"
import { hex } from "../../../src/machine/digest.ts"
import type { Machine } from "../../../src/machine/machine.ts"
import { machineOf } from "../../../src/session/build-machine.ts"
import { Replayer } from "../../../src/session/replay.ts"

/** Runs to each of `positions`, in order, and has `look` look at the machine there. */
export const straightRun = (
  world: World,
  positions: readonly Position[],
  look: (machine: Machine, position: Position) => void,
) =>
  Effect.gen(function* () {
    const replayer = new Replayer(yield* machineOf(world), {})
    const waiting = [...positions].sort(comparePositions)
    const events = yield* world.readEvents({}, 1_000_000)
    for (const event of events) {
      while (waiting.length > 0 && comparePositions(waiting[0]!, event.position) <= 0) {
        const position = waiting.shift()!
        const problem = replayer.runTo(position)
        if (problem) throw new Error(`${formatPosition(position)}: ${problem}`)
        look(replayer.machine, position)
      }
      const mismatch = replayer.meet(event)
      if (mismatch) throw new Error(`event ${event.seq}: ${mismatch.problem}`)
    }
    if (waiting.length > 0) throw new Error(`${formatPosition(waiting[0]!)} lies after the history`)
  })

/** The digest of everything at each position, by its text. */
export const straightDigests = (world: World, positions: readonly Position[]) =>
  Effect.gen(function* () {
    const digests = new Map<string, string>()
    yield* straightRun(world, positions, (machine, position) => {
      digests.set(formatPosition(position), hex(machine.digest()))
    })
    return digests
  })
