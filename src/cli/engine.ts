/** The parts that do the work, loaded when a command needs them: `cv --help` needs none. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { home } from "./settings.ts"

export const sessions = Effect.promise(() => import("../session/session.ts"))
export const events = Effect.promise(() => import("../events/index.ts"))
export const conditions = Effect.promise(() => import("../session/condition.ts"))
export const images = Effect.promise(() => import("../host/images/index.ts"))

/** Provides the WorldStore. */
export const worldStore = Layer.unwrap(Effect.map(events, ({ WorldStore }) => WorldStore.layer))

/** Provides the ImageStore of the home directory. */
export const imageStore = Layer.unwrap(
  Effect.map(Effect.all([home, images]), ([directory, { ImageStore }]) => ImageStore.layer(directory)),
)
