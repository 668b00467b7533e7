/** `cv import`: takes in a world from a file. */
import { existsSync } from "node:fs"
import { basename, resolve } from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { events, worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { remark } from "../output.ts"
import { freeWorldName, newWorldPath } from "../world-name.ts"

export const importWorld = Command.make(
  "import",
  {
    file: Argument.String("file").pipe(Argument.withMetavar("FILE"), Argument.withDescription("A world file")),
    name: Flag.String("name").pipe(
      Flag.withMetavar("W"),
      Flag.withDescription("Name of the world (default: that of the file)"),
      Flag.optional,
    ),
  },
  Effect.fnUntraced(function* (flags) {
    const file = resolve(flags.file)
    if (!existsSync(file))
      return yield* new Misused({ problem: `${flags.file} cannot be read: there is no such file; check the path.` })
    const name = Option.isSome(flags.name)
      ? flags.name.value
      : yield* freeWorldName(basename(file).replace(/\.[^.]*$/, ""))
    const path = yield* newWorldPath(name)
    const { WorldStore } = yield* events
    yield* (yield* WorldStore).importFrom(file, path)
    yield* remark(`imported ${name}`)
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Take in a world from a file"),
  Command.withDescription("Checks a world file in full and copies it among the worlds in the home directory."),
  Command.withExamples([{ command: "cv import debian.cv --name debian-of-yesterday" }]),
)
