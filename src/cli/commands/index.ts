/** All commands. A new one is a file here and its name in one of the groups. */
import * as Command from "effect/cli/Command"
import { Home, Tier } from "../settings.ts"
import { dap } from "./dap.ts"
import { debug } from "./debug.ts"
import { demo } from "./demo.ts"
import { diff } from "./diff.ts"
import { events } from "./events.ts"
import { exportWorld } from "./export.ts"
import { fork } from "./fork.ts"
import { gdb } from "./gdb.ts"
import { image } from "./image.ts"
import { importWorld } from "./import.ts"
import { inspect } from "./inspect.ts"
import { lastWrite } from "./last-write.ts"
import { logs } from "./logs.ts"
import { ls } from "./ls.ts"
import { replay } from "./replay.ts"
import { resume } from "./resume.ts"
import { rm } from "./rm.ts"
import { run } from "./run.ts"
import { scenario } from "./scenario.ts"
import { snapshot } from "./snapshot.ts"
import { sql } from "./sql.ts"
import { symbols } from "./symbols.ts"
import { trace } from "./trace.ts"
import { verify } from "./verify.ts"
import { when } from "./when.ts"

export const root = Command.make("cv").pipe(
  Command.withDescription("A virtualization engine whose every run is history you can go back into."),
  Command.withSubcommands([
    { group: "Running", commands: [run, resume, fork, image, scenario, demo] },
    { group: "History", commands: [replay, verify, snapshot, logs, events, sql, diff] },
    { group: "Questions", commands: [when, lastWrite, trace, symbols] },
    { group: "Debugging", commands: [debug, gdb, dap] },
    { group: "Worlds", commands: [ls, inspect, rm, exportWorld, importWorld] },
  ]),
  Command.withGlobalFlags([Home, Tier]),
  Command.withExamples([
    { command: "cv image build debian", description: "Put a bootable image together" },
    { command: "cv run debian", description: "Start it and record its history" },
    { command: "cv replay debian", description: "Go through that history again" },
  ]),
)
