/**
 * Who carries out what is ordered by keys and commands: moves the debugger through history, reads the machine where it stands, and keeps
 * what the screen shows. Knows nothing of a terminal. While it is on a way, the screen shows the last place and everything is answered;
 * orders that need the machine wait until the way has come to its end.
 */
import { Cause, Effect, Exit, Fiber } from "effect"
import type { Debugger, Stop } from "../../debugger/debugger.ts"
import { returnPlace } from "../../debugger/return-address.ts"
import { formatAddress } from "../../debugger/symbols/symbol-source.ts"
import { comparePositions, formatPosition, origin, type Position } from "../../events/index.ts"
import type { Going, TimelineError } from "../../session/timeline/timeline.ts"
import { count, countOf } from "../quantity.ts"
import { orderOfKey } from "./bindings.ts"
import { type Problem, readCommand } from "./commands.ts"
import type { WordLists } from "./completion.ts"
import { type Match, matchAfter, matchBefore, searchPattern } from "./console-search.ts"
import { Course } from "./course.ts"
import { destinationText, readDestination } from "./destination.ts"
import { goFinish, goToPrinted, goUntil, stepOver } from "./journeys.ts"
import type { Key } from "./key.ts"
import { layoutOf, type PaneColumn, placeOf, type Size } from "./layout.ts"
import { addressNote, evaluate, newStopPoint, type StopOrder } from "./new-stop-point.ts"
import { type Destination, isAtOnce, type Order, type PromptKind } from "./order.ts"
import { type Prompt, promptAfter } from "./prompt.ts"
import { instructionsBefore } from "./scene/code-listing.ts"
import { eventLines } from "./scene/event-list.ts"
import { memoryRow } from "./scene/memory-view.ts"
import { hex } from "./scene/number-text.ts"
import { paneRows } from "./scene/pane-rows.ts"
import { RegisterHistory } from "./scene/registers-view.ts"
import { type Scene, sceneOf } from "./scene/scene.ts"
import { type Action, type DebugState, initialState, type Message, reduce } from "./state.ts"
import { stopMessage, stopPlace } from "./stop-text.ts"
import { wordLists } from "./word-lists.ts"

/** A place to begin a world of its own from. */
export interface ForkRequest {
  readonly position: Position
  readonly name: string
}

export interface OperatorOptions {
  readonly debugger: Debugger
  readonly size: Size
  /** Lets the host's other work happen. */
  readonly breathe: Effect.Effect<void>
  /** Makes a fork; gives a sentence about it, or fails with one. null: forks cannot be made here. */
  readonly forkWorld: ((request: ForkRequest) => Promise<string>) | null
  /** The screen is to be left. */
  readonly onQuit: (why: "quit" | "interrupted") => void
}

/** What there is to see. A new one each time something changes. */
export interface Sight {
  readonly state: DebugState
  readonly scene: Scene
  readonly layout: readonly PaneColumn[]
}

type Way = Effect.Effect<Stop, TimelineError>
type Refusal = Problem | null

const WAITING_MAX = 32
/** Between two sights while it is on a way, in milliseconds. */
const FRAME_MS = 100
/** A way that is not over after so many milliseconds is given up when another goal is set by scrubbing. */
const PATIENCE_MS = 300
/** Events listed on either side of the chosen one. */
const EVENTS_AROUND = 100
const UNDO_MAX = 500

const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")

export class Operator {
  readonly course: Course
  readonly words: WordLists
  private readonly session: Debugger
  private readonly options: OperatorOptions
  private readonly registers = new RegisterHistory()
  private readonly listeners = new Set<() => void>()
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private state: DebugState
  private scene: Scene
  private sight: Sight
  private codeTop: bigint | null = null
  private waiting: Order[] = []
  private places: Position[] = []
  private isCancelled = false
  /** Where scrubbing leads, as instructions of all harts; null: nobody scrubs. */
  private scrubGoal: number | null = null
  private lastMatch: { readonly match: Match; readonly position: Position } | null = null
  private shownMs = 0
  /** Which events are listed; null: they are to be listed anew around the place where the machine stands. */
  private eventsAt: { readonly hasBefore: boolean; readonly hasAfter: boolean } | null = null
  private eventsAsked = 0
  private isStale = false
  private whenIdle: (() => void)[] = []

