/**
 * A machine together with the events its running causes. Recording appends them, replaying compares them: both go through here, so
 * that what one writes the other can check.
 *
 * Instructions, console output, interrupts and scheduling decisions are collected until a cut. Where cuts fall is the recorder's
 * choice; each event's position tells the replayer.
 */
import type { EventKind, Payload, Position } from "../events/index.ts"
import { hex } from "../machine/digest.ts"
import type { Exit, Machine, StopAt } from "../machine/machine.ts"

/** Receives events in order. */
export type EventSink = <K extends EventKind>(position: Position, kind: K, payload: Payload<K>) => void

/** Instructions after which a batch is cut at the next round. */
export const BATCH_INSTRUCTIONS = 1_000_000
/** Keeps a payload well below the log's limit. */
const CONSOLE_BYTES_MAX = 1 << 18

/** A digest of a whole machine. */
export type DigestOf = (machine: Machine) => Uint8Array
const newest: DigestOf = machine => machine.digest()

export class History {
  readonly machine: Machine
  private readonly emit: EventSink
  private readonly console: number[] = []
  private fromExecuted: number[]

  constructor(machine: Machine, emit: EventSink) {
    this.machine = machine
    this.emit = emit
    this.fromExecuted = this.executedByHart()
  }

  private executedByHart(): number[] {
    return Array.from({ length: this.machine.config.harts }, (_, hart) => this.machine.core.executed(hart))
  }

  get position(): Position {
    return { ...this.machine.position, machine: 0 }
  }

  /** Instructions since the last cut. */
  get uncut(): number {
    return this.machine.executed - this.fromExecuted.reduce((a, b) => a + b, 0)
  }

  get hasUncutConsole(): boolean {
    return this.console.length > 0
  }

  /** Goes on to the next exit; gives it with the console output that came meanwhile. */
  step(budget: number, ...stops: readonly StopAt[]): { readonly exit: Exit; readonly output: Uint8Array } {
    const exit = this.machine.run(budget, ...stops)
    const output = this.machine.takeConsole()
    for (const byte of output) this.console.push(byte)
    return { exit, output }
  }

  /** Whether a recorder should cut here, after a step that ended with `exit`. */
  isCutDue(exit: Exit): boolean {
    if (exit.kind === "off" || exit.kind === "reset") return true
    if (exit.kind === "idle" && this.console.length > 0) return true
    return this.uncut >= BATCH_INSTRUCTIONS || this.console.length >= CONSOLE_BYTES_MAX
  }

  /** Emits what was collected. */
  cut(): void {
    const { machine, position, emit } = this
    const trace = machine.takeTrace()
    if (this.console.length > 0)
      emit(position, "console", { device: "uart0", bytes: Uint8Array.from(this.console.splice(0)) })
    if (trace.interrupts.length > 0)
      emit(position, "interrupt", {
        interrupts: trace.interrupts.map(({ hart, cause, executed }) => ({ hart, cause, instret: executed })),
      })
    const now = this.executedByHart()
    const harts = now
      .map((to, hart) => ({ hart, from: this.fromExecuted[hart]!, to }))
      .filter(({ from, to }) => from !== to)
    if (harts.length === 0) return
    if (machine.config.harts > 1) emit(position, "schedule", { decisions: trace.slices })
    emit(position, "batch", { harts, virtualNs: machine.nowNs, digest: machine.registerDigest() })
    this.fromExecuted = now
  }

  /** Types into the console at virtual time `atNs`, not before now; between rounds only. Without bytes, time alone passes. */
  input(source: string, bytes: Uint8Array, atNs: number): void {
    this.cut()
    this.machine.skipTo(atNs)
    this.machine.receive(bytes)
    this.emit(this.position, "input", { source, virtualNs: atNs, bytes })
  }

  lifecycle(payload: Payload<"lifecycle">): void {
    this.cut()
    this.emit(this.position, "lifecycle", payload)
  }

  /** Notes that the run ends here, with the digest of everything; gives that digest. */
  stop(reason: string, exitCode: number | null, digestOf: DigestOf = newest): string {
    this.cut()
    const digest = hex(digestOf(this.machine))
    this.lifecycle({ change: "stopped", reason, exitCode, digest })
    return digest
  }

  /** Notes a named snapshot of this moment; gives the digest of everything. */
  snapshot(name: string, digestOf: DigestOf = newest): Uint8Array {
    this.cut()
    const digest = digestOf(this.machine)
    this.emit(this.position, "snapshot", { name, virtualNs: this.machine.nowNs, digest })
    return digest
  }
}
