/** Scrubbing: a goal on the timeline that keys move, and a way that follows it. Measured in instructions of all harts together. */
import { Effect } from "effect"
import type { Debugger } from "../../debugger/debugger.ts"
import { comparePositions, origin } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"
import { type Approach, approach } from "./approach.ts"
import type { Course } from "./course.ts"

/** How far from its goal a place may be, as a share of the whole. */
export const NEAR_ENOUGH = 0.0004
/** A way that is not over after so many milliseconds is given up when the goal moves. */
const PATIENCE_MS = 300

export class Scrubber {
  private readonly session: Debugger
  private readonly course: Course
  /** null: nobody scrubs. */
  private goal: number | null = null

  constructor(session: Debugger, course: Course) {
    this.session = session
    this.course = course
  }

  get isScrubbing(): boolean {
    return this.goal !== null
  }

  /** Moves the goal by a share of the whole, from where the debugger stands at first; gives it. */
  aim(by: number): number {
    const { executed } = this.course
    const from = this.goal ?? this.session.timeline.machine.executed
    this.goal = Math.max(0, Math.min(executed, from + by * executed))
    return this.goal
  }

  /** The way is over. */
  end(): void {
    this.goal = null
  }

  /** Goes to the goal, and on where it has moved meanwhile. `each` is told when a place on the way was reached. */
  readonly follow = Effect.fnUntraced(function* (this: Scrubber, going: Going, each: () => void) {
    for (;;) {
      const goal = this.goal!
      const begun = performance.now()
      const isCancelled = () => going.isCancelled?.() ?? false
      const isPassed = () => this.goal !== goal && performance.now() - begun > PATIENCE_MS
      const towards = { ...going, isCancelled: () => isCancelled() || isPassed() }
      const stop = yield* approach(this.session, this.course, this.approachTo(goal), towards)
      if (this.goal === goal || isCancelled()) return stop
      each()
    }
  })

  /** Where the goal is this place itself as far as is known, the next known one in its direction is gone to first. */
  private approachTo(goal: number): Approach {
    const { course, session } = this
    const { position, timeline } = session
    const isBack = goal < timeline.machine.executed
    const found = course.positionAt(goal, timeline.end)
    const order = comparePositions(found, position)
    const isAhead = isBack ? order < 0 : order > 0
    const isHere = goal === timeline.machine.executed
    const first = isHere
      ? position
      : isAhead
        ? found
        : (course.neighbour(position, isBack) ?? (isBack ? origin : timeline.end))
    const tolerance = NEAR_ENOUGH * course.executed
    return { goal, tolerance, first, from: position, isBack }
  }
}