  constructor(options: OperatorOptions) {
    this.options = options
    this.session = options.debugger
    this.course = new Course(this.session.world)
    this.words = wordLists(this.session)
    this.state = initialState(options.size)
    this.registers.stop(this.session.inspection)
    this.scene = this.look()
    this.sight = { state: this.state, scene: this.scene, layout: this.layout }
  }

  /** Reads the log for the timeline, in the background, and goes to where it is to begin. */
  start(at: Destination | null = null): void {
    const isAtOnce = at !== null && at.kind !== "time" && at.kind !== "share"
    if (isAtOnce) this.give({ kind: "seek", to: at })
    this.run(
      this.course.read(this.options.breathe, () => this.showNowAndThen()),
      () => {
        if (at !== null && !isAtOnce) this.give({ kind: "seek", to: at })
        this.show()
      },
    )
  }

  /** Ends all that is under way. */
  async close(): Promise<void> {
    this.listeners.clear()
    await Promise.all([...this.fibers].map(fiber => Effect.runPromise(Fiber.interrupt(fiber))))
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly getSight = (): Sight => this.sight

  /** Resolves when nothing is under way and nothing waits. */
  idle(): Promise<void> {
    if (this.fibers.size === 0) return Promise.resolve()
    return new Promise(resolve => this.whenIdle.push(resolve))
  }

  private get layout(): readonly PaneColumn[] {
    return layoutOf(this.state.size, { ...this.state, harts: this.session.inspection.harts })
  }

  private get isGoing(): boolean {
    return this.state.going !== null
  }

  private act(action: Action): void {
    this.state = reduce(this.state, action)
  }

  private say(message: Message | null): void {
    this.act({ kind: "say", message })
  }

  private tell(text: string): null {
    this.say({ tone: "good", text })
    return null
  }

  /** Shows what has changed. */
  private show(): void {
    this.shownMs = performance.now()
    this.sight = { state: this.state, scene: this.scene, layout: this.layout }
    for (const listener of this.listeners) listener()
  }

  /** The same on the way: drawing takes time from it. */
  private showNowAndThen(): void {
    if (performance.now() - this.shownMs >= FRAME_MS) this.show()
  }

  /** Reads the machine, which stands, and shows it. */
  private refresh(): void {
    this.isStale = false
    this.scene = this.look()
    this.loadEvents()
    this.show()
  }

  private look(): Scene {
    const { layout } = this
    const scene = sceneOf({
      debugger: this.session,
      registers: this.registers,
      state: this.state,
      codeTop: this.codeTop,
      codeRows: Math.max(1, (placeOf(layout, "code")?.height ?? 2) - 1),
      memoryRowBytes: this.memoryRowBytes,
      evaluate: expression => {
        const value = evaluate(this.session, expression)
        return typeof value === "bigint" ? value : null
      },
    })
    this.codeTop = scene.code.top
    return scene
  }

  /** Lists the events around the place, or around the chosen one where the list comes to its end. */
  private loadEvents(): void {
    if (placeOf(this.layout, "events") === null) return
    const { lines, selected, filter } = this.state.events
    const { eventsAt } = this
    if (eventsAt !== null) {
      const isNearBegin = eventsAt.hasBefore && selected < EVENTS_AROUND / 4
      const isNearEnd = eventsAt.hasAfter && selected >= lines.length - EVENTS_AROUND / 4
      if (!isNearBegin && !isNearEnd) return
    }
    const chosen = eventsAt === null ? undefined : lines[selected]
    const seq = chosen?.seq ?? this.session.timeline.seq
    const { breathe } = this.options
    const { world } = this.session
    const asked = ++this.eventsAsked
    this.eventsAt = { hasBefore: false, hasAfter: false }
    this.act({ kind: "events", events: { isLoading: true } })
    const loading = Effect.all([
      eventLines(world, filter, seq, "back", EVENTS_AROUND, breathe),
      eventLines(world, filter, seq, "on", EVENTS_AROUND, breathe),
    ])
    this.run(loading, exit => {
      if (asked !== this.eventsAsked) return
      if (Exit.isFailure(exit)) this.say({ tone: "bad", text: sentenceOf(Cause.squash(exit.cause)) })
      const [before, after] = Exit.isSuccess(exit) ? exit.value : [[], []]
      this.eventsAt = { hasBefore: before.length === EVENTS_AROUND, hasAfter: after.length === EVENTS_AROUND }
      const at = chosen === undefined ? before.length - 1 : before.length
      const events = { lines: [...before, ...after], selected: Math.max(0, at), isLoading: false }
      this.act({ kind: "events", events })
      this.show()
    })
  }

  private get memoryRowBytes(): number {
    return memoryRow(placeOf(this.layout, "memory")?.width ?? 0).bytes
  }

  /** Runs something in the background; `then` is told how it ended unless it was interrupted. */
  private run<A, E>(effect: Effect.Effect<A, E>, then: (exit: Exit.Exit<A, E>) => void): void {
    const fiber = Effect.runFork(effect)
    this.fibers.add(fiber)
    fiber.addObserver(exit => {
      this.fibers.delete(fiber)
      if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) then(exit)
      if (this.fibers.size === 0) for (const resolve of this.whenIdle.splice(0)) resolve()
    })
  }

