/**
 * A predicate put to a history: what has to be noticed for it, and which of what is noticed makes it true. Looked at are: instructions
 * at breakpoints, accesses to memory, changes of registers, interrupts, exceptions, output; and, for what depends on time, on counts of
 * instructions or on whose turn it is, the machine between two rounds.
 */
import type { Observation, Sighting } from "../../machine/machine.ts"
import { nothingObserved } from "../../machine/machine.ts"
import { csrName } from "../../riscv/csr-name.ts"
import type { Sought } from "../../session/timeline/timeline.ts"
import type { Inspection } from "../inspection.ts"
import { integerOf } from "../inspection.ts"
import {
  bind,
  type Context,
  compile,
  compileTruth,
  type Evaluation,
  type Expression,
  type HartChoice,
  needsOf,
  type Trigger,
  triggersOf,
} from "../predicate/index.ts"
import { fieldOf } from "../stop-point.ts"
import type { Linux } from "../symbols/linux.ts"

/** What a predicate is asked of. */
export interface Asked {
  readonly inspection: Inspection
  /** Addresses of symbols; null for names there are not. */
  readonly symbol: (name: string) => bigint | null
  /** The physical address of what a kernel has mapped for good; null for others. */
  readonly fixed: (address: bigint) => bigint | null
  readonly linux: Linux | null
  /** Where the kernel has just turned to another task. */
  readonly taskSwitches: readonly bigint[]
}

const SYSCALL = 8
const EVERY_INSTRUCTION: Observation["state"] = [{ field: "pc", index: 0 }]

/** A machine as expressions see it. */
class Moment {
  private readonly asked: Asked
  hart = 0
  sighting: Sighting | null = null
  text = ""
  readonly said = new Set<RegExp>()

  constructor(asked: Asked) {
    this.asked = asked
  }

  /** Made when it is first asked for. */
  get context(): Context {
    this.made ??= this.make()
    return this.made
  }
  private made: Context | null = null

  private make(): Context {
    const watch = this
    const { inspection, linux } = watch.asked
    const { core, config } = inspection.machine
    const of = (hart: HartChoice) => hart ?? watch.hart
    const isThere = (hart: HartChoice) => of(hart) < config.harts
    return {
      get hart() {
        return watch.hart
      },
      get time() {
        return BigInt(Math.max(0, inspection.machine.nowNs))
      },
      get interrupt() {
        return watch.sighting?.kind === "interrupt" ? watch.sighting.cause : null
      },
      get trap() {
        return watch.sighting?.kind === "exception" ? watch.sighting.cause : null
      },
      get syscall() {
        const { sighting } = watch
        return sighting?.kind === "exception" && sighting.cause === SYSCALL ? core.getBig(watch.hart, "x", 17) : null
      },
      register: (hart, bank, number) =>
        !isThere(hart)
          ? null
          : bank === "x" && number === 0
            ? 0n
            : core.getBig(of(hart), bank, bank === "pc" ? 0 : number),
      csr: (hart, csr) => (isThere(hart) ? core.readCsr(of(hart), csr) : null),
      memory: (hart, address, bytes) => {
        const physical = watch.asked.fixed(address)
        if (physical !== null) return integerAt(inspection.readPhysical(physical, bytes))
        return isThere(hart) ? inspection.readInteger(of(hart), address, bytes) : null
      },
      physical: (address, bytes) => integerAt(inspection.readPhysical(address, bytes)),
      symbol: name => watch.asked.symbol(name),
      instret: hart => (isThere(hart) ? BigInt(core.executed(of(hart))) : null),
      privilege: hart => (isThere(hart) ? core.get(of(hart), "privilege") : null),
      pid: hart => {
        const task = linux?.currentTask(of(hart))
        return task ? BigInt(task.pid) : null
      },
      comm: hart => linux?.currentTask(of(hart))?.comm ?? null,
      said: pattern => {
        if (!watch.said.has(pattern) && pattern.test(watch.text)) watch.said.add(pattern)
        return watch.said.has(pattern)
      },
    }
  }
}

/** An expression whose value is asked now and then. */
export class PredicateValue {
  private readonly value: Evaluation
  private readonly moment: Moment

  constructor(expression: Expression, asked: Asked) {
    this.value = compile(bind(expression, asked.symbol))
    this.moment = new Moment(asked)
  }

  /** The value as seen from a hart; null: unknown. */
  at(hart: number): bigint | null {
    this.moment.hart = hart
    return this.value(this.moment.context)
  }
}

export class PredicateWatch {
  private readonly asked: Asked
  private readonly moment: Moment
  private readonly truth: Evaluation
  private readonly isOfEvents: boolean
  private readonly isPerHart: boolean
  private readonly needs: ReturnType<typeof needsOf>
  private readonly triggers: readonly Trigger[]
  /** Whether it held, of each hart or of the machine. */
  private holds: boolean[] = []

