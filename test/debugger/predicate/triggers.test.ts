import { describe, expect, test } from "vitest"
import {
  bind,
  compileTruth,
  type Expression,
  parse,
  type Trigger,
  triggersOf,
} from "../../../src/debugger/predicate/index.ts"
import { csrByName } from "../../../src/riscv/csr-name.ts"
import { Random } from "../../oracle/random.ts"
import { moment } from "./moment.ts"
import { SmallMachine } from "./small-machine.ts"

const symbols = new Map([
  ["panic", 0xffff0000n],
  ["jiffies", 0x1000n],
])
const asked = (text: string) => triggersOf(bind(parse(text), name => symbols.get(name) ?? null))

const pc = (address: bigint) => ({ on: "pc", hart: null, address }) as const
const trap = { on: "trap" } as const
const interrupt = { on: "interrupt" } as const
const syscall = { on: "syscall" } as const

describe("predicates of events", () => {
  test.each([
    ["pc == sym:panic", [pc(0xffff0000n)]],
    ["sym:panic == pc && a0 == 5", [pc(0xffff0000n)]],
    ["a0 == 5 && (mem8(a1) == 1 && pc == 16)", [pc(16n)]],
    ["pc == 16 || pc == 32 && a0 == 1", [pc(16n), pc(32n)]],
    ["!(pc != 16)", [pc(16n)]],
    ["!(pc != 16 || a0 == 1)", [pc(16n)]],
    ["interrupt", [interrupt]],
    ["interrupt == timer && hart == 1", [interrupt]],
    ["interrupt != timer", [interrupt]],
    ["!interrupt", [interrupt]],
    ["trap == 13 || trap == 15", [trap]],
    ["trap == 13 || interrupt == timer", [trap, interrupt]],
    ["syscall == write && mem8(a1) == 'x'", [syscall]],
    ["syscall + 1 == a0", [syscall]],
    ["mem8[trap * 4] == 1", [trap]],
    ["!(a0 == 1 || trap != 3)", [trap]],
    // A handler's first instruction is about to be executed when an interrupt has been taken.
    ["pc == 16 && interrupt == timer", [interrupt]],
    ["0", []],
    ["0 && a0 == 1", []],
    ["a0 == 1 && 1 == 2 || pc == 16", [pc(16n)]],
  ] as const)("%s", (text, events) => expect(asked(text)).toEqual({ kind: "events", events }))

  test.each([
    "a0 == 5",
    "pc != 16",
    "!(pc == 16)",
    "pc == a0",
    "pc > 16",
    "h1.pc == 16",
    "pc == sym:missing",
    "pc == 16 || a0 == 5",
    "trap == 13 || mem8(0) == 1",
    "!(pc == 16 && trap == 3)",
    "1",
  ])("%s is none", text => expect(asked(text).kind).toBe("states"))
})