  /** The terminal has another size. */
  resize(size: Size): void {
    this.act({ kind: "resize", size })
    if (this.isGoing) this.show()
    else this.refresh()
  }

  /** A key was pressed. */
  press(key: Key): void {
    if (key === "C-c") return this.options.onQuit("interrupted")
    const { mode } = this.state
    if (mode.kind === "help") this.pressInHelp(key, mode.scroll)
    else if (mode.kind === "prompt") this.pressInPrompt(key, mode.prompt)
    else if (mode.kind === "await") this.pressAwaited(key, mode.what)
    else this.pressPlain(key)
    if (this.isStale && !this.isGoing) this.refresh()
    else this.show()
  }

  private pressPlain(key: Key): void {
    if (key === "escape") return this.escape()
    const order = orderOfKey(key)
    if (order === null) return
    if (!isAtOnce(order) && !this.isGoing) this.say(null)
    this.give(order)
  }

  /** Cancels what is under way and what waits; where nothing is, takes back what was found. */
  private escape(): void {
    if (this.isGoing) {
      this.isCancelled = true
      this.waiting = []
      this.act({ kind: "wait", waiting: 0 })
      return
    }
    this.say(null)
    this.act({ kind: "search", search: null })
  }

  private pressInHelp(key: Key, scroll: number): void {
    const by = { j: 1, down: 1, k: -1, up: -1, pagedown: 10, " ": 10, pageup: -10 }[key]
    if (by === undefined) this.act({ kind: "keys" })
    else this.act({ kind: "help", scroll: scroll + by })
  }

  private pressAwaited(key: Key, what: "mark" | "jump" | "hart"): void {
    this.act({ kind: "keys" })
    if (key === "escape") return
    if (what !== "hart") this.give({ kind: what, letter: key })
    else if (/^\d$/.test(key)) this.give({ kind: "hart", hart: Number(key) })
    else this.say({ tone: "bad", text: `${key} is no number of a hart; press h and then a digit.` })
  }

