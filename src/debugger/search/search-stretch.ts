/** Looking for something in one stretch of a history. */
import { Effect } from "effect"
import { comparePositions, type Position } from "../../events/index.ts"
import type { Found, Going, Moment, Sought, TimelineError } from "../../session/timeline/timeline.ts"
import type { Debugger } from "../debugger.ts"
import { parse } from "../predicate/index.ts"
import type { StopPoint } from "../stop-point.ts"
import { guestView } from "../symbols/guest-symbols.ts"
import { Linux, type LinuxFacts } from "../symbols/linux.ts"
import { type Asked, PredicateValue, PredicateWatch } from "./predicate-watch.ts"
import type { Finding, Question, Scene, Stretch, WrittenPredicate } from "./question.ts"

const pointsOf = ({ places }: Question): readonly StopPoint[] =>
  places.map((place, order) => ({ id: order, place, hart: null, condition: null, label: "", isEnabled: true }))

/** A written predicate's surroundings. */
export const askedOf = (
  { inspection }: Debugger,
  { symbols, fixed, linux, taskSwitches }: WrittenPredicate,
): Asked => ({
  inspection,
  symbol: name => symbols.get(name) ?? null,
  fixed: address =>
    fixed !== null && address >= fixed.virtual && address < fixed.virtual + fixed.bytes
      ? fixed.physical + (address - fixed.virtual)
      : null,
  linux: linux && new Linux(linux, guestView(inspection)),
  taskSwitches,
})

/** What was found: which of several things, and values. */
type Told = Pick<Finding, "place" | "was" | "is" | "part">

/** What to look for in this thread, and what a find means. */
export const lookerOf = (
  debug: Debugger,
  question: Question,
): { readonly sought: Sought; readonly holdsHere: () => boolean; readonly told: () => readonly Told[] } => {
  const { predicate } = question
  if (predicate === null) {
    const { sought, watch } = debug.seek(pointsOf(question))
    return {
      sought,
      holdsHere: () => false,
      told: () =>
        watch.met.map(({ point, change }) => ({
          place: point.id,
          was: change?.before ?? null,
          is: change?.after ?? null,
          part: change?.part ?? null,
        })),
    }
  }
  const watch = new PredicateWatch(parse(predicate.text), askedOf(debug, predicate))
  return {
    sought: {
      ...watch.sought,
      begins: () => watch.begin(debug.printed),
      accepts: sighting => watch.accepts(sighting),
    },
    holdsHere: () => {
      watch.begin("")
      return watch.held
    },
    told: () => [{ place: 0, was: null, is: null, part: null }],
  }
}

/** With more finds than this on one way, the last of them is looked for from the end of the way backward. */
const FINDS_MANY = 2000

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
  const isFirst = comparePositions(moment.position, timeline.begin) === 0
  const { sought, holdsHere, told } = lookerOf(debug, question)
  const values = question.prints.map(print => new PredicateValue(parse(print.text), askedOf(debug, print)))
  let findings: Finding[] = []
  const isEnough = () =>
    wanted.keep === "first" ? findings.length > 0 : wanted.keep === "all" && findings.length >= wanted.max
  const take = ({ before, after, sighting }: Found): void => {
    const hart = sighting?.hart ?? debug.inspection.runningHart
    for (const { place, was, is, part } of told()) {
      const finding: Finding = {
        place,
        hart,
        before,
        after,
        virtualNs: timeline.machine.nowNs,
        pc: debug.inspection.pc(hart),
        was,
        is,
        part,
        values: values.map(value => value.at(hart)),
        scene: null,
      }
      if (wanted.keep === "last") findings = [finding]
      else findings.push(finding)
    }
  }
  /** Goes from a moment on and takes what is met before a position; "many": there is more than the last should be picked from. */
  const goThrough = (from: Moment, to: Position, most: number) => {
    let met = 0
    const each = (found: Found): boolean => {
      if (comparePositions(found.before, to) >= 0) return true
      // What comes before the stretch belongs to another.
      if (comparePositions(found.before, stretch.from) < 0) return false
      take(found)
      return isEnough() || ++met > most
    }
    return Effect.map(timeline.scan(from, to, sought, each, going), outcome =>
      met > most ? ("many" as const) : outcome,
    )
  }
  /** Takes the last before a position, from moments that lie closer together there, where there are many. */
  const takeLast: (from: Moment, to: Position) => Effect.Effect<"there" | "cancelled", TimelineError> =
    Effect.fnUntraced(function* (from, to) {
      const outcome = yield* goThrough(from, to, FINDS_MANY)
      if (outcome === "cancelled") return outcome
      if (outcome !== "many") return "there"
      findings = []
      if ((yield* timeline.goNear(to, going)) === "cancelled") return "cancelled"
      for (let end = to; findings.length === 0 && comparePositions(from.position, end) < 0; ) {
        const near = timeline.momentBefore(end)
        if (near === null || comparePositions(near.position, from.position) <= 0) {
          // There is none in between.
          const rest = end === to ? yield* goThrough(from, end, Number.POSITIVE_INFINITY) : yield* takeLast(from, end)
          return rest === "cancelled" ? rest : "there"
        }
        if ((yield* takeLast(near, end)) === "cancelled") return "cancelled"
        end = near.position
      }
      return "there"
    })
  if (question.predicate !== null && isFirst && (yield* holdsAtFirst(debug, holdsHere, stretch.from))) {
    take({ sighting: null, before: timeline.begin, after: timeline.begin })
    if (isEnough()) return findings
  }
  const outcome =
    wanted.keep === "last"
      ? yield* takeLast(moment, stretch.to)
      : yield* goThrough(moment, stretch.to, Number.POSITIVE_INFINITY)
  if (outcome === "cancelled") return null
  const last = findings.at(-1)
  if (question.scene === undefined || last === undefined) return findings
  return [...findings.slice(0, -1), { ...last, scene: yield* sceneBefore(debug, last, question.scene.linux, going) }]
})

/** What stood before what was found. */
const sceneBefore = Effect.fnUntraced(function* (
  { timeline, inspection }: Debugger,
  { before, hart }: Finding,
  linux: LinuxFacts | null,
  going: Going,
) {
  if ((yield* timeline.seek(before, going, false)) === "cancelled") return null
  const pc = inspection.pc(hart)
  const task = linux && new Linux(linux, guestView(inspection)).currentTask(hart)
  const instruction = inspection.instruction(hart, pc)?.text ?? ""
  return { pc, instruction, task: task && { pid: task.pid, comm: task.comm } } satisfies Scene
})

/** Whether a predicate holds at the very first moment, where it counts as having come true. */
const holdsAtFirst = Effect.fnUntraced(function* (debug: Debugger, holdsHere: () => boolean, from: Position) {
  const { timeline } = debug
  if (comparePositions(from, timeline.begin) !== 0) return false
  yield* timeline.seek(timeline.begin)
  return holdsHere()
})
