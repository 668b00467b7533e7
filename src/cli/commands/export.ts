/** `cv export`: a world as one self-contained file. */
import { statSync } from "node:fs"
import { resolve } from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { events, worldStore } from "../engine.ts"
import { formatBytes, remark } from "../output.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

export const exportWorld = Command.make(
  "export",
  {
    world: worldArgument,
    file: Argument.String("file").pipe(
      Argument.withMetavar("FILE"),
      Argument.withDescription("The file to write; it must not exist yet"),
    ),
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const file = resolve(flags.file)
    const { WorldStore } = yield* events
    yield* Effect.scoped(Effect.flatMap((yield* WorldStore).openReadOnly(path), world => world.exportTo(file)))
    yield* remark(`${worldNameOf(path)} is in ${flags.file} (${formatBytes(statSync(file).size)})`)
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Write a world into one self-contained file"),
  Command.withDescription(
    "Writes a world with its contents, history and snapshots into one file that can be imported on another computer.",
  ),
  Command.withExamples([{ command: "cv export debian debian.cv" }]),
)
