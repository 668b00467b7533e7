/**
 * A machine that goes along a recorded history, forth by running it and anywhere by taking up a checkpoint. What came from outside is
 * given to it where it came; each batch's registers are compared with the recorded ones.
 *
 * A position is where a machine stands when it first gets there: before inputs at that position, before time is skipped while it is idle,
 * and before an interrupt that will be taken there.
 */
import { Buffer } from "node:buffer"
import { comparePositions, origin, type Position, type StoredEvent, type World } from "../../events/index.ts"
import type { Machine, Sighting, StopAt } from "../../machine/machine.ts"
import type { SleepingMachine } from "../../machine/sleeping-machine.ts"
import { differingPages, type PageVersions, type Versions } from "./page-versions.ts"

const EVENTS_AT_ONCE = 256

/** A machine's state at a moment of its history, in memory. */
export interface Checkpoint {
  readonly position: Position
  /** The first event that had not happened. */
  readonly nextSeq: number
  /** Instructions each hart had executed. */
  readonly executed: readonly number[]
  readonly virtualNs: number
  /** Whether the machine had just got to the position: one kept in a file may stand after an input there. */
  readonly isArrival: boolean
  readonly sleeping: SleepingMachine
  readonly versions: Versions
  /** None of its versions is a copy kept in memory. */
  readonly hasOnlyPlaces?: boolean
  /** What was printed since the last event. */
  readonly printed: Uint8Array
  /** Nothing is loaded yet: whoever takes it up has the machine begin. */
  readonly isBlank?: boolean
}

/** Why going came to an end. */
export type Arrival =
  /** The position that was asked for. */
  | { readonly kind: "there" }
  /** Something that is observed was met. `after` says whether the instruction it belongs to has been executed. */
  | { readonly kind: "sighting"; readonly sighting: Sighting; readonly isAfter: boolean }
  /** A round has ended, where that is told of. */
  | { readonly kind: "round" }
  /** The instructions that were granted are used up. */
  | { readonly kind: "budget" }
  /** Nothing more is recorded. */
  | { readonly kind: "end" }
  /** The machine does not do what is recorded. */
  | { readonly kind: "differs"; readonly event: StoredEvent; readonly problem: string }

export class Traveler {
  readonly machine: Machine
  private readonly world: World
  private readonly pages: PageVersions
  /** The versions of all pages at the last mark. */
  private versions: Versions
  private mark = 0
  private upcoming: readonly StoredEvent[] = []
  private at = 0
  private nextSeq = 0
  private printed: Uint8Array[] = []
  private cameHere = true
  /** Has going end with each round. */
  tellsRounds = false
  /** Told of the beginning as it was loaded, when it is left for the first time. */
  private leavesBeginning: ((beginning: Checkpoint) => void) | null = null

  /** `machine` is built asleep: call `takeUp` before anything else. */
  constructor(world: World, machine: Machine, pages: PageVersions) {
    this.world = world
    this.machine = machine
    this.pages = pages
    this.versions = new Int32Array(machine.config.ramBytes / 4096)
  }

  get position(): Position {
    return { ...this.machine.position, machine: 0 }
  }

  /** What was printed since the last event that has happened. */
  get printedSince(): Uint8Array {
    return Buffer.concat(this.printed)
  }

  /** Whether the machine stands as it does when it first gets to its position. */
  get isArrival(): boolean {
    return this.cameHere && !this.machine.hasWaitedHere
  }

  /** The first event that has not happened. */
  get seq(): number {
    return this.nextSeq
  }

  private get event(): StoredEvent | null {
    if (this.at === this.upcoming.length) {
      this.upcoming = this.readOn()
      this.at = 0
    }
    return this.upcoming[this.at] ?? null
  }

  /** Events that come next. What is damaged keeps nobody from what lies before it. */
  private readOn(): readonly StoredEvent[] {
    const filter = { fromSeq: this.nextSeq }
    try {
      return this.world.readEventsNow(filter, EVENTS_AT_ONCE)
    } catch {
      return this.world.readEventsNow(filter, 1)
    }
  }

  private happened(event: StoredEvent): void {
    this.nextSeq = event.seq + 1
    this.at++
  }

