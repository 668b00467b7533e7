/** `cv resume`: goes on where a world's history ends. */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { events, sessions, withTier, worldStore } from "../engine.ts"
import { progressBar } from "../progress.ts"
import { consoleOptions, reportRun, runningFlags, runOptions } from "../running.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

export const resume = Command.make(
  "resume",
  { world: worldArgument, ...runningFlags, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const world = worldNameOf(path)
    const options = yield* runOptions(flags)
    const { openConsole } = yield* Effect.promise(() => import("../../host/terminal/index.ts"))
    const { WorldStore } = yield* events
    const session = yield* sessions
    const { summary, console } = yield* Effect.scoped(
      Effect.gen(function* () {
        const last = yield* Effect.scoped(
          Effect.flatMap((yield* WorldStore).openReadOnly(path), recorded => recorded.head),
        )
        const bar = yield* progressBar()
        const console = yield* openConsole(consoleOptions(flags))
        const resuming = session.resume(path, console, {
          ...options,
          progress: seq => (seq < last.seq ? bar.show(`Catching up with ${world}`, seq, last.seq) : bar.clear()),
          // Until the history's end nothing is recorded, and there is nothing to end in good order.
          breathe: Effect.suspend(() => (console.quits() ? Effect.interrupt : console.breathe)),
        })
        const summary = yield* withTier(resuming)
        return { summary, console }
      }),
    )
    yield* reportRun(world, summary, console, flags)
  }, Effect.uninterruptible),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Go on where a world's history ends"),
  Command.withDescription(
    "Brings a world's machine to the end of its recorded history, also after a crash of the recording, and goes on recording from there. The console is as in cv run.",
  ),
  Command.withExamples([{ command: "cv resume debian" }, { command: "cv resume debian --until 10s" }]),
)
