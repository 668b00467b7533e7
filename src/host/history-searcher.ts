/** A thread that looks at stretches of a world's history. */
import { parentPort, workerData } from "node:worker_threads"
import { Effect } from "effect"
import { openDebugger } from "../debugger/debugger.ts"
import { searchStretch } from "../debugger/search/search-stretch.ts"
import { WorldStore } from "../events/index.ts"
import { Compiler, policyNamed, Tier } from "../session/tier.ts"
import type { SearcherData, SearchReply, SearchRequest } from "./history-searchers.ts"
import { keptFile, threadCompiler } from "./region-compilers.ts"

const { path, tier, regions, compiler, stop } = workerData as SearcherData
const port = parentPort!
const say = (reply: SearchReply) => port.postMessage(reply)
const breathe = Effect.callback<void>(resume => {
  setImmediate(() => resume(Effect.void))
})

const opened = Effect.gen(function* () {
  const store = yield* WorldStore
  const world = yield* store.openReadOnly(path, { holdsSnapshots: true })
  return yield* openDebugger(world, breathe, { knowsGuest: false, isLoaded: false })
}).pipe(
  Effect.provideService(Tier, policyNamed(tier) ?? null),
  tier === "auto"
    ? Effect.provideService(Compiler, ({ machines: [{ firmware, kernel, initrd }] }) =>
        threadCompiler(keptFile(regions, [firmware, kernel, initrd]), compiler),
      )
    : effect => effect,
)

const serve = Effect.gen(function* () {
  const debug = yield* opened
  const requests = (request: SearchRequest) =>
    Effect.gen(function* () {
      const found = yield* searchStretch(debug, request.question, request.stretch, {
        progress: progress => say({ progress }),
        isCancelled: () => Atomics.load(stop, 0) === 1,
      })
      say({ found: found ?? [] })
    })
  yield* Effect.callback<never>(() => {
    let last = Promise.resolve()
    port.on("message", (request: SearchRequest | "end") => {
      last = last.then(() =>
        // Here alone: a thread that is ended in the middle of something takes the process along where it unpacks.
        request === "end"
          ? process.exit(0)
          : Effect.runPromise(requests(request)).catch(cause =>
              say({ problem: cause instanceof Error ? cause.message : String(cause) }),
            ),
      )
    })
  })
})

Effect.runPromise(Effect.scoped(serve).pipe(Effect.provide(WorldStore.layer))).catch(cause => {
  say({ problem: cause instanceof Error ? cause.message : String(cause) })
  port.on("message", (request: SearchRequest | "end") => request === "end" && process.exit(0))
})
