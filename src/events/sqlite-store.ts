/** World files as SQLite databases: readers on connections of their own, one writer in the log's worker thread. */
import { Buffer } from "node:buffer"
import { existsSync, rmSync } from "node:fs"
import type { Database } from "better-sqlite3"
import { Effect, Option, Stream } from "effect"
import { blobSize, readBlob, readBlobPart, readWholeBlob, removeIncompleteBlobs, type StoredBlob } from "./blob.ts"
import { ContentDamaged } from "./content-damaged.ts"
import { createForkFile, makeWhole } from "./creation.ts"
import { attempt, attemptAsync, openForWriting } from "./database.ts"
import {
  BlobNotFound,
  ForkTooDeep,
  MalformedPayload,
  type ReadError,
  SnapshotExists,
  SnapshotInherited,
  SnapshotNotFound,
  SqlFailed,
  SqlRefused,
  UnknownEvent,
  type WorldDamaged,
  WorldExists,
  WorldHasForks,
  WorldNotFound,
  type WorldWriteFailed,
} from "./errors.ts"
import { definitions, encodeEvent, type StoredEvent } from "./event.ts"
import {
  badRowError,
  digestAt,
  eachEvent,
  headOf,
  readEvents,
  seqAtPosition,
  truncateLog,
  verifyLog,
} from "./event-reader.ts"
import { flatten } from "./flatten.ts"
import { forksBeside } from "./forks-beside.ts"
import type { Genesis } from "./genesis.ts"
import type { Head } from "./head.ts"
import { ancestorsMax, findYoungest, inChapter, type Lineage, ownChapter } from "./lineage.ts"
import {
  eachPage,
  findSnapshot,
  isInherited,
  listSnapshots,
  openMemory,
  readState,
  verifySnapshots,
} from "./lineage-snapshots.ts"
import { lockWorld } from "./lock.ts"
import { type LogWriterOptions, makeLogWriter, type WorkerLogWriter } from "./log-writer.ts"
import { type OpenedLineage, openHeld, openLineage, openReader } from "./opening.ts"
import type { ForkPoint } from "./parent.ts"
import { origin } from "./position.ts"
import { DigestChain, zeroDigest } from "./row.ts"
import type { SnapshotInput } from "./snapshot-sender.ts"
import { addTable, addViews, rowsMaxDefault, runQuery } from "./sql.ts"
import { query, selectAll } from "./tables.ts"
import type { Failure } from "./worker-protocol.ts"
import type {
  CreateOptions,
  OpenOptions,
  ReadOptions,
  RecordingWorld,
  RemoveOptions,
  Truncation,
  World,
} from "./world-store.ts"
import { verifyWritten, writtenSpans } from "./written-lines.ts"

const isEventError = (cause: unknown): cause is UnknownEvent | MalformedPayload =>
  cause instanceof UnknownEvent || cause instanceof MalformedPayload

const read = <A>(path: string, body: () => A): Effect.Effect<A, ReadError> => attempt(path, body, isEventError)

/** A stream over an iterable that reads the database as it goes. */
const readStream = <A>(path: string, items: () => Iterable<A>, chunk: number): Stream.Stream<A, ReadError> =>
  Stream.suspend(() => {
    let iterator: Iterator<A> | null = null
    return Stream.paginate(undefined, () =>
      read(path, (): readonly [ReadonlyArray<A>, Option.Option<undefined>] => {
        iterator ??= items()[Symbol.iterator]()
        const batch: Array<A> = []
        while (batch.length < chunk) {
          const next = iterator.next()
          if (next.done) return [batch, Option.none()]
          batch.push(next.value)
        }
        return [batch, Option.some(undefined)]
      }),
    )
  })

const readGenesis = (lineage: Lineage): Genesis => {
  const { path } = lineage[0]!
  let first: StoredEvent | undefined
  try {
    first = readEvents(lineage, { toSeq: 0 }, 1)[0]
  } catch (cause) {
    const { bad } = verifyLog(lineage)
    throw bad === null ? cause : badRowError(bad)
  }
  if (first?.kind !== "genesis")
    throw badRowError({ path, seq: 0, kind: first?.kind ?? null, position: null, problem: "it is not a genesis" })
  return first.payload
}

