/**
 * Who carries out what is ordered by keys and commands: moves the debugger through history, reads the machine where it stands, and keeps
 * what the screen shows. Knows nothing of a terminal. While it is on a way, the screen shows the last place and everything is answered;
 * orders that need the machine wait until the way has come to its end.
 */
import { Cause, Effect, Exit } from "effect"
import type { Debugger, Stop } from "../../debugger/debugger.ts"
import { comparePositions, formatPosition, type Position } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"
import { milestoneOf } from "./approach.ts"
import { Background } from "./background.ts"
import { orderOfKey } from "./bindings.ts"
import type { Problem } from "./commands.ts"
import type { WordLists } from "./completion.ts"
import { searchPattern } from "./console-search.ts"
import { Course } from "./course.ts"
import { EventPager } from "./event-pager.ts"
import type { Key } from "./key.ts"
import { layoutOf, type PaneColumn, placeOf, type Size } from "./layout.ts"
import { codeAddress, cursorOf, print, scrolled } from "./looking.ts"
import { evaluate } from "./new-stop-point.ts"
import { type Destination, isAtOnce, type Order } from "./order.ts"
import { type Prompt, promptAfter } from "./prompt.ts"
import { memoryRow } from "./scene/memory-view.ts"
import { hex } from "./scene/number-text.ts"
import { RegisterHistory } from "./scene/registers-view.ts"
import { type Scene, sceneOf } from "./scene/scene.ts"
import { type Action, type DebugState, initialState, type Message, reduce } from "./state.ts"
import { addStopPoint, type Done, deleteStopPoints, enableStopPoints } from "./stop-orders.ts"
import { stopMessage } from "./stop-text.ts"
import { typedOrder } from "./typed-order.ts"
import { isWayOrder, type Way, type WayOrder, Ways } from "./ways.ts"
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

type Refusal = Problem | null

const WAITING_MAX = 32
/** Between two sights while it is on a way, in milliseconds. */
const FRAME_MS = 100

const sentenceOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ")

export class Operator {
  readonly course: Course
  readonly words: WordLists
  private readonly session: Debugger
  private readonly options: OperatorOptions
  private readonly registers = new RegisterHistory()
  private readonly pager: EventPager
  private readonly ways: Ways
  private readonly background = new Background()
  private readonly listeners = new Set<() => void>()
  private state: DebugState
  private scene: Scene
  private sight: Sight
  private codeTop: bigint | null = null
  private waiting: Order[] = []
  private isCancelled = false
  private shownMs = 0
  private isStale = false

  constructor(options: OperatorOptions) {
    this.options = options
    this.session = options.debugger
    this.course = new Course(this.session.world)
    this.words = wordLists(this.session)
    this.pager = new EventPager(this.session.world, options.breathe)
    this.ways = new Ways(this.session, this.course, options.breathe, () => {
      this.scene = this.look()
    })
    this.state = initialState(options.size)
    this.registers.stop(this.session.inspection)
    this.scene = this.look()
    this.sight = { state: this.state, scene: this.scene, layout: this.layout }
  }

