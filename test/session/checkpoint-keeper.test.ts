/** Checkpoints kept while recording: the history is the same with them, and anywhere in it is near. */
import { Effect } from "effect"
import { expect, test } from "vitest"
import { WorldStore } from "../../src/events/index.ts"
import { hex } from "../../src/machine/digest.ts"
import { record, replay } from "../../src/session/session.ts"
import { openTimeline } from "../../src/session/timeline/timeline.ts"
import { straightDigests } from "../../tools/straight-run.ts"
import { embedded, run, script, Watcher, withPath } from "./embedded.ts"

const INPUT = "disk\ncheck\nexit 0\n"
const close = { least: 1_000_000, perPage: 0, look: 1_000_000, patience: 0 }
const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))

const recorded = (path: string, checkpoints: typeof close | null) =>
  run(record(path, embedded(), new Watcher(), { ...script(INPUT), ...(checkpoints === null ? {} : { checkpoints }) }))

const opened = (path: string) => Effect.flatMap(WorldStore, store => store.openReadOnly(path))

test("the log is the same with checkpoints and without", async () => {
  await withPath(async path => {
    const withCheckpoints = await recorded(path, close)
    const head = await run(Effect.flatMap(opened(path), world => world.head))
    await withPath(async other => {
      const without = await recorded(other, null)
      expect(without.digest).toBe(withCheckpoints.digest)
      const plain = await run(Effect.flatMap(opened(other), world => world.head))
      expect([plain.seq, hex(plain.digest)]).toEqual([head.seq, hex(head.digest)])
    })
    await run(Effect.flatMap(opened(path), world => world.verifyContents))
    expect((await run(replay(path))).digest).toBe(withCheckpoints.digest)
  })
}, 60_000)

test("each is where a straight run gets", async () => {
  await withPath(async path => {
    await recorded(path, close)
    await run(
      Effect.gen(function* () {
        const world = yield* opened(path)
        const snapshots = yield* world.snapshots
        expect(snapshots.length).toBeGreaterThan(8)
        expect(snapshots.every(({ name }) => name === null)).toBe(true)
        const timeline = yield* openTimeline(world, breathe)
        const kept = timeline.keptMoments
        const straight = yield* straightDigests(
          world,
          kept.map(({ position }) => position),
        )
        expect(kept.length).toBe(snapshots.length + 1)
        const digests: string[] = []
        for (const { position } of kept.toReversed()) {
          yield* timeline.seek(position)
          digests.push(hex(timeline.machine.digest()))
        }
        expect(digests.toReversed()).toEqual([...straight.values()])
      }),
    )
  })
}, 60_000)
