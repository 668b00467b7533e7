/** Writes by the ten thousand: what each of them changed, and the last of them, which is looked for from the end backward. */
import { Effect } from "effect"
import { expect, test } from "vitest"
import { openDebugger, search } from "../../src/debugger/index.ts"
import type { Finding, Wanted } from "../../src/debugger/search/question.ts"
import { comparePositions, type Position, WorldStore } from "../../src/events/index.ts"
import { record } from "../../src/session/session.ts"
import { embedded, run, script, Watcher, withPath } from "../session/embedded.ts"

const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))
const RAM_BASE = 0x8000_0000n
/** The upper end of a hart's stack. */
const STACK = { address: RAM_BASE + 0x5620n + 16_384n - 1024n, bytes: 1024 }
/** Before which of all that is met the last is asked for. */
const ORDERS = [29_999, 20_001, 9_000, 2500, 600, 1]

/** The first finding whose value before is not what the writes before have left. */
const firstThatDiffers = (findings: readonly Finding[]): Finding | undefined => {
  const memory = Buffer.alloc(STACK.bytes)
  return findings.find(({ part, was, is }) => {
    const bytes = memory.subarray(part!.offset, part!.offset + part!.bytes)
    const before = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`)
    bytes.set(Buffer.from(is!.toString(16).padStart(part!.bytes * 2, "0"), "hex").reverse())
    return before !== was
  })
}

test("are told of with what they changed, and the last is the last of all", async () => {
  await withPath(async path => {
    await run(record(path, embedded({ harts: 2 }), new Watcher(), script("exit 0\n")))
    await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const debug = yield* openDebugger(world, breathe)
        const watchpoint = { kind: "watchpoint", space: "physical", access: "write", ...STACK } as const
        const watched = { places: [watchpoint], predicate: null, prints: [] }
        const ask = (to: Position, wanted: Wanted) =>
          Effect.map(search(debug, { ...watched, wanted }, { from: debug.timeline.begin, to }, null), found => found!)
        const all = yield* ask(debug.timeline.end, { keep: "all", max: 30_000 })
        expect(all).toHaveLength(30_000)
        expect(firstThatDiffers(all)).toBeUndefined()
        expect(new Set(all.map(({ part }) => part!.offset)).size).toBeGreaterThan(10)
        for (const order of ORDERS) {
          const to = all[order]!.before
          const before = all.filter(finding => comparePositions(finding.before, to) < 0)
          expect(yield* ask(to, { keep: "last" })).toEqual(before.slice(-1))
        }
      }),
    )
  })
}, 240_000)
