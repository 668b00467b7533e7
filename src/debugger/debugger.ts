/**
 * One who stands in a world's history and goes about in it: what gdb, an editor or the screen ask for comes down to this. All that
 * moves can be cancelled; whoever cancels going to a place is where he was before, whoever cancels going on is where it was.
 */
import { Effect } from "effect"
import { comparePositions, type Position, type World } from "../events/index.ts"
import { bootedLinuxMemory } from "../session/booted-memory.ts"
import { ConsoleHistory } from "../session/timeline/console-history.ts"
import {
  type FarSearch,
  type Found,
  type Going,
  openTimeline,
  type Sought,
  type Timeline,
} from "../session/timeline/timeline.ts"
import { Inspection } from "./inspection.ts"
import type { Question, Searchers } from "./search/question.ts"
import { search } from "./search/search.ts"
import { type Met, observationOf, type StopPlace, type StopPoint, StopWatch } from "./stop-point.ts"
import { bootedFirmware, bootedKernel } from "./symbols/booted-programs.ts"
import { CombinedSymbols } from "./symbols/combined-symbols.ts"
import { findLinuxGuest, type LinuxGuest } from "./symbols/guest-symbols.ts"
import type { Program } from "./symbols/program.ts"
import { noSymbols, type SymbolSource } from "./symbols/symbol-source.ts"

/** Why the machine stands where it does. */
export type StopReason =
  /** It was brought there. */
  | { readonly kind: "place" }
  | { readonly kind: "step" }
  /** Stop points were met: at least one. */
  | { readonly kind: "met"; readonly met: readonly Met[]; readonly found: Found }
  /** There is no history before, or no more of it recorded. */
  | { readonly kind: "begin" }
  | { readonly kind: "end" }
  | { readonly kind: "cancelled" }

export interface Stop {
  readonly reason: StopReason
  /** The hart it is about. */
  readonly hart: number
  readonly position: Position
}

/** What a stop point is made from. */
export type NewStopPoint = Pick<StopPoint, "place"> & Partial<Pick<StopPoint, "hart" | "condition" | "label">>

export class Debugger {
  readonly world: World
  readonly timeline: Timeline
  readonly inspection: Inspection
  readonly console: ConsoleHistory
  /** Names of the guest's addresses. */
  symbols: SymbolSource = noSymbols
  /** Files of programs that the guest runs: those that its user has named, then those it was booted from. */
  programs: readonly Program[] = []
  private named: readonly Program[] = []
  /** The Linux that runs there; null where there is none, or none that is known yet. */
  linux: LinuxGuest | null = null
  /** Threads that look at what lies far back; null: it is looked at here. */
  searchers: Searchers | null = null
  private readonly points = new Map<number, StopPoint>()
  private nextId = 1
  /** The hart that steps are of. */
  selectedHart = 0
  /** Why it stands where it does. */
  lastStop: Stop

  constructor(world: World, timeline: Timeline, console: ConsoleHistory) {
    this.world = world
    this.timeline = timeline
    this.console = console
    this.inspection = new Inspection(timeline.machine)
    this.lastStop = this.stopped({ kind: "place" }, 0)
  }

  /** Looks what runs in the machine where it stands, or would where nothing is loaded yet; `named` are programs that its user says it runs. */
  learnGuest(named: readonly Program[] = this.named): void {
    this.named = named
    const { timeline, inspection } = this
    const { config } = inspection.machine
    const loaded = timeline.isLoaded ? null : bootedLinuxMemory(this.world)
    this.linux = loaded === null ? findLinuxGuest(inspection) : findLinuxGuest(inspection, loaded)
    // Linux names its symbols itself, wherever it has moved.
    const kernel = this.linux === null ? bootedKernel(config) : null
    const booted = [kernel, bootedFirmware(config)].filter(program => program !== null)
    this.programs = [...named, ...booted]
    this.symbols = new CombinedSymbols([...named, ...(this.linux === null ? [] : [this.linux.symbols]), ...booted])
  }

  /** Where a virtual address lies: of a kernel's symbols also before it has mapped itself. null: nowhere. */
  physical(address: bigint, hart = this.selectedHart): bigint | null {
    return this.linux?.physical(address) ?? this.inspection.physical(hart, address)
  }

