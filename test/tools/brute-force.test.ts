/** The machine that is looked at after every instruction, over the embedded guest's history on two harts. */
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { openDebugger, search } from "../../src/debugger/index.ts"
import { formatPosition, WorldStore } from "../../src/events/index.ts"
import { RAM_BASE } from "../../src/hart/layout.ts"
import { elfSymbol, readElf } from "../../src/machine/elf.ts"
import { record } from "../../src/session/session.ts"
import { Tier } from "../../src/session/tier.ts"
import { storeOf } from "../../tools/brute-force/store.ts"
import { testify } from "../../tools/brute-force/witness.ts"
import type { Word } from "../../tools/brute-force/words.ts"
import { positionsAfter, straightRun } from "../../tools/straight-run.ts"
import { embedded, run, script, Watcher, withPath } from "../session/embedded.ts"

const elf = readElf(readFileSync(new URL("../../scenarios/guests/embedded/embedded.elf", import.meta.url)))
if (!elf.ok) throw new Error("the embedded guest is no ELF file")

/** The word of memory that a variable lies in. */
const wordOf = (name: string): Word => {
  const address = elfSymbol(elf.file, name)!.value & ~7n
  return { name, address, offset: Number(address) - RAM_BASE, sort: "often changed", values: [] }
}

const recorded = (body: (path: string) => Promise<void>) =>
  withPath(async path => {
    await run(record(path, embedded({ harts: 2, bootargs: "auto" }), new Watcher(), script("")))
    await body(path)
  })

const opened = (path: string) => Effect.flatMap(WorldStore, store => store.openReadOnly(path))

describe("a store", () => {
  it.each([
    [0x00f83023, "sd a5, 0(a6)", { base: 16, offset: 0, bytes: 8, length: 4, failed: null }],
    [0xabcd_e114, "c.sd a3, 0(a0)", { base: 10, offset: 0, bytes: 8, length: 2, failed: null }],
    [0xfe02, "c.sdsp zero, 312(sp)", { base: 2, offset: 312, bytes: 8, length: 2, failed: null }],
    [0xfea42623, "sw a0, -20(s0)", { base: 8, offset: -20, bytes: 4, length: 4, failed: null }],
    [0x0ed6b02f, "amoswap.d.aqrl zero, a3, (a3)", { base: 13, offset: 0, bytes: 8, length: 4, failed: null }],
    [0x18c6a6af, "sc.w a3, a2, (a3)", { base: 13, offset: 0, bytes: 4, length: 4, failed: 13 }],
  ])("is read off %i", (bits, text, store) => {
    expect(storeOf(bits)).toEqual({ text, ...store })
  })

  it.each([0x97ba, 0x1000b52f, 0x0000a503, 0xe42a_97ba])("is none in %i", bits => {
    expect(storeOf(bits)).toBe(null)
  })
})

describe("the witness", () => {
  it("sees the writes that a search finds", { timeout: 60_000 }, () =>
    recorded(path =>
      run(
        Effect.gen(function* () {
          const world = yield* opened(path)
          const words = [wordOf("finished"), wordOf("pushed"), wordOf("hart_count"), wordOf("main")]
          const testimony = yield* Effect.provideService(testify(world, words, []), Tier, null)
          const debug = yield* openDebugger(world, Effect.void)
          for (const word of words) {
            const place = { kind: "watchpoint", space: "physical", address: word.address, bytes: 8 } as const
            const find = (access: "write" | "change") =>
              search(
                debug,
                { places: [{ ...place, access }], predicate: null, prints: [], wanted: { keep: "all", max: 100_000 } },
                { from: debug.timeline.begin, to: debug.timeline.end },
                null,
              )
            const story = testimony.words.get(word)!
            const [writes, changes] = [(yield* find("write"))!, (yield* find("change"))!]
            const last = writes.at(-1)
            expect([word.name, story.changes]).toEqual([word.name, changes.length])
            expect(story.lastWrite?.before).toBe(last && formatPosition(last.before))
            expect([story.lastWrite?.was, story.lastWrite?.value]).toEqual(
              [last?.was, last?.is].map(v => v ?? undefined),
            )
          }
          expect(testimony.words.get(words[0]!)!.changes).toBeGreaterThan(40)
          expect(testimony.words.get(words[3]!)!.lastWrite).toBe(null)
        }),
      ),
    ),
  )
})

describe("a run straight forward", () => {
  it("tells where so many instructions have been executed", { timeout: 60_000 }, () =>
    recorded(path =>
      run(
        Effect.gen(function* () {
          const world = yield* opened(path)
          const counts = [1_234_567, 0, 2_000_000, 500_001]
          const positions = yield* positionsAfter(world, counts)
          const executed: number[] = []
          yield* straightRun(world, positions, machine => executed.push(machine.executed))
          expect(executed).toEqual(counts.toSorted((a, b) => a - b))
        }),
      ),
    ),
  )
})
