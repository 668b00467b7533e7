/** `cv demo`: a guest program recorded, replayed, restored and caught at an error, in seconds. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, relative } from "node:path"
import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { WorldStore } from "../events/index.ts"
import type { Suggestion } from "../tui/demo/demo-state.ts"
import { demonstrate } from "./demo/demonstration.ts"
import { guestPath } from "./demo/embedded-guest.ts"
import { CannotDemonstrate } from "./demo/errors.ts"
import { liveView } from "./demo/live-view.ts"
import { plainView } from "./demo/plain-view.ts"

/** A new directory for the worlds; removed when the scope ends, unless it is to be kept. */
const workDirectory = (keep: boolean) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => mkdtempSync(join(tmpdir(), "chronovisor-demo-")),
      catch: cause =>
        new CannotDemonstrate({
          problem: `The demonstration finds no room in ${tmpdir()} (${cause instanceof Error ? cause.message : cause}); set TMPDIR to a directory where files can be made.`,
        }),
    }),
    directory => Effect.sync(() => keep || rmSync(directory, { recursive: true, force: true })),
  )

/** How this program is called by who started it so. */
export const commandName = (started: string | undefined): string => {
  const name = basename(started ?? "")
  return name === "cv" || name === "chronovisor" ? name : "npx cv"
}

/** A path as short as it can be written here. */
const shortPath = (path: string): string => {
  const here = relative(process.cwd(), path)
  return here.startsWith("..") ? path : here
}

const suggestionsFor = (command: string, guest: string, kept: string | null): readonly Suggestion[] => [
  kept === null
    ? { label: "guest", command: `${command} run ${shortPath(guest)} --firmware none` }
    : { label: "kept", command: `${command} inspect ${join(kept, "demo.cv")}` },
  { label: "Debian", command: `${command} image build debian && ${command} run debian` },
  { label: "help", command: `${command} --help` },
]

export interface DemoOptions {
  /** Leaves the worlds where they were made. */
  readonly keep: boolean
  readonly terminal: NodeJS.WriteStream
}

/** Fails when a proof does. */
export const demo = ({ keep, terminal }: DemoOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const guest = yield* guestPath
      const directory = yield* workDirectory(keep)
      const suggestions = suggestionsFor(commandName(process.argv[1]), guest, keep ? directory : null)
      const live = terminal.isTTY && process.env.TERM !== "dumb"
      const view = live ? yield* liveView(terminal) : plainView(text => void terminal.write(text))
      yield* demonstrate(directory, guest, suggestions, view)
    }),
  ).pipe(Effect.provide(WorldStore.layer))

export const demoCommand = Command.make(
  "demo",
  {
    keep: Flag.Boolean("keep").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Keep the recorded worlds and say where they are"),
    ),
  },
  ({ keep }) => demo({ keep, terminal: process.stdout }),
).pipe(
  Command.withDescription(
    "Record a small guest program, replay it, restore a snapshot of it in a new process, and find one wrong bit: a look at what chronovisor does, offline and in seconds",
  ),
)
