/** Queries of the user's own over a world's history: read-only, over views that say things in the project's words. */
import { Buffer } from "node:buffer"
import BetterSqlite, { type Database } from "better-sqlite3"
import { causeName } from "../machine/cause-name.ts"
import { SqlFailed, SqlRefused } from "./errors.ts"
import { decodeEvent, eventToJson } from "./event.ts"
import { type Chapter, type Lineage, ownChapter } from "./lineage.ts"
import { generation } from "./lineage-snapshots.ts"

export type SqlValue = string | number | bigint | null | Uint8Array

export interface SqlResult {
  readonly columns: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<SqlValue>>
  /** Whether there were more rows than `rowsMax`. */
  readonly truncated: boolean
}

export const rowsMaxDefault = 100_000

const position = "'r' || round || '.m' || machine || '.h' || hart || '.i' || instret"

/** The rows of a table in all files of a history; `part` selects those of one. */
const union = (lineage: Lineage, part: (schema: string, chapter: Chapter, generations: number) => string): string =>
  lineage
    .map((chapter, at) => {
      const generations = lineage.length - 1 - at
      return part(generations === 0 ? "main" : `ancestor${generations}`, chapter, generations)
    })
    .join(" UNION ALL ")

const eventsOf = (schema: string, { firstSeq, lastSeq }: Chapter): string =>
  `SELECT * FROM ${schema}.event${schema === "main" ? "" : ` WHERE seq BETWEEN ${firstSeq} AND ${lastSeq}`}`

const snapshotsOf = (schema: string, { lastSeq, end }: Chapter, generations: number): string => {
  const select = `SELECT id + ${generations * generation} AS id, name, seq, round, machine, hart, instret, virtual_ns, page_count, digest FROM ${schema}.snapshot`
  if (end === null) return select
  return `${select} WHERE seq <= ${lastSeq} AND (round, machine, hart, instret) <= (${end.round}, ${end.machine}, ${end.hart}, ${end.instret})`
}

const blobsOf = (schema: string): string => `SELECT hash, size FROM ${schema}.blob WHERE hash IS NOT NULL`

const viewsOf = (lineage: Lineage): string => {
  const events = `(${union(lineage, eventsOf)})`
  return `
  CREATE TEMP VIEW events AS
    SELECT seq, ${position} AS position, round, machine, hart, instret, kind, version,
      event_json(kind, version, payload) AS payload, lower(hex(digest)) AS digest
    FROM ${events};
  CREATE TEMP VIEW console AS
    SELECT seq, ${position} AS position, round, machine, instret,
      event_field(kind, version, payload, 'device') AS device,
      event_text(kind, version, payload) AS text, event_field(kind, version, payload, 'bytes') AS bytes
    FROM ${events} WHERE kind = 'console';
  CREATE TEMP VIEW inputs AS
    SELECT seq, ${position} AS position, round, machine, hart, instret,
      event_field(kind, version, payload, 'source') AS source,
      event_field(kind, version, payload, 'virtualNs') AS virtual_ns,
      event_text(kind, version, payload) AS text, event_field(kind, version, payload, 'bytes') AS bytes
    FROM ${events} WHERE kind = 'input';
  CREATE TEMP VIEW interrupts AS
    SELECT events.seq, events.position AS noted_at, events.machine,
      json_extract(one.value, '$.hart') AS hart, json_extract(one.value, '$.instret') AS instret,
      json_extract(one.value, '$.cause') AS cause, interrupt_name(json_extract(one.value, '$.cause')) AS name
    FROM events, json_each(events.payload, '$.interrupts') AS one WHERE events.kind = 'interrupt';
  CREATE TEMP VIEW snapshots AS
    SELECT id, name, seq, ${position} AS position, virtual_ns, page_count AS pages, lower(hex(digest)) AS digest
    FROM (${union(lineage, snapshotsOf)});
  CREATE TEMP VIEW blobs AS
    SELECT DISTINCT lower(hex(hash)) AS hash, size FROM (${union(lineage, blobsOf)});
`
}

