/**
 * A machine small enough that everything in it changes all the time, at random: two harts in turns, four bytes of memory seen through
 * translations that come and go. It knows of every trigger whether it fired between the last moment and this one, by comparing the two.
 */
import type { Context, HartChoice, Trigger } from "../../../src/debugger/predicate/index.ts"
import { csrName } from "../../../src/riscv/csr-name.ts"
import type { Random } from "../../oracle/random.ts"

interface Hart {
  a0: bigint
  pc: bigint
  instret: bigint
  privilege: number
  pid: bigint
  comm: string
  stored: Record<string, bigint>
  /** Where each virtual address lies; those that are missing are not mapped. */
  mapping: (number | null)[]
}

interface State {
  running: number
  time: bigint
  harts: Hart[]
  memory: bigint[]
  console: string
  event: { readonly word: "interrupt" | "trap" | "syscall"; readonly code: number } | null
}

const newHart = (): Hart => ({
  a0: 0n,
  pc: 0n,
  instret: 0n,
  privilege: 3,
  pid: 0n,
  comm: "a",
  stored: { satp: 0n, mstatus: 0n, mip: 0n, mideleg: 1n, minstret: 0n },
  mapping: [null, 1, 2, null, 3],
})

const copyOf = (state: State): State => ({
  ...state,
  harts: state.harts.map(hart => ({ ...hart, stored: { ...hart.stored }, mapping: [...hart.mapping] })),
  memory: [...state.memory],
})

/** What a CSR shows of what is stored. */
const shown = (hart: Hart, number: number, csr: number): bigint => {
  const name = csrName(csr)
  if (name === "sstatus") return hart.stored.mstatus!
  if (name === "sip") return hart.stored.mip! & hart.stored.mideleg!
  if (name === "mhartid") return BigInt(number)
  if (name === "instret") return hart.instret + hart.stored.minstret!
  return hart.stored[name]!
}

/** A state as an expression may look at it. */
const contextOf = (state: State): Context => {
  const number = (hart: HartChoice) => hart ?? state.running
  const of = (hart: HartChoice) => state.harts[number(hart)]!
  const at = (place: bigint) => (place < 5n ? state.memory[Number(place)]! : null)
  const code = (word: string) => (state.event?.word === word ? state.event.code : null)
  const syscall = code("syscall")
  return {
    hart: state.running,
    time: state.time,
    interrupt: code("interrupt"),
    trap: syscall === null ? code("trap") : 8,
    syscall: syscall === null ? null : BigInt(syscall),
    register: (hart, bank) => (bank === "pc" ? of(hart).pc : of(hart).a0),
    csr: (hart, csr) => shown(of(hart), number(hart), csr),
    memory: (hart, address) => {
      const place = of(hart).mapping[Number(address)] ?? null
      return place === null ? null : at(BigInt(place))
    },
    physical: at,
    symbol: () => null,
    instret: hart => of(hart).instret,
    privilege: hart => of(hart).privilege,
    pid: hart => of(hart).pid,
    comm: hart => of(hart).comm,
    said: pattern => pattern.test(state.console),
  }
}

export class SmallMachine {
  private readonly random: Random
  private before: State | null = null
  private now: State = {
    running: 0,
    time: 0n,
    harts: [newHart(), newHart()],
    memory: [0n, 0n, 0n, 0n, 0n],
    console: "",
    event: null,
  }

  constructor(random: Random) {
    this.random = random
  }

  get context(): Context {
    return contextOf(this.now)
  }

  /** To the next moment: an instruction with what comes of it, or the beginning of a turn. */
  step(): void {
    const { random } = this
    this.before = this.now
    const next = copyOf(this.now)
    this.now = next
    next.event = null
    if (random.chance(15)) {
      next.running = 1 - next.running
      next.time += BigInt(random.below(3))
      return
    }
    const hart = next.harts[next.running]!
    const few = () => BigInt(random.below(3))
    next.time++
    hart.instret++
    hart.pc = random.chance(10) ? hart.pc : few()
    if (random.chance(20)) hart.a0 = few()
    if (random.chance(25)) next.memory[random.below(5)] = few()
    if (random.chance(5)) hart.mapping[random.below(5)] = random.chance(30) ? null : random.below(5)
    if (random.chance(10)) hart.stored[random.pick(["satp", "mstatus", "mideleg", "minstret"])] = few()
    // Lines of either hart.
    if (random.chance(5)) random.pick(next.harts).stored.mip = few()
    if (random.chance(4)) next.console += random.pick(["x", "y", "z", "z", "z"])
    if (random.chance(5)) hart.pid = few()
    if (random.chance(3)) hart.comm = random.pick(["a", "b"])
    if (random.chance(20)) {
      next.event = { word: random.pick(["interrupt", "trap", "syscall"] as const), code: random.pick([1, 2, 5]) }
      hart.privilege = random.pick([0, 1, 3])
      hart.stored.mstatus = few()
    }
  }

  /** Whether an event happens at this moment. */
  happened(event: Trigger): boolean {
    const { context } = this
    if (event.on === "pc") return context.register(event.hart, "pc", 0) === event.address
    return (event.on === "interrupt" || event.on === "trap" || event.on === "syscall") && context[event.on] !== null
  }

  /** Whether a trigger fired since the moment before. */
  fired(trigger: Trigger): boolean {
    const before = this.before!
    const isTurn = before.running !== this.now.running
    // A hart that is not said is the one that runs now, and what it was like before.
    const last = contextOf({ ...before, running: this.now.running })
    const next = this.context
    const differs = <T>(look: (context: Context) => T) => look(last) !== look(next)
    switch (trigger.on) {
      case "pc":
        return differs(context => context.register(trigger.hart, "pc", 0) === trigger.address)
      case "interrupt":
      case "trap":
      case "syscall":
        return last[trigger.on] !== null || next[trigger.on] !== null
      case "memory":
        return differs(context =>
          trigger.space === "virtual"
            ? context.memory(trigger.hart, trigger.address, trigger.bytes)
            : context.physical(trigger.address, trigger.bytes),
        )
      case "csr":
        return differs(context => context.csr(trigger.hart, trigger.csr))
      case "console":
        return before.console !== this.now.console
      case "privilege":
        return differs(context => context.privilege(trigger.hart))
      case "task":
        return differs(context => context.pid(trigger.hart)) || differs(context => context.comm(trigger.hart))
      case "time":
        return last.time < trigger.at && trigger.at <= next.time
      case "instret":
        return last.instret(trigger.hart)! < trigger.at && trigger.at <= next.instret(trigger.hart)!
      case "turn":
        return isTurn
      case "instruction":
        return trigger.hart === null || trigger.hart === this.now.running
    }
  }
}