  /** Reads the log for the timeline, in the background, and goes to where it is to begin. */
  start(at: Destination | null = null): void {
    const isAtOnce = at !== null && at.kind !== "share"
    if (isAtOnce) this.give({ kind: "seek", to: at })
    this.background.run(
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
    await this.background.close()
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly getSight = (): Sight => this.sight

  /** Resolves when nothing is under way and nothing waits. */
  idle(): Promise<void> {
    return this.background.idle()
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
    this.background.run(reading, exit => {
      if (Exit.isFailure(exit)) this.say({ tone: "bad", text: sentenceOf(Cause.squash(exit.cause)) })
      else if (exit.value !== null) this.act({ kind: "events", events: exit.value })
      this.show()
    })
  }

  private get memoryRowBytes(): number {
    return memoryRow(placeOf(this.layout, "memory")?.width ?? 0).bytes
  }

  /** The terminal has another size. */
  resize(size: Size): void {
    this.act({ kind: "resize", size })
    // The code keeps as much in sight around its cursor as there is room for now.
    this.codeTop = null
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
    const order = typedOrder(prompt.kind, outcome.text, this.state)
    const refusal = order !== null && "problem" in order ? order : null
    if (refusal !== null) return this.act({ kind: "refused", prompt, problem: refusal.problem })
    this.act({ kind: "typed", prompt: prompt.kind, text: outcome.text })
    if (order === null || "problem" in order) return
    const problem = this.take(order)
    // What cannot be carried out stays to be corrected.
    if (problem !== null) this.act({ kind: "refused", prompt, problem: problem.problem })
  }

  /** Gives an order; says why where it cannot be carried out. */
  give(order: Order): void {
    const refusal = this.take(order)
    if (refusal !== null) this.say({ tone: "bad", text: refusal.problem })
  }

  /** Carries out an order, now or when what is under way is over; a sentence where it cannot be. */
  private take(order: Order): Refusal {
    if (!this.isGoing || isAtOnce(order)) return this.carryOut(order)
    if (order.kind === "scrub" && this.ways.scrubber.isScrubbing) return this.aim(order.by)
    if (this.waiting.length < WAITING_MAX) this.waiting.push(order)
    this.act({ kind: "wait", waiting: this.waiting.length })
    return null
  }

  private carryOut(order: Order): Refusal {
    const { session } = this
    this.isStale = true
    if (isWayOrder(order)) return this.setOut(order)
    switch (order.kind) {
      case "mark":
        return this.mark(order.letter)
      case "search":
        return this.search(order.text)
      case "break":
      case "watch":
      case "catch":
      case "catch-console":
        return this.done(addStopPoint(session, order, cursorOf(session, this.state)))
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
        return this.done(print(session, order.expression))
      case "hart":
        return this.selectHart(order.hart)
      case "events":
        this.act({ kind: "filter", filter: { kinds: order.kinds, text: order.text } })
        this.pager.restart()
        return null
      case "scroll":
        this.act(scrolled({ session, ...this.sight, state: this.state }, order.by, order.unit))
        return null
      case "choose":
        return this.choose()
      case "toggle":
        return this.toggle()
      case "remove":
        return this.remove()
      case "focus":
        this.act({ kind: "focus", pane: order.pane })
        return null
      case "zoom":
      case "focus-next":
      case "ask":
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

  /** Sets out on a way; a sentence where there is none. */
  private setOut(order: WayOrder): Refusal {
    const way = this.ways.of(order, this.state)
    if ("problem" in way) return way
    const { session } = this
    const from = session.position
    this.isCancelled = false
    this.say(null)
    this.act({ kind: "go", going: { what: way.what, done: null, goal: way.goal } })
    const going: Going = {
      progress: done => this.showWay(way, done),
      isCancelled: () => this.isCancelled,
    }
    this.background.run(this.settled(way.go(going), from), exit => {
      const hasMoved = comparePositions(from, session.position) !== 0
      if (hasMoved && way.isUndone !== false) this.ways.leave(from)
      this.arrive(way, exit)
    })
    return null
  }

  /** How far it is; where it leads to is where it has got to, if nobody knows better. */
  private showWay({ goal, isMeasured = true }: Way, done: number): void {
    const { going } = this.state
    if (going === null) return
    const at = goal === null ? this.session.timeline.machine.executed : going.goal
    this.act({ kind: "go", going: { ...going, done: isMeasured ? Math.max(0, Math.min(1, done)) : null, goal: at } })
    this.showNowAndThen()
  }

  /** A way that has failed leaves the machine somewhere: it is brought back to where it was. */
  private settled(way: ReturnType<Way["go"]>, from: Position): ReturnType<Way["go"]> {
    return Effect.tapCause(way, cause =>
      Cause.hasInterrupts(cause) ? Effect.void : Effect.ignore(this.session.goTo(from)),
    )
  }

  private arrive({ arrived, cancelled }: Way, exit: Exit.Exit<Stop, unknown>): void {
    this.act({ kind: "go", going: null })
    this.ways.scrubber.end()
    if (Exit.isSuccess(exit)) {
      const isCancelled = exit.value.reason.kind === "cancelled"
      if (isCancelled) cancelled?.()
      const said = isCancelled ? null : (arrived?.(exit.value) ?? null)
      this.say(said !== null ? { tone: "good", text: said } : stopMessage(exit.value))
    } else {
      this.say({ tone: "bad", text: sentenceOf(Cause.squash(exit.cause)) })
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

  /** Moves the goal of scrubbing that is under way. */
  private aim(by: number): null {
    const goal = this.ways.scrubber.aim(by)
    const { going } = this.state
    if (going !== null) this.act({ kind: "go", going: { ...going, goal, done: null } })
    return null
  }

  // Marks and matches.

  private mark(letter: string): Refusal {
    if (!/^[A-Za-z]$/.test(letter)) return { problem: "A mark is a letter; press m and then a letter." }
    const { position, timeline } = this.session
    this.act({ kind: "mark", letter, mark: { position, executed: timeline.machine.executed } })
    return this.tell(`Marked ${formatPosition(position)} as ${letter}; ' and ${letter} goes here.`)
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
    this.ways.searchAnew()
    return this.setOut({ kind: "next-match", isBack: false })
  }

  // Looking.

  private showCode(text: string): Refusal {
    const address = codeAddress(this.session, text)
    if (typeof address !== "bigint") return address
    this.act({ kind: "cursor", at: address })
    this.act({ kind: "focus", pane: "code" })
    return null
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
    this.background.run(
      Effect.tryPromise({ try: () => forkWorld({ position, name }), catch: cause => cause }),
      exit => {
        const isMade = Exit.isSuccess(exit)
        this.say({ tone: isMade ? "good" : "bad", text: isMade ? exit.value : sentenceOf(Cause.squash(exit.cause)) })
        this.show()
      },
    )
    return null
  }

  /** What Enter does in the focused pane. */
  private choose(): Refusal {
    const { focus, events, scroll } = this.state
    if (focus === "events") {
      const event = events.lines[events.selected]
      const to = event && ({ kind: "position", position: event.position } as const)
      return to ? this.setOut({ kind: "seek", to }) : null
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