const verifyBlobs = (db: Database): void => {
  for (const { hash } of selectAll(db, query.selectFrom("blob").select("hash").where("hash", "is not", null))) {
    if (!(hash instanceof Uint8Array)) throw new ContentDamaged("the hash of a content has the wrong type")
    const pieces = readBlob(db, Buffer.from(hash).toString("hex"))
    if (pieces === null) throw new ContentDamaged("a content is not found by its hash")
    for (const _ of pieces);
  }
}

/** What queries find rows by has to agree with the rows. */
const verifyIndices = (db: Database): void => {
  const [found] = db.pragma("integrity_check(1)") as [{ readonly integrity_check: string }]
  if (found.integrity_check !== "ok")
    throw new ContentDamaged(`the database is inconsistent (${found.integrity_check})`)
}

/** Each file as it is at one moment: it may be written to meanwhile. */
const verifyContents = (lineage: Lineage): void => {
  const each = (body: (db: Database) => void) => {
    for (const chapter of lineage) inChapter(chapter, () => chapter.db.transaction(() => body(chapter.db)).deferred())
  }
  each(verifyBlobs)
  ownChapter(lineage)
    .db.transaction(() => verifySnapshots(lineage))
    .deferred()
  each(verifyWritten)
  each(verifyIndices)
}

/** Copies what is durable into a new file, which appears complete or not at all and needs no other. */
const copyTo = (lineage: Lineage, file: string): Effect.Effect<void, WorldExists | ReadError> => {
  const { db, path } = ownChapter(lineage)
  return Effect.gen(function* () {
    if (existsSync(file)) return yield* new WorldExists({ path: file })
    const head = yield* read(path, () => headOf(lineage))
    yield* attemptAsync(path, () =>
      lineage.length > 1
        ? flatten(lineage, head, file)
        : makeWhole(file, partial => void db.prepare("VACUUM INTO ?").run(partial)),
    )
  })
}

/** Makes the file of a fork of a world. */
const forkTo = (lineage: Lineage, file: string, { seq, position }: ForkPoint) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { db, path } = ownChapter(lineage)
      if (lineage.length > ancestorsMax) return yield* new ForkTooDeep({ path, ancestors: lineage.length - 1 })
      const digest = yield* read(path, () => {
        const found = digestAt(lineage, seq)
        if (found === null) throw new ContentDamaged(`event ${seq} is missing`)
        return found
      })
      yield* lockWorld(file)
      if (existsSync(file)) return yield* new WorldExists({ path: file })
      yield* attemptAsync(file, () => createForkFile(file, db, { path, seq, digest, position }))
    }),
  )

