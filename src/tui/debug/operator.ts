/**
 * Who carries out what is ordered by keys and commands: moves the debugger through history, reads the machine where it stands, and keeps
 * what the screen shows. Knows nothing of a terminal. While it is on a way, the screen shows the last place and everything is answered;
 * orders that need the machine wait until the way has come to its end.
 */
import { Cause, Effect, Exit, Fiber } from "effect"
import type { Debugger, Stop } from "../../debugger/debugger.ts"
import { returnPlace } from "../../debugger/return-address.ts"
import { formatAddress } from "../../debugger/symbols/symbol-source.ts"
import { goToTime } from "../../debugger/virtual-time.ts"
import { comparePositions, formatPosition, origin, type Position } from "../../events/index.ts"
import type { Going, TimelineError } from "../../session/timeline/timeline.ts"
import { count } from "../quantity.ts"
import { approach, milestoneOf } from "./approach.ts"
import { orderOfKey } from "./bindings.ts"
import { type Problem, readCommand } from "./commands.ts"
import type { WordLists } from "./completion.ts"
import { ConsoleFinder } from "./console-finder.ts"
import { type Match, searchPattern } from "./console-search.ts"
import { Course } from "./course.ts"
import { destinationText, readDestination } from "./destination.ts"
import { EventPager } from "./event-pager.ts"
import { goFinish, goToPrinted, goUntil, stepOver } from "./journeys.ts"
import type { Key } from "./key.ts"
import { layoutOf, type PaneColumn, placeOf, type Size } from "./layout.ts"
import { addressNote, evaluate } from "./new-stop-point.ts"
import { type Destination, isAtOnce, type Order, type PromptKind } from "./order.ts"
import { type Prompt, promptAfter } from "./prompt.ts"
import { instructionsBefore } from "./scene/code-listing.ts"
import { memoryRow } from "./scene/memory-view.ts"
import { hex } from "./scene/number-text.ts"
import { paneRows } from "./scene/pane-rows.ts"
import { RegisterHistory } from "./scene/registers-view.ts"
import { type Scene, sceneOf } from "./scene/scene.ts"
import { NEAR_ENOUGH, Scrubber } from "./scrubber.ts"
import { type Action, type DebugState, initialState, type Message, reduce } from "./state.ts"
import { addStopPoint, type Done, deleteStopPoints, enableStopPoints } from "./stop-orders.ts"
import { stopMessage } from "./stop-text.ts"
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
const UNDO_MAX = 500

const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")

export class Operator {
  readonly course: Course
  readonly words: WordLists
  private readonly session: Debugger
  private readonly options: OperatorOptions
  private readonly registers = new RegisterHistory()
  private readonly pager: EventPager
  private readonly finder: ConsoleFinder
  private readonly scrubber: Scrubber
  private readonly listeners = new Set<() => void>()
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private state: DebugState
  private scene: Scene
  private sight: Sight
  private codeTop: bigint | null = null
  private waiting: Order[] = []
  private places: Position[] = []
  private isCancelled = false
  private shownMs = 0
  private isStale = false
  private whenIdle: (() => void)[] = []

  constructor(options: OperatorOptions) {
    this.options = options
    this.session = options.debugger
    this.course = new Course(this.session.world)
    this.words = wordLists(this.session)
    this.pager = new EventPager(this.session.world, options.breathe)
    this.finder = new ConsoleFinder(this.session)
    this.scrubber = new Scrubber(this.session, this.course)
    this.state = initialState(options.size)
    this.registers.stop(this.session.inspection)
    this.scene = this.look()
    this.sight = { state: this.state, scene: this.scene, layout: this.layout }
  }