describe("predicates of states", () => {
  const csr = (name: string, changes: readonly string[], hart: number | null = null) => ({
    on: "csr",
    hart,
    csr: csrByName(name),
    changes,
  })
  const memory = (address: bigint, bytes: number, hart: number | null = null) => ({
    on: "memory",
    space: "virtual",
    hart,
    address,
    bytes,
  })
  const turn = { on: "turn" }
  const every = { on: "instruction", hart: null }

  test.each([
    ["1", false, []],
    ["mem64(sym:jiffies) > 100", false, [memory(0x1000n, 8), turn]],
    ["h1.mem8(5)", false, [memory(5n, 1, 1)]],
    ["phys8(5)", false, [{ ...memory(5n, 1), space: "physical" }]],
    ["mem8(mem64(8)) == 1", false, [every, memory(8n, 8), turn]],
    ["a0 == 5", true, [turn, every]],
    ["h1.a0 == 5", false, [{ on: "instruction", hart: 1 }]],
    ["hart == 1", true, [turn]],
    ["csr.satp != 0", true, [turn, csr("satp", ["write"])]],
    ["h0.csr.sstatus & 2", false, [csr("mstatus", ["write", "trap", "float"], 0)]],
    ["h0.csr.sip & 2", false, [csr("mip", ["write", "line"], 0), csr("mideleg", ["write"], 0)]],
    ["h0.csr.instret > 5", false, [{ on: "instruction", hart: 0 }]],
    ["console ~ /x/ || console ~ /y/", false, [{ on: "console" }]],
    ["privilege == user", true, [turn, { on: "privilege", hart: null }]],
    ['comm == "sh" || pid == 1', true, [turn, { on: "task", hart: null }]],
    ["time > 1.5s", false, [{ on: "time", at: 1_500_000_001n }]],
    ["1.5s <= time", false, [{ on: "time", at: 1_500_000_000n }]],
    [
      "time == 5 || time < 9",
      false,
      [
        { on: "time", at: 5n },
        { on: "time", at: 6n },
        { on: "time", at: 9n },
      ],
    ],
    ["time % 5 == 0", false, [every]],
    ["h1.instret > 1000000", false, [{ on: "instret", hart: 1, at: 1_000_001n }]],
    ["h1.pc == 16", false, [{ on: "pc", hart: 1, address: 16n }]],
    ["pc == 16 || mem8(1)", true, [turn, { on: "pc", hart: null, address: 16n }, memory(1n, 1)]],
    ["trap == 13 || phys8(1)", false, [trap, { ...memory(1n, 1), space: "physical" }]],
    ["trap + mem8(2) == 1 || phys8(1)", false, [trap, { ...memory(1n, 1), space: "physical" }]],
  ] as const)("%s", (text, perHart, all) => expect(asked(text)).toMatchObject({ kind: "states", perHart, all }))

  const watched = (text: string, context = moment()): readonly Trigger[] => {
    const triggers = asked(text)
    if (triggers.kind !== "states") throw new Error(`${text} is of events`)
    return triggers.watch(context)
  }

  test("what cannot matter yet is not waited for", () => {
    const text = "a0 == 5 && console ~ /login/ && time > 10"
    expect(watched(text, moment({ register: () => 5n }))).toEqual([turn, { on: "time", at: 11n }])
    expect(watched(text, moment({ time: 11n }))).toEqual([turn, { on: "console" }])
    // What has been said has been said; time does not go back.
    expect(watched(text, moment({ time: 11n, said: () => true }))).toEqual([turn, every])
    expect(watched(text, moment({ time: 11n, said: () => true, register: () => 5n }))).toEqual([turn, every])
    expect(watched("console ~ /a/ || phys8(1) == 1", moment({ said: () => true }))).toEqual([])
    expect(watched("!(console ~ /a/) && phys8(1) == 1", moment({ said: () => true }))).toEqual([])
  })

  test("computed addresses are followed", () => {
    const context = moment({ physical: address => (address === 8n ? 0x5000n : null) })
    expect(watched("phys8[phys64(8) + 3] == 1", context)).toEqual([
      { ...memory(0x5003n, 1), space: "physical" },
      { ...memory(8n, 8), space: "physical" },
    ])
    expect(watched("phys8[phys64(8) + 3] == 1")).toEqual([{ ...memory(8n, 8), space: "physical" }])
  })
})

