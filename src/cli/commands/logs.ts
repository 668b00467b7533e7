/** `cv logs`: the console of a world so far. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Answerless } from "../../host/terminal/answerless.ts"
import { events, worldStore } from "../engine.ts"
import { write } from "../output.ts"
import { existingWorld, worldArgument } from "../world-name.ts"

export const logs = Command.make(
  "logs",
  { world: worldArgument },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const { WorldStore } = yield* events
    yield* Effect.scoped(
      Effect.gen(function* () {
        const answerless = process.stdout.isTTY ? new Answerless() : null
        const world = yield* (yield* WorldStore).openReadOnly(path)
        yield* Stream.runForEach(world.events({ kinds: ["console"] }), event =>
          event.kind === "console"
            ? write(answerless ? answerless.take(event.payload.bytes) : event.payload.bytes)
            : Effect.void,
        )
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Print a world's console so far"),
  Command.withDescription(
    "Prints all that a world's guest has written to its console so far, byte for byte; a terminal is spared the questions meant for the guest's.",
  ),
  Command.withExamples([{ command: "cv logs debian | less -R" }]),
)
