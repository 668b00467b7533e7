/** Questions to a whole history, against a machine that is stepped through it and looked at after every instruction. */
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { type Debugger, openDebugger, search, writtenPredicate } from "../../src/debugger/index.ts"
import { comparePositions, type Position, type World, WorldStore } from "../../src/events/index.ts"
import { openSearchers } from "../../src/host/history-searchers.ts"
import type { Machine } from "../../src/machine/machine.ts"
import { createSnapshot, record } from "../../src/session/session.ts"
import { straightRun } from "../../tools/straight-run.ts"
import { embedded, run, script, Watcher, withPath } from "../session/embedded.ts"

const RAM_BASE = 0x8000_0000
const HARTS = 2
const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

/** What a machine looks like after an instruction of `hart`. */
type Look = (machine: Machine, hart: number) => void

/** Goes through a part of a history instruction by instruction. */
const stepThrough = (world: World, { from, to }: Range, begins: (machine: Machine) => void, look: Look) =>
  Effect.gen(function* () {
    let done = false
    // It is led astray there, and does not come to its end.
    yield* straightRun(world, [from], machine => {
      begins(machine)
      for (;;) {
        const { round, hart, instret } = machine.position
        if (comparePositions({ round, machine: 0, hart, instret }, to) >= 0) break
        const exit = machine.run(1)
        if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
        machine.takeTrace()
        if (machine.core.executed(hart) > instret) look(machine, hart)
      }
      done = true
    }).pipe(Effect.catchDefect(defect => (done ? Effect.void : Effect.die(defect))))
  })

interface Range {
  readonly from: Position
  readonly to: Position
}

/** Opens a recorded world, with a part of it that has a snapshot in the middle: two stretches. */
const withHistory = (body: (debug: Debugger, range: Range, path: string) => Effect.Effect<void, unknown, never>) =>
  withPath(async path => {
    await run(record(path, embedded({ harts: HARTS }), new Watcher(), script("exit 0\n")))
    const [, early, middle] = await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const batches = yield* world.readEvents({ kinds: ["batch"] }, 4)
        return batches.map(({ position }) => position)
      }),
    )
    for (const [name, position] of [
      ["early", early!],
      ["middle", middle!],
    ] as const)
      await run(createSnapshot(path, name, position))
    await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const debug = yield* openDebugger(world, breathe)
        const at = (round: number) =>
          Effect.map(debug.goTo({ round, machine: 0, hart: 0, instret: 0 }), stop => stop.position)
        const range = { from: yield* at(middle!.round - 3), to: yield* at(middle!.round + 3) }
        yield* body(debug, range, path) as Effect.Effect<void>
      }),
    )
  })

/** The moments at which `holds` comes true, as a machine that is stepped shows them. */
const momentsOf = (
  world: World,
  range: Range,
  isPerHart: boolean,
  holds: (machine: Machine, hart: number) => boolean,
) =>
  Effect.gen(function* () {
    const found: string[] = []
    const held: boolean[] = []
    const begins = (machine: Machine) => {
      for (let hart = 0; hart < HARTS; hart++) held.push(holds(machine, isPerHart ? hart : 0))
    }
    yield* stepThrough(world, range, begins, (machine, hart) => {
      const which = isPerHart ? hart : 0
      const now = holds(machine, hart)
      if (now && !held[which]) found.push(`${hart} ${machine.core.executed(hart)}`)
      held[which] = now
    })
    return found
  })

/** Without the round, which a position right at its end may tell in two ways. */
const short = ({ after, hart }: { readonly after: Position; readonly hart: number }) => `${hart} ${after.instret}`

