/** Checkpoints refer to what was loaded from contents of the world's file, and hold everything else. */
import BetterSqlite from "better-sqlite3"
import { Effect } from "effect"
import { expect, test } from "vitest"
import { WorldStore } from "../../src/events/index.ts"
import { machineOf } from "../../src/session/build-machine.ts"
import { loadedPages } from "../../src/session/loaded-pages.ts"
import { record } from "../../src/session/session.ts"
import { embedded, run, script, Watcher, withPath } from "./embedded.ts"

const close = { least: 2_000_000, perPage: 0, look: 1_000_000, patience: 0 }
/** Places from here on are in contents. */
const CONTENT_PLACES = 2 ** 26

const opened = (path: string) => Effect.flatMap(WorldStore, store => store.openReadOnly(path))

test("what is loaded is not saved again, and damage of it is found", async () => {
  await withPath(async path => {
    await run(record(path, embedded(), new Watcher(), { ...script("check\nexit 0\n"), checkpoints: close }))
    const referred = await run(
      Effect.gen(function* () {
        const world = yield* opened(path)
        const machine = yield* machineOf(world)
        const runs = loadedPages(machine, world.genesis)
        const kernel = world.genesis.machines[0].kernel!
        const bytes = yield* world.readBlob(kernel.hash)
        for (const { page, count, hash, contentPage } of runs) {
          expect(hash).toBe(kernel.hash)
          const inMemory = machine.core.ram.subarray(page * 4096, (page + count) * 4096)
          expect(Buffer.compare(inMemory, bytes.subarray(contentPage * 4096, (contentPage + count) * 4096))).toBe(0)
        }
        const [first] = yield* world.snapshots
        const memory = yield* world.snapshotMemory(first!.id)
        const pages = [...memory.indexes].filter(index => memory.places[index]! >= CONTENT_PLACES)
        for (const index of pages) {
          const of = runs.find(({ page, count }) => page <= index && index < page + count)!
          const at = (of.contentPage + index - of.page) * 4096
          expect(Buffer.compare(memory.read(index), bytes.subarray(at, at + 4096))).toBe(0)
        }
        yield* world.verifyContents
        return pages.length
      }),
    )
    expect(referred).toBeGreaterThan(0)
    const db = new BetterSqlite(path)
    for (const { rowid, data } of db
      .prepare<[], { rowid: number; data: Buffer }>("SELECT rowid, data FROM blob_chunk")
      .all()) {
      data[data.length - 1]! ^= 1
      db.prepare("UPDATE blob_chunk SET data = ? WHERE rowid = ?").run(data, rowid)
    }
    db.close()
    const read = Effect.gen(function* () {
      const world = yield* opened(path)
      const [first] = yield* world.snapshots
      const memory = yield* world.snapshotMemory(first!.id)
      for (const index of memory.indexes) memory.read(index)
    })
    const failed = await run(Effect.exit(read))
    expect(String(failed)).toMatch(/cannot be unpacked/)
  })
}, 60_000)
