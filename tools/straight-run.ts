/**
 * A recorded history gone through once, forth, by a machine of its own that takes up no checkpoint: what every walk is compared with.
 * Events are read as they are met.
 */
import { Effect } from "effect"
import { comparePositions, formatPosition, type Position, type StoredEvent, type World } from "../src/events/index.ts"
import { hex } from "../src/machine/digest.ts"
import type { Machine } from "../src/machine/machine.ts"
import { machineOf } from "../src/session/build-machine.ts"
import { eachEvent, Replayer } from "../src/session/replay.ts"

/** Has what was recorded happen. @throws Error where the machine does something else */
const meet = (replayer: Replayer, event: StoredEvent): void => {
  const mismatch = replayer.meet(event)
  if (mismatch) throw new Error(`event ${event.seq}: ${mismatch.problem}`)
}

/** Runs to each of `positions`, in order, and has `look` look at the machine there; no further than the last. */
export const straightRun = (
  world: World,
  positions: readonly Position[],
  look: (machine: Machine, position: Position) => void,
) =>
  Effect.gen(function* () {
    const replayer = new Replayer(yield* machineOf(world), {})
    const waiting = positions.toSorted(comparePositions)
    let next = 0
    yield* eachEvent(world, 0, event => {
      for (; next < waiting.length && comparePositions(waiting[next]!, event.position) <= 0; next++) {
        const position = waiting[next]!
        const problem = replayer.runTo(position)
        if (problem) throw new Error(`${formatPosition(position)}: ${problem}`)
        look(replayer.machine, position)
      }
      if (next === waiting.length) return "there"
      meet(replayer, event)
      return null
    })
    if (next < waiting.length) throw new Error(`${formatPosition(waiting[next]!)} lies after the history`)
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

/** Runs on until all harts together have executed so many instructions, or to a position; whether it was the instructions. */
const runToCount = (replayer: Replayer, count: number, position: Position): boolean => {
  const { machine, history } = replayer
  while (comparePositions(history.position, position) < 0) {
    if (machine.executed >= count) return true
    const isInRound = machine.round === position.round
    const stop = isInRound ? { hart: position.hart, executed: position.instret } : null
    const exit = replayer.step(count - machine.executed, stop)
    if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
  }
  return false
}

/** Where a history stands when all harts together have first executed so many instructions, for each of `counts`. */
export const positionsAfter = (world: World, counts: readonly number[]) =>
  Effect.gen(function* () {
    const replayer = new Replayer(yield* machineOf(world), {})
    const waiting = counts.toSorted((a, b) => a - b)
    const found: Position[] = []
    yield* eachEvent(world, 0, event => {
      while (found.length < waiting.length && runToCount(replayer, waiting[found.length]!, event.position))
        found.push(replayer.history.position)
      if (found.length === waiting.length) return "there"
      meet(replayer, event)
      return null
    })
    return found
  })
