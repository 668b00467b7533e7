/** `cv verify`: checks that a world file is what was written. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { sessions, worldStore } from "../engine.ts"
import { formatCount, writeJson, writeLine } from "../output.ts"
import { breathe, progressBar } from "../progress.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

export const verify = Command.make(
  "verify",
  {
    world: worldArgument,
    replay: Flag.Boolean("replay").pipe(
      Flag.withDescription("Also replay the whole history and compare every event"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const world = worldNameOf(path)
    const session = yield* sessions
    const report = yield* session.verify(path)
    const replayed = flags.replay
      ? yield* Effect.scoped(
          Effect.gen(function* () {
            const bar = yield* progressBar()
            return yield* session.replay(path, {
              progress: seq => bar.show(`Replaying ${world}`, seq, report.events - 1),
              breathe,
            })
          }),
        )
      : null
    if (flags.json)
      return yield* writeJson({
        world,
        events: report.events,
        end: report.end,
        digest: report.digest,
        replayed: replayed !== null,
        ...(replayed === null ? {} : { machineDigest: replayed.digest }),
      })
    const also = replayed === null ? "" : ` A replay gives every one of them again; machine digest ${replayed.digest}.`
    yield* writeLine(
      `${world}: ${formatCount(report.events)} events up to ${report.end} are as written; log digest ${report.digest}.${also}`,
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Check that a world file is what was written"),
  Command.withDescription(
    "Checks every event against its chain of digests, and every stored content and snapshot. The first damaged event is named, with exit code 1.",
  ),
  Command.withExamples([
    { command: "cv verify debian" },
    { command: "cv verify debian --replay", description: "Also check that a replay gives the same again" },
  ]),
)