/** `saved` is where snapshots are read. */
const worldOf = ({ lineage, parent }: OpenedLineage, genesis: Genesis, saved: Lineage = lineage): World => {
  const { path } = ownChapter(lineage)
  const found = <A>(which: number | string, body: () => A | null) =>
    Effect.flatMap(
      read(path, body),
      (value): Effect.Effect<A, SnapshotNotFound> =>
        value === null ? Effect.fail(new SnapshotNotFound({ path, snapshot: String(which) })) : Effect.succeed(value),
    )
  /** Reads at once, with errors as exceptions. */
  const now = <A>(body: () => A): A => inChapter(ownChapter(lineage), body)
  /** What the youngest file gives that has the content. */
  const ofBlob = <A>(hash: string, look: (db: Database, hash: string) => A | null) =>
    Effect.flatMap(
      read(path, () => findYoungest(lineage, db => look(db, hash))),
      value => (value === null ? Effect.fail(new BlobNotFound({ path, hash })) : Effect.succeed(value)),
    )
  const blobNow = <A>(hash: string, look: (db: Database) => A | null): A =>
    now(() => {
      const blob = findYoungest(lineage, look)
      if (blob === null) throw new ContentDamaged(`the content ${hash} is missing`)
      return blob.found
    })
  let views: Database | null = null
  return {
    path,
    genesis,
    parent,
    head: read(path, () => headOf(lineage)),
    events: (filter = {}) => readStream(path, () => eachEvent(lineage, filter), 256),
    readEvents: (filter, limit) => read(path, () => readEvents(lineage, filter, limit)),
    eventAt: seq =>
      read(path, () => {
        const [event] = readEvents(lineage, { fromSeq: seq, toSeq: seq }, 1)
        if (event === undefined) throw new ContentDamaged(`event ${seq} is missing`)
        return event
      }),
    readEventsNow: (filter, limit) => now(() => readEvents(lineage, filter, limit)),
    seqAt: position => read(path, () => seqAtPosition(lineage, position)),
    verify: read(path, () => verifyLog(lineage)),
    verifyContents: read(path, () => verifyContents(lineage)),
    blobSize: hash => Effect.map(ofBlob(hash, blobSize), ({ found: size }) => size),
    blob: hash =>
      Stream.unwrap(
        Effect.map(ofBlob(hash, readBlob), ({ chapter, found: pieces }) => readStream(chapter.path, () => pieces, 16)),
      ),
    readBlob: hash => Effect.map(ofBlob(hash, readWholeBlob), ({ found: whole }) => whole),
    readBlobNow: hash => blobNow(hash, db => readWholeBlob(db, hash)),
    readBlobPartNow: (hash, from, bytes) => blobNow(hash, db => readBlobPart(db, hash, from, bytes)),
    snapshots: read(path, () => listSnapshots(saved)),
    snapshot: which => found(which, () => findSnapshot(saved, which)),
    snapshotState: id => found(id, () => readState(saved, id)),
    snapshotMemory: id => found(id, () => openMemory(saved, id)),
    snapshotMemoryNow: id =>
      now(() => {
        const memory = openMemory(saved, id)
        if (memory === null) throw new ContentDamaged(`the snapshot ${id} was removed meanwhile`)
        return memory
      }),
    snapshotPages: (id, since) =>
      Stream.unwrap(
        Effect.gen(function* () {
          for (const needed of since === undefined ? [id] : [id, since])
            yield* found(needed, () => findSnapshot(saved, needed))
          return readStream(path, () => eachPage(saved, id, since ?? null), 256)
        }),
      ),
    writtenSpans: read(path, () => writtenSpans(lineage)),
    sql: (text, options) =>
      attempt(
        path,
        () => {
          views ??= addViews(lineage)
          for (const table of options?.tables ?? []) addTable(views, table)
          return runQuery(views, text, options?.rowsMax ?? rowsMaxDefault)
        },
        (cause): cause is SqlRefused | SqlFailed | UnknownEvent | MalformedPayload =>
          cause instanceof SqlRefused || cause instanceof SqlFailed || isEventError(cause),
      ),
    exportTo: file => copyTo(lineage, file),
    forkTo: (file, point) => forkTo(lineage, file, point),
  }
}

const openReadOnly = (path: string, { holdsSnapshots = false }: ReadOptions = {}) =>
  Effect.gen(function* () {
    const opened = yield* openLineage(path, yield* openReader(path))
    const saved = holdsSnapshots ? yield* openHeld(path) : opened.lineage
    return worldOf(opened, yield* read(path, () => readGenesis(opened.lineage)), saved)
  })

const recordingOf = (reading: World, log: WorkerLogWriter, truncation: Truncation | null): RecordingWorld => {
  const { path } = reading
  const mapFailure = <A>(job: Effect.Effect<A, Failure>): Effect.Effect<A, WorldWriteFailed | WorldDamaged> =>
    Effect.mapError(job, failure => log.toError(failure))

  const putBlob = <E, R>(
    content: Stream.Stream<Uint8Array, E, R>,
  ): Effect.Effect<StoredBlob, E | WorldWriteFailed | WorldDamaged, R> =>
    Effect.gen(function* () {
      const blob = yield* mapFailure(log.request("beginBlob", {}))
      return yield* content.pipe(
        Stream.runForEach(bytes => mapFailure(log.request("writeBlob", { blob, bytes }))),
        Effect.andThen(mapFailure(log.request("endBlob", { blob }))),
        Effect.onError(() => Effect.ignore(log.request("abandonBlob", { blob }))),
      )
    })

  const beginSnapshot = (input: SnapshotInput) =>
    Effect.gen(function* () {
      const { name } = input
      if (name !== null && Option.isSome(yield* Effect.option(reading.snapshot(name))))
        return yield* new SnapshotExists({ path, snapshot: name })
      return log.beginSnapshot(input)
    })

  return {
    ...reading,
    log,
    truncation,
    putBlob,
    beginSnapshot,
    saveSnapshot: input => Effect.flatMap(beginSnapshot(input), ({ durable }) => durable),
    removeSnapshot: id =>
      isInherited({ id })
        ? Effect.flatMap(reading.snapshot(id), ({ name }) =>
            Effect.fail(new SnapshotInherited({ path, snapshot: name ?? String(id) })),
          )
        : Effect.flatMap(mapFailure(log.request("removeSnapshot", { snapshot: id })), removed =>
            removed ? Effect.void : Effect.fail(new SnapshotNotFound({ path, snapshot: String(id) })),
          ),
  }
}

