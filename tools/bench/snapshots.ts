/** Recording a Debian that works hard while snapshots are taken of it: how long the guest stops, and what the file grows by. */
import { zstdCompressSync } from "node:zlib"
import BetterSqlite from "better-sqlite3"
import { Effect, Stream } from "effect"
import { type World, WorldStore } from "../../src/events/index.ts"
import type { Machine } from "../../src/machine/machine.ts"
import { type Act, type Director, direct, type Moment } from "../../src/session/direct.ts"
import { createWorld } from "../../src/session/session.ts"
import type { WorldSpec } from "../../src/session/world-spec.ts"

const PROMPT = "debian:/# "
/** Virtual time between two snapshots. */
const INTERVAL_NS = 500_000_000

export interface SnapshotFigures {
  readonly name: string
  /** Pages written since the snapshot before, or since the beginning. */
  readonly dirtyPages: number
  /** How long the guest stood still. */
  readonly stopMs: number
}

/** Types a command at the prompt and asks for snapshots while it runs. */
class Loaded implements Director {
  readonly taken: SnapshotFigures[] = []
  readonly stands = Effect.void
  private readonly command: string
  private readonly count: number
  private text = ""
  private nextNs = Number.POSITIVE_INFINITY
  private askedMs = 0
  private dirty = 0

  constructor(command: string, count: number) {
    this.command = command
    this.count = count
  }

  /** Has the machine tell how many pages each snapshot takes. */
  watch(machine: Machine): void {
    const writtenPages = machine.writtenPages.bind(machine)
    machine.writtenPages = since => {
      const written = writtenPages(since)
      this.dirty = written.pages.length
      return written
    }
  }

  printed(output: Uint8Array): void {
    this.text += Buffer.from(output).toString("latin1")
  }

  next({ machine, idleUntilNs }: Moment): Act {
    if (this.taken.length === this.count) return { kind: "end" }
    if (this.nextNs === Number.POSITIVE_INFINITY) {
      if (idleUntilNs !== null && this.text.includes(PROMPT) && machine.listens)
        return { kind: "type", bytes: new TextEncoder().encode(this.command) }
    } else if (machine.nowNs >= this.nextNs) {
      this.askedMs = performance.now()
      return { kind: "snapshot", name: `s${this.taken.length}` }
    }
    return { kind: "go on", alarmNs: Number.POSITIVE_INFINITY }
  }

  done(machine: Machine, digest: Uint8Array | null): void {
    this.nextNs = machine.nowNs + INTERVAL_NS
    if (digest === null) return
    const stopMs = performance.now() - this.askedMs
    this.taken.push({ name: `s${this.taken.length}`, dirtyPages: this.dirty, stopMs })
  }
}

export interface SizeFigures {
  /** What the snapshots take in the file. */
  readonly fileBytes: number
  /** The pages that changed from each to the next, compressed sixteen at a time. */
  readonly compressedBytes: number
  readonly pages: number
}

const isZero = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0)

const compressedSize = (pages: readonly Uint8Array[]): number => {
  let bytes = 0
  for (let at = 0; at < pages.length; at += 16)
    bytes += zstdCompressSync(Buffer.concat(pages.slice(at, at + 16)), { params: { 100: 1 } }).length
  return bytes
}

/** Bytes of the file's tables and indexes of these names. */
export const tableBytes = (path: string, names: readonly string[]): number => {
  const db = new BetterSqlite(path, { readonly: true })
  try {
    const select = db.prepare<[string], { bytes: number | null }>(
      "SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = ?",
    )
    return names.reduce((sum, name) => sum + (select.get(name)!.bytes ?? 0), 0)
  } finally {
    db.close()
  }
}

const measureSizes = (world: World, first: number) =>
  Effect.gen(function* () {
    const snapshots = yield* world.snapshots
    let pages = 0
    let compressedBytes = 0
    for (const [position, { id }] of snapshots.entries()) {
      const since = position === 0 ? undefined : snapshots[position - 1]!.id
      if (position < first) continue
      const changed = yield* Stream.runCollect(world.snapshotPages(id, since))
      const contents = changed.map(({ bytes }) => bytes).filter(bytes => !isZero(bytes))
      pages += contents.length
      compressedBytes += compressedSize(contents)
    }
    return { pages, compressedBytes }
  })

/** Records `spec` at `path` with `count` snapshots under load. */
export const recordWithSnapshots = async (path: string, spec: WorldSpec, command: string, count: number) => {
  const director = new Loaded(command, count)
  const breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))
  const provide = <A, E>(effect: Effect.Effect<A, E, WorldStore>) => Effect.provide(effect, WorldStore.layer)
  await Effect.runPromise(
    provide(
      Effect.scoped(
        Effect.gen(function* () {
          const { world, machine } = yield* createWorld(path, spec)
          director.watch(machine)
          yield* direct({ world, machine, exit: null, woken: null }, director, breathe)
        }),
      ),
    ),
  )
  const sizes = await Effect.runPromise(
    provide(
      Effect.scoped(
        Effect.gen(function* () {
          return yield* measureSizes(yield* (yield* WorldStore).openReadOnly(path), 0)
        }),
      ),
    ),
  )
  const fileBytes = tableBytes(path, ["page", "page_pack", "memory_map", "snapshot", "sqlite_autoindex_snapshot_1"])
  return { snapshots: director.taken, sizes: { ...sizes, fileBytes } satisfies SizeFigures }
}
