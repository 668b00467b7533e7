/** Opening the SQLite database of a world, and what its errors mean for the world. */
import { existsSync, statSync } from "node:fs"
import BetterSqlite, { type Database } from "better-sqlite3"
import { Data, Effect } from "effect"
import { formatVersion } from "../../migrations/index.ts"
import { ContentDamaged } from "./content-damaged.ts"
import { applicationId, migrate } from "./creation.ts"
import { type OpenError, WorldDamaged, WorldNewer, WorldNotFound, WorldUnreadable } from "./errors.ts"

/** A world that has to be upgraded before it is read: opening it for writing does. */
export class OlderFormat extends Data.TaggedError("OlderFormat")<{ readonly path: string; readonly format: number }> {}

const damaged = (path: string, problem: string): WorldDamaged =>
  new WorldDamaged({ path, seq: null, kind: null, position: null, problem })

const isSystemError = (cause: unknown): cause is NodeJS.ErrnoException =>
  cause instanceof Error && "syscall" in cause && "code" in cause

/** The operating error behind `cause`; null where it is a mistake in the program. */
export const toReadError = (path: string, cause: unknown): WorldDamaged | WorldUnreadable | null => {
  if (cause instanceof ContentDamaged) return damaged(path, cause.message)
  if (cause instanceof BetterSqlite.SqliteError) {
    if (cause.code === "SQLITE_NOTADB") return new WorldUnreadable({ path, problem: "it is not a SQLite database" })
    if (cause.code.startsWith("SQLITE_CORRUPT")) return damaged(path, "the database is truncated or was overwritten")
    if (cause.code === "SQLITE_ERROR") return damaged(path, `its tables are not those of a world (${cause.message})`)
    return new WorldUnreadable({ path, problem: `${cause.message} (${cause.code})` })
  }
  if (isSystemError(cause)) return new WorldUnreadable({ path, problem: cause.message })
  return null
}

/** Runs `body`, with database and file errors as values. Errors in which `accepts` believes are kept as they are. */
export const attempt = <A, E = never>(
  path: string,
  body: () => A,
  accepts: (cause: unknown) => cause is E = (_): _ is E => false,
): Effect.Effect<A, WorldDamaged | WorldUnreadable | E> =>
  Effect.suspend((): Effect.Effect<A, WorldDamaged | WorldUnreadable | E> => {
    try {
      return Effect.succeed(body())
    } catch (cause) {
      if (accepts(cause)) return Effect.fail(cause)
      if (cause instanceof WorldDamaged || cause instanceof WorldUnreadable) return Effect.fail(cause)
      const error = toReadError(path, cause)
      return error === null ? Effect.die(cause) : Effect.fail(error)
    }
  })

const checkFile = (path: string): void => {
  let size: number
  try {
    const status = statSync(path)
    if (!status.isFile()) throw new WorldUnreadable({ path, problem: "it is not a regular file" })
    size = status.size
  } catch (cause) {
    if (isSystemError(cause) && (cause.code === "ENOENT" || cause.code === "ENOTDIR")) throw new WorldNotFound({ path })
    throw cause
  }
  if (size === 0) throw new WorldUnreadable({ path, problem: "it is empty" })
}

const checkFormat = (path: string, db: Database, upgradable: boolean): void => {
  if (db.pragma("application_id", { simple: true }) !== applicationId)
    throw new WorldUnreadable({ path, problem: "it is a SQLite database, but not a world" })
  const format = db.pragma("user_version", { simple: true }) as number
  if (format > formatVersion) throw new WorldNewer({ path, format, supported: formatVersion })
  if (format < 1) throw damaged(path, `its format version is ${format}`)
  if (format < formatVersion && !upgradable) throw new OlderFormat({ path, format })
}

const configure = (db: Database): Database => {
  db.pragma("cell_size_check = ON")
  db.pragma("trusted_schema = OFF")
  return db
}

const openReadOnly = (path: string): Database => {
  const options = { readonly: true, fileMustExist: true }
  try {
    const db = configure(new BetterSqlite(path, options))
    db.pragma("schema_version")
    return db
  } catch (cause) {
    // A medium that cannot be written to has no room for the shared-memory file of a database in WAL mode.
    const blocked = cause instanceof BetterSqlite.SqliteError && /CANTOPEN|READONLY/.test(cause.code)
    if (!blocked || existsSync(`${path}-wal`)) throw cause
    return configure(new BetterSqlite(`file:${encodeURI(path).replaceAll("?", "%3f")}?immutable=1`, options))
  }
}

const isOpenError = (cause: unknown): cause is WorldNotFound | WorldNewer =>
  cause instanceof WorldNotFound || cause instanceof WorldNewer

const isReadError = (cause: unknown): cause is WorldNotFound | WorldNewer | OlderFormat =>
  isOpenError(cause) || cause instanceof OlderFormat

/** A connection that only reads. Other processes may record meanwhile. */
export const openForReading = (path: string): Effect.Effect<Database, OpenError | OlderFormat> =>
  attempt(
    path,
    () => {
      checkFile(path)
      const db = openReadOnly(path)
      try {
        checkFormat(path, db, false)
        return db
      } catch (cause) {
        db.close()
        throw cause
      }
    },
    isReadError,
  )

/** The same for what waits. */
export const attemptAsync = (
  path: string,
  body: () => Promise<void>,
): Effect.Effect<void, WorldDamaged | WorldUnreadable> =>
  Effect.catch(Effect.tryPromise({ try: body, catch: cause => ({ cause }) }), ({ cause }) =>
    attempt(path, () => {
      throw cause
    }),
  )

/** A connection that writes, in WAL mode, every commit synchronous. The caller holds the world's lock. Older formats are upgraded. */
export const openForWriting = (path: string): Effect.Effect<Database, OpenError> =>
  Effect.gen(function* () {
    const db = yield* attempt(
      path,
      () => {
        checkFile(path)
        const opened = configure(new BetterSqlite(path, { fileMustExist: true }))
        try {
          checkFormat(path, opened, true)
          opened.pragma("journal_mode = WAL")
          opened.pragma("synchronous = FULL")
          return opened
        } catch (cause) {
          opened.close()
          throw cause
        }
      },
      isOpenError,
    )
    if (db.pragma("user_version", { simple: true }) !== formatVersion)
      yield* attemptAsync(path, () => migrate(db)).pipe(Effect.onError(() => Effect.sync(() => db.close())))
    return db
  })
