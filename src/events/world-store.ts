/**
 * World files: creating, opening, recording into, copying. One world is one file. The interfaces here say nothing of SQLite, so that
 * another store can serve them.
 */
import { Context, type Effect, Layer, type Scope, type Stream } from "effect"
import type { StoredBlob } from "./blob.ts"
import type { KnownContent } from "./creation.ts"
import type {
  BlobNotFound,
  ForkTooDeep,
  OpenError,
  ReadError,
  SnapshotExists,
  SnapshotInherited,
  SnapshotNotFound,
  SqlFailed,
  SqlRefused,
  WorldDamaged,
  WorldExists,
  WorldHasForks,
  WorldInUse,
  WorldUnreadable,
  WorldWriteFailed,
} from "./errors.ts"
import type { StoredEvent } from "./event.ts"
import type { BadRow, EventFilter, Verification } from "./event-reader.ts"
import type { Genesis } from "./genesis.ts"
import type { Head } from "./head.ts"
import type { LogWriter, LogWriterOptions } from "./log-writer.ts"
import type { ForkPoint, Parent } from "./parent.ts"
import type { Position } from "./position.ts"
import type { Page, SnapshotInfo, SnapshotMemory } from "./snapshot.ts"
import type { SnapshotInput, SnapshotUnderWay } from "./snapshot-sender.ts"
import type { DerivedTable, SqlResult } from "./sql.ts"
import { sqliteStore } from "./sqlite-store.ts"
import type { WrittenSpan } from "./written-lines.ts"

/** A world as a reader sees it. Reading sees what is durable at the time. */
export interface World {
  readonly path: string
  readonly genesis: Genesis
  /** The world that this one was forked from, null for one that is no fork. All that is read here goes through its file too. */
  readonly parent: Parent | null
  readonly head: Effect.Effect<Head, ReadError>
  /** The events that pass the filter, decoded and upcast, up to the end of the log as it is when the stream gets there. */
  events(filter?: EventFilter): Stream.Stream<StoredEvent, ReadError>
  /** At most `limit` of them: for loops that pull. */
  readEvents(filter: EventFilter, limit: number): Effect.Effect<ReadonlyArray<StoredEvent>, ReadError>
  /** The same for who cannot wait. @throws WorldDamaged, WorldUnreadable */
  readEventsNow(filter: EventFilter, limit: number): ReadonlyArray<StoredEvent>
  /** One event, which has to be there. */
  eventAt(seq: number): Effect.Effect<StoredEvent, ReadError>
  /** First seq at or after a position; one past the end where there is none. */
  seqAt(position: Position): Effect.Effect<number, ReadError>
  /** Checks every row of the log against its digest. Damage is in the answer. */
  readonly verify: Effect.Effect<Verification, ReadError>
  /** Checks every content and every snapshot with its pages. */
  readonly verifyContents: Effect.Effect<void, ReadError>

  blobSize(hash: string): Effect.Effect<number, BlobNotFound | ReadError>
  /** Pieces of 64 KiB in order; it fails at the end when the whole is not what was stored. */
  blob(hash: string): Stream.Stream<Uint8Array, BlobNotFound | ReadError>
  /** The same without waiting, for who cannot wait. @throws WorldDamaged, WorldUnreadable */
  readBlobNow(hash: string): Uint8Array
  /** A part of it, cut off where it ends, each piece checked by itself. @throws WorldDamaged, WorldUnreadable */
  readBlobPartNow(hash: string, from: number, bytes: number): Uint8Array
  /** All of a content in one piece: for those that fit in memory. */
  readBlob(hash: string): Effect.Effect<Uint8Array, BlobNotFound | ReadError>

  /** In the order of history. */
  readonly snapshots: Effect.Effect<ReadonlyArray<SnapshotInfo>, ReadError>
  /** By id or name. */
  snapshot(which: number | string): Effect.Effect<SnapshotInfo, SnapshotNotFound | ReadError>
  /** The machine's state of a snapshot, as it was given. */
  snapshotState(id: number): Effect.Effect<Uint8Array, SnapshotNotFound | ReadError>
  /** Its memory, to read page by page without waiting: `read` throws WorldDamaged and WorldUnreadable. */
  snapshotMemory(id: number): Effect.Effect<SnapshotMemory, SnapshotNotFound | ReadError>
  /** The same for who cannot wait. @throws WorldDamaged, WorldUnreadable */
  snapshotMemoryNow(id: number): SnapshotMemory
  /** Its pages that are not zero, in address order; with `since`, those that differ from that snapshot, zero pages too. */
  snapshotPages(id: number, since?: number): Stream.Stream<Page, SnapshotNotFound | ReadError>
  /** What is known of where in the history which pages of memory were written: spans of it, in no order. */
  readonly writtenSpans: Effect.Effect<ReadonlyArray<WrittenSpan>, ReadError>