/** What a predicate is put together from: a little of everything, with few values, so that much comes true and ceases to be so. */
const atoms = [
  ...[
    "1",
    "0",
    "a0 == 1",
    "a0",
    "h1.a0 == 1",
    "a0 == h0.a0",
    "hart == 1",
    "pc == 2",
    "2 == pc",
    "pc != 2",
    "h1.pc == 2",
    "pc < 2",
  ],
  ...["mem8(1) == 1", "mem8(2)", "h0.mem8(1) == 1", "h1.mem8(2) != 0", "phys8(1) == 2", "phys8(3) > 1"],
  ...[
    "mem8[mem8(1)] == 1",
    "phys8[phys8[1]] == phys8(2)",
    "mem8[a0 + 1] == 1",
    "mem8(9) == 0",
    "h1.mem8[phys8(3)] == 1",
  ],
  ...[
    "csr.satp == 1",
    "h1.csr.satp == 1",
    "csr.sstatus == 1",
    "h0.csr.mstatus == 1",
    "csr.mhartid == 1",
    "csr.sip & 1",
  ],
  ...["csr.instret % 3 == 0", "privilege == user", "h1.privilege != user", "pid == 1", 'comm == "a"', "h0.comm ~ /b/"],
  ...[
    "console ~ /x/",
    "console ~ /yy/",
    "time > 20",
    "time == 30",
    "35 >= time",
    "time % 4 == 1",
    "instret > 9",
    "h1.instret <= 12",
  ],
  ...[
    "interrupt",
    "interrupt == timer",
    "trap",
    "trap == 1",
    "trap != 1",
    "syscall == 2",
    "trap + mem8(1) == 2",
    "mem8[trap] == 1",
  ],
]
/** The parts of this one are known together only where a hart has arrived, and change while it stays there. */
const staying = "h0.a0 == 7 || (trap != 1 || h1.mem8(2) != 0) && (2 == pc || trap)"
const predicateOf = (random: Random, depth: number): string => {
  if (depth === 0 || random.chance(15)) return random.pick(atoms)
  const part = () => `(${predicateOf(random, depth - 1)})`
  if (random.chance(20)) return `!${part()}`
  if (random.chance(8)) return `${part()} ${random.pick(["+", "==", "<", "*"])} ${part()}`
  return `${part()} ${random.pick(["&&", "||", "&&"])} ${part()}`
}

const ROUNDS = 1_500

/** Finds by asking at every moment, as the definition says, and by asking only when a trigger fires. */
const findsOf = (expression: Expression, seed: number, moments: number) => {
  const triggers = triggersOf(expression)
  const truth = compileTruth(expression)
  const machine = new SmallMachine(new Random(seed))
  const [asDefined, watching, always]: number[][] = [[], [], []]
  const before = new Map<number, boolean>()
  const lazy = { watching: new Map<number, boolean>(), always: new Map<number, boolean>() }
  let watch: readonly Trigger[] | null = null
  let looks = 0
  for (let now = 0; now < moments; now++) {
    if (now > 0) machine.step()
    const { context } = machine
    const holds = truth(context) === 1n
    if (triggers.kind === "events") {
      if (holds) asDefined!.push(now)
      if (triggers.events.some(event => machine.happened(event))) {
        looks++
        if (holds) for (const found of [watching, always]) found!.push(now)
      }
      continue
    }
    const whose = triggers.perHart ? context.hart : -1
    if (holds && !before.get(whose)) asDefined!.push(now)
    before.set(whose, holds)
    const look = (found: number[], known: Map<number, boolean>) => {
      if (holds && !known.get(whose)) found.push(now)
      known.set(whose, holds)
    }
    if (watch === null || watch.some(trigger => machine.fired(trigger))) {
      looks++
      look(watching!, lazy.watching)
      watch = triggers.watch(context)
    }
    if (now === 0 || triggers.all.some(trigger => machine.fired(trigger))) look(always!, lazy.always)
  }
  return { kind: triggers.kind, asDefined: asDefined!, watching: watching!, always: always!, looks }
}

test("asking when a trigger fires finds what asking at every moment finds", () => {
  const random = new Random(42)
  const seen = { events: 0, states: 0, finds: 0, looks: 0, moments: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const text = atoms[round] ?? (round % 50 === 0 ? staying : predicateOf(random, 1 + random.below(3)))
    const expression = parse(text)
    const { kind, asDefined, watching, always, looks } = findsOf(expression, round, 150)
    expect(watching, text).toEqual(asDefined)
    expect(always, text).toEqual(asDefined)
    seen[kind]++
    seen.finds += asDefined.length
    seen.looks += looks
    seen.moments += 150
  }
  expect(seen.events).toBeGreaterThan(ROUNDS * 0.1)
  expect(seen.states).toBeGreaterThan(ROUNDS * 0.5)
  expect(seen.finds).toBeGreaterThan(ROUNDS * 5)
  expect(seen.looks).toBeLessThan(seen.moments * 0.8)
})