const startRecording = (path: string, head: Head, options: LogWriterOptions, truncation: Truncation | null) =>
  Effect.gen(function* () {
    const log = yield* makeLogWriter(path, head, options)
    return recordingOf(yield* openReadOnly(path), log, truncation)
  })

const begin = (path: string, genesis: Genesis, options: CreateOptions = {}) =>
  Effect.gen(function* () {
    yield* lockWorld(path)
    if (existsSync(path)) return yield* new WorldExists({ path })
    const payload = encodeEvent("genesis", genesis)
    const { version } = definitions.genesis
    const digest = new DigestChain(zeroDigest).next({ seq: 0, position: origin, kind: "genesis", version, payload })
    const row = { seq: 0, ...origin, kind: "genesis", version, payload, digest }
    const creation = { genesis: row, contents: options.contents ?? [], templates: options.templates ?? null }
    return yield* makeLogWriter(path, { seq: 0, digest }, options, creation)
  })

const create = (path: string, genesis: Genesis, options?: CreateOptions) =>
  Effect.gen(function* () {
    const log = yield* begin(path, genesis, options)
    yield* log.durable(0)
    return recordingOf(yield* openReadOnly(path), log, null)
  })

/** Checks the log, cuts off what is not good and removes what a crash left half-written; gives where the log then ends. */
const recover = (path: string, lineage: Lineage, onDamage: "truncate" | "refuse") =>
  attempt(
    path,
    (): { head: Head; truncation: Truncation | null } => {
      const { db, firstSeq } = ownChapter(lineage)
      const { events, digest, bad } = verifyLog(lineage)
      const head = { seq: events - 1, digest }
      let truncation: Truncation | null = null
      if (bad !== null) {
        // Only a world's own events are cut off, and never its first.
        if (events < Math.max(1, firstSeq) || onDamage === "refuse") throw badRowError(bad)
        const count = query
          .selectFrom("event")
          .select(of => of.fn.countAll<number>().as("rows"))
          .where("seq", ">=", events)
        truncation = { removed: selectAll(db, count)[0]!.rows, bad }
        truncateLog(db, events, digest)
      }
      readGenesis(lineage)
      removeIncompleteBlobs(db)
      return { head, truncation }
    },
    isEventError,
  )

const open = (path: string, options: OpenOptions = {}) =>
  Effect.gen(function* () {
    // A world that is not there must not get a lock file.
    yield* Effect.scoped(openReader(path))
    yield* lockWorld(path)
    const { head, truncation } = yield* Effect.scoped(
      Effect.gen(function* () {
        const db = yield* Effect.acquireRelease(openForWriting(path), opened => Effect.sync(() => opened.close()))
        const { lineage } = yield* openLineage(path, db)
        return yield* recover(path, lineage, options.onDamage ?? "truncate")
      }),
    )
    return yield* startRecording(path, head, options, truncation)
  })

const importFrom = (file: string, path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { lineage } = yield* openLineage(file, yield* openReader(file))
      const { bad } = yield* read(file, () => verifyLog(lineage))
      if (bad !== null) return yield* badRowError(bad)
      yield* read(file, () => readGenesis(lineage))
      yield* read(file, () => verifyContents(lineage))
      yield* lockWorld(path)
      yield* copyTo(lineage, path)
    }),
  )

const remove = (path: string, options: RemoveOptions = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      if (!existsSync(path)) return yield* new WorldNotFound({ path })
      yield* lockWorld(path)
      const forks = options.force === true ? [] : yield* attempt(path, () => forksBeside(path))
      if (forks.length > 0) return yield* new WorldHasForks({ path, forks })
      yield* attempt(path, () => {
        for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true })
      })
    }),
  )

export const sqliteStore = { begin, create, open, openReadOnly, importFrom, remove }
