/** All commands. A new one is a file here and its name in one of the groups. */
import * as Command from "effect/cli/Command"
import { Home } from "../settings.ts"
import { replay } from "./replay.ts"
import { run } from "./run.ts"

export const root = Command.make("cv").pipe(
  Command.withDescription("A virtualization engine whose every run is history you can go back into."),
  Command.withSubcommands([
    { group: "Running", commands: [run] },
    { group: "History", commands: [replay] },
  ]),
  Command.withGlobalFlags([Home]),
)
