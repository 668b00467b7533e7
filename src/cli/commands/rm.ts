/** `cv rm`: removes a world. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { events, worldStore } from "../engine.ts"
import { existingWorld, worldArgument } from "../world-name.ts"

export const rm = Command.make(
  "rm",
  {
    world: worldArgument,
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("Also when there are forks that cannot be read without it"),
      Flag.withDefault(false),
    ),
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const { WorldStore } = yield* events
    yield* (yield* WorldStore).remove(path, { force: flags.force })
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Remove a world"),
  Command.withDescription(
    "Removes a world and its whole history. A world that is being recorded stays, and one whose forks, among the worlds beside it, need it.",
  ),
)
