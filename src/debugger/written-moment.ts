/** Moments of a history as people write them: a position, `start`, `end`, or virtual time such as `2.5s`. */
import { Effect } from "effect"
import { type Position, PositionMalformed, parsePosition } from "../events/index.ts"
import { virtualTimeOf } from "../session/condition.ts"
import type { Going } from "../session/timeline/timeline.ts"
import type { Debugger } from "./debugger.ts"
import { goToTime } from "./virtual-time.ts"

/** Goes to a moment; a text that names none fails. */
export const goToWritten = Effect.fnUntraced(function* (debug: Debugger, text: string, going: Going = {}) {
  const { timeline } = debug
  yield* timeline.refresh
  yield* debug.console.refresh
  if (text === "start") return yield* debug.goTo(timeline.begin, going)
  if (text === "end") return yield* debug.goTo(timeline.end, going)
  const time = yield* virtualTimeOf(text)
  if (time !== null) return yield* goToTime(debug, time, going)
  const position = yield* Effect.try({
    try: (): Position => parsePosition(text),
    catch: () => new PositionMalformed({ text, otherwise: "a virtual time such as 1.5s, start or end" }),
  })
  return yield* debug.goTo(position, going)
})
