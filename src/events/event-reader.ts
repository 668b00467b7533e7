/** Reading the log, and checking its chain of digests. */
import { Buffer } from "node:buffer"
import BetterSqlite, { type Database } from "better-sqlite3"
import { ContentDamaged } from "./content-damaged.ts"
import { WorldDamaged } from "./errors.ts"
import { decodeEvent, type EventKind, type StoredEvent } from "./event.ts"
import { readHead, writeHead } from "./head.ts"
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

/** First seq whose event is at or after `position`; one past the end where there is none. The log is ordered by position. */
export const seqAtPosition = (db: Database, position: Position): number => {
  const at = prepare(db, selectEvents.where("seq", "=", 0))
  let low = 0
  let high = readHead(db).seq + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const columns = at.get(middle)
    if (columns === undefined) throw new ContentDamaged(`event ${middle} is missing`)
    if (comparePositions(columns, position) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * At most `limit` events that pass the filter, in order. Each call sees the log as it is then.
 * @throws UnknownEvent, MalformedPayload, WorldDamaged, database errors
 */
export const readEvents = (
  db: Database,
  path: string,
  filter: EventFilter,
  limit: number,
): ReadonlyArray<StoredEvent> => {
  let from = filter.fromSeq ?? 0
  if (filter.fromPosition !== undefined) from = Math.max(from, seqAtPosition(db, filter.fromPosition))
  let built = selectEvents.where("seq", ">=", from).orderBy("seq").limit(limit)
  if (filter.toSeq !== undefined) built = built.where("seq", "<=", filter.toSeq)
  if (filter.kinds !== undefined) built = built.where("kind", "in", filter.kinds)
  const { sql, parameters } = built.compile()
  const rows = db.prepare<Array<unknown>, EventTable>(sql).all(...parameters)
  return rows.map(columns => toStoredEvent(path, columns))
}

/** All events that pass the filter, read in chunks, so that a writer is never held up. */
export function* eachEvent(db: Database, path: string, filter: EventFilter): Generator<StoredEvent> {
  const chunk = 1024
  let rest = filter
  for (;;) {
    const events = readEvents(db, path, rest, chunk)
    yield* events
    if (events.length < chunk) return
    const { fromPosition: _, ...found } = rest
    rest = { ...found, fromSeq: events[events.length - 1]!.seq + 1 }
  }
}

/** Reads the whole log and checks every row. Damage is in the answer, not an error. */
export const verifyLog = (db: Database): Verification => {
  let events = 0
  let digest: Uint8Array = zeroDigest
  let lastPosition: Position | null = null
  const chain = new DigestChain(zeroDigest)
  const found = (kind: string | null, position: Position | null, problem: string, seq = events): Verification => ({
    events,
    digest,
    lastPosition,
    bad: { seq, kind, position, problem },
  })
  try {
    const all = db.prepare<[], EventTable>(selectEvents.orderBy("seq").compile().sql)
    for (const columns of all.iterate()) {
      const row = toRow(columns)
      if (row === null) return found(null, null, "its row has columns of the wrong type")
      if (row.seq !== events) return found(null, null, `the row is missing, event ${row.seq} stands in its place`)
      const expected = chain.next(row)
      if (Buffer.compare(expected, columns.digest) !== 0)
        return found(row.kind, row.position, "its digest does not match its content")
      events++
      digest = plainBytes(columns.digest)
      lastPosition = row.position
    }
    const head = readHead(db)
    if (head.seq >= events) return found(null, null, `the log should go on to event ${head.seq}`)
    if (head.seq !== events - 1 || Buffer.compare(head.digest, digest) !== 0)
      return found(null, null, "the record of where the log ends does not agree with the log", events - 1)
  } catch (cause) {
    if (cause instanceof ContentDamaged) return found(null, null, cause.message)
    if (!(cause instanceof BetterSqlite.SqliteError)) throw cause
    return found(null, null, `the database page that holds it cannot be read (${cause.message})`)
  }
  return { events, digest, lastPosition, bad: null }
}

/** The error that says what a verification found. */
export const badRowError = (path: string, bad: BadRow): WorldDamaged =>
  new WorldDamaged({
    path,
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
    writeHead(db, { seq: events - 1, digest })
    db.exec("REINDEX event_kind")
  })()
}