const decodeField = (kind: string, version: number, payload: Uint8Array, field: string): SqlValue => {
  const value = (decodeEvent(kind, version, payload).payload as Record<string, unknown>)[field]
  if (value instanceof Uint8Array) return Buffer.from(value)
  return typeof value === "string" || typeof value === "number" ? value : null
}

/** Adds the views and the functions behind them, for the connection to the history's own file only; gives that connection. */
export const addViews = (lineage: Lineage): Database => {
  const { db } = ownChapter(lineage)
  const options = { deterministic: true }
  db.function("event_json", options, (kind: string, version: number, payload: Uint8Array) =>
    JSON.stringify(eventToJson(decodeEvent(kind, version, payload))),
  )
  db.function("event_field", options, decodeField)
  db.function("interrupt_name", options, (cause: number) => causeName(Number(cause), true))
  db.function("event_text", options, (kind: string, version: number, payload: Uint8Array) => {
    const bytes = decodeField(kind, version, payload, "bytes")
    return bytes instanceof Uint8Array ? new TextDecoder().decode(bytes) : null
  })
  for (const [generations, chapter] of lineage.toReversed().entries())
    if (generations > 0) db.prepare(`ATTACH ? AS ancestor${generations}`).run(chapter.db.name)
  db.exec(viewsOf(lineage))
  return db
}

/** Rows that were derived from a history by going through it: a table for one query. */
export interface DerivedTable {
  readonly name: string
  readonly columns: ReadonlyArray<string>
  readonly rows: Iterable<ReadonlyArray<SqlValue>>
}

/** Puts a derived table where queries find it, for this connection only. */
export const addTable = (db: Database, { name, columns, rows }: DerivedTable): void => {
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
  db.exec(`CREATE TEMP TABLE ${quoted(name)} (${columns.map(quoted).join(", ")})`)
  const insert = db.prepare(`INSERT INTO temp.${quoted(name)} VALUES (${columns.map(() => "?").join(", ")})`)
  db.transaction(() => {
    for (const row of rows) insert.run(...row)
  })()
}

/** Integers that a number holds exactly are numbers. */
const plainInteger = (value: SqlValue): SqlValue =>
  typeof value === "bigint" && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value

const prepareQuery = (db: Database, text: string) => {
  try {
    const statement = db.prepare<Array<unknown>, Array<SqlValue>>(text)
    if (!statement.reader || !statement.readonly) throw new SqlRefused({ problem: "it would change the world" })
    if (/^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*pragma\b/i.test(text))
      throw new SqlRefused({ problem: "a PRAGMA is not a query" })
    return statement.raw().safeIntegers()
  } catch (cause) {
    if (cause instanceof RangeError) throw new SqlRefused({ problem: "it is not exactly one statement" })
    if (cause instanceof BetterSqlite.SqliteError && /READONLY|AUTH/.test(cause.code))
      throw new SqlRefused({ problem: "it would change the world" })
    if (cause instanceof BetterSqlite.SqliteError && cause.code === "SQLITE_ERROR")
      throw new SqlFailed({ problem: cause.message })
    throw cause
  }
}

/**
 * Runs one query on a connection that `addViews` prepared.
 * @throws SqlRefused, SqlFailed, database errors, and what decoding a damaged or unknown event throws
 */
export const runQuery = (db: Database, text: string, rowsMax: number): SqlResult => {
  const statement = prepareQuery(db, text)
  const columns = statement.columns().map(column => column.name)
  const rows: Array<Array<SqlValue>> = []
  try {
    for (const row of statement.iterate()) {
      if (rows.length === rowsMax) return { columns, rows, truncated: true }
      rows.push(row.map(plainInteger))
    }
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) throw new SqlFailed({ problem: cause.message })
    if (cause instanceof BetterSqlite.SqliteError && cause.code === "SQLITE_ERROR")
      throw new SqlFailed({ problem: cause.message })
    throw cause
  }
  return { columns, rows, truncated: false }
}
