/** In what state a world's history ends, in words. */
import * as Effect from "effect/Effect"
import type { World } from "../events/index.ts"
import { events, forks } from "./engine.ts"
import { worldNameOf } from "./world-name.ts"

/** Events at the end of the log in which the last change of life is looked for. */
const TAIL = 4096

export const lifeOf = Effect.fnUntraced(function* (world: World) {
  if (world.parent !== null && (yield* (yield* forks).unbegunFork(world))) return "fork, not resumed yet"
  const { seq } = yield* world.head
  const changes = yield* world.readEvents({ kinds: ["lifecycle"], fromSeq: Math.max(0, seq - TAIL) }, TAIL)
  const last = changes.at(-1)
  if (last?.kind === "lifecycle" && last.payload.change === "stopped") {
    const { reason, exitCode } = last.payload
    return exitCode === null ? `stopped: ${reason}` : `ended: ${reason}, exit code ${exitCode}`
  }
  // A recording under way, or one that was cut off: the file alone does not tell.
  return "open"
})

/** Where a fork leaves which world; null for a world that is no fork. */
export const parentOf = Effect.fnUntraced(function* ({ parent }: World) {
  if (parent === null) return null
  const { formatPosition } = yield* events
  const { path, seq, position } = parent
  return { name: worldNameOf(path), path, position: formatPosition(position), event: seq }
})
