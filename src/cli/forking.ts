/** What `cv fork` and the debugger's screen share. */
import { statSync } from "node:fs"
import * as Effect from "effect/Effect"
import type { Position } from "../events/index.ts"
import type { WaitingMoment } from "../session/fork.ts"
import { events, forks } from "./engine.ts"
import { newWorldPath, worldNameOf } from "./world-name.ts"

/** Makes the fork `name` of the world in the file `parent`: at a position, at a snapshot by its name, or at the end. */
export const forkWorld = Effect.fnUntraced(function* (
  parent: string,
  name: string,
  at: Position | WaitingMoment | string | null,
) {
  const path = yield* newWorldPath(name)
  const { formatPosition } = yield* events
  const { seq, position } = yield* (yield* forks).fork(parent, path, at)
  return {
    world: name,
    path,
    parent: { name: worldNameOf(parent), path: parent },
    position: formatPosition(position),
    event: seq,
    bytes: statSync(path).size,
  }
})

export type ForkDocument = Effect.Success<ReturnType<typeof forkWorld>>

/** Says what was made and what to do with it. */
export const forkLine = ({ world, parent, position }: ForkDocument): string =>
  `${world}: forked from ${parent.name} at ${position}; go on with cv resume ${world}`
