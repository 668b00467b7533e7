/** Recording: running a machine while its history is written, live or after a script. */
import { Clock, Effect } from "effect"
import type { LogWriter, RecordingWorld, WorldWriteFailed } from "../events/index.ts"
import { hex } from "../machine/digest.ts"
import type { Exit, Machine } from "../machine/machine.ts"
import { type Condition, ConsoleWatch } from "./condition.ts"
import { type EventSink, History } from "./history.ts"
import type { Outside } from "./outside.ts"
import { Script } from "./script.ts"
import type { EndReason, Summary } from "./summary.ts"

/** Instructions between two looks at the outside. */
const SLICE_INSTRUCTIONS = 2_000_000

export interface RunOptions {
  readonly until: Condition
  /** Text to type, instead of what comes from outside. */
  readonly script: Uint8Array | null
}

/** How often an idle machine may be skipped on before the host's other work is let happen. */
const IDLE_TURNS_MAX = 64

/** Console output that waits for the events that caused it to be durable. */
class Outbox {
  private readonly waiting: { seq: number; output: Uint8Array }[] = []
  private readonly log: LogWriter | null
  private readonly outside: Outside

  constructor(log: LogWriter | null, outside: Outside) {
    this.log = log
    this.outside = outside
  }

  /** Takes output whose events will be those before the log's next. */
  add(output: Uint8Array): void {
    if (output.length === 0) return
    if (this.log === null) this.outside.show(output)
    else this.waiting.push({ seq: Number.POSITIVE_INFINITY, output })
  }

  /** The events of everything added so far have been appended. */
  seal(): void {
    if (this.log === null) return
    const seq = this.log.nextSeq - 1
    for (const entry of this.waiting) if (entry.seq === Number.POSITIVE_INFINITY) entry.seq = seq
  }

  release(): void {
    if (this.log === null) return
    const durable = this.log.durableSeq
    while (this.waiting.length > 0 && this.waiting[0]!.seq <= durable) this.outside.show(this.waiting.shift()!.output)
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  /** Waits until all that was sealed has been shown: a person who waits for the guest is to see everything it said. */
  get shown(): Effect.Effect<void, WorldWriteFailed> {
    const { log } = this
    if (log === null || this.isEmpty) return Effect.void
    return Effect.andThen(
      log.flush,
      Effect.sync(() => this.release()),
    )
  }
}

/** Nothing is written. */
const discard: EventSink = () => {}

/**
 * Runs a machine to its end, recording into `world` unless that is null. The machine stands where the log ends.
 */
export const runMachine = (
  machine: Machine,
  world: RecordingWorld | null,
  outside: Outside,
  options: RunOptions,
): Effect.Effect<Summary, WorldWriteFailed> =>
  Effect.gen(function* () {
    const startMs = yield* Clock.currentTimeMillis
    const startInstructions = machine.executed
    const log = world?.log ?? null
    const sink: EventSink = log ? (position, kind, payload) => void log.append(position, kind, payload) : discard
    const history = new History(machine, sink)
    const outbox = new Outbox(log, outside)
    const script = options.script && new Script(options.script)
    const watch = options.until.kind === "console" ? new ConsoleWatch(options.until.pattern) : null
    let end: { reason: EndReason; exit: number } | null = null
    const finish = (reason: EndReason, exit = 0) => {
      end ??= { reason, exit }
    }

    /** Time until which an idle machine may skip, and what happens then. */
    const whenIdle = Effect.fnUntraced(function* (deadlineNs: number) {
      const { until } = options
      if (script) {
        const next = script.next(machine, deadlineNs)
        if (next === "over" && until.kind === "exit") return finish("script ended")
        if (next !== null && next !== "over") return history.input("script", next.line, next.atNs)
      }
      if (until.kind === "time" && deadlineNs >= until.virtualNs) {
        history.input("clock", new Uint8Array(0), until.virtualNs)
        return finish("condition")
      }
      if (outside.pace === "virtual") {
        const early = outside.typed()
        if (early.length > 0) return history.input("console", early, machine.nowNs)
        if (deadlineNs === Number.POSITIVE_INFINITY) return finish("nothing to wait for", 1)
        return machine.skipTo(deadlineNs)
      }
      yield* outbox.shown
      const waited = yield* outside.wait(deadlineNs - machine.nowNs)
      const typed = outside.typed()
      const now = Math.min(machine.nowNs + Math.max(0, Math.floor(waited)), deadlineNs)
      if (typed.length > 0) history.input("console", typed, now)
      else if (!outside.quits() && now >= deadlineNs) machine.skipTo(deadlineNs)
      else if (!outside.quits()) history.input("clock", new Uint8Array(0), now)
    })

    let idleTurns = 0
    while (end === null) {
      let left = SLICE_INSTRUCTIONS
      let exit: Exit = { kind: "round" }
      while (left > 0 && end === null) {
        const budget =
          options.until.kind === "instret"
            ? Math.min(left, options.until.instructions - machine.executed)
            : Number.MAX_SAFE_INTEGER
        if (budget <= 0) {
          finish("condition")
          break
        }
        const before = machine.executed
        const step = history.step(budget)
        exit = step.exit
        left -= machine.executed - before
        outbox.add(step.output)
        if (step.output.length > 0) script?.printed(machine)
        if (history.isCutDue(exit)) {
          history.cut()
          outbox.seal()
          if (exit.kind !== "round") log?.hurry()
        }
        if (watch?.saw(step.output)) finish("condition")
        if (exit.kind === "off") finish("powered off", exit.code)
        if (exit.kind === "reset") history.lifecycle({ change: "rebooted" })
        if (options.until.kind === "time" && exit.kind === "round" && machine.nowNs >= options.until.virtualNs)
          finish("condition")
        if (exit.kind === "idle") break
      }
      if (outside.quits()) finish("quit")
      if (end === null && exit.kind === "idle") yield* whenIdle(exit.deadlineNs)
      else if (end === null && exit.kind === "round") {
        const typed = outside.typed()
        if (typed.length > 0) history.input("console", typed, machine.nowNs)
      }
      if (log) {
        yield* log.room
        outbox.release()
      }
      idleTurns = exit.kind === "idle" ? idleTurns + 1 : 0
      if (outside.pace === "wall" || !outbox.isEmpty || idleTurns % IDLE_TURNS_MAX === 0) yield* outside.breathe
    }

    const { reason, exit } = end as { reason: EndReason; exit: number }
    history.lifecycle({ change: "stopped", reason, exitCode: reason === "powered off" ? exit : null })
    outbox.seal()
    const head = log ? yield* log.flush : null
    outbox.release()
    const endMs = yield* Clock.currentTimeMillis
    return {
      instructions: machine.executed - startInstructions,
      virtualNs: machine.nowNs,
      wallMs: endMs - startMs,
      events: head ? head.seq + 1 : 0,
      digest: hex(machine.digest()),
      reason,
      exit,
    }
  })
