/** Recording: running a machine while its history is written, live or after a script. */
import { Clock, Effect } from "effect"
import type {
  LoadedPages,
  LogWriter,
  SnapshotExists,
  SnapshotInfo,
  WorldDamaged,
  WorldWriteFailed,
} from "../events/index.ts"
import type { Exit, Machine } from "../machine/machine.ts"
import { CheckpointKeeper, type CheckpointSpacing } from "./checkpoint-keeper.ts"
import { type Condition, ConsoleWatch } from "./condition.ts"
import { History } from "./history.ts"
import type { Outside } from "./outside.ts"
import { Script } from "./script.ts"
import { SnapshotMaker } from "./snapshots.ts"
import type { EndReason, Summary } from "./summary.ts"

/** Instructions between two looks at the outside. */
const SLICE_INSTRUCTIONS = 2_000_000

export interface RunOptions {
  /** null: until the guest turns itself off, or all was typed and it has been quiet for long. */
  readonly until: Condition | null
  /** Text to type, instead of what comes from outside. */
  readonly script: Uint8Array | null
  /** How far apart checkpoints are. */
  readonly checkpoints?: CheckpointSpacing
  /** What to do once there is a machine, before it executes anything. */
  readonly started?: Effect.Effect<void>
}

/** How long output that waits to be durable may go unlooked at while the machine is idle. */
const SHOW_NS = 2_000_000

/** Waits shorter than this are part of the guest's work. */
const HURRY_NS = 4_000_000

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

  /** The events of everything added so far have been written. */
  seal(): void {
    if (this.log === null) return
    const seq = this.log.nextSeq - 1
    for (const entry of this.waiting) if (entry.seq === Number.POSITIVE_INFINITY) entry.seq = seq
  }

  release(): void {
    if (this.waiting.length === 0) return
    const durable = this.log!.durableSeq
    while (this.waiting.length > 0 && this.waiting[0]!.seq <= durable) this.outside.show(this.waiting.shift()!.output)
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }
}

/**
 * Runs a machine to its end, recording into a log unless that is null. The machine stands where the log ends; `woken` is the snapshot of
 * the same world that it began with; `loaded` as a `SnapshotMaker` takes it.
 */
export const runMachine = (
  machine: Machine,
  log: LogWriter | null,
  outside: Outside,
  options: RunOptions,
  woken: SnapshotInfo | null = null,
  loaded: readonly LoadedPages[] = [],
): Effect.Effect<Summary, WorldWriteFailed | WorldDamaged | SnapshotExists> =>
  Effect.gen(function* () {
    if (options.started) yield* options.started
    const startMs = yield* Clock.currentTimeMillis
    const startInstructions = machine.executed
    const history = new History(machine, (position, kind, payload) => log?.append(position, kind, payload))
    const outbox = new Outbox(log, outside)
    const snapshots = log && new SnapshotMaker(log, machine, woken, loaded)
    const checkpoints = log && new CheckpointKeeper(log, machine, snapshots!, options.checkpoints)
    const script = options.script && new Script(options.script)
    const watch = options.until?.kind === "console" ? new ConsoleWatch(options.until.pattern) : null
    let end: { reason: EndReason; exit: number } | null = null
    const finish = (reason: EndReason, exit = 0) => {
      end ??= { reason, exit }
    }

    /** Waits, and shows meanwhile what becomes durable; gives how long it was. */
    const waitAndShow = Effect.fnUntraced(function* (ns: number) {
      // Somebody may be looking: what was said before a wait is not held back for more.
      if (ns >= HURRY_NS && !outbox.isEmpty) log?.hurry()
      let waited = 0
      while (waited < ns) {
        const step = outbox.isEmpty ? ns - waited : Math.min(ns - waited, SHOW_NS)
        const passed = yield* outside.wait(step)
        waited += passed
        outbox.release()
        if (passed < step) break
      }
      return waited
    })

    let lastName = ""
    /** Only between rounds and while the machine is idle. */
    const takeSnapshot = () => {
      const name = `at-${(machine.nowNs / 1e9).toFixed(9)}s`
      if (name === lastName) return
      lastName = name
      if (log) {
        const digest = history.snapshot(name)
        outbox.seal()
        snapshots?.begin(name, log.nextSeq - 1, digest)
      }
      outside.snapshotBegan?.(log && name)
    }

    /** Time until which an idle machine may skip, and what happens then. */
    const whenIdle = Effect.fnUntraced(function* (deadlineNs: number) {
      const { until } = options
      if (script) {
        const next = script.next(machine, deadlineNs)
        if (next === "over" && until === null) return finish("script ended")
        if (next !== null && next !== "over") return history.input("script", next.line, next.atNs)
      }
      if (until?.kind === "time" && deadlineNs >= until.virtualNs) {
        history.input("clock", new Uint8Array(0), until.virtualNs)
        return finish("condition")
      }
      if (outside.pace === "virtual") {
        const early = outside.typed()
        if (early.length > 0) return history.input("console", early, machine.nowNs)
        if (deadlineNs === Number.POSITIVE_INFINITY) return finish("nothing to wait for", 1)
        return machine.skipTo(deadlineNs)
      }
      const waited = yield* waitAndShow(deadlineNs - machine.nowNs)
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
          options.until?.kind === "instret"
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
          if (exit.kind === "round") checkpoints?.consider()
        }
        if (watch?.saw(step.output)) finish("condition")
        if (exit.kind === "off") finish("powered off", exit.code)
        if (exit.kind === "reset") history.lifecycle({ change: "rebooted" })
        if (options.until?.kind === "time" && exit.kind === "round" && machine.nowNs >= options.until.virtualNs)
          finish("condition")
        if (exit.kind === "idle") break
      }
      if (outside.quits()) finish("quit")
      if (exit.kind !== "budget" && outside.asksForSnapshot?.()) takeSnapshot()
      if (end === null && exit.kind === "idle") yield* whenIdle(exit.deadlineNs)
      else if (end === null && exit.kind === "round") {
        const typed = outside.typed()
        if (typed.length > 0) history.input("console", typed, machine.nowNs)
      }
      if (log) yield* log.room
      outbox.release()
      idleTurns = exit.kind === "idle" ? idleTurns + 1 : 0
      if (outside.pace === "wall" || !outbox.isEmpty || idleTurns % IDLE_TURNS_MAX === 0) yield* outside.breathe
    }

    const { reason, exit } = end as { reason: EndReason; exit: number }
    const digestMs = yield* Clock.currentTimeMillis
    const digest = history.stop(reason, reason === "powered off" ? exit : null)
    const flushMs = yield* Clock.currentTimeMillis
    outbox.seal()
    const head = log ? yield* log.flush : null
    if (snapshots) yield* snapshots.settled
    outbox.release()
    const endMs = yield* Clock.currentTimeMillis
    return {
      instructions: machine.executed - startInstructions,
      virtualNs: machine.nowNs,
      // Digesting the machine is no part of its run.
      wallMs: endMs - flushMs + digestMs - startMs,
      events: head ? head.seq + 1 : 0,
      digest,
      reason,
      exit,
    }
  })
