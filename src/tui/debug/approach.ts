/** Going to a share of a history, measured in instructions: by what the log tells, and from what is learnt on the way nearer. */
import { Effect } from "effect"
import type { Debugger } from "../../debugger/debugger.ts"
import { comparePositions, type Position } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"
import type { Course, Milestone } from "./course.ts"

/** So often it is tried to come nearer. */
const TRIES_MAX = 5

/** Where the debugger stands. */
export const milestoneOf = ({ position, timeline, inspection }: Debugger): Milestone => ({
  position,
  harts: Array.from({ length: inspection.harts }, (_, hart) => inspection.executed(hart)),
  executed: timeline.machine.executed,
})

export interface Approach {
  /** Instructions of all harts together. */
  readonly goal: number
  /** How far from the goal a place may be. */
  readonly tolerance: number
  /** Where to go at first. */
  readonly first: Position
  /** Places that lie there or before (behind, with `isBack`) are not gone to. */
  readonly from: Position | null
  readonly isBack: boolean
}

export const approach = Effect.fnUntraced(function* (
  session: Debugger,
  course: Course,
  { goal, tolerance, first, from, isBack }: Approach,
  going: Going,
) {
  let stop = yield* session.goTo(first, going)
  for (let tries = 1; tries < TRIES_MAX && stop.reason.kind === "place"; tries++) {
    const here = milestoneOf(session)
    course.learn(here)
    if (Math.abs(here.executed - goal) <= tolerance) break
    const next = course.positionAt(goal, session.timeline.end)
    if (comparePositions(next, here.position) === 0) break
    const order = from === null ? 0 : comparePositions(next, from)
    if (from !== null && (isBack ? order >= 0 : order <= 0)) break
    stop = yield* session.goTo(next, going)
  }
  return stop
})
