/** Going about in a history: wherever one comes from, the machine is as a run straight to the place has it. */
import BetterSqlite from "better-sqlite3"
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { comparePositions, formatPosition, type Position, WorldStore } from "../../../src/events/index.ts"
import { RAM_BASE } from "../../../src/hart/layout.ts"
import {
  defaultPolicy,
  eagerPolicy,
  randomPolicy,
  type TranslationPolicy,
} from "../../../src/hart/translator/policy.ts"
import { hex } from "../../../src/machine/digest.ts"
import { type Machine, nothingObserved } from "../../../src/machine/machine.ts"
import { record } from "../../../src/session/session.ts"
import { Tier } from "../../../src/session/tier.ts"
import { openTimeline } from "../../../src/session/timeline/timeline.ts"
import { straightDigests, straightRun } from "../../../tools/straight-run.ts"
import { embedded, run, script, Watcher, withPath } from "../embedded.ts"

const INPUT = "disk\ntime\nhelp\ncheck\nexit 0\n"

const chance = (seed: number) => {
  let state = seed
  return (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return Math.floor((state / 0x8000_0000) * below)
  }
}

const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

const recorded = (harts: number, body: (path: string) => Promise<void>) =>
  withPath(async path => {
    await run(record(path, embedded({ harts }), new Watcher(), script(INPUT)))
    await body(path)
  })

/** A walk of random moves through a history; where it came to and the digest there, after each. */
const walk = (path: string, harts: number, seed: number, tier: TranslationPolicy | null) =>
  run(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).openReadOnly(path)
      const timeline = yield* openTimeline(world, breathe)
      const events = yield* world.readEvents({}, 100_000)
      const pick = chance(seed)
      const visited: { readonly position: Position; readonly digest: string }[] = []
      const pcs: bigint[] = []
      for (let move = 0; move < 24; move++) {
        const { machine } = timeline
        const hart = pick(harts)
        const count = 1 + pick([1, 10, 1000, 100_000][pick(4)]!)
        const kind = pick(7)
        if (kind === 0) yield* timeline.seek(events[pick(events.length)]!.position)
        else if (kind === 1) {
          // Somewhere inside a round.
          const { position } = events[pick(events.length)]!
          yield* timeline.seek({ ...position, instret: Math.max(0, position.instret - pick(5000)) })
        } else if (kind === 2) yield* timeline.stepHart(hart, count)
        else if (kind === 3) yield* timeline.stepHartBack(hart, Math.min(count, machine.core.executed(hart)))
        else {
          const address = pcs[pick(pcs.length)] ?? 0x8000_0000n
          const sp = machine.core.getBig(hart, "x", 2)
          const observation =
            kind === 4
              ? { ...nothingObserved, breakpoints: [address] }
              : kind === 5
                ? {
                    ...nothingObserved,
                    memory: [{ space: "virtual" as const, address: sp, bytes: 16, reads: pick(2) === 0, writes: true }],
                  }
                : { ...nothingObserved, interrupts: true, exceptions: pick(2) === 0 }
          if (pick(2) === 0) yield* timeline.goOn({ observation })
          else yield* timeline.goBack({ observation })
        }
        pcs.push(machine.core.getBig(timeline.position.hart, "pc"))
        visited.push({ position: timeline.position, digest: hex(machine.digest()) })
      }
      const straight = yield* straightDigests(
        world,
        visited.map(({ position }) => position),
      )
      return visited.map(({ position, digest }) => ({
        position: formatPosition(position),
        digest,
        expected: straight.get(formatPosition(position)),
      }))
    }).pipe(Effect.provideService(Tier, tier)),
  )

const tiers: readonly (readonly [string, TranslationPolicy | null])[] = [
  ["the interpreter", null],
  ["the translator", eagerPolicy()],
  ["both", defaultPolicy],
  ["chance", randomPolicy(7)],
]

describe.each([1, 4])("a random walk with %i harts ends in the state a straight run has", harts => {
  test.each(tiers)(
    "by %s, from two seeds, twice the same",
    async (_, tier) => {
      await recorded(harts, async path => {
        for (const seed of [harts, harts + 100]) {
          const visited = await walk(path, harts, seed, tier)
          for (const { position, digest, expected } of visited) expect([position, digest]).toEqual([position, expected])
          expect(await walk(path, harts, seed, tier)).toEqual(visited)
        }
      })
    },
    120_000,
  )
})

