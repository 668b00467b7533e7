/** A process that records into a world until it is killed: `node recorder.ts create|open|hold PATH`. Tells what is durable, a line each. */
import { Effect } from "effect"
import { WorldStore } from "../../src/events/index.ts"
import { appendBatch, genesis } from "./fixture.ts"

const [mode, path] = process.argv.slice(2) as [string, string]

const record = Effect.gen(function* () {
  const store = yield* WorldStore
  const { log } = yield* mode === "create" ? store.create(path, genesis) : store.open(path)
  console.log("recording")
  if (mode === "hold") return yield* Effect.never
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