  private pressInPrompt(key: Key, prompt: Prompt): void {
    const outcome = promptAfter(prompt, key, this.state.typed[prompt.kind], this.words)
    if (outcome.kind === "left") return this.act({ kind: "keys" })
    if (outcome.kind === "typing") return this.act({ kind: "typing", prompt: outcome.prompt })
    const order = this.read(prompt.kind, outcome.text)
    const refusal = order !== null && "problem" in order ? order : null
    if (refusal !== null) return this.act({ kind: "refused", prompt, problem: refusal.problem })
    this.act({ kind: "typed", prompt: prompt.kind, text: outcome.text })
    if (order === null || "problem" in order) return
    const problem = this.take(order)
    // What cannot be carried out stays to be corrected.
    if (problem !== null) this.act({ kind: "refused", prompt, problem: problem.problem })
  }

  private read(kind: PromptKind, text: string): Order | Problem | null {
    if (kind === "command") return readCommand(text)
    if (text.trim() === "") return kind === "search" && this.state.search ? { kind: "next-match", isBack: false } : null
    if (kind === "search") return { kind: "search", text }
    if (kind === "fork") return { kind: "fork", name: text.trim() }
    const to = readDestination(text)
    if (to !== null) return { kind: "seek", to }
    const { focus } = this.state
    if (focus === "memory") return { kind: "memory", address: text, format: this.state.memory.format }
    return focus === "pages" ? { kind: "pages", address: text } : { kind: "code", address: text }
  }

  /** Gives an order; says why where it cannot be carried out. */
  give(order: Order): void {
    const refusal = this.take(order)
    if (refusal !== null) this.say({ tone: "bad", text: refusal.problem })
  }

  /** Carries out an order, now or when what is under way is over; a sentence where it cannot be. */
  private take(order: Order): Refusal {
    if (!this.isGoing || isAtOnce(order)) return this.carryOut(order)
    if (order.kind === "scrub" && this.scrubGoal !== null) {
      this.aim(order.by)
      return null
    }
    if (this.waiting.length < WAITING_MAX) this.waiting.push(order)
    this.act({ kind: "wait", waiting: this.waiting.length })
    return null
  }

  private carryOut(order: Order): Refusal {
    const { session } = this
    this.isStale = true
    switch (order.kind) {
      case "step":
        return this.go(order.isBack ? "stepping back" : "stepping", going =>
          order.isBack ? session.stepBack(order.count, going) : session.step(order.count, going),
        )
      case "step-over":
        return this.go("stepping", going => stepOver(session, order.count, going))
      case "continue":
        return order.isBack
          ? this.go("going back to a stop point", going => session.goBack(going))
          : this.go("going on to a stop point", going => session.goOn(going))
      case "finish":
        return this.finish()
      case "until": {
        const address = evaluate(session, order.address)
        if (typeof address !== "bigint") return address
        const name = formatAddress(session.symbols, address)
        return this.go(`going on to ${name}`, going => goUntil(session, address, name, going))
      }
      case "seek":
        return this.seek(order.to)
      case "scrub":
        return this.scrub(order.by)
      case "undo":
        return this.undo()
      case "mark":
        return this.mark(order.letter)
      case "jump":
        return this.jump(order.letter)
      case "search":
        return this.search(order.text)
      case "next-match":
        return this.nextMatch(order.isBack)
      case "break":
      case "watch":
      case "catch":
      case "catch-console":
        return this.addStopPoint(order)
      case "delete":
        return this.deletePoints(order.ids)
      case "enable":
        return this.enablePoints(order.ids, order.isEnabled)
      case "code":
        return this.showCode(order.address)
      case "memory":
      case "pages": {
        const address = evaluate(session, order.address)
        if (typeof address !== "bigint") return address
        const { address: expression } = order
        this.act(order.kind === "pages" ? { kind: "pages", expression } : { ...order, expression })
        return null
      }
      case "print":
        return this.print(order.expression)
      case "hart":
        return this.selectHart(order.hart)
      case "events":
        this.act({ kind: "filter", filter: { kinds: order.kinds, text: order.text } })
        this.eventsAt = null
        return null
      case "scroll":
        return this.scroll(order.by, order.unit)
      case "choose":
        return this.choose()
      case "toggle":
        return this.toggle()
      case "remove":
        return this.remove()
      case "focus":
        this.act({ kind: "focus", pane: order.pane })
        return null
      case "focus-next":
        this.act(order)
        return null
      case "zoom":
        this.act({ kind: "zoom" })
        return null
      case "ask":
        this.act(order)
        return null
      case "await":
        this.act(order)
        return null
      case "help":
        this.act({ kind: "help", scroll: 0 })
        return null
      case "fork":
        return this.fork(order.name)
      case "quit":
        this.options.onQuit("quit")
        return null
    }
  }

