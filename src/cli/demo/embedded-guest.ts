/** The packaged guest program that the demonstration runs, and its machine. */
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { Flip } from "../../session/replay.ts"
import type { WorldSpec } from "../../session/world-spec.ts"
import { Hindered } from "../failure.ts"

const program = "scenarios/guests/embedded/embedded.elf"

/** The package's folder, seen from the source and from what is built from it. */
const packageFolders = ["../../../", "../"]

/** Absolute path of the guest program. */
export const guestPath: Effect.Effect<string, Hindered> = Effect.suspend(() => {
  const found = packageFolders
    .map(folder => fileURLToPath(new URL(folder + program, import.meta.url)))
    .find(path => existsSync(path))
  return found === undefined
    ? Effect.fail(new Hindered({ problem: `${program} is missing from this installation; install chronovisor again.` }))
    : Effect.succeed(found)
})

/** What is typed at the guest's prompt, a line at a time. */
export const typed = ["add the first note", "stat", "crash", "list", "quit", ""].join("\n")

export const guestSpec = (path: string): Effect.Effect<WorldSpec, Hindered> =>
  Effect.try({
    try: () => ({
      harts: 4,
      memoryBytes: 64 << 20,
      firmware: "none" as const,
      kernel: { name: "embedded.elf", bytes: new Uint8Array(readFileSync(path)) },
      initrd: null,
      disks: [{ name: "journal.img", bytes: new Uint8Array(1 << 20), readOnly: false }],
      bootargs: "",
      image: null,
      seed: "0",
      startTime: { seconds: 1767225600, nanoseconds: 0 },
    }),
    catch: cause => new Hindered({ problem: `${path} cannot be read (${cause}); install chronovisor again.` }),
  })

/**
 * The one wrong bit. Hart 3 is then in the middle of `crc32` and has just computed the running checksum into a5: nothing but a wrong
 * result at the very end of the job would tell.
 */
export const wrongBit: Flip = { hart: 3, register: 15, bit: 5, executed: 7_000_000 }
