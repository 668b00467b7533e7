/** Replaying: running a machine along its recorded history, comparing every event. */
import { Effect, Stream } from "effect"
import {
  comparePositions,
  type EventKind,
  encodeEvent,
  formatPosition,
  type Position,
  type ReadError,
  type StoredEvent,
  type World,
} from "../events/index.ts"
import type { Exit, Machine, StopAt } from "../machine/machine.ts"
import { type DigestOf, History } from "./history.ts"

/** A deliberate fault, to see that it is found: flips a bit of a register when a hart has executed so many instructions. */
export interface Flip {
  readonly hart: number
  readonly register: number
  readonly bit: number
  readonly executed: number
}

/** An event that is not what was recorded. */
export interface Mismatch {
  readonly event: StoredEvent
  readonly problem: string
}

/** An event that the machine's running caused. */
export interface Caused {
  readonly position: Position
  readonly kind: EventKind
  readonly payload: unknown
  readonly bytes: Uint8Array
}

export class Replayer {
  readonly machine: Machine
  readonly history: History
  private readonly flip: Flip | null
  private flipped = false
  /** What the machine's running has caused and the log has not yet been asked for. */
  private readonly caused: Caused[] = []
  private readonly show: (output: Uint8Array, exit: Exit) => void

  /** `machine` stands at the beginning, or where a snapshot left it. */
  constructor(
    machine: Machine,
    options: { readonly flip?: Flip | null; readonly show?: (output: Uint8Array, exit: Exit) => void },
  ) {
    this.machine = machine
    this.flip = options.flip ?? null
    this.show = options.show ?? (() => {})
    this.history = new History(machine, (position, kind, payload) => {
      this.caused.push({ position, kind, payload, bytes: encodeEvent(kind, payload) })
    })
  }

  /** Runs up to an event and compares it. null: it is what was recorded. */
  meet(event: StoredEvent): Mismatch | null {
    if (event.kind === "genesis" || event.kind === "checkpoint") return null
    if (this.caused.length === 0) {
      const problem = this.cause(event)
      if (problem) return { event, problem }
    }
    const caused = this.caused.shift()
    if (caused === undefined) return { event, problem: "nothing happened there" }
    if (caused.kind !== event.kind) return { event, problem: `the guest caused ${article(caused.kind)} event instead` }
    if (comparePositions(caused.position, event.position) !== 0)
      return { event, problem: `it happened at ${formatPosition(caused.position)}` }
    if (!equal(caused.bytes, encodeEvent(event.kind, event.payload as never)))
      return { event, problem: differences[event.kind] ?? "its content is another" }
    return null
  }

  /** Whether running up to an event causes it, whatever else it causes at the same moment. */
  causes(event: StoredEvent): boolean {
    if (this.cause(event) !== null) return false
    const bytes = encodeEvent(event.kind, event.payload as never)
    return this.caused.some(caused => caused.kind === event.kind && equal(caused.bytes, bytes))
  }

  /** Runs up to an event and lets it happen. Gives a problem when the machine does not get there. */
  private cause(event: StoredEvent): string | null {
    const problem = this.runTo(event.position)
    if (problem) return problem
    switch (event.kind) {
      case "input":
        this.history.input(event.payload.source, event.payload.bytes, event.payload.virtualNs)
        break
      case "snapshot":
        this.history.snapshot(event.payload.name, digestFor(event))
        break
      case "lifecycle":
        if (event.payload.change === "stopped" && event.payload.digest !== undefined)
          this.history.stop(event.payload.reason, event.payload.exitCode, digestFor(event))
        else this.history.lifecycle(event.payload)
        break
      default:
        this.history.cut()
    }
    return null
  }

  /** Events caused and not yet compared: the rest of a cut that the log broke off in. */
  takeCaused(): readonly Caused[] {
    return this.caused.splice(0)
  }

  /** Runs to a position of the recorded history. Gives a problem when the machine does not get there. */
  runTo(position: Position): string | null {
    const { machine } = this
    const reached = () => comparePositions(this.history.position, position) === 0
    while (!reached()) {
      if (comparePositions(this.history.position, position) > 0)
        return `the guest went past it to ${formatPosition(this.history.position)}`
      const inRound = machine.round === position.round
      const exit = this.step(
        Number.MAX_SAFE_INTEGER,
        inRound ? { hart: position.hart, executed: position.instret } : null,
      )
      if (reached()) return null
      if (exit.kind === "off") return "the guest turned itself off before"
      if (exit.kind === "idle") {
        if (exit.deadlineNs === Number.POSITIVE_INFINITY) return "the guest waits for something that never comes"
        machine.skipTo(exit.deadlineNs)
      }
    }
    return null
  }

  /** One step, no further than `stop`, with the deliberate fault when its moment comes. */
  step(budget: number, stop: StopAt | null): Exit {
    const { flip, machine } = this
    const flipStop =
      flip && !this.flipped && machine.core.executed(flip.hart) < flip.executed
        ? { hart: flip.hart, executed: flip.executed }
        : null
    const flipFirst = flipStop && (!stop || stop.hart !== flipStop.hart || flipStop.executed <= stop.executed)
    const next = flipFirst ? flipStop : stop
    const { exit, output } = next ? this.history.step(budget, next) : this.history.step(budget)
    this.show(output, exit)
    if (flip && !this.flipped && machine.core.executed(flip.hart) === flip.executed) {
      this.flipped = true
      const value = machine.core.getBig(flip.hart, "x", flip.register)
      machine.core.setBig(flip.hart, "x", value ^ (1n << BigInt(flip.bit)), flip.register)
    }
    return exit
  }
}

/** How the digest in an event was made. */
const digestFor =
  ({ version }: StoredEvent): DigestOf =>
  machine =>
    version === 1 ? machine.pagewiseDigest() : machine.digest()

/** What it means that an event's content is another. */
const differences: Partial<Record<EventKind, string>> = {
  batch: "its registers have another digest",
  lifecycle: "memory, devices or registers have another digest",
  snapshot: "memory, devices or registers have another digest",
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at])
const article = (kind: string) => (/^[aeiou]/.test(kind) ? `an ${kind}` : `a ${kind}`)

/** Feeds a world's events from `fromSeq` on to `each` until that gives something; null at the end of the log. */
export const eachEvent = <A>(
  world: World,
  fromSeq: number,
  each: (event: StoredEvent) => A | null,
): Effect.Effect<A | null, ReadError> =>
  world.events({ fromSeq }).pipe(
    Stream.map(each),
    Stream.filter((result): result is Exclude<typeof result, null> => result !== null),
    Stream.runHead,
    Effect.map(found => (found._tag === "Some" ? found.value : null)),
  ) as Effect.Effect<A | null, ReadError>