  /** Reads the log for the timeline, in the background, and goes to where it is to begin. */
  start(at: Destination | null = null): void {
    const isAtOnce = at !== null && at.kind !== "share"
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

  private done(what: Done | Problem): Refusal {
    return "problem" in what ? what : this.tell(what.said)
  }

  /** Shows what has changed. */
  private show(): void {
    this.shownMs = performance.now()
    this.renew()
    for (const listener of this.listeners) listener()
  }

  private renew(): void {
    this.sight = { state: this.state, scene: this.scene, layout: this.layout }
  }

  /** Shows it if the way that has just begun is not over at once: a step should not flicker. */
  private showSoon(): void {
    this.renew()
    const { shownMs } = this
    setTimeout(() => {
      if (this.isGoing && this.shownMs === shownMs) this.show()
    }, FRAME_MS)
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

  private loadEvents(): void {
    if (placeOf(this.layout, "events") === null) return
    const reading = this.pager.reading(this.state.events, this.session.timeline.seq)
    if (reading === null) return
    this.act({ kind: "events", events: { isLoading: true } })
    this.run(reading, exit => {
      if (Exit.isFailure(exit)) this.say({ tone: "bad", text: sentenceOf(Cause.squash(exit.cause)) })
      else if (exit.value !== null) this.act({ kind: "events", events: exit.value })
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
    const { isGoing: wasGoing } = this
    const { mode } = this.state
    if (mode.kind === "help") this.pressInHelp(key, mode.scroll)
    else if (mode.kind === "prompt") this.pressInPrompt(key, mode.prompt)
    else if (mode.kind === "await") this.pressAwaited(key, mode.what)
    else this.pressPlain(key)
    if (this.isGoing && !wasGoing) this.showSoon()
    else if (this.isStale && !this.isGoing) this.refresh()
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
    if (order.kind === "scrub" && this.scrubber.isScrubbing) return this.aim(order.by)
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
        return this.done(addStopPoint(session, order, this.cursor))
      case "delete":
        return this.done(deleteStopPoints(session, order.ids))
      case "enable":
        return this.done(enableStopPoints(session, order.ids, order.isEnabled))
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
        this.pager.restart()
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
    this.scrubber.end()
    if (Exit.isSuccess(exit)) {
      if (this.state.message === null) this.say(stopMessage(exit.value))
    } else {
      const error = Cause.squash(exit.cause)
      this.say({ tone: "bad", text: sentenceOf(error) })
      this.waiting = []
    }
    this.registers.stop(this.session.inspection)
    this.course.learn(milestoneOf(this.session))
    this.act({ kind: "stopped" })
    if (this.session.timeline.seq !== this.scene.seq) this.pager.restart()
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

  private seek(to: Destination): Refusal {
    const { course, session } = this
    const what = `going to ${destinationText(to)}`
    if (to.kind === "start") return this.go(what, going => session.goTo(origin, going), 0)
    if (to.kind === "end") return this.go(what, going => this.goToEnd(going), course.executed)
    if (to.kind === "position") return this.go(what, going => session.goTo(to.position, going))
    if (to.kind === "time") return this.go(what, going => goToTime(session, to.ns, going))
    if (!course.isWhole)
      return { problem: "The log is still being read; try again in a moment, or give a position or a time." }
    const goal = to.share * course.executed
    const first = course.positionAt(goal, session.timeline.end)
    const wanted = { goal, tolerance: NEAR_ENOUGH * course.executed, first, from: null, isBack: false }
    return this.go(what, going => approach(session, course, wanted, going), goal)
  }

  /** To the end as it is by now: somebody may still be recording. */
  private readonly goToEnd = Effect.fnUntraced(function* (this: Operator, going: Going) {
    const { session, course, options } = this
    yield* session.timeline.refresh
    yield* session.console.refresh
    yield* course.read(options.breathe)
    return yield* session.goTo(session.timeline.end, going)
  })

  private scrub(by: number): Refusal {
    if (this.course.executed === 0) return { problem: "The log is still being read; try again in a moment." }
    const { scrubber } = this
    const goal = scrubber.aim(by)
    const look = () => {
      this.scene = this.look()
    }
    return this.go("scrubbing", going => scrubber.follow(going, look), goal)
  }

  /** Moves the goal of scrubbing that is under way. */
  private aim(by: number): null {
    const goal = this.scrubber.aim(by)
    const { going } = this.state
    if (going !== null) this.act({ kind: "go", going: { ...going, goal, done: null } })
    return null
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
    this.finder.restart()
    return this.nextMatch(false)
  }

  private nextMatch(isBack: boolean): Refusal {
    const { search } = this.state
    if (search === null) return { problem: "Nothing is being searched; / searches what is printed." }
    const match = this.finder.next(search.pattern, search.text, isBack)
    return "problem" in match ? match : this.goToMatch(match, search.text)
  }

  private goToMatch(match: Match, text: string): null {
    const { session, course } = this
    const piece = session.console.printed.findLast(({ from }) => from < match.end)!
    const from = course.batchBefore(piece.position)
    return this.go(`going to where ${text} is printed`, going =>
      Effect.tap(goToPrinted(session, match.end, from, piece.position, going), stop =>
        Effect.sync(() => {
          if (stop.reason.kind === "cancelled") return
          this.finder.reached(match)
          const line = session.console.text.slice(0, match.start).split("\n").length
          this.say({ tone: "good", text: `"${text}" was printed in line ${count(line)} of the console.` })
        }),
      ),
    )
  }

  private get cursor(): bigint {
    const { inspection, selectedHart } = this.session
    return this.state.cursor ?? inspection.pc(selectedHart)
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
    return this.done(enableStopPoints(this.session, [point.id], !point.isEnabled))
  }

  private remove(): Refusal {
    const point = this.session.stopPoints[this.state.scroll.stops]
    if (this.state.focus !== "stops" || point === undefined) return null
    return this.done(deleteStopPoints(this.session, [point.id]))
  }
}
