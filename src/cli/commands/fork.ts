/** `cv fork`: a world that goes on from some moment of another's history by itself. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { momentIn } from "../debugging.ts"
import { conditions, worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { forkLine, forkWorld } from "../forking.ts"
import { writeJson, writeLine } from "../output.ts"
import { looksLikePosition, parsePositionText } from "../replaying.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, freeWorldName, worldArgument, worldNameOf } from "../world-name.ts"

export const fork = Command.make(
  "fork",
  {
    world: worldArgument,
    at: Flag.String("at").pipe(
      Flag.withMetavar("POS|SNAPSHOT"),
      Flag.withDescription(
        "Where: a position (r1204.m0.h1.i123456789) with what was typed at it, a virtual time (1.5s) without what was typed later, a snapshot's name, or start (default: the end)",
      ),
      Flag.optional,
    ),
    name: Flag.String("name").pipe(
      Flag.withMetavar("W2"),
      Flag.withDescription("Name of the fork (default: that of the world with a number)"),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const parent = yield* existingWorld(flags.world)
    const text = Option.getOrNull(flags.at)
    const at = text !== null && looksLikePosition(text) ? yield* parsePositionText(text) : text
    const name = Option.isSome(flags.name) ? flags.name.value : yield* freeWorldName(worldNameOf(parent))
    const document = yield* Effect.catchTag(forkWorld(parent, name, at), "SnapshotNotFound", error =>
      Effect.gen(function* () {
        const isMoment =
          text === "start" || text === "end" || (yield* (yield* conditions).virtualTimeOf(text!)) !== null
        if (!isMoment)
          return yield* new Misused({
            problem: `${error.path} has no snapshot ${text}, and that is neither a position (r1204.m0.h1.i123456789) nor a virtual time (1.5s); cv snapshot ls ${worldNameOf(parent)} lists the snapshots.`,
          })
        return yield* forkWorld(parent, name, yield* momentIn(parent, text!))
      }),
    )
    if (flags.json) return yield* writeJson(document)
    yield* writeLine(forkLine(document))
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Go on from a moment of a world's history in another way"),
  Command.withDescription(
    "Makes a world that shares another's history up to a position, with what happened at it. Its file takes some 20 KB whatever the guest's size, as it reads the shared part from the other's file, which must stay; an export needs no other file. cv resume then goes on from that position. Whether the guest is ever at exactly that position shows then.",
  ),
  Command.withExamples([
    { command: "cv fork debian --name other", description: "Go on from the end of debian, leaving debian as it is" },
    { command: "cv fork debian --at booted", description: "Go on from a snapshot" },
    { command: "cv fork debian --at r1204.m0.h1.i123456789 --name what-if" },
  ]),
)
