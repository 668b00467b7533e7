/** `cv replay`: goes through a world's history again and compares every event. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { worldStore } from "../engine.ts"
import { replayFlags, replayWorld } from "../replaying.ts"
import { existingWorld, worldArgument } from "../world-name.ts"

export const replay = Command.make(
  "replay",
  {
    world: worldArgument,
    from: Flag.String("from").pipe(
      Flag.withMetavar("SNAPSHOT"),
      Flag.withDescription("Begin at this snapshot instead of the beginning"),
      Flag.optional,
    ),
    ...replayFlags,
  },
  Effect.fnUntraced(function* (flags) {
    yield* replayWorld(yield* existingWorld(flags.world), Option.getOrUndefined(flags.from), flags)
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Go through a world's history again, comparing every event"),
  Command.withDescription(
    "Runs a world's machine again along its recorded history, shows its console and compares every event. The exit code is the guest's, as recorded; a difference is reported with the event, the instruction and the registers behind it, and gives exit code 1.",
  ),
  Command.withExamples([
    { command: "cv replay debian" },
    { command: "cv replay debian --until 'console:/login:/'", description: "Go as far as the login prompt" },
    {
      command: "cv replay debian --flip 0:a0:3@1000000",
      description: "See how a wrong result is reported: flips bit 3 of a0 of hart 0 after a million instructions",
    },
  ]),
)