  /** Goes on to a position, or to one of `stops` on the way, for at most `budget` instructions. */
  go(to: Position, budget: number, ...stops: readonly StopAt[]): Arrival {
    const { machine } = this
    if (this.leavesBeginning !== null) {
      this.leavesBeginning(this.checkpoint())
      this.leavesBeginning = null
    }
    let left = budget
    for (;;) {
      const isThere = comparePositions(this.position, to)
      if (isThere >= 0 || stops.some(stop => this.isAt(stop))) return { kind: "there" }
      const { event } = this
      if (event === null) return { kind: "end" }
      if (comparePositions(this.position, event.position) >= 0) {
        const problem = this.let(event)
        if (problem !== null) return { kind: "differs", event, problem }
        if (event.kind === "input") this.cameHere = false
        this.happened(event)
        const sighting = machine.takeSighting()
        if (sighting !== null) return { kind: "sighting", sighting, isAfter: false }
        continue
      }
      if (left <= 0) return { kind: "budget" }
      const goal = comparePositions(to, event.position) < 0 ? to : event.position
      const before = machine.executed
      const from = this.position
      const inRound = goal.round === machine.round ? [{ hart: goal.hart, executed: goal.instret }] : []
      const exit = machine.run(left, ...inRound, ...stops)
      left -= machine.executed - before
      if (comparePositions(this.position, from) > 0) this.cameHere = true
      const output = machine.takeConsole()
      if (output.length > 0) this.printed.push(output)
      const sighting = machine.takeSighting()
      if (sighting !== null) return { kind: "sighting", sighting, isAfter: isAfter(sighting) }
      if (exit.kind === "round" && this.tellsRounds) return { kind: "round" }
      if (comparePositions(this.position, goal) >= 0) continue
      if (exit.kind === "off") return { kind: "differs", event, problem: "the guest turned itself off before" }
      if (exit.kind === "idle") {
        if (exit.deadlineNs === Number.POSITIVE_INFINITY)
          return { kind: "differs", event, problem: "the guest waits for something that never comes" }
        machine.skipTo(exit.deadlineNs)
        this.cameHere = false
      }
    }
  }

  private isAt({ hart, executed }: StopAt): boolean {
    const { position } = this.machine
    return position.hart === hart && position.instret >= executed
  }

  /** Lets an event happen whose position was reached; gives a problem where it is not what the machine did. */
  private let(event: StoredEvent): string | null {
    const { machine } = this
    if (comparePositions(this.position, event.position) > 0) return "the guest went past it"
    switch (event.kind) {
      case "input":
        machine.skipTo(event.payload.virtualNs)
        machine.receive(event.payload.bytes)
        return null
      case "console":
        this.printed = []
        return null
      case "batch": {
        machine.takeTrace()
        const digest = machine.registerDigest()
        return event.payload.digest.every((byte, at) => byte === digest[at])
          ? null
          : "its registers have another digest"
      }
      default:
        return null
    }
  }

  /** The state of this moment, to be taken up later. */
  checkpoint(): Checkpoint {
    const { machine } = this
    const { mark, pages } = machine.writtenPages(this.mark)
    const versions = this.versions.slice()
    for (const { index, bytes } of pages) versions[index] = this.pages.keep(bytes)
    this.standOn(versions)
    this.mark = mark
    return {
      position: this.position,
      nextSeq: this.nextSeq,
      executed: Array.from({ length: machine.config.harts }, (_, hart) => machine.core.executed(hart)),
      virtualNs: machine.nowNs,
      isArrival: this.isArrival,
      sleeping: machine.saveForWake(),
      versions,
      printed: this.printedSince,
    }
  }

  /** Where history begins, with nothing loaded yet. */
  get blank(): Checkpoint {
    const { machine } = this
    return {
      position: origin,
      nextSeq: 0,
      executed: Array.from({ length: machine.config.harts }, () => 0),
      virtualNs: 0,
      isArrival: true,
      sleeping: machine.blank,
      versions: new Int32Array(machine.config.ramBytes / 4096),
      printed: new Uint8Array(0),
      isBlank: true,
    }
  }

  /** Whether it has been anywhere. */
  isLoaded = false

  /** Goes to a checkpoint's moment; `leaves` is told of a blank one as it was loaded, should the machine go on from there. */
  takeUp(checkpoint: Checkpoint, leaves: ((beginning: Checkpoint) => void) | null): void {
    const { machine, versions } = this
    this.isLoaded = true
    this.standOn(checkpoint.versions)
    machine.moveTo(
      checkpoint.sleeping,
      this.mark,
      written => {
        const pages = new Set(differingPages(versions, checkpoint.versions))
        for (const page of written) pages.add(page)
        return pages
      },
      (page, target) => this.pages.read(this.versions[page]!, target),
    )
    this.mark = machine.mark()
    this.leavesBeginning = checkpoint.isBlank ? leaves : null
    if (checkpoint.isBlank) machine.start()
    this.cameHere = checkpoint.isArrival
    this.nextSeq = checkpoint.nextSeq
    this.upcoming = []
    this.at = 0
    this.printed = checkpoint.printed.length > 0 ? [checkpoint.printed] : []
    machine.takeTrace()
  }

  /** Has others be the versions of the last mark. */
  private standOn(versions: Versions): void {
    if (versions === this.versions) return
    this.pages.hold(versions)
    this.pages.release(this.versions)
    this.versions = versions
  }
}

/** Whether what is told of has happened already, and not only is about to. */
const isAfter = ({ kind }: Sighting): boolean => kind !== "breakpoint" && kind !== "interrupt"
