/** A process that records into a world until it is killed: `node recorder.ts create|open|hold|snapshots PATH`. Tells what is durable, a line each. */
import { Effect } from "effect"
import { type RecordingWorld, type SnapshotUnderWay, WorldStore } from "../../src/events/index.ts"
import { appendBatch, at, genesis, snapshotPages } from "./fixture.ts"

const [mode, path] = process.argv.slice(2) as [string, string]

/** Snapshot after snapshot, each begun before the one before is durable. */
const takeSnapshots = (world: RecordingWorld) =>
  Effect.gen(function* () {
    const { log } = world
    const first = (yield* world.snapshots).at(-1)
    let parent: SnapshotUnderWay | number | null = first?.id ?? null
    for (let number = (first?.id ?? 0) + 1; ; number++) {
      const seq = appendBatch(log, log.nextSeq)
      const before: SnapshotUnderWay | number | null = parent
      const begun: SnapshotUnderWay = yield* world.beginSnapshot({
        name: `s${number}`,
        seq,
        position: at(seq),
        virtualNs: 0,
        digest: new Uint8Array(16),
        state: new Uint8Array(100).fill(number),
        pageCount: 4096,
        parent,
        pages: snapshotPages(number),
      })
      parent = begun
      if (typeof before !== "object" || before === null) continue
      const { name } = yield* before.durable
      console.log(name)
    }
  })

const record = Effect.gen(function* () {
  const store = yield* WorldStore
  const world = yield* mode === "create" ? store.create(path, genesis) : store.open(path)
  const { log } = world
  console.log("recording")
  if (mode === "hold") {
    // What nothing refers to is to be collected at once, if the process may ask for that.
    setInterval(() => globalThis.gc?.(), 20)
    return yield* Effect.never
  }
  if (mode === "snapshots") return yield* takeSnapshots(world)
  for (let round = log.nextSeq; ; round++) {
    appendBatch(log, round)
    if (round % 200 !== 0) continue
    console.log(String(log.durableSeq))
    yield* Effect.sleep(1)
  }
})

await Effect.runPromise(Effect.scoped(record).pipe(Effect.provide(WorldStore.layer))).catch(error => {
  console.log(error._tag)
  process.exit(1)
})
