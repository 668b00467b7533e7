/** What the tests of `events` share: a directory of their own, a genesis, events to append. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { type Genesis, type LogWriter, type Page, type Position, WorldStore } from "../../src/events/index.ts"

export const genesis: Genesis = {
  engine: "0.1.0",
  seed: 42,
  startTime: { seconds: 1_700_000_000, nanoseconds: 5 },
  machines: [
    {
      harts: 2,
      memoryBytes: 128 << 20,
      firmware: "builtin",
      kernel: { hash: "ab".repeat(32), bytes: 10, name: "Image" },
      initrd: null,
      disks: [],
      bootargs: "console=ttyS0",
      image: null,
    },
  ],
}

export const at = (round: number): Position => ({ round, machine: 0, hart: round % 2, instret: round * 1000 })

export const appendBatch = (log: LogWriter, round: number): number =>
  log.append(at(round), "batch", {
    harts: [{ hart: round % 2, from: round * 1000, to: round * 1000 + 1000 }],
    virtualNs: round * 1000,
    digest: new Uint8Array(16).fill(round),
  })

/** What changes in a memory of 4096 pages with the snapshot of a number: each page tells when it was written last. */
export function* snapshotPages(number: number): Generator<Page> {
  for (let step = 0; step < 300; step++) {
    const index = (number * 37 + step * 13) % 4096
    const bytes = Buffer.alloc(4096)
    for (let offset = 0; offset < 4096; offset += 8)
      bytes.writeUInt32LE(Math.imul(offset + index, number) >>> 0, offset)
    bytes.writeUInt32LE(number, 0)
    yield { index, bytes }
  }
}

/** Runs `body` with a fresh path for a world; the directory is removed afterwards. */
export const withPath = async <A>(body: (path: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(tmpdir(), "cv-events-"))
  try {
    return await body(join(directory, "test.cv"))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export const run = <A, E>(effect: Effect.Effect<A, E, WorldStore | Scope.Scope>): Promise<A> =>
  Effect.runPromise(Effect.scoped(effect).pipe(Effect.provide(WorldStore.layer)))

/** The error an effect ends with. */
export const failure = <A, E>(effect: Effect.Effect<A, E, WorldStore | Scope.Scope>): Promise<E> =>
  run(Effect.flip(effect))
