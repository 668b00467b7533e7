/** The parts that do the work, loaded when a command needs them: `cv --help` needs none. */

import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Misused } from "./failure.ts"
import { home, Tier } from "./settings.ts"

export const sessions = Effect.promise(() => import("../session/session.ts"))
/** Apart from sessions: forking needs no machine. */
export const forks = Effect.promise(() => import("../session/fork.ts"))
export const events = Effect.promise(() => import("../events/index.ts"))
export const conditions = Effect.promise(() => import("../session/condition.ts"))
export const images = Effect.promise(() => import("../host/images/index.ts"))

/** Has machines that an effect builds execute as `--tier` says. */
export const withTier = Effect.fnUntraced(function* <A, E, R>(effect: Effect.Effect<A, E, R>) {
  const name = yield* Tier
  const tier = yield* Effect.promise(() => import("../session/tier.ts"))
  const policy = tier.policyNamed(name)
  if (policy === undefined)
    return yield* new Misused({
      problem: `"${name}" is no tier; give --tier auto, interpreter, translator, or a number to draw thresholds by.`,
    })
  const tiered = Effect.provideService(effect, tier.Tier, policy)
  // Thresholds for tests are meant to meet the same moments each time.
  if (name !== "auto") return yield* tiered
  const { keptFile, compilingThread, threadCompiler } = yield* Effect.promise(
    () => import("../host/region-compilers.ts"),
  )
  compilingThread()
  const directory = join(yield* home, "cache", "regions")
  return yield* Effect.provideService(tiered, tier.Compiler, ({ machines: [{ firmware, kernel, initrd }] }) =>
    threadCompiler(keptFile(directory, [firmware, kernel, initrd])),
  )
})

/** Provides the WorldStore. */
export const worldStore = Layer.unwrap(Effect.map(events, ({ WorldStore }) => WorldStore.layer))

/** Provides the ImageStore of the home directory. */
export const imageStore = Layer.unwrap(
  Effect.map(Effect.all([home, images]), ([directory, { ImageStore }]) => ImageStore.layer(directory)),
)
