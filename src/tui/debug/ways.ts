/** Orders to go somewhere, made into ways: what they are called, how they are gone, where they lead. */
import { Effect } from "effect"
import type { Debugger, Stop } from "../../debugger/debugger.ts"
import { LineStepper } from "../../debugger/line-stepper.ts"
import { ProgramView } from "../../debugger/program-view.ts"
import { formatAddress } from "../../debugger/symbols/symbol-source.ts"
import { interruptedAt } from "../../debugger/trap-entry.ts"
import { goToTime } from "../../debugger/virtual-time.ts"
import { formatPosition, origin, type Position } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"
import { count } from "../quantity.ts"
import { approach } from "./approach.ts"
import type { Problem } from "./commands.ts"
import { ConsoleFinder } from "./console-finder.ts"
import type { Match } from "./console-search.ts"
import type { Course } from "./course.ts"
import { destinationText } from "./destination.ts"
import { goFinish, goToPrinted, goUntil, repeated } from "./journeys.ts"
import { evaluate } from "./new-stop-point.ts"
import type { Destination, Order } from "./order.ts"
import { NEAR_ENOUGH, Scrubber } from "./scrubber.ts"
import type { DebugState } from "./state.ts"

/** The orders that ways come from. */
export type WayOrder = Extract<
  Order,
  {
    kind:
      | "step"
      | "step-over"
      | "line"
      | "continue"
      | "finish"
      | "until"
      | "seek"
      | "scrub"
      | "undo"
      | "jump"
      | "next-match"
  }
>

const wayKinds: ReadonlySet<Order["kind"]> = new Set<WayOrder["kind"]>([
  "step",
  "step-over",
  "line",
  "continue",
  "finish",
  "until",
  "seek",
  "scrub",
  "undo",
  "jump",
  "next-match",
])

export const isWayOrder = (order: Order): order is WayOrder => wayKinds.has(order.kind)

export interface Way {
  /** "going on to main". */
  readonly what: string
  readonly go: (going: Going) => Effect.Effect<Stop, unknown>
  /** Where it leads, as instructions of all harts; null where that is what is sought. */
  readonly goal: number | null
  /** Told when it was gone to its end; what it gives is said. */
  readonly arrived?: (stop: Stop) => string | null
  /** Told when it was cancelled. */
  readonly cancelled?: () => void
  /**
   * Whether it is known how much of it is done; true where absent. A search into the past goes through one stretch after the other: how much
   * of a stretch is done says nothing about the whole.
   */
  readonly isMeasured?: boolean
  /** Whether undoing brings back to where it began; true where absent. */
  readonly isUndone?: boolean
}

const UNDO_MAX = 500

const stillReading: Problem = { problem: "The log is still being read; try again in a moment." }

export class Ways {
  readonly scrubber: Scrubber
  private readonly session: Debugger
  private readonly course: Course
  private readonly breathe: Effect.Effect<void>
  private readonly onPlace: () => void
  private readonly finder: ConsoleFinder
  private readonly view: ProgramView
  private readonly stepper: LineStepper
  /** Where ways began, the last one last. */
  private places: readonly Position[] = []

  /** `onPlace` is told when a place is reached that is not the way's end; `breathe` lets the host's other work happen. */
  constructor(session: Debugger, course: Course, breathe: Effect.Effect<void>, onPlace: () => void) {
    this.session = session
    this.course = course
    this.breathe = breathe
    this.onPlace = onPlace
    this.scrubber = new Scrubber(session, course)
    this.finder = new ConsoleFinder(session)
    this.view = new ProgramView(session)
    this.stepper = new LineStepper(session, this.view)
  }

  /** A way has led away from a place. */
  leave(place: Position): void {
    this.places = [...this.places, place].slice(-UNDO_MAX)
  }

  /** Something else is searched. */
  searchAnew(): void {
    this.finder.restart()
  }

  /** The way of an order, or a sentence that says why there is none. */
  of(order: WayOrder, state: DebugState): Way | Problem {
    const { session } = this
    switch (order.kind) {
      case "step":
        return order.isBack
          ? { what: "stepping back", go: going => session.stepBack(order.count, going), goal: null }
          : { what: "stepping", go: going => session.step(order.count, going), goal: null }
      case "step-over":
        return {
          what: "stepping",
          go: going => repeated(order.count, () => this.stepper.instruction("over", going)),
          goal: null,
        }
      case "line": {
        const kind = order.isOver ? "over" : "into"
        const step = (going: Going) =>
          order.isBack ? this.stepper.previous(kind, going) : this.stepper.next(kind, going)
        const what = order.isBack ? "stepping back by lines" : "stepping by lines"
        return { what, go: going => repeated(order.count, () => step(going)), goal: null }
      }
      case "continue":
        return order.isBack
          ? { what: "going back to a stop point", go: going => session.goBack(going), goal: null, isMeasured: false }
          : { what: "going on to a stop point", go: going => session.goOn(going), goal: null }
      case "finish":
        return this.finish(order.isBack)
      case "until": {
        const address = evaluate(session, order.address)
        if (typeof address !== "bigint") return address
        const name = formatAddress(session.symbols, address)
        return { what: `going on to ${name}`, go: going => goUntil(session, address, name, going), goal: null }
      }
      case "seek":
        return this.seek(order.to)
      case "scrub":
        return this.scrub(order.by)
      case "undo":
        return this.undo()
      case "jump":
        return this.jump(order.letter, state)
      case "next-match":
        return this.nextMatch(order.isBack, state)
    }
  }

