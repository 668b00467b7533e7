/** World files as SQLite databases: readers on connections of their own, one writer in the log's worker thread. */
import { Buffer } from "node:buffer"
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import type { Database } from "better-sqlite3"
import { Effect, Option, Stream } from "effect"
import { blobSize, readBlob, readWholeBlob, removeIncompleteBlobs, type StoredBlob } from "./blob.ts"
import { ContentDamaged } from "./content-damaged.ts"
import { attempt, openForReading, openForWriting, toReadError } from "./database.ts"
import {
  BlobNotFound,
  MalformedPayload,
  type OpenError,
  type ReadError,
  SnapshotExists,
  SnapshotNotFound,
  SqlFailed,
  SqlRefused,
  UnknownEvent,
  type WorldDamaged,
  WorldExists,
  WorldNotFound,
  WorldUnreadable,
  type WorldWriteFailed,
} from "./errors.ts"
import { definitions, encodeEvent, type StoredEvent } from "./event.ts"
import { badRowError, eachEvent, readEvents, seqAtPosition, truncateLog, verifyLog } from "./event-reader.ts"
import type { Genesis } from "./genesis.ts"
import { type Head, readHead } from "./head.ts"
import { lockWorld } from "./lock.ts"
import { type LogWriterOptions, makeLogWriter, type WorkerLogWriter } from "./log-writer.ts"
import { origin } from "./position.ts"
import { DigestChain, zeroDigest } from "./row.ts"
import { eachPage, findSnapshot, listSnapshots, openMemory, readState, verifySnapshots } from "./snapshot.ts"
import type { SnapshotInput } from "./snapshot-sender.ts"
import { addViews, rowsMaxDefault, runQuery } from "./sql.ts"
import { query, selectAll } from "./tables.ts"
import type { Failure } from "./worker-protocol.ts"
import type { CreateOptions, OpenOptions, RecordingWorld, Truncation, World } from "./world-store.ts"

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

const readGenesis = (db: Database, path: string): Genesis => {
  let first: StoredEvent | undefined
  try {
    first = readEvents(db, path, { toSeq: 0 }, 1)[0]
  } catch (cause) {
    const { bad } = verifyLog(db)
    throw bad === null ? cause : badRowError(path, bad)
  }
  if (first?.kind !== "genesis")
    throw badRowError(path, { seq: 0, kind: first?.kind ?? null, position: null, problem: "it is not a genesis" })
  return first.payload
}

const verifyContents = (db: Database): void => {
  for (const { hash } of selectAll(db, query.selectFrom("blob").select("hash").where("hash", "is not", null))) {
    if (!(hash instanceof Uint8Array)) throw new ContentDamaged("the hash of a content has the wrong type")
    const pieces = readBlob(db, Buffer.from(hash).toString("hex"))
    if (pieces === null) throw new ContentDamaged("a content is not found by its hash")
    for (const _ of pieces);
  }
  verifySnapshots(db)
}

/** Copies what is durable into a new file, which appears complete or not at all. */
const copyTo = (db: Database, path: string, file: string): Effect.Effect<void, WorldExists | ReadError> =>
  attempt(
    path,
    () => {
      if (existsSync(file)) throw new WorldExists({ path: file })
      const partial = `${file}.partial`
      rmSync(partial, { force: true })
      try {
        db.prepare("VACUUM INTO ?").run(partial)
        const descriptor = openSync(partial, "r+")
        fsyncSync(descriptor)
        closeSync(descriptor)
        renameSync(partial, file)
      } finally {
        rmSync(partial, { force: true })
      }
    },
    (cause): cause is WorldExists => cause instanceof WorldExists,
  )

