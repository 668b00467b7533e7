/** Carries out a scenario's steps on one machine: the director of a leg, which is what happens in one process. */
import { createHash } from "node:crypto"
import { Effect } from "effect"
import { hex } from "../machine/digest.ts"
import type { Machine } from "../machine/machine.ts"
import type { Act, Director, Moment } from "../session/direct.ts"
import { judge } from "./judge.ts"
import { findPattern } from "./quantity.ts"
import { formatVirtual, type Step, WITHIN_NS } from "./scenario.ts"

/** A step that went well. */
export interface StepDone {
  readonly index: number
  readonly virtualNs: number
  /** Of the whole machine; for steps that have to do with digests. */
  readonly digest: string | null
}

/** A step that did not. `problem` is a sentence. */
export interface StepFailed {
  readonly index: number
  readonly virtualNs: number
  readonly problem: string
  /** The last of what the console said. */
  readonly console: string
}

/** How a leg ended. */
export type Verdict =
  | { readonly kind: "complete" }
  | { readonly kind: "restore"; readonly index: number }
  | { readonly kind: "failed"; readonly failure: StepFailed }

export interface DirectorOptions {
  readonly steps: readonly Step[]
  /** The first step of this leg's world. */
  readonly first: number
  /** Crashes up to this step are over. */
  readonly survived: number
  /** Digests of snapshots taken before this leg's world began. */
  readonly snapshots: ReadonlyMap<string, string>
  readonly done: (step: StepDone) => void
  /** Told that the machine stands still at a crash. */
  readonly crash: (step: StepDone) => Effect.Effect<void>
}

const TAIL_LINES = 12
const NEWLINE = "\n"
const END: Act = { kind: "end" }

export class StepDirector implements Director {
  verdict: Verdict | null = null
  private readonly options: DirectorOptions
  private readonly snapshots: Map<string, string>
  private readonly decoder = new TextDecoder()
  private text = ""
  /** Console text before this was expected already. */
  private consumed = 0
  private index: number
  /** When the step before was done; null before the first moment. */
  private sinceNs: number | null = null
  private standingNs = 0

  constructor(options: DirectorOptions) {
    this.options = options
    this.index = options.first
    this.snapshots = new Map(options.snapshots)
  }

  /** sha256 of the console's text from the beginning of the world. */
  get consoleDigest(): string {
    return createHash("sha256").update(this.text).digest("hex")
  }

  printed(output: Uint8Array): void {
    if (output.length > 0) this.text += this.decoder.decode(output, { stream: true }).replaceAll("\r", "")
  }

  next(moment: Moment): Act {
    const { machine } = moment
    if (this.sinceNs === null) {
      this.sinceNs = machine.nowNs
      this.consumed = this.text.length
    }
    while (this.verdict === null) {
      const step = this.options.steps[this.index]
      if (step === undefined) this.verdict = { kind: "complete" }
      else {
        const act = this.take(step, moment, this.sinceNs)
        if (act !== null) return act
      }
    }
    return END
  }

  done(machine: Machine, digest: Uint8Array | null): void {
    const step = this.options.steps[this.index]
    if (step?.verb === "snapshot" && digest) this.snapshots.set(step.snapshot, hex(digest))
    this.complete(machine, digest && hex(digest))
  }

  readonly stands: Effect.Effect<void> = Effect.suspend(() =>
    this.options.crash({ index: this.index, virtualNs: this.standingNs, digest: null }),
  )

  /** What a step wants now; null when it is over. */
  private take(step: Step, moment: Moment, sinceNs: number): Act | null {
    const { machine, offCode } = moment
    const limitNs = sinceNs + ("within" in step && step.within !== undefined ? step.within : WITHIN_NS)
    switch (step.verb) {
      case "expect": {
        const found = findPattern(step.expect, this.text, this.consumed)
        if (found === null) return this.waitFor(moment, limitNs, "the console did not say that")
        this.consumed = found.end
        return this.complete(machine, null)
      }
      case "type":
        if (machine.unreadInput > 0 && offCode === null)
          return this.waitFor(moment, limitNs, "the guest did not read what was typed before")
        return this.unlessOff(moment, {
          kind: "type",
          bytes: new TextEncoder().encode(step.raw ? step.type : step.type + NEWLINE),
        })
      case "wait":
        if (machine.nowNs >= sinceNs + step.wait) return this.complete(machine, null)
        return this.unlessOff(moment, { kind: "go on", alarmNs: sinceNs + step.wait })
      case "snapshot":
        return this.unlessOff(moment, { kind: "snapshot", name: step.snapshot })
      case "restore":
        this.verdict = { kind: "restore", index: this.index }
        return END
      case "crash":
        if (this.index <= this.options.survived) return this.complete(machine, null)
        this.standingNs = machine.nowNs
        return this.unlessOff(moment, { kind: "stand" })
      case "assert": {
        const { exit, ...others } = step.assert
        if (exit !== undefined && offCode === null)
          return this.waitFor(moment, limitNs, "the guest did not turn itself off")
        if (exit !== undefined && offCode !== exit)
          return this.fail(machine, `The guest turned itself off with ${offCode} instead of ${exit}.`)
        const { problem, digest } = judge(others, machine, this.text, this.snapshots)
        return problem === null ? this.complete(machine, digest) : this.fail(machine, problem)
      }
    }
  }

  /** Goes on while there is hope. `otherwise`: what then has not happened. */
  private waitFor(moment: Moment, limitNs: number, otherwise: string): Act {
    const { machine, idleUntilNs, offCode } = moment
    if (offCode !== null) return this.fail(machine, `${sentence(otherwise)}: it turned itself off with ${offCode}.`)
    if (idleUntilNs === Number.POSITIVE_INFINITY)
      return this.fail(machine, `${sentence(otherwise)}: every hart waits, and nothing will wake one.`)
    if (machine.nowNs < limitNs) return { kind: "go on", alarmNs: limitNs }
    return this.fail(machine, `${sentence(otherwise)} within ${formatVirtual(limitNs - (this.sinceNs ?? 0))}.`)
  }

  private unlessOff(moment: Moment, act: Act): Act {
    if (moment.offCode === null) return act
    return this.fail(moment.machine, `The guest has turned itself off with ${moment.offCode} before.`)
  }

  private complete(machine: Machine, digest: string | null): null {
    this.options.done({ index: this.index, virtualNs: machine.nowNs, digest })
    this.sinceNs = machine.nowNs
    this.index++
    return null
  }

  private fail(machine: Machine, problem: string): Act {
    const console = this.text.trimEnd().split(NEWLINE).slice(-TAIL_LINES).join(NEWLINE)
    this.verdict = { kind: "failed", failure: { index: this.index, virtualNs: machine.nowNs, problem, console } }
    return END
  }
}

const sentence = (clause: string): string => clause.charAt(0).toUpperCase() + clause.slice(1)
