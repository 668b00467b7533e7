import { Effect } from "effect"
import { expect, test } from "vitest"
import { type Position, WorldStore } from "../../src/events/index.ts"
import { openSearchers } from "../../src/host/history-searchers.ts"
import { record } from "../../src/session/session.ts"
import { embedded, run, script, Watcher, withPath } from "../session/embedded.ts"

const begin: Position = { round: 0, machine: 0, hart: 0, instret: 0 }
const everyWrite = {
  places: [{ kind: "watchpoint", space: "physical", address: 0x8000_9000n, bytes: 1024, access: "write" }],
  predicate: null,
  prints: [],
  wanted: { keep: "all", max: 1_000_000_000 },
} as const

test("threads end whatever they are at", { timeout: 60_000 }, async () => {
  await withPath(async path => {
    await run(record(path, embedded({ harts: 2 }), new Watcher(), script("exit 0\n")))
    const end = await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const events = yield* world.readEvents({ kinds: ["batch"] }, 1_000_000)
        return events.at(-1)!.position
      }),
    )
    for (const delay of [0, 20, 200, 600, 1500]) {
      const searchers = openSearchers(path, { tier: "auto", regions: "/nonexistent" })
      const { found } = searchers.search(everyWrite, { from: begin, to: end }, () => {})
      void found.catch(() => {})
      await new Promise(resolve => setTimeout(resolve, delay))
      await searchers.close()
      await searchers.close()
    }
    const elsewhere = openSearchers(`${path}.nowhere`, { tier: "auto", regions: "/nonexistent" })
    await expect(elsewhere.search(everyWrite, { from: begin, to: end }, () => {}).found).rejects.toThrow(/no world/i)
    await elsewhere.close()
  })
})
