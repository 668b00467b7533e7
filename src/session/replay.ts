/** Replaying: running a machine along its recorded history, comparing every event. */
import { Effect, Stream } from "effect"
import {
  comparePositions,
  encodeEvent,
  formatPosition,
  type Position,
  type ReadError,
  type StoredEvent,
  type World,
} from "../events/index.ts"
import type { Machine } from "../machine/machine.ts"
import { History } from "./history.ts"

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

export class Replayer {
  readonly machine: Machine
  readonly history: History
  private readonly flip: Flip | null
  private flipped = false
  /** What the machine's running has caused and the log has not yet been asked for. */
  private readonly caused: { position: Position; kind: string; payload: Uint8Array }[] = []
  private readonly show: (output: Uint8Array) => void

  /** `machine` stands at the beginning, or where a snapshot left it. */
  constructor(machine: Machine, options: { readonly flip?: Flip | null; readonly show?: (output: Uint8Array) => void }) {
    this.machine = machine
    this.flip = options.flip ?? null
    this.show = options.show ?? (() => {})
    this.history = new History(machine, (position, kind, payload) => {
      this.caused.push({ position, kind, payload: encodeEvent(kind, payload) })
    })
  }

  /** Runs up to an event and compares it. null: it is what was recorded. */
  meet(event: StoredEvent): Mismatch | null {
    if (event.kind === "genesis") return null
    if (this.caused.length === 0) {
      const problem = this.runTo(event.position)
      if (problem) return { event, problem }
      switch (event.kind) {
        case "input":
          this.history.input(event.payload.source, event.payload.bytes, event.payload.virtualNs)
          break
        case "snapshot":
          this.history.snapshot(event.payload.name)
          break
        case "lifecycle":
          this.history.lifecycle(event.payload)
          break
        case "checkpoint":
          return null
        default:
          this.history.cut()
      }
    }
    const caused = this.caused.shift()
    if (caused === undefined) return { event, problem: "nothing happened there" }
    if (caused.kind !== event.kind) return { event, problem: `the guest caused ${article(caused.kind)} event instead` }
    if (comparePositions(caused.position, event.position) !== 0)
      return { event, problem: `it happened at ${formatPosition(caused.position)}` }
    if (!equal(caused.payload, encodeEvent(event.kind, event.payload as never)))
      return { event, problem: `its ${event.kind === "batch" ? "registers have another digest" : "content is another"}` }
    return null
  }

  /** Events caused and not yet compared: the rest of a cut that the log broke off in. */
  takeCaused(): readonly { position: Position; kind: string; payload: Uint8Array }[] {
    return this.caused.splice(0)
  }

  /** Runs to a position of the recorded history. Gives a problem when the machine does not get there. */
  runTo(position: Position): string | null {
    const { machine } = this
    const reached = () => comparePositions(this.history.position, position) === 0
    while (!reached()) {
      if (comparePositions(this.history.position, position) > 0)
        return `the guest went past it to ${formatPosition(this.history.position)}`
      const stop = { hart: position.hart, executed: position.instret }
      const flip = this.dueFlip()
      const flipFirst = flip !== null && flip.hart === position.hart && flip.executed < position.instret
      const { exit, output } = this.history.step(Number.MAX_SAFE_INTEGER, flipFirst ? { ...flip } : machine.round === position.round ? stop : undefined)
      this.show(output)
      this.applyFlip()
      if (exit.kind === "idle" && !reached()) {
        if (exit.deadlineNs === Number.POSITIVE_INFINITY) return "the guest waits for something that never comes"
        machine.skipTo(exit.deadlineNs)
      }
      if (exit.kind === "off" && !reached()) return "the guest turned itself off before"
    }
    return null
  }

  private dueFlip(): Flip | null {
    return this.flip !== null && !this.flipped ? this.flip : null
  }

  private applyFlip(): void {
    const flip = this.dueFlip()
    if (flip === null || this.machine.core.executed(flip.hart) !== flip.executed) return
    this.flipped = true
    const { core } = this.machine
    const value = core.getBig(flip.hart, "x", flip.register)
    core.setBig(flip.hart, "x", value ^ (1n << BigInt(flip.bit)), flip.register)
  }
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

