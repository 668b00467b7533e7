/** The tables of a world file as kysely sees them. kysely writes the SQL; it runs synchronously on better-sqlite3. */
import type { Database, Statement } from "better-sqlite3"
import {
  type Compilable,
  DummyDriver,
  type Generated,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely"

export interface EventTable {
  seq: number
  round: number
  machine: number
  hart: number
  instret: number
  kind: string
  version: number
  payload: Uint8Array
  digest: Uint8Array
}

export interface SnapshotTable {
  id: Generated<number>
  name: string | null
  seq: number
  round: number
  machine: number
  hart: number
  instret: number
  virtual_ns: number
  digest: Uint8Array
  page_count: number
  state: Uint8Array
  map: number
  map_hash: Uint8Array
  seal: Uint8Array
}

export interface ParentTable {
  id: 0
  path: string
  seq: number
  digest: Uint8Array
  round: number
  machine: number
  hart: number
  instret: number
  seal: Uint8Array
}

export interface WrittenTable {
  id: Generated<number>
  from_seq: number
  to_seq: number
  lines: Uint8Array
  seal: Uint8Array
}

export interface Tables {
  event: EventTable
  head: { id: 0; seq: number; digest: Uint8Array }
  blob: { id: Generated<number>; hash: Uint8Array | null; size: number }
  blob_chunk: { blob: number; chunk: number; data: Uint8Array }
  page: { prefix: number; place: number }
  page_pack: { id: Generated<number>; seal: Uint8Array; hashes: Uint8Array; data: Uint8Array }
  memory_map: { id: Generated<number>; base: number | null; depth: number; data: Uint8Array }
  snapshot: SnapshotTable
  written: WrittenTable
  parent: ParentTable
  /** SQLite's own: the largest number ever used in a table. */
  sqlite_sequence: { name: string; seq: number }
}

/** Builds queries; it has no connection. */
export const query = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: db => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const prepared = new WeakMap<Database, Map<string, Statement<Array<unknown>, unknown>>>()

/**
 * The statement for some SQL, made once for a database: SQLite's memory of a statement is freed only when the garbage collector finds it,
 * which in a quiet thread may be never. For what is done at once; who iterates needs a statement of its own.
 */
export const prepareOnce = <O>(db: Database, sql: string): Statement<Array<unknown>, O> => {
  let statements = prepared.get(db)
  if (statements === undefined) {
    statements = new Map()
    prepared.set(db, statements)
  }
  let statement = statements.get(sql)
  if (statement === undefined) {
    statement = db.prepare(sql)
    statements.set(sql, statement)
  }
  return statement as Statement<Array<unknown>, O>
}

/** The same for a query: its values are bound again at each run, in the order the query names them. */
export const prepare = <O>(db: Database, built: Compilable<O>): Statement<Array<unknown>, O> =>
  prepareOnce(db, built.compile().sql)

export const selectAll = <O>(db: Database, built: Compilable<O>): Array<O> => {
  const { sql, parameters } = built.compile()
  return prepareOnce<O>(db, sql).all(...parameters)
}

export const selectFirst = <O>(db: Database, built: Compilable<O>): O | undefined => {
  const { sql, parameters } = built.compile()
  return prepareOnce<O>(db, sql).get(...parameters)
}

/** Adds a row; gives the number it got. */
export const insertRow = (db: Database, built: Compilable<unknown>): number => {
  const { sql, parameters } = built.compile()
  return Number(prepareOnce(db, sql).run(...parameters).lastInsertRowid)
}

export const run = (db: Database, built: Compilable<unknown>): number => {
  const { sql, parameters } = built.compile()
  return prepareOnce(db, sql).run(...parameters).changes
}