  get position(): Position {
    return this.timeline.position
  }

  /** Virtual nanoseconds where it stands. */
  get nowNs(): number {
    return this.timeline.machine.nowNs
  }

  /** Everything printed up to where it stands. */
  get printed(): string {
    return this.console.textBefore(this.timeline.seq) + new TextDecoder().decode(this.timeline.printedSince)
  }

  /** Where a Linux kernel has just turned to another task. */
  get taskSwitches(): readonly bigint[] {
    return this.symbols.all
      .filter(({ name }) => /^(?:finish_task_switch|schedule_tail)(?:\.|$)/.test(name))
      .map(({ address }) => address)
  }

  get stopPoints(): readonly StopPoint[] {
    return [...this.points.values()]
  }

  addStopPoint({ place, hart = null, condition = null, label = labelOf(place) }: NewStopPoint): StopPoint {
    const point: StopPoint = { id: this.nextId++, place, hart, condition, label, isEnabled: true }
    this.points.set(point.id, point)
    return point
  }

  /** Whether there was one. */
  removeStopPoint(id: number): boolean {
    return this.points.delete(id)
  }

  private stopped(reason: StopReason, hart: number): Stop {
    this.lastStop = { reason, hart, position: this.position }
    return this.lastStop
  }

  /** What is sought when all of `points` are, and how to learn which was met. */
  seek(points: readonly StopPoint[]): { readonly sought: Sought; readonly watch: StopWatch } {
    const watch = new StopWatch(this.inspection, points)
    const begins = () => watch.begin(this.printed)
    return { sought: { ...observationOf(points), begins, accepts: sighting => watch.accepts(sighting) }, watch }
  }

  private get enabledPoints(): readonly StopPoint[] {
    return this.stopPoints.filter(({ isEnabled }) => isEnabled)
  }

  /** Goes on to the next stop point, or one of `points` instead of those there are, no further than `to`. */
  readonly goOn = Effect.fnUntraced(function* (
    this: Debugger,
    going: Going = {},
    points: readonly StopPoint[] = this.enabledPoints,
    to?: Position,
  ) {
    const { sought, watch } = this.seek(points)
    const journey = yield* this.timeline.goOn(sought, going, to)
    if (journey.kind !== "found") return this.stopped({ kind: journey.kind }, this.inspection.runningHart)
    const { found } = journey
    return this.select({ kind: "met", met: watch.met, found })
  })

  /** The same for what lies before here: what was met is that of the last sighting. */
  private seekBack(points: readonly StopPoint[]): { readonly sought: Sought; readonly met: () => readonly Met[] } {
    const { sought, watch } = this.seek(points)
    let met: readonly Met[] = []
    const from = this.position
    const accepts: Sought["accepts"] = sighting => {
      if (!watch.accepts(sighting)) return false
      const { position } = this.inspection.machine
      // What lies at the place itself is not before it.
      if (comparePositions({ ...position, machine: 0 }, from) <= 0) met = watch.met
      return true
    }
    return { sought: { ...sought, accepts }, met: () => met }
  }

  /** Has threads look for what lies far back; null where there are none, or where a condition is asked that only this one knows. */
  private farSearch(points: readonly StopPoint[], going: Going): FarSearch | null {
    const { searchers } = this
    if (searchers === null || points.some(({ hart, condition }) => hart !== null || condition !== null)) return null
    const places = points.map(({ place }) => place)
    const question: Question = { places, predicate: null, prints: [], wanted: { keep: "last" } }
    return to =>
      Effect.map(search(this, question, { from: this.timeline.begin, to }, searchers, going), found =>
        found === null ? "cancelled" : (found.at(-1)?.after ?? null),
      )
  }

  /** Goes back to before the last stop point, or one of `points`; no stop point: to the beginning. */
  readonly goBack = Effect.fnUntraced(function* (
    this: Debugger,
    going: Going = {},
    points: readonly StopPoint[] = this.enabledPoints,
  ) {
    const { sought, met } = this.seekBack(points)
    const journey = yield* this.timeline.goBack(sought, going, this.farSearch(points, going))
    if (journey.kind !== "found") return this.stopped({ kind: journey.kind }, this.inspection.runningHart)
    return this.select({ kind: "met", met: met(), found: journey.found })
  })

