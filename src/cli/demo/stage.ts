/** Where the demonstration is given: a directory for its worlds, and a view for who watches. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, relative } from "node:path"
import { Effect } from "effect"
import type { Suggestion } from "../../tui/demo/demo-state.ts"
import { Hindered } from "../failure.ts"
import { demonstrate } from "./demonstration.ts"
import { guestPath } from "./embedded-guest.ts"
import { liveView } from "./live-view.ts"
import { plainView } from "./plain-view.ts"

const makeDirectory = Effect.try({
  try: () => mkdtempSync(join(tmpdir(), "chronovisor-demo-")),
  catch: cause =>
    new Hindered({
      problem: `The demonstration finds no room in ${tmpdir()} (${cause instanceof Error ? cause.message : cause}); set TMPDIR to a directory where files can be made.`,
    }),
})

/** A new directory; removed when the scope ends, unless it is to be kept, and also when the process ends before. */
const workDirectory = (keep: boolean) =>
  Effect.acquireRelease(
    Effect.map(makeDirectory, path => {
      const remove = () => {
        if (!keep) rmSync(path, { recursive: true, force: true })
      }
      process.once("exit", remove)
      return { path, remove }
    }),
    ({ remove }) =>
      Effect.sync(() => {
        process.off("exit", remove)
        remove()
      }),
  )

/** What to type for this program, from the path it was started by: the installed command, or in a checkout the npm script. */
export const commandName = (started: string | undefined): string => {
  const name = basename(started ?? "")
  return name === "cv" || name === "chronovisor" ? name : "npm run cv --"
}

/** A path in its shortest form from here. */
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

/** Gives the demonstration; it fails when a proof does. */
export const giveDemo = ({ keep, terminal }: DemoOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const guest = yield* guestPath
      const { path: directory } = yield* workDirectory(keep)
      const suggestions = suggestionsFor(commandName(process.argv[1]), guest, keep ? directory : null)
      const live = terminal.isTTY && process.env.TERM !== "dumb"
      const view = live ? yield* liveView(terminal) : plainView(text => void terminal.write(text))
      yield* demonstrate(directory, guest, suggestions, view)
    }),
  )