  /** One read-only query over the views `events`, `console`, `inputs`, `interrupts`, `snapshots`, `blobs`, and tables that are given. */
  sql(
    text: string,
    options?: { readonly rowsMax?: number; readonly tables?: ReadonlyArray<DerivedTable> },
  ): Effect.Effect<SqlResult, SqlRefused | SqlFailed | ReadError>
  /** Writes everything durable into one self-contained file. */
  exportTo(file: string): Effect.Effect<void, WorldExists | ReadError>
  /**
   * Makes a world at `file` whose history is this one's up to a point of it, and which needs this file from then on. It has no event of
   * its own, and is small whatever this one holds.
   */
  forkTo(file: string, point: ForkPoint): Effect.Effect<void, WorldExists | WorldInUse | ForkTooDeep | ReadError>
}

export interface Truncation {
  /** How many events were removed, at least; the log now ends before `bad`. */
  readonly removed: number
  readonly bad: BadRow
}

/** A world that this process records into. */
export interface RecordingWorld extends World {
  readonly log: LogWriter
  /** What was cut off at opening because it was not good, null where nothing was. */
  readonly truncation: Truncation | null
  /** Stores a content; one that is there already is not stored twice. */
  putBlob<E, R>(
    content: Stream.Stream<Uint8Array, E, R>,
  ): Effect.Effect<StoredBlob, E | WorldWriteFailed | WorldDamaged, R>
  /**
   * Hands over all of a snapshot, so that the machine can go on while it is stored. It comes after all events appended so far, and is in
   * the file whole or not at all.
   */
  beginSnapshot(input: SnapshotInput): Effect.Effect<SnapshotUnderWay, SnapshotExists>
  /** Both at once. */
  saveSnapshot(input: SnapshotInput): Effect.Effect<SnapshotInfo, SnapshotExists | WorldWriteFailed | WorldDamaged>
  /** Removes a snapshot and the pages that only it had. */
  removeSnapshot(
    id: number,
  ): Effect.Effect<void, SnapshotNotFound | SnapshotInherited | WorldWriteFailed | WorldDamaged | ReadError>
}

export interface CreateOptions extends LogWriterOptions {
  /** Contents that the genesis refers to: the world appears with them or not at all. */
  readonly contents?: readonly KnownContent[]
  /** A directory that belongs to the cache of file templates; none is kept where absent. */
  readonly templates?: string
}

export interface OpenOptions extends LogWriterOptions {
  /** What to do when the log is damaged: go on from the last good event, or fail. "truncate" where absent. */
  readonly onDamage?: "truncate" | "refuse"
}

export interface ReadOptions {
  /** Snapshots and checkpoints stay readable as they are now, also those that whoever records removes meanwhile. */
  readonly holdsSnapshots?: boolean
}

export interface RemoveOptions {
  /** Removes it although there are forks that need it. */
  readonly force?: boolean
}

type ScopedOpen<A, E> = Effect.Effect<A, E, Scope.Scope>

/** Why a new world cannot be begun: it is there, in use, or has no place to be. */
export type BeginError = WorldExists | WorldInUse | WorldUnreadable | WorldDamaged

export class WorldStore extends Context.Service<
  WorldStore,
  {
    /**
     * Creates a world at `path` and gives its log at once: the file is made meanwhile, and appears complete or not at all. In use for
     * recording until the scope ends.
     */
    begin(path: string, genesis: Genesis, options?: CreateOptions): ScopedOpen<LogWriter, BeginError>
    /**
     * Creates a world at `path`; `genesis` becomes event 0. Contents that it refers to are given here, or put afterwards.
     * In use for recording until the scope ends.
     */
    create(
      path: string,
      genesis: Genesis,
      options?: CreateOptions,
    ): ScopedOpen<RecordingWorld, BeginError | WorldWriteFailed | OpenError | ReadError>
    /** Opens a world to go on recording: checks the whole log first. In use until the scope ends. */
    open(
      path: string,
      options?: OpenOptions,
    ): ScopedOpen<RecordingWorld, WorldInUse | WorldWriteFailed | OpenError | ReadError>
    /** Opens a world to read, also while another process records into it. */
    openReadOnly(path: string, options?: ReadOptions): ScopedOpen<World, OpenError | ReadError>
    /** Verifies the world in `file` and copies it to `path`. */
    importFrom(file: string, path: string): Effect.Effect<void, WorldExists | WorldInUse | OpenError | ReadError>
    /** Removes a world that is not in use and that no fork beside it needs. */
    remove(
      path: string,
      options?: RemoveOptions,
    ): Effect.Effect<void, WorldInUse | WorldHasForks | OpenError | WorldUnreadable>
  }
>()("chronovisor/events/WorldStore") {
  static readonly layer: Layer.Layer<WorldStore> = Layer.succeed(WorldStore, sqliteStore)
}
