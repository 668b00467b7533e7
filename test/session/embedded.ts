/** What the tests of sessions share: the embedded guest as a world, an outside that nobody is in, a directory of their own. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { WorldStore } from "../../src/events/index.ts"
import type { Outside } from "../../src/session/outside.ts"
import type { RunOptions } from "../../src/session/record.ts"
import type { WorldSpec } from "../../src/session/world-spec.ts"

const program = readFileSync(new URL("../../scenarios/guests/embedded/embedded.elf", import.meta.url))

export const embedded = (changes: Partial<WorldSpec> = {}): WorldSpec => ({
  harts: 4,
  memoryBytes: 32 << 20,
  firmware: "none",
  kernel: { name: "embedded.elf", bytes: new Uint8Array(program) },
  initrd: null,
  disks: [{ name: "journal", bytes: new Uint8Array(1 << 20), readOnly: false }],
  bootargs: "",
  image: null,
  seed: "0",
  startTime: { seconds: 1_767_225_600, nanoseconds: 0 },
  ...changes,
})

/** Someone who only watches. */
export class Watcher implements Outside {
  readonly pace = "virtual"
  private output = ""
  typed = () => new Uint8Array(0)
  quits = () => false
  show = (bytes: Uint8Array): void => {
    this.output += new TextDecoder("latin1").decode(bytes)
  }
  breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))
  wait = () => Effect.succeed(0)
  get console(): string {
    return this.output
  }
}

export const script = (text: string): RunOptions => ({
  until: null,
  script: new TextEncoder().encode(text),
})

export const run = <A, E>(effect: Effect.Effect<A, E, WorldStore | Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(WorldStore.layer)))

export const failure = <A, E>(effect: Effect.Effect<A, E, WorldStore | Scope.Scope>): Promise<E> =>
  run(Effect.flip(effect))

/** Runs `body` with a fresh path for a world; its directory is removed afterwards. */
export const withPath = async (body: (path: string) => Promise<void>): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), "cv-session-"))
  try {
    await body(join(directory, "test.cv"))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