  // Ways.

  /** Sets out on a way; `goal` is where it leads, where that is known. `remembers`: whether undoing brings back here. */
  private go(what: string, way: (going: Going) => Way, goal: number | null = null, remembers = true): null {
    const from = this.session.position
    this.isCancelled = false
    this.say(null)
    this.act({ kind: "go", going: { what, done: null, goal } })
    const going: Going = {
      progress: done => {
        if (this.state.going === null) return
        this.act({ kind: "go", going: { ...this.state.going, done: Math.max(0, Math.min(1, done)) } })
        this.showNowAndThen()
      },
      isCancelled: () => this.isCancelled,
    }
    this.run(this.settled(way(going), from), exit => {
      const hasMoved = comparePositions(from, this.session.position) !== 0
      if (remembers && hasMoved) this.places = [...this.places, from].slice(-UNDO_MAX)
      this.arrive(exit)
    })
    return null
  }

  /** A way that has failed leaves the machine somewhere: it is brought back to where it was. */
  private settled(way: Way, from: Position): Way {
    return Effect.tapCause(way, cause =>
      Cause.hasInterrupts(cause) ? Effect.void : Effect.ignore(this.session.goTo(from)),
    )
  }

  private arrive(exit: Exit.Exit<Stop, TimelineError>): void {
    this.act({ kind: "go", going: null })
    this.scrubGoal = null
    if (Exit.isSuccess(exit)) {
      if (this.state.message === null) this.say(stopMessage(exit.value))
    } else {
      const error = Cause.squash(exit.cause)
      this.say({ tone: "bad", text: sentenceOf(error) })
      this.waiting = []
    }
    this.registers.stop(this.session.inspection)
    this.act({ kind: "stopped" })
    this.eventsAt = null
    this.refresh()
    this.giveNext()
  }

  /** Carries out what waits, up to the next way. */
  private giveNext(): void {
    while (!this.isGoing) {
      const next = this.waiting.shift()
      if (next === undefined) break
      this.act({ kind: "wait", waiting: this.waiting.length })
      this.give(next)
      this.refresh()
    }
  }

  private positionOf(to: Destination): Position {
    const { course, session } = this
    switch (to.kind) {
      case "position":
        return to.position
      case "time":
        return course.positionAtTime(to.ns)
      case "share":
        return this.positionAt(to.share * course.executed)
      case "start":
        return origin
      case "end":
        return session.timeline.end
    }
  }

  private positionAt(executed: number): Position {
    if (executed <= 0) return origin
    return executed >= this.course.executed ? this.session.timeline.end : this.course.positionAt(executed)
  }

  private seek(to: Destination): Refusal {
    if ((to.kind === "time" || to.kind === "share") && !this.course.isWhole)
      return { problem: "The log is still being read for its times; try again in a moment, or give a position." }
    const position = this.positionOf(to)
    const goal = to.kind === "start" ? 0 : to.kind === "end" ? this.course.executed : null
    return this.go(`going to ${destinationText(to)}`, going => this.session.goTo(position, going), goal)
  }