  private finish(isBack: boolean): Way | Problem {
    const { session, stepper, view } = this
    const { inspection, selectedHart } = session
    const here = () => formatAddress(session.symbols, inspection.pc(session.selectedHart))
    const name = here()
    const arrived = ({ reason }: Stop) =>
      reason.kind === "step" ? `${isBack ? "The call is" : "Returned"} at ${here()}.` : null
    if (isBack)
      return { what: `going back to the call of ${name}`, go: going => stepper.start(going), goal: null, arrived }
    const problem = stepper.callerProblem
    if (problem !== null) return { problem: problem.message }
    const what = `going on until ${name} returns`
    const isKnown = view.functionAt(inspection.pc(selectedHart)) !== null
    if (isKnown || interruptedAt(inspection, selectedHart) !== null)
      return { what, go: going => stepper.finish(going), goal: null, arrived }
    // Without debug information the caller's stack pointer is not known, only where it goes on.
    const address = view.frames(selectedHart, 2)[1]!.pc
    const caller = formatAddress(session.symbols, address)
    return { what, go: going => goFinish(session, address, caller, going), goal: null }
  }

  private seek(to: Destination): Way | Problem {
    const { course, session } = this
    const what = `going to ${destinationText(to)}`
    switch (to.kind) {
      case "start":
        return { what, go: going => session.goTo(origin, going), goal: 0 }
      case "end":
        return { what, go: going => this.goToEnd(going), goal: course.executed }
      case "position":
        return { what, go: going => session.goTo(to.position, going), goal: null }
      case "time":
        return { what, go: going => goToTime(session, to.ns, going), goal: null }
    }
    if (!course.isWhole) return stillReading
    const goal = to.share * course.executed
    const first = course.positionAt(goal, session.timeline.end)
    const wanted = { goal, tolerance: NEAR_ENOUGH * course.executed, first, from: null, isBack: false }
    return { what, go: going => approach(session, course, wanted, going), goal }
  }

  /** To the end as it is by now: somebody may still be recording. */
  private readonly goToEnd = Effect.fnUntraced(function* (this: Ways, going: Going) {
    const { session, course, breathe } = this
    yield* session.timeline.refresh
    yield* session.console.refresh
    yield* course.read(breathe)
    return yield* session.goTo(session.timeline.end, going)
  })

  private scrub(by: number): Way | Problem {
    const { scrubber, course, onPlace } = this
    if (!course.isWhole && course.executed === 0) return stillReading
    const goal = scrubber.aim(by)
    return { what: "scrubbing", go: going => scrubber.follow(going, onPlace), goal }
  }

  private undo(): Way | Problem {
    const place = this.places.at(-1)
    if (place === undefined) return { problem: "There is no place before this one to go back to." }
    this.places = this.places.slice(0, -1)
    return {
      what: `going back to ${formatPosition(place)}`,
      go: going => this.session.goTo(place, going),
      goal: null,
      cancelled: () => this.leave(place),
      isUndone: false,
    }
  }

  private jump(letter: string, { marks }: DebugState): Way | Problem {
    const mark = marks[letter]
    if (mark !== undefined) {
      const { position, executed } = mark
      return { what: `going to mark ${letter}`, go: going => this.session.goTo(position, going), goal: executed }
    }
    const known = Object.keys(marks).sort().join(", ")
    return {
      problem: `There is no mark ${letter}; ${known === "" ? "m and a letter sets one" : `there are ${known}`}.`,
    }
  }

  private nextMatch(isBack: boolean, { search }: DebugState): Way | Problem {
    if (search === null) return { problem: "Nothing is being searched; / searches what is printed." }
    const match = this.finder.next(search.pattern, search.text, isBack)
    return "problem" in match ? match : this.toMatch(match, search.text)
  }

  private toMatch(match: Match, text: string): Way {
    const { session, course } = this
    const piece = session.console.printed.findLast(({ from }) => from < match.end)!
    const from = course.batchBefore(piece.position)
    return {
      what: `going to where ${text} is printed`,
      go: going => goToPrinted(session, match.end, from, piece.position, going),
      goal: null,
      arrived: () => {
        this.finder.reached(match)
        const line = session.console.text.slice(0, match.start).split("\n").length
        return `"${text}" was printed in line ${count(line)} of the console.`
      },
    }
  }
}