describe("a predicate", () => {
  test("comes true where stepping shows it, by one thread and by several", async () => {
    await withHistory((debug, range, path) =>
      Effect.gen(function* () {
        yield* debug.goTo({ ...range.to, round: range.to.round - 2 })
        const { core } = debug.inspection.machine
        const sp = core.getBig(0, "x", 2) & ~7n
        const a5 = core.getBig(0, "x", 15)
        const offset = Number(sp) - RAM_BASE
        const word = (machine: Machine) =>
          new DataView(machine.core.ram.buffer, machine.core.ram.byteOffset + offset).getBigUint64(0, true)
        const value = word(debug.inspection.machine)
        const cases = [
          { text: `mem64(${sp}) == ${value}`, isPerHart: false, holds: (machine: Machine) => word(machine) === value },
          {
            text: `a5 == ${a5}`,
            isPerHart: true,
            holds: (machine: Machine, hart: number) => machine.core.getBig(hart, "x", 15) === a5,
          },
          {
            text: "csr.mcause != 0",
            isPerHart: true,
            holds: (machine: Machine, hart: number) => machine.core.getBig(hart, "mcause") !== 0n,
          },
        ]
        const searchers = openSearchers(path, { tier: "auto", regions: "/nonexistent" })
        try {
          for (const { text, isPerHart, holds } of cases) {
            const expected = yield* momentsOf(debug.world, range, isPerHart, holds)
            const predicate = yield* writtenPredicate(debug, text)
            const question = { places: [], predicate, prints: [], wanted: { keep: "all", max: 100_000 } } as const
            const alone = (yield* search(debug, question, range, null))!
            expect([text, alone.map(short).slice(0, 40)]).toEqual([text, expected.slice(0, 40)])
            expect(alone.length).toBe(expected.length)
            const together = (yield* search(debug, question, range, searchers))!
            expect(together.map(short)).toEqual(alone.map(short))
            for (const keep of ["first", "last"] as const) {
              const one = (yield* search(debug, { ...question, wanted: { keep } }, range, searchers))!
              expect(one.map(short)).toEqual(keep === "first" ? expected.slice(0, 1) : expected.slice(-1))
            }
          }
        } finally {
          yield* Effect.promise(searchers.close)
        }
      }),
    )
  }, 120_000)
})

describe("the last write", () => {
  test("is the last change that stepping shows, or a later write of the same value", async () => {
    await withHistory((debug, range, path) =>
      Effect.gen(function* () {
        // Words that are another at the end than at the beginning, and one that is not.
        yield* debug.goTo(range.from)
        const { core } = debug.inspection.machine
        const words = () => new BigUint64Array(core.ram.slice(0, 1 << 20).buffer)
        const before = words()
        yield* debug.goTo(range.to)
        const after = words()
        const changed = [...after.keys()].filter(at => after[at] !== before[at])
        const addresses = [0, 0.3, 0.7].map(part => RAM_BASE + 8 * changed[Math.floor(part * changed.length)]!)
        addresses.push(RAM_BASE + 8 * after.findIndex((word, at) => word === before[at]))
        const last = new Map<number, string>()
        const values = new Map<number, bigint>()
        const word = (machine: Machine, address: number) =>
          new DataView(machine.core.ram.buffer, machine.core.ram.byteOffset + address - RAM_BASE).getBigUint64(0, true)
        yield* stepThrough(
          debug.world,
          range,
          () => {},
          (machine, hart) => {
            for (const address of addresses) {
              const now = word(machine, address)
              if (values.has(address) && values.get(address) !== now)
                last.set(address, `${hart} ${machine.core.executed(hart)}`)
              values.set(address, now)
            }
          },
        )
        const searchers = openSearchers(path, { tier: "auto", regions: "/nonexistent" })
        try {
          for (const address of addresses) {
            const ask = (access: "write" | "change", threads: typeof searchers | null) =>
              search(
                debug,
                {
                  places: [{ kind: "watchpoint", space: "physical", address: BigInt(address), bytes: 8, access }],
                  predicate: null,
                  prints: [],
                  wanted: { keep: "last" },
                },
                range,
                threads,
              )
            const [change] = (yield* ask("change", null)) ?? []
            expect(change && short(change)).toEqual(last.get(address))
            const [write] = (yield* ask("write", searchers)) ?? []
            if (change) expect(comparePositions(write!.after, change.after)).toBeGreaterThanOrEqual(0)
          }
          expect(last.size).toBeGreaterThan(0)
        } finally {
          yield* Effect.promise(searchers.close)
        }
      }),
    )
  }, 120_000)
})
