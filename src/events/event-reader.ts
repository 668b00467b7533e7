/** Reading the log, and checking its chain of digests. A fork's log goes through the files of its line. */
import { Buffer } from "node:buffer"
import BetterSqlite, { type Database } from "better-sqlite3"
import { ContentDamaged } from "./content-damaged.ts"
import { WorldDamaged } from "./errors.ts"
import { decodeEvent, type EventKind, type StoredEvent } from "./event.ts"
import { type Head, readHead, writeHead } from "./head.ts"
import { type Chapter, chapterOf, inChapter, type Lineage, ownChapter } from "./lineage.ts"
import { comparePositions, formatPosition, type Position } from "./position.ts"
import { DigestChain, digestBytes, plainBytes, type Row, zeroDigest } from "./row.ts"
import { type EventTable, prepare, query } from "./tables.ts"

export interface EventFilter {
  /** All kinds where absent. */
  readonly kinds?: ReadonlyArray<EventKind>
  /** First seq, inclusive; 0 where absent. */
  readonly fromSeq?: number
  /** Last seq, inclusive; the end of the log where absent. */
  readonly toSeq?: number
  /** Leaves out what lies before this position. */
  readonly fromPosition?: Position
}

/** A row that is not what was written. */
export interface BadRow {
  /** The file it is in. */
  readonly path: string
  readonly seq: number
  readonly kind: string | null
  readonly position: Position | null
  readonly problem: string
}

export interface Verification {
  /** Good events, from event 0 on. */
  readonly events: number
  /** Digest of the last good one; 32 zero bytes where there is none. */
  readonly digest: Uint8Array
  readonly lastPosition: Position | null
  /** The first bad row, null where all is well. */
  readonly bad: BadRow | null
}

const isNatural = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

/** The row, or null when the columns do not have the types they are written with. */
const toRow = (columns: EventTable): Row | null => {
  const { seq, round, machine, hart, instret, kind, version, payload, digest } = columns
  const numbers = [seq, round, machine, hart, instret, version]
  if (!numbers.every(isNatural) || machine > 0xffff_ffff || hart > 0xffff_ffff || version > 0xffff) return null
  if (typeof kind !== "string" || kind.length > 255 || !Buffer.isBuffer(payload)) return null
  if (!Buffer.isBuffer(digest) || digest.length !== digestBytes) return null
  return { seq, position: { round, machine, hart, instret }, kind, version, payload }
}

const selectEvents = query
  .selectFrom("event")
  .select(["seq", "round", "machine", "hart", "instret", "kind", "version", "payload", "digest"])

const toStoredEvent = (path: string, columns: EventTable): StoredEvent => {
  const row = toRow(columns)
  if (row === null)
    throw new WorldDamaged({
      path,
      seq: isNatural(columns.seq) ? columns.seq : null,
      kind: null,
      position: null,
      problem: "its row has columns of the wrong type",
    })
  const event = decodeEvent(row.kind, row.version, row.payload)
  return { ...event, seq: row.seq, position: row.position, version: row.version, digest: plainBytes(columns.digest) }
}

/** The row of an event as it is stored; undefined where there is none. */
const columnsAt = (lineage: Lineage, seq: number): EventTable | undefined => {
  const chapter = chapterOf(lineage, seq)
  if (chapter === undefined) return undefined
  return inChapter(chapter, () => prepare<EventTable>(chapter.db, selectEvents.where("seq", "=", 0)).get(seq))
}

/** The digest of an event, which covers all before it; null where there is no such event. */
export const digestAt = (lineage: Lineage, seq: number): Uint8Array | null => {
  const columns = columnsAt(lineage, seq)
  return columns === undefined || !Buffer.isBuffer(columns.digest) ? null : plainBytes(columns.digest)
}

/** Where a history ends. @throws WorldDamaged */
export const headOf = (lineage: Lineage): Head => {
  const own = ownChapter(lineage)
  return inChapter(own, () => readHead(own.db))
}