  /** Moves the goal of scrubbing by a share of the whole. */
  private aim(by: number): number {
    const { course } = this
    const from = this.scrubGoal ?? this.session.timeline.machine.executed
    const goal = Math.max(0, Math.min(course.executed, from + by * course.executed))
    this.scrubGoal = goal
    const { going } = this.state
    if (going !== null) this.act({ kind: "go", going: { ...going, goal, done: null } })
    return goal
  }

  private scrub(by: number): Refusal {
    if (this.course.executed === 0) return { problem: "The log is still being read; try again in a moment." }
    const { session } = this
    this.aim(by)
    const way = Effect.fnUntraced(function* (operator: Operator, going: Going) {
      for (;;) {
        const goal = operator.scrubGoal!
        const begun = performance.now()
        const isPassed = () => operator.scrubGoal !== goal && performance.now() - begun > PATIENCE_MS
        const stop = yield* session.goTo(operator.positionTowards(goal), {
          ...going,
          isCancelled: () => operator.isCancelled || isPassed(),
        })
        if (operator.scrubGoal === goal || operator.isCancelled) return stop
        operator.scene = operator.look()
      }
    })
    return this.go("scrubbing", going => way(this, going), this.scrubGoal)
  }

  /** The position of a goal, or the next one that is known in its direction where it is the place itself. */
  private positionTowards(goal: number): Position {
    const { position, timeline } = this.session
    const isBack = goal < timeline.machine.executed
    const found = this.positionAt(goal)
    const order = comparePositions(found, position)
    if (isBack ? order < 0 : order > 0) return found
    return this.course.neighbour(position, isBack, comparePositions) ?? (isBack ? origin : timeline.end)
  }

  private undo(): Refusal {
    const place = this.places.at(-1)
    if (place === undefined) return { problem: "There is no place before this one to go back to." }
    this.places = this.places.slice(0, -1)
    const back = (going: Going) =>
      Effect.tap(this.session.goTo(place, going), ({ reason }) =>
        Effect.sync(() => {
          if (reason.kind === "cancelled") this.places = [...this.places, place]
        }),
      )
    return this.go(`going back to ${formatPosition(place)}`, back, null, false)
  }

  private finish(): Refusal {
    const { session } = this
    const place = returnPlace(session.inspection, session.symbols, session.selectedHart)
    if (place === null)
      return { problem: "Neither ra nor the stack shows where this function returns to; use :until ADDR." }
    const name = formatAddress(session.symbols, place.address)
    return this.go(`going on until it returns to ${name}`, going => goFinish(session, place, name, going))
  }

  // Marks and matches.

  private mark(letter: string): Refusal {
    if (!/^[A-Za-z]$/.test(letter)) return { problem: "A mark is a letter; press m and then a letter." }
    const { position, timeline } = this.session
    this.act({ kind: "mark", letter, mark: { position, executed: timeline.machine.executed } })
    return this.tell(`Marked ${formatPosition(position)} as ${letter}; ' and ${letter} goes here.`)
  }

  private jump(letter: string): Refusal {
    const mark = this.state.marks[letter]
    if (mark === undefined) {
      const known = Object.keys(this.state.marks).sort().join(", ")
      return {
        problem: `There is no mark ${letter}; ${known === "" ? "m and a letter sets one" : `there are ${known}`}.`,
      }
    }
    return this.go(`going to mark ${letter}`, going => this.session.goTo(mark.position, going), mark.executed)
  }

  private search(text: string): Refusal {
    let pattern: RegExp
    try {
      pattern = searchPattern(text)
    } catch (cause) {
      return {
        problem: `/${text}/ is no regular expression (${cause instanceof Error ? cause.message : cause}); correct it.`,
      }
    }
    this.act({ kind: "search", search: { text, pattern } })
    this.lastMatch = null
    return this.nextMatch(false)
  }