const worldOf = (path: string, db: Database, genesis: Genesis): World => {
  const found = <A>(which: number | string, body: () => A | null) =>
    Effect.flatMap(
      read(path, body),
      (value): Effect.Effect<A, SnapshotNotFound> =>
        value === null ? Effect.fail(new SnapshotNotFound({ path, snapshot: String(which) })) : Effect.succeed(value),
    )
  /** Reads at once, with errors as exceptions. */
  const now = <A>(body: () => A): A => {
    try {
      return body()
    } catch (cause) {
      throw toReadError(path, cause) ?? cause
    }
  }
  const blob = (hash: string) =>
    Stream.unwrap(
      Effect.map(
        read(path, () => readBlob(db, hash)),
        (pieces): Stream.Stream<Uint8Array, BlobNotFound | ReadError> =>
          pieces === null ? Stream.fail(new BlobNotFound({ path, hash })) : readStream(path, () => pieces, 16),
      ),
    )
  let viewsAdded = false
  return {
    path,
    genesis,
    head: read(path, () => readHead(db)),
    events: (filter = {}) => readStream(path, () => eachEvent(db, path, filter), 256),
    readEvents: (filter, limit) => read(path, () => readEvents(db, path, filter, limit)),
    readEventsNow: (filter, limit) => now(() => readEvents(db, path, filter, limit)),
    seqAt: position => read(path, () => seqAtPosition(db, position)),
    verify: read(path, () => verifyLog(db)),
    verifyContents: read(path, () => verifyContents(db)),
    blobSize: hash =>
      Effect.flatMap(
        read(path, () => blobSize(db, hash)),
        size => (size === null ? Effect.fail(new BlobNotFound({ path, hash })) : Effect.succeed(size)),
      ),
    blob,
    readBlob: hash =>
      Effect.flatMap(
        read(path, () => readWholeBlob(db, hash)),
        whole => (whole === null ? Effect.fail(new BlobNotFound({ path, hash })) : Effect.succeed(whole)),
      ),
    readBlobNow: hash =>
      now(() => {
        const whole = readWholeBlob(db, hash)
        if (whole === null) throw new ContentDamaged(`the content ${hash} is missing`)
        return whole
      }),
    snapshots: read(path, () => listSnapshots(db)),
    snapshot: which => found(which, () => findSnapshot(db, which)),
    snapshotState: id => found(id, () => readState(db, id)),
    snapshotMemory: id =>
      Effect.map(
        found(id, () => openMemory(db, id)),
        ({ indexes, places, read: readPage, readPlace }) => ({
          file: path,
          indexes,
          places,
          read: index => now(() => readPage(index)),
          readPlace: place => now(() => readPlace(place)),
        }),
      ),
    snapshotPages: (id, since) =>
      Stream.unwrap(
        Effect.gen(function* () {
          for (const needed of since === undefined ? [id] : [id, since])
            yield* found(needed, () => findSnapshot(db, needed))
          return readStream(path, () => eachPage(db, id, since ?? null), 256)
        }),
      ),
    sql: (text, options) =>
      attempt(
        path,
        () => {
          if (!viewsAdded) addViews(db)
          viewsAdded = true
          return runQuery(db, text, options?.rowsMax ?? rowsMaxDefault)
        },
        (cause): cause is SqlRefused | SqlFailed | UnknownEvent | MalformedPayload =>
          cause instanceof SqlRefused || cause instanceof SqlFailed || isEventError(cause),
      ),
    exportTo: file => copyTo(db, path, file),
  }
}

/** Brings a world of an older format to the newest. */
const upgrade = (path: string): Effect.Effect<void, OpenError> =>
  Effect.scoped(
    Effect.andThen(
      lockWorld(path),
      Effect.acquireRelease(openForWriting(path), db =>
        Effect.sync(() => {
          db.pragma("journal_mode = DELETE")
          db.close()
        }),
      ),
    ),
  ).pipe(
    Effect.asVoid,
    Effect.catchTag(
      "WorldInUse",
      () => new WorldUnreadable({ path, problem: "it is being upgraded to a newer format" }),
    ),
  )

const openUpgraded = (path: string): Effect.Effect<Database, OpenError> =>
  openForReading(path).pipe(
    Effect.catchTag("OlderFormat", ({ format }) =>
      Effect.andThen(upgrade(path), openForReading(path)).pipe(
        Effect.catchTag(
          "OlderFormat",
          () => new WorldUnreadable({ path, problem: `its older format ${format} could not be upgraded` }),
        ),
      ),
    ),
  )

const openReader = (path: string) => Effect.acquireRelease(openUpgraded(path), db => Effect.sync(() => db.close()))

const openReadOnly = (path: string) =>
  Effect.gen(function* () {
    const db = yield* openReader(path)
    return worldOf(path, db, yield* read(path, () => readGenesis(db, path)))
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
      Effect.flatMap(mapFailure(log.request("removeSnapshot", { snapshot: id })), removed =>
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
const recover = (path: string, db: Database, onDamage: "truncate" | "refuse") =>
  attempt(
    path,
    (): { head: Head; truncation: Truncation | null } => {
      const { events, digest, bad } = verifyLog(db)
      const head = { seq: events - 1, digest }
      let truncation: Truncation | null = null
      if (bad !== null) {
        if (events === 0 || onDamage === "refuse") throw badRowError(path, bad)
        const count = query
          .selectFrom("event")
          .select(of => of.fn.countAll<number>().as("rows"))
          .where("seq", ">=", events)
        truncation = { removed: selectAll(db, count)[0]!.rows, bad }
        truncateLog(db, events, digest)
      }
      readGenesis(db, path)
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
    const { head, truncation } = yield* Effect.acquireUseRelease(
      openForWriting(path),
      db => recover(path, db, options.onDamage ?? "truncate"),
      db => Effect.sync(() => db.close()),
    )
    return yield* startRecording(path, head, options, truncation)
  })

const importFrom = (file: string, path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const source = yield* openReader(file)
      const { bad } = yield* read(file, () => verifyLog(source))
      if (bad !== null) return yield* badRowError(file, bad)
      yield* read(file, () => readGenesis(source, file))
      yield* read(file, () => verifyContents(source))
      yield* lockWorld(path)
      yield* copyTo(source, file, path)
    }),
  )

const remove = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      if (!existsSync(path)) return yield* new WorldNotFound({ path })
      yield* lockWorld(path)
      yield* attempt(path, () => {
        for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true })
      })
    }),
  )

export const sqliteStore = { begin, create, open, openReadOnly, importFrom, remove }