/** First seq whose event is at or after `position`; one past the end where there is none. The log is ordered by position. */
export const seqAtPosition = (lineage: Lineage, position: Position): number => {
  let low = 0
  let high = headOf(lineage).seq + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const columns = columnsAt(lineage, middle)
    if (columns === undefined) throw new ContentDamaged(`event ${middle} is missing`)
    if (comparePositions(columns, position) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Those of one file, from `fromSeq` to `toSeq`. */
const readChapter = (
  { db, path }: Chapter,
  fromSeq: number,
  toSeq: number,
  kinds: ReadonlyArray<EventKind> | undefined,
  limit: number,
): ReadonlyArray<StoredEvent> => {
  let built = selectEvents.where("seq", ">=", fromSeq).orderBy("seq").limit(limit)
  if (toSeq !== Number.POSITIVE_INFINITY) built = built.where("seq", "<=", toSeq)
  if (kinds !== undefined) built = built.where("kind", "in", kinds)
  const { sql, parameters } = built.compile()
  const rows = db.prepare<Array<unknown>, EventTable>(sql).all(...parameters)
  return rows.map(columns => toStoredEvent(path, columns))
}

/**
 * At most `limit` events that pass the filter, in order. Each call sees the log as it is then.
 * @throws UnknownEvent, MalformedPayload, WorldDamaged, database errors
 */
export const readEvents = (lineage: Lineage, filter: EventFilter, limit: number): ReadonlyArray<StoredEvent> => {
  let from = filter.fromSeq ?? 0
  if (filter.fromPosition !== undefined) from = Math.max(from, seqAtPosition(lineage, filter.fromPosition))
  let found: ReadonlyArray<StoredEvent> = []
  for (const chapter of lineage) {
    const first = Math.max(from, chapter.firstSeq)
    const last = Math.min(filter.toSeq ?? Number.POSITIVE_INFINITY, chapter.lastSeq)
    const rest = limit - found.length
    if (first > last || rest <= 0) continue
    const events = inChapter(chapter, () => readChapter(chapter, first, last, filter.kinds, rest))
    found = found.length === 0 ? events : [...found, ...events]
  }
  return found
}

/** All events that pass the filter, read in chunks, so that a writer is never held up. */
export function* eachEvent(lineage: Lineage, filter: EventFilter): Generator<StoredEvent> {
  const chunk = 1024
  let rest = filter
  for (;;) {
    const events = readEvents(lineage, rest, chunk)
    yield* events
    if (events.length < chunk) return
    const { fromPosition: _, ...found } = rest
    rest = { ...found, fromSeq: events[events.length - 1]!.seq + 1 }
  }
}

/** Reads the whole log, as it is at one moment, and checks every row. Damage is in the answer, not an error. */
export const verifyLog = (lineage: Lineage): Verification => {
  let events = 0
  let digest: Uint8Array = zeroDigest
  let lastPosition: Position | null = null
  const chain = new DigestChain(zeroDigest)
  const bad = (
    kind: string | null,
    position: Position | null,
    problem: string,
    seq = events,
  ): Omit<BadRow, "path"> => ({
    seq,
    kind,
    position,
    problem,
  })

  /** The first row of a file that is not good. Of the world's own, all rows must be of its history. */
  const check = ({ db, firstSeq, lastSeq }: Chapter, isOwn: boolean): Omit<BadRow, "path"> | null => {
    const rows = db.prepare<[number, number], EventTable>(
      selectEvents.where("seq", ">=", 0).where("seq", "<=", 0).orderBy("seq").compile().sql,
    )
    const [from, to] = isOwn ? [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] : [firstSeq, lastSeq]
    for (const columns of rows.iterate(from, to)) {
      const row = toRow(columns)
      if (row === null) return bad(null, null, "its row has columns of the wrong type")
      if (row.seq !== events) return bad(null, null, `the row is missing, event ${row.seq} stands in its place`)
      const expected = chain.next(row)
      if (Buffer.compare(expected, columns.digest) !== 0)
        return bad(row.kind, row.position, "its digest does not match its content")
      events++
      digest = plainBytes(columns.digest)
      lastPosition = row.position
    }
    const head = isOwn ? readHead(db) : { seq: lastSeq, digest }
    if (head.seq >= events) return bad(null, null, `the log should go on to event ${head.seq}`)
    if (!isOwn) return null
    if (head.seq !== events - 1 || Buffer.compare(head.digest, digest) !== 0)
      return bad(null, null, "the record of where the log ends does not agree with the log", events - 1)
    return null
  }

  for (const chapter of lineage) {
    let found: Omit<BadRow, "path"> | null
    try {
      const isOwn = chapter === ownChapter(lineage)
      found = chapter.db.transaction(() => check(chapter, isOwn)).deferred()
    } catch (cause) {
      if (cause instanceof ContentDamaged) found = bad(null, null, cause.message)
      else if (cause instanceof BetterSqlite.SqliteError)
        found = bad(null, null, `the database page that holds it cannot be read (${cause.message})`)
      else throw cause
    }
    if (found !== null) return { events, digest, lastPosition, bad: { path: chapter.path, ...found } }
  }
  return { events, digest, lastPosition, bad: null }
}

/** The error that says what a verification found. */
export const badRowError = (bad: BadRow): WorldDamaged =>
  new WorldDamaged({
    path: bad.path,
    seq: bad.seq,
    kind: bad.kind,
    position: bad.position === null ? null : formatPosition(bad.position),
    problem: bad.problem,
  })

/** Removes every event from `events` on, with the snapshots that stand on them; the log then ends in `digest`. */
export const truncateLog = (db: Database, events: number, digest: Uint8Array): void => {
  db.transaction(() => {
    prepare(db, query.deleteFrom("event").where("seq", ">=", 0)).run(events)
    prepare(db, query.deleteFrom("snapshot").where("seq", ">=", 0)).run(events)
    prepare(db, query.deleteFrom("written").where("to_seq", ">=", 0)).run(events)
    writeHead(db, { seq: events - 1, digest })
    db.exec("REINDEX event_kind")
  })()
}