  private nextMatch(isBack: boolean): Refusal {
    const { state, session } = this
    if (state.search === null) return { problem: "Nothing is being searched; / searches what is printed." }
    const { pattern, text } = state.search
    const all = session.console.text
    const isAtMatch = this.lastMatch !== null && comparePositions(this.lastMatch.position, session.position) === 0
    const here = session.printed.length
    // Output often comes in pieces: the place of a match may lie behind its end.
    const match = isBack
      ? matchBefore(all, pattern, isAtMatch ? this.lastMatch!.match.end : here + 1)
      : matchAfter(all, pattern, isAtMatch ? Math.max(here, this.lastMatch!.match.end) : here)
    if (match === null) {
      const other = isBack ? matchAfter(all, pattern, here) : matchBefore(all, pattern, here + 1)
      const where = isBack ? "before this moment" : "after this moment"
      const advice = other === null ? "" : isBack ? "; n finds the next one" : "; N finds the one before"
      return { problem: `Nothing is printed ${where} that matches ${text}${advice}.` }
    }
    return this.goToMatch(match, text)
  }

  private goToMatch(match: Match, text: string): null {
    const { session, course } = this
    const piece = session.console.printed.findLast(({ from }) => from < match.end)!
    const from = course.neighbour(piece.position, true, comparePositions) ?? origin
    return this.go(`going to where ${text} is printed`, going =>
      Effect.tap(goToPrinted(session, match.end, from, piece.position, going), stop =>
        Effect.sync(() => {
          if (stop.reason.kind === "cancelled") return
          this.lastMatch = { match, position: session.position }
          const line = session.console.text.slice(0, match.start).split("\n").length
          this.say({ tone: "good", text: `${text} was printed in line ${count(line)} of the console.` })
        }),
      ),
    )
  }

  // Stop points.

  private get cursor(): bigint {
    const { inspection, selectedHart } = this.session
    return this.state.cursor ?? inspection.pc(selectedHart)
  }

  private addStopPoint(order: StopOrder): Refusal {
    const { session, cursor } = this
    if (order.kind === "break" && order.address === null && order.condition === null) {
      const there = session.stopPoints.find(({ place }) => place.kind === "breakpoint" && place.address === cursor)
      if (there !== undefined) {
        session.removeStopPoint(there.id)
        return this.tell(`Stop point ${there.id} at ${stopPlace(there)} is deleted.`)
      }
    }
    const made = newStopPoint(session, order, cursor)
    if ("problem" in made) return made
    const point = session.addStopPoint(made)
    const note = made.place.kind === "breakpoint" ? addressNote(session, made.place.address) : stopPlace(point)
    return this.tell(`Stop point ${point.id}: ${note}.`)
  }

  private pointsOf(ids: readonly number[]) {
    const points = this.session.stopPoints
    const missing = ids.find(id => !points.some(point => point.id === id))
    if (missing === undefined) return points.filter(({ id }) => ids.includes(id))
    const known = points.map(({ id }) => id).join(", ")
    return { problem: `There is no stop point ${missing}; ${known === "" ? "there are none" : `there are ${known}`}.` }
  }

  private deletePoints(ids: readonly number[] | "all"): Refusal {
    const points = ids === "all" ? this.session.stopPoints : this.pointsOf(ids)
    if ("problem" in points) return points
    for (const { id } of points) this.session.removeStopPoint(id)
    return this.tell(`${countOf(points.length, "stop point")} deleted.`)
  }

  private enablePoints(ids: readonly number[], isEnabled: boolean): Refusal {
    const points = this.pointsOf(ids)
    if ("problem" in points) return points
    for (const point of points) point.isEnabled = isEnabled
    return this.tell(`${countOf(points.length, "stop point")} ${isEnabled ? "enabled" : "disabled"}.`)
  }

  // Looking.

  private showCode(text: string): Refusal {
    const address = evaluate(this.session, text)
    if (typeof address !== "bigint") return address
    const even = address & ~1n
    if (this.session.inspection.instruction(this.session.selectedHart, even) === null)
      return { problem: `There is no memory at ${addressNote(this.session, even)}; choose another address.` }
    this.act({ kind: "cursor", at: even })
    this.act({ kind: "focus", pane: "code" })
    return null
  }