  private select(reason: Extract<StopReason, { kind: "met" }>): Stop {
    this.selectedHart = reason.found.sighting?.hart ?? this.inspection.runningHart
    return this.stopped(reason, this.selectedHart)
  }

  /** Goes on by so many instructions of the selected hart, or to one of `points` on the way. */
  readonly step = Effect.fnUntraced(function* (
    this: Debugger,
    count = 1,
    going: Going = {},
    points: readonly StopPoint[] = [],
  ) {
    const { sought, watch } = this.seek(points)
    const outcome = yield* this.timeline.stepHart(this.selectedHart, count, going, points.length > 0 ? sought : null)
    return this.stepped(outcome, () => watch.met)
  })

  /** Goes on instruction by instruction of the selected hart as long as `goesOn` says after each, or to one of `points`. */
  readonly stepWhile = Effect.fnUntraced(function* (
    this: Debugger,
    goesOn: () => boolean,
    going: Going = {},
    points: readonly StopPoint[] = [],
  ) {
    const { timeline, selectedHart } = this
    const { sought, watch } = this.seek(points)
    const outcome = yield* timeline.stepHartWhile(selectedHart, goesOn, going, points.length > 0 ? sought : null)
    return this.stepped(outcome, () => watch.met)
  })

  private stepped(outcome: Found | "there" | "begin" | "end" | "cancelled", met: () => readonly Met[]): Stop {
    if (typeof outcome === "object") return this.select({ kind: "met", met: met(), found: outcome })
    return this.stopped({ kind: outcome === "there" ? "step" : outcome }, this.selectedHart)
  }

  /** Goes back by so many instructions of the selected hart, or to before one of `points` on the way. */
  readonly stepBack = Effect.fnUntraced(function* (
    this: Debugger,
    count = 1,
    going: Going = {},
    points: readonly StopPoint[] = [],
  ) {
    const { timeline, selectedHart } = this
    const { sought, met } = this.seekBack(points)
    const outcome = yield* timeline.stepHartBack(selectedHart, count, going, points.length > 0 ? sought : null)
    return this.stepped(outcome, met)
  })

  /** Goes to a position. */
  readonly goTo = Effect.fnUntraced(function* (this: Debugger, position: Position, going: Going = {}) {
    const outcome = yield* this.timeline.seek(position, going)
    if (outcome === "there") this.selectedHart = this.inspection.runningHart
    return this.stopped({ kind: outcome === "there" ? "place" : outcome }, this.selectedHart)
  })
}

const labelOf = (place: StopPlace): string => {
  switch (place.kind) {
    case "breakpoint":
      return `0x${place.address.toString(16)}`
    case "watchpoint":
      return `${place.access} of ${place.bytes} bytes at ${place.space} 0x${place.address.toString(16)}`
    case "register":
      return `change of ${place.name}`
    case "interrupt":
    case "exception":
      return place.cause === null ? `any ${place.kind}` : `${place.kind} ${place.cause}`
    case "syscall":
      return place.number === null ? "any system call" : `system call ${place.number}`
    case "console":
      return `console ~ ${place.pattern}`
  }
}

export interface Opening {
  /** Looks what the guest is: its symbols, and those of `programs`. Yes where absent. */
  readonly knowsGuest?: boolean
  /** Has the machine loaded, for who looks at the beginning. Yes where absent; otherwise it is when it goes somewhere. */
  readonly isLoaded?: boolean
  readonly programs?: readonly Program[]
}

/** Opens a world's history for debugging; it stands at the beginning. `breathe` lets the host's other work happen. */
export const openDebugger = (
  world: World,
  breathe: Effect.Effect<void>,
  { knowsGuest = true, isLoaded = true, programs = [] }: Opening = {},
) =>
  Effect.gen(function* () {
    const timeline = yield* openTimeline(world, breathe)
    // Only of a Linux is it known without a machine what it will be.
    if (isLoaded || (knowsGuest && bootedLinuxMemory(world) === null)) yield* timeline.load
    const console = new ConsoleHistory(world)
    yield* console.refresh
    const debug = new Debugger(world, timeline, console)
    if (knowsGuest) debug.learnGuest(programs)
    return debug
  })
