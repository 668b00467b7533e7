/** `cv demo`: a guest program recorded, replayed, restored and caught at an error, in seconds. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { worldStore } from "../engine.ts"

export const demo = Command.make(
  "demo",
  {
    keep: Flag.Boolean("keep").pipe(
      Flag.withDescription("Keep the recorded worlds, and say where they are"),
      Flag.withoutNegation,
      Flag.withDefault(false),
    ),
  },
  Effect.fnUntraced(function* ({ keep }) {
    const { giveDemo } = yield* Effect.promise(() => import("../demo/stage.ts"))
    yield* giveDemo({ keep, terminal: process.stdout })
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("See in seconds what it does: record, replay, restore, find one wrong bit"),
  Command.withDescription(
    "Records a small guest program with four harts, replays it and compares every event, records it again, carries it on from a snapshot in a new process, and makes one wrong bit to find. Needs no network and leaves nothing behind. The exit code is 1 when a proof fails.",
  ),
)