  private print(text: string): Refusal {
    const value = evaluate(this.session, text)
    if (typeof value !== "bigint") return value
    const signed = BigInt.asIntN(64, value)
    const name = this.session.symbols.at(value) === null ? "" : ` = ${formatAddress(this.session.symbols, value)}`
    return this.tell(`${text} = ${hex(value)} = ${value}${signed < 0n ? ` = ${signed}` : ""}${name}`)
  }

  private selectHart(hart: number): Refusal {
    const { harts } = this.session.inspection
    if (hart >= harts) return { problem: `There is no hart ${hart}; there are 0 to ${harts - 1}.` }
    this.session.selectedHart = hart
    this.act({ kind: "cursor", at: null })
    this.act({ kind: "scroll", pane: "harts", to: hart })
    return null
  }

  private fork(name: string): Refusal {
    const { forkWorld } = this.options
    if (forkWorld === null) return { problem: "Forks cannot be made from here; use cv fork." }
    const { position } = this.session
    this.run(Effect.tryPromise({ try: () => forkWorld({ position, name }), catch: cause => cause }), exit => {
      const isMade = Exit.isSuccess(exit)
      this.say({ tone: isMade ? "good" : "bad", text: isMade ? exit.value : sentenceOf(Cause.squash(exit.cause)) })
      this.show()
    })
    return null
  }

  private scroll(by: number, unit: "row" | "page"): null {
    const { focus, scroll, events } = this.state
    const place = placeOf(this.layout, focus)!
    const rows = Math.max(1, place.height - 1)
    const distance = unit === "page" ? by * Math.max(1, rows - 1) : by
    if (focus === "code") this.act({ kind: "cursor", at: this.instructionAway(distance) })
    else if (focus === "events") {
      const selected = Math.max(0, Math.min(events.lines.length - 1, events.selected + distance))
      this.act({ kind: "events", events: { selected } })
    } else {
      const all = paneRows(this.scene, focus, place.width) ?? Number.POSITIVE_INFINITY
      const isList = focus === "harts" || focus === "stops"
      const last = Math.max(0, isList ? all - 1 : all - rows)
      const to = scroll[focus] + (focus === "console" ? -distance : distance)
      this.act({ kind: "scroll", pane: focus, to: Math.min(last, to) })
    }
    return null
  }

  /** The instruction so many after the cursor, or before it; as far as there are any. */
  private instructionAway(by: number): bigint {
    const { inspection, symbols, selectedHart } = this.session
    const { cursor } = this
    if (by < 0) return instructionsBefore(inspection, symbols, selectedHart, cursor, -by)[0]?.address ?? cursor
    return inspection.instructions(selectedHart, cursor, by + 1).at(-1)?.address ?? cursor
  }

  /** What Enter does in the focused pane. */
  private choose(): Refusal {
    const { focus, events, scroll } = this.state
    if (focus === "events") {
      const event = events.lines[events.selected]
      return event === undefined ? null : this.seek({ kind: "position", position: event.position })
    }
    if (focus === "harts") return this.selectHart(scroll.harts)
    const point = this.session.stopPoints[scroll.stops]
    if (focus === "stops" && point?.place.kind === "breakpoint") return this.showCode(hex(point.place.address))
    return null
  }

  private toggle(): Refusal {
    const point = this.session.stopPoints[this.state.scroll.stops]
    if (this.state.focus !== "stops" || point === undefined) return null
    return this.enablePoints([point.id], !point.isEnabled)
  }

  private remove(): Refusal {
    const point = this.session.stopPoints[this.state.scroll.stops]
    if (this.state.focus !== "stops" || point === undefined) return null
    const refusal = this.deletePoints([point.id])
    this.scroll(0, "row")
    return refusal
  }
}
