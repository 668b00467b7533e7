/** Stretches of a history that a search passes over hold nothing of what is sought: the answers are those of a search through all. */
import { Effect } from "effect"
import { expect, test } from "vitest"
import { type Debugger, openDebugger, search, writtenPredicate } from "../../src/debugger/index.ts"
import type { Question, Searchers } from "../../src/debugger/search/question.ts"
import { searchStretch } from "../../src/debugger/search/search-stretch.ts"
import { type World, WorldStore } from "../../src/events/index.ts"
import { record } from "../../src/session/session.ts"
import { compareWithMarks } from "../../tools/brute-force/unmarked-lines.ts"
import { embedded, run, script, Watcher, withPath } from "../session/embedded.ts"

const RAM_BASE = 0x8000_0000
const WORDS = 24
const close = { least: 2_000_000, perPage: 0, look: 1_000_000, patience: 0 }
const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

/** Looks at stretches here, and counts them. */
const counting = (debug: Debugger): Searchers & { looked: number } => {
  const searchers = {
    looked: 0,
    width: 1,
    search: (question: Question, stretch: Parameters<typeof searchStretch>[2]) => {
      searchers.looked++
      const found = Effect.runPromise(Effect.map(searchStretch(debug, question, stretch), findings => findings ?? []))
      return { found, stop: () => {} }
    },
  }
  return searchers
}

const last = { prints: [], predicate: null, wanted: { keep: "last" } } as const
const lastWriteOf = (address: number): Question => ({
  ...last,
  places: [{ kind: "watchpoint", space: "physical", address: BigInt(address), bytes: 8, access: "write" }],
})

/** Words that change in the course of a history, spread over memory, and some that do not. */
const wordsOf = (debug: Debugger) =>
  Effect.gen(function* () {
    const words = () => new BigUint64Array(debug.inspection.machine.core.ram.slice(0, 4 << 20).buffer)
    yield* debug.goTo(debug.timeline.begin)
    const before = words()
    yield* debug.goTo(debug.timeline.end)
    const after = words()
    const changed = [...after.keys()].filter(at => after[at] !== before[at])
    const quiet = [...after.keys()].filter(at => after[at] === before[at])
    const some = (list: readonly number[]) =>
      Array.from({ length: WORDS / 2 }, (_, order) => list[Math.floor((list.length * (order + 0.5) * 2) / WORDS)]!)
    return [...some(changed), ...some(quiet)].map(at => RAM_BASE + at * 8)
  })

test("a search that passes over what was not written finds what one through all finds", async () => {
  await withPath(async path => {
    await run(
      record(path, embedded({ harts: 2 }), new Watcher(), { ...script("disk\ncheck\nexit 0\n"), checkpoints: close }),
    )
    await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const { pairs, changed, marked, unmarked } = yield* compareWithMarks(world)
        expect(unmarked).toEqual([])
        expect(pairs).toBeGreaterThan(5)
        expect(changed).toBeGreaterThan(pairs)
        expect(marked).toBeLessThan(20 * changed)
        const ignorant: World = { ...world, writtenSpans: Effect.succeed([]) }
        const [knowing, plain] = [yield* openDebugger(world, breathe), yield* openDebugger(ignorant, breathe)]
        const [few, all] = [counting(knowing), counting(plain)]
        const range = { from: knowing.timeline.begin, to: knowing.timeline.end }
        const ask = (question: Question) =>
          Effect.gen(function* () {
            const found = yield* search(knowing, question, range, few)
            expect(found).toEqual(yield* search(plain, question, range, all))
            return found!.length
          })
        const addresses = yield* wordsOf(knowing)
        let written = 0
        for (const address of addresses) written += yield* ask(lastWriteOf(address))
        expect(written).toBeGreaterThan(WORDS / 3)
        expect(written).toBeLessThan(WORDS)
        expect(few.looked).toBeLessThan(all.looked)
        for (const address of addresses.slice(0, 3))
          for (const keep of ["first", "last"] as const) {
            const predicate = yield* writtenPredicate(knowing, `phys64(${address}) > 0`)
            yield* ask({ places: [], predicate, prints: [], wanted: { keep } })
          }
      }),
    )
  })
}, 240_000)
