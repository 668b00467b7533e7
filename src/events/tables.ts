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

export interface Tables {
  event: EventTable
  head: { id: 0; seq: number; digest: Uint8Array }
  blob: { id: Generated<number>; hash: Uint8Array | null; size: number }
  blob_chunk: { blob: number; chunk: number; data: Uint8Array }
  page: { prefix: number; place: number }
  page_pack: { id: Generated<number>; seal: Uint8Array; hashes: Uint8Array; data: Uint8Array }
  memory_map: { id: Generated<number>; base: number | null; depth: number; data: Uint8Array }
  snapshot: SnapshotTable
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

/** A statement to run many times: its values are bound again at each run, in the order the query names them. */
export const prepare = <O>(db: Database, built: Compilable<O>): Statement<Array<unknown>, O> =>
  db.prepare<Array<unknown>, O>(built.compile().sql)

export const selectAll = <O>(db: Database, built: Compilable<O>): Array<O> => {
  const { sql, parameters } = built.compile()
  return db.prepare<Array<unknown>, O>(sql).all(...parameters)
}

export const selectFirst = <O>(db: Database, built: Compilable<O>): O | undefined => {
  const { sql, parameters } = built.compile()
  return db.prepare<Array<unknown>, O>(sql).get(...parameters)
}

export const run = (db: Database, built: Compilable<unknown>): number => {
  const { sql, parameters } = built.compile()
  return db.prepare(sql).run(...parameters).changes
}