  constructor(expression: Expression, asked: Asked) {
    const bound = bind(expression, asked.symbol)
    const triggers = triggersOf(bound)
    this.asked = asked
    this.moment = new Moment(asked)
    this.truth = compileTruth(bound)
    this.needs = needsOf(bound)
    this.isOfEvents = triggers.kind === "events"
    this.isPerHart = triggers.kind === "states" && triggers.perHart
    this.triggers = triggers.kind === "events" ? triggers.events : triggers.all
  }

  /** What is to be noticed. */
  get sought(): Pick<Sought, "observation" | "output" | "rounds"> {
    const on = (kind: Trigger["on"]) => this.triggers.some(trigger => trigger.on === kind)
    const breakpoints = this.triggers.flatMap(trigger => (trigger.on === "pc" ? [trigger.address] : []))
    const observation: Observation = {
      ...nothingObserved,
      breakpoints: [...new Set([...breakpoints, ...(on("task") ? this.asked.taskSwitches : [])])],
      memory: this.triggers.flatMap(trigger => (trigger.on === "memory" ? [this.watchedBy(trigger)] : [])),
      state: this.state(),
      interrupts: on("interrupt"),
      exceptions: on("trap") || on("syscall"),
    }
    return { observation, output: on("console"), rounds: on("turn") || on("time") || on("instret") || on("privilege") }
  }

  private watchedBy({ space, address, bytes }: Extract<Trigger, { on: "memory" }>): Observation["memory"][number] {
    const physical = space === "physical" ? address : this.asked.fixed(address)
    return {
      space: physical === null ? "virtual" : "physical",
      address: physical ?? address,
      bytes,
      reads: false,
      writes: true,
    }
  }

  /** The registers whose changes matter. */
  private state(): Observation["state"] {
    const { needs } = this
    const names = this.triggers.flatMap(trigger =>
      trigger.on === "csr" ? [csrName(trigger.csr)] : trigger.on === "privilege" ? ["privilege"] : [],
    )
    const fields = names.flatMap(name => fieldOf(name) ?? [])
    if (!this.triggers.some(({ on }) => on === "instruction")) {
      // Lines change pending interrupts between instructions.
      return names.includes("mip") ? [...fields, ...EVERY_INSTRUCTION] : fields
    }
    const isOfRegisters =
      !needs.hasVariableAddress && !needs.time && !needs.instret && needs.registers.every(({ bank }) => bank !== "pc")
    if (!isOfRegisters) return EVERY_INSTRUCTION
    const registers = needs.registers.map(({ bank, number }) => ({ field: bank as "x" | "f", index: number }))
    const distinct = [...new Map(registers.map(field => [`${field.field}${field.index}`, field])).values()]
    return fields.length + distinct.length > 8 ? EVERY_INSTRUCTION : [...fields, ...distinct]
  }

  /** The machine was put somewhere; `text` is all that was printed before. What holds there has held before. */
  begin(text: string): void {
    const { moment, asked } = this
    moment.text = text
    moment.said.clear()
    moment.sighting = null
    this.holds = Array.from({ length: this.isPerHart ? asked.inspection.harts : 1 }, (_, hart) => {
      moment.hart = this.isPerHart ? hart : asked.inspection.runningHart
      return this.truth(moment.context) === 1n
    })
  }

  /** Whether it held at the last moment, of any hart. */
  get held(): boolean {
    return this.holds.includes(true)
  }

  /** Whether it holds, or comes to hold, at what was noticed; null: the machine was put there, or stands between two rounds. */
  accepts(sighting: Sighting | null): boolean {
    this.moment.sighting = sighting
    this.moment.hart = sighting?.hart ?? this.asked.inspection.runningHart
    if (sighting?.kind === "output") this.moment.text += new TextDecoder("latin1").decode(sighting.bytes)
    if (this.isOfEvents) return this.truth(this.moment.context) === 1n
    if (!this.isPerHart) return this.becomes(0)
    if (sighting !== null) return this.becomes(this.moment.hart)
    let any = false
    for (let hart = 0; hart < this.holds.length; hart++) {
      this.moment.hart = hart
      any = this.becomes(hart) || any
    }
    return any
  }

  private becomes(which: number): boolean {
    const held = this.holds[which]!
    const now = this.truth(this.moment.context) === 1n
    this.holds[which] = now
    // At each arrival at an address the hart has come from elsewhere.
    return (
      now &&
      (!held || (this.moment.sighting?.kind === "breakpoint" && this.needs.registers.some(({ bank }) => bank === "pc")))
    )
  }
}

const integerAt = (bytes: Uint8Array | null): bigint | null => bytes && integerOf(bytes)
