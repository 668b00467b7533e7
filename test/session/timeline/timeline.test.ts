/** Going about in a history: wherever one comes from, the machine is as a run straight to the place has it. */
import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { formatPosition, type Position, WorldStore } from "../../../src/events/index.ts"
import {
  defaultPolicy,
  eagerPolicy,
  randomPolicy,
  type TranslationPolicy,
} from "../../../src/hart/translator/policy.ts"
import { hex } from "../../../src/machine/digest.ts"
import { nothingObserved } from "../../../src/machine/machine.ts"
import { record } from "../../../src/session/session.ts"
import { Tier } from "../../../src/session/tier.ts"
import { openTimeline } from "../../../src/session/timeline/timeline.ts"
import { embedded, run, script, Watcher, withPath } from "../embedded.ts"
import { straightDigests, straightRun } from "./straight-run.ts"

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

describe("what is met on the way", () => {
  test.each([1, 4])(
    "is all that a machine meets that stops after every instruction, with %i harts",
    async harts => {
      await recorded(harts, async path => {
        await run(
          Effect.gen(function* () {
            const world = yield* (yield* WorldStore).openReadOnly(path)
            const timeline = yield* openTimeline(world, breathe)
            const events = yield* world.readEvents({}, 100_000)
            const last = events.at(-1)!.position
            const start = events[Math.floor(events.length / 3)]!.position
            yield* timeline.seek(start)
            const { core } = timeline.machine
            const sp = core.getBig(start.hart, "x", 2)
            // A place that is come to again and again, and its stack.
            for (let step = 0; step < 40; step++) yield* timeline.stepHart(start.hart)
            const pc = core.getBig(start.hart, "pc")
            const until = {
              ...last,
              round: Math.min(last.round, start.round + (harts === 1 ? 1 : 12)),
              hart: 0,
              instret: 0,
            }
            const met: string[] = []
            yield* timeline.seek(start)
            const observation = {
              ...nothingObserved,
              breakpoints: [pc],
              memory: [{ space: "physical" as const, address: sp & ~15n, bytes: 16, reads: false, writes: true }],
            }
            for (;;) {
              const journey = yield* timeline.goOn({ observation }, {}, until)
              if (journey.kind !== "found") break
              const { sighting, before, after } = journey.found
              if (sighting.kind === "breakpoint") met.push(`${formatPosition(before)} pc`)
              else met.push(`${formatPosition(after)} ${sighting.kind}`)
            }
            // The same by single steps of all harts.
            const expected: string[] = []
            yield* timeline.seek(start)
            const watched = () =>
              Buffer.from(core.ram.slice(Number((sp & ~15n) - 0x8000_0000n)).subarray(0, 16)).toString("hex")
            let value = watched()
            const changes: string[] = []
            yield* straightRun(world, [start], machine => {
              const at = (hart: number) => ({ ...machine.position, machine: 0, hart })
              for (;;) {
                const before = machine.position
                const hart = before.hart
                if (before.round >= until.round) break
                if (machine.core.getBig(hart, "pc") === pc && machine.core.executed(hart) === before.instret) {
                  const candidate = `${formatPosition(at(hart))} pc`
                  const executed = machine.core.executed(hart)
                  const exit = machine.run(1)
                  if (machine.core.executed(hart) > executed && machine.position.round === before.round)
                    expected.push(candidate)
                  else if (machine.core.executed(hart) > executed) expected.push(candidate)
                  if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
                } else {
                  const exit = machine.run(1)
                  if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
                }
                const now = Buffer.from(
                  machine.core.ram.slice(Number((sp & ~15n) - 0x8000_0000n)).subarray(0, 16),
                ).toString("hex")
                if (now !== value)
                  changes.push(
                    formatPosition({ ...at(hart), instret: machine.core.executed(hart), round: before.round }),
                  )
                value = now
              }
            })
            const breaks = (list: readonly string[]) => list.filter(text => text.endsWith("pc"))
            expect(breaks(met).length).toBeGreaterThan(0)
            expect(breaks(met)).toEqual(expected.filter(text => text !== `${formatPosition(start)} pc`))
            // Writes that change nothing are met too: each change is among them.
            const writes = new Set(met.filter(text => text.endsWith("write")).map(text => text.split(" ")[0]))
            for (const change of changes) expect([change, writes.has(change)]).toEqual([change, true])
            expect(changes.length).toBeGreaterThan(0)
          }),
        )
      })
    },
    120_000,
  )
})