const WATCHED_BYTES = 16

/** What is met between two positions by a machine that is looked at before and after every instruction. */
const metStepByStep = (machine: Machine, until: Position, pc: bigint, address: number) => {
  const { core } = machine
  const watched = () =>
    Buffer.from(core.ram.subarray(address - RAM_BASE, address - RAM_BASE + WATCHED_BYTES)).toString("hex")
  const arrivals: string[] = []
  const changes: string[] = []
  let value = watched()
  for (;;) {
    const { round, hart, instret } = machine.position
    if (comparePositions({ round, machine: 0, hart, instret }, until) >= 0) return { arrivals, changes }
    const isThere = core.getBig(hart, "pc") === pc
    const exit = machine.run(1)
    if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
    if (core.executed(hart) === instret) continue
    if (isThere) arrivals.push(formatPosition({ round, machine: 0, hart, instret }))
    const now = watched()
    if (now !== value) changes.push(formatPosition({ round, machine: 0, hart, instret: instret + 1 }))
    value = now
  }
}

describe("what is met on the way", () => {
  test.each([1, 4])(
    "is all that a machine meets that stops after every instruction, with %i harts",
    async harts => {
      await recorded(harts, path =>
        run(
          Effect.gen(function* () {
            const world = yield* (yield* WorldStore).openReadOnly(path)
            const timeline = yield* openTimeline(world, breathe)
            const events = yield* world.readEvents({}, 100_000)
            const start = events[Math.floor(events.length / 3)]!.position
            const until =
              harts === 1 ? { ...start, instret: start.instret + 60_000 } : { ...start, round: start.round + 2 }
            yield* timeline.seek(start)
            const { core } = timeline.machine
            const address = Number(core.getBig(start.hart, "x", 2) & ~15n)
            // A place that is come to again and again.
            yield* timeline.stepHart(start.hart, 40)
            const pc = core.getBig(start.hart, "pc")
            yield* timeline.seek(start)
            const moment = timeline.moments.findLast(({ position }) => comparePositions(position, start) < 0)!
            const memory = {
              space: "physical" as const,
              address: BigInt(address),
              bytes: WATCHED_BYTES,
              reads: false,
              writes: true,
            }
            const arrivals: string[] = []
            const writes = new Set<string>()
            yield* timeline.scan(
              moment,
              until,
              { observation: { ...nothingObserved, breakpoints: [pc], memory: [memory] } },
              ({ sighting, before, after }) => {
                if (comparePositions(before, start) < 0) return false
                if (sighting?.kind === "breakpoint") arrivals.push(formatPosition(before))
                else writes.add(formatPosition(after))
                return false
              },
            )
            let done = false
            // It is led astray there, and does not come to its end.
            yield* straightRun(world, [start], machine => {
              const expected = metStepByStep(machine, until, pc, address)
              expect(expected.arrivals.length).toBeGreaterThan(1)
              expect(arrivals).toEqual(expected.arrivals)
              // Writes that change nothing are met too.
              for (const change of expected.changes) expect([change, writes.has(change)]).toEqual([change, true])
              done = true
            }).pipe(Effect.catchDefect(defect => (done ? Effect.void : Effect.die(defect))))
          }),
        ),
      )
    },
    60_000,
  )
})

test("whoever goes to a place behind damage stands where he stood", async () => {
  await recorded(1, path =>
    run(
      Effect.gen(function* () {
        const store = yield* WorldStore
        const batches = yield* (yield* store.openReadOnly(path)).readEvents({ kinds: ["batch"] }, 100_000)
        const [here, there, damaged] = [2, -1, -3].map(at => batches.at(at)!)
        const db = new BetterSqlite(path)
        db.prepare("UPDATE event SET payload = x'ff' WHERE seq = ?").run(damaged!.seq)
        db.close()
        const timeline = yield* openTimeline(yield* store.openReadOnly(path), breathe)
        yield* timeline.seek(here!.position)
        const state = () => [
          formatPosition({ ...timeline.machine.position, machine: 0 }),
          hex(timeline.machine.digest()),
        ]
        const before = state()
        expect((yield* Effect.flip(timeline.seek(there!.position)))._tag).toBe("MalformedPayload")
        expect([formatPosition(timeline.position), state()]).toEqual([formatPosition(here!.position), before])
      }),
    ),
  )
}, 60_000)
