/** Looking for something in one stretch of a history. */
import { Effect } from "effect"
import { comparePositions } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"
import type { Debugger } from "../debugger.ts"
import type { StopPoint } from "../stop-point.ts"
import type { Finding, Question, Stretch } from "./question.ts"

const pointsOf = ({ places }: Question): readonly StopPoint[] =>
  places.map((place, order) => ({ id: order, place, hart: null, condition: null, label: "", isEnabled: true }))

/** What a stretch holds of what is asked for; null when it was cancelled. */
export const searchStretch = Effect.fnUntraced(function* (
  debug: Debugger,
  question: Question,
  stretch: Stretch,
  going: Going = {},
) {
  const { timeline } = debug
  const { wanted } = question
  const moment =
    timeline.keptMoments.findLast(({ position }) => comparePositions(position, stretch.from) <= 0) ??
    timeline.keptMoments[0]!
  const { sought, watch } = debug.seek(pointsOf(question))
  let findings: Finding[] = []
  const outcome = yield* timeline.scan(
    moment,
    stretch.to,
    sought,
    ({ before, after, sighting }) => {
      if (comparePositions(before, stretch.to) >= 0) return true
      // Moments in other processes may lie elsewhere: what comes before the stretch belongs to another.
      if (comparePositions(before, stretch.from) < 0) return false
      for (const { point, change } of watch.met) {
        const finding: Finding = {
          place: point.id,
          hart: sighting.hart,
          before,
          after,
          virtualNs: timeline.machine.nowNs,
          was: change?.before ?? null,
          is: change?.after ?? null,
        }
        if (wanted.keep === "last") findings = [finding]
        else findings.push(finding)
      }
      if (wanted.keep === "first") return findings.length > 0
      return wanted.keep === "all" && findings.length >= wanted.max
    },
    going,
  )
  return outcome === "cancelled" ? null : findings
})
