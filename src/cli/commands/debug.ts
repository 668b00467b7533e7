/** `cv debug`: a world's history on the screen, to go about in. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { symbolsFlag } from "../debugging.ts"
import { worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { existingWorld, worldArgument } from "../world-name.ts"

export const debug = Command.make(
  "debug",
  {
    world: worldArgument,
    at: Flag.String("at").pipe(
      Flag.withMetavar("POS"),
      Flag.withDescription(
        "Where to begin: a position (r1204.m0.h1.i123456789), a virtual time (5s), a share (40%) or end; the beginning if not given",
      ),
      Flag.optional,
    ),
    symbols: symbolsFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const { stdin, stdout } = process
    if (stdin.isTTY && stdout.isTTY && process.env.TERM === "dumb")
      return yield* new Misused({
        problem:
          "cv debug draws on the whole screen, and TERM=dumb says that this terminal cannot; set TERM to what it is, such as xterm-256color.",
      })
    if (!stdin.isTTY || !stdout.isTTY)
      return yield* new Misused({
        problem: "cv debug needs a terminal for its screen and its keys; run it in one, and without redirections.",
      })
    const { debugOnTerminal } = yield* Effect.promise(() => import("../debug/stage.ts"))
    yield* debugOnTerminal(path, Option.getOrUndefined(flags.at), flags.symbols)
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Go about in a world's history: step and continue forth and back, look at everything"),
  Command.withDescription(
    "Opens a world's history on the screen. Time can be scrubbed like a film, stepped through instruction by instruction forth and back, and searched for what was printed; breakpoints, watchpoints, interrupts, exceptions, system calls and console output stop it in both directions. Code, registers, memory, stack, page tables, events and the console are shown as they were. The keys are those of gdb and less; ? lists them. Nothing is changed in the world.",
  ),
  Command.withExamples([
    { command: "cv debug debian" },
    { command: "cv debug debian --at 1.5s", description: "Begin at a virtual time" },
    { command: "cv debug debian --at r1204.m0.h1.i123456789", description: "Begin where cv replay found a difference" },
  ]),
)
