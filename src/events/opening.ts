/** Opening world files to read: those of an older format are upgraded first, and a fork comes with the files before it. */
import type { Database } from "better-sqlite3"
import { Effect, type Scope } from "effect"
import { attempt, openForReading, openForWriting } from "./database.ts"
import { type OpenError, ParentUnusable, WorldUnreadable } from "./errors.ts"
import { digestAt, headOf } from "./event-reader.ts"
import { ancestorsMax, type Lineage, singleFile } from "./lineage.ts"
import { lockWorld } from "./lock.ts"
import { type Parent, readParent } from "./parent.ts"
import { comparePositions, type Position } from "./position.ts"
import { query, selectFirst } from "./tables.ts"

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

/** A world's own file, to read until the scope ends. */
export const openReader = (path: string): Effect.Effect<Database, OpenError, Scope.Scope> =>
  Effect.acquireRelease(openUpgraded(path), db => Effect.sync(() => db.close()))

/** The files of a history and, for a fork, the world it was forked from. */
export interface OpenedLineage {
  readonly lineage: Lineage
  readonly parent: Parent | null
}

/** Opens the files before a world's own, `db`, until the scope ends. */
export const openLineage = (
  path: string,
  db: Database,
  younger: readonly string[] = [],
): Effect.Effect<OpenedLineage, OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const parent = yield* attempt(path, () => readParent(db, path))
    const own = singleFile(path, db)
    if (parent === null) return { lineage: own, parent }
    const unusable = (problem: string) => new ParentUnusable({ path, parent: parent.path, problem })
    const line = [...younger, path]
    if (line.includes(parent.path)) return yield* unusable("is a fork of it")
    if (line.length > ancestorsMax) return yield* unusable("has too many worlds before it")
    const parentDb = yield* openReader(parent.path).pipe(
      Effect.catchTag("WorldNotFound", () => unusable("is not there")),
    )
    const before = (yield* openLineage(parent.path, parentDb, line)).lineage
    const problem = yield* attempt(parent.path, () => whyAnother(before, parent))
    if (problem !== null) return yield* unusable(problem)
    const lineage = [...upTo(before, parent), { ...own[0]!, firstSeq: parent.seq + 1 }]
    return { lineage, parent }
  })

/**
 * The same files as they are now, whatever is written to them or removed from them until the scope ends: of a file that is being
 * recorded SQLite keeps what a reader has begun to read. One at rest is not held, as nobody could begin to write to it then.
 */
export const openHeld = (path: string): Effect.Effect<Lineage, OpenError, Scope.Scope> =>
  Effect.gen(function* () {
    const { lineage } = yield* openLineage(path, yield* openReader(path))
    for (const chapter of lineage)
      yield* attempt(chapter.path, () => {
        if (chapter.db.pragma("journal_mode", { simple: true }) !== "wal") return
        chapter.db.exec("BEGIN")
        selectFirst(chapter.db, query.selectFrom("head").select("seq"))
      })
    return lineage
  })

/** Why a history is not the one that a fork was made of, null where it is. */
const whyAnother = (history: Lineage, { seq, digest }: Parent): string | null => {
  if (headOf(history).seq < seq) return `ends before event ${seq}, at which it was forked`
  const found = digestAt(history, seq)
  const isSame = found?.every((byte, at) => byte === digest[at]) ?? false
  return isSame ? null : `has another history than it had when it was forked at event ${seq}`
}

/** A history as far as a fork shares it. */
const upTo = (history: Lineage, { seq, position }: Parent): Lineage =>
  history.map(chapter => ({
    ...chapter,
    lastSeq: Math.min(chapter.lastSeq, seq),
    end: earlier(chapter.end, position),
  }))

const earlier = (a: Position | null, b: Position): Position => (a !== null && comparePositions(a, b) < 0 ? a : b)
