/** The file of a new world: made under another name, and given its own when it is whole. Runs in the log's worker thread. */
import { Buffer } from "node:buffer"
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import BetterSqlite, { type Database } from "better-sqlite3"
import { Kysely, SqliteDialect } from "kysely"
import { Migrator } from "kysely/migration"
import { formatVersion, migrationProvider } from "../../migrations/index.ts"
import { BlobWriter } from "./blob.ts"
import { writeHead } from "./head.ts"
import { type Parent, writeParent } from "./parent.ts"
import { query, run } from "./tables.ts"
import { copyTemplate, keepTemplate, templateOf } from "./template.ts"

/** "CVWD": marks a SQLite file as a world. */
export const applicationId = 0x43565744
const pageBytes = 8192
/** A fork begins with tables that are nearly all empty: small pages keep its file small. */
const forkPageBytes = 1024

/** A content with its sha256, 64 hexadecimal digits. */
export interface KnownContent {
  readonly hash: string
  readonly bytes: Uint8Array
}

/** What a new world begins with. */
export interface Creation {
  /** The row of event 0. */
  readonly genesis: {
    readonly seq: number
    readonly round: number
    readonly machine: number
    readonly hart: number
    readonly instret: number
    readonly kind: string
    readonly version: number
    readonly payload: Uint8Array
    readonly digest: Uint8Array
  }
  readonly contents: readonly KnownContent[]
  /** The directory of templates, null: without. */
  readonly templates: string | null
}

/** Brings a database's tables to the newest form. */
export const migrate = async (db: Database): Promise<void> => {
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: db }) })
  const { error } = await new Migrator({ db: kysely, provider: migrationProvider }).migrateToLatest()
  if (error !== undefined) throw error
  db.pragma(`user_version = ${formatVersion}`)
}

/** Changes a file that nobody sees before it is whole: it needs no journal, and reaches the disk once, at the end. */
export const change = async (file: string, body: (db: Database) => void | Promise<void>): Promise<void> => {
  const db = new BetterSqlite(file)
  try {
    db.pragma("journal_mode = OFF")
    db.pragma("synchronous = OFF")
    await body(db)
  } finally {
    db.close()
  }
}

const syncFile = (path: string): void => {
  const file = openSync(path, "r+")
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes a file under another name and gives it its own when it is whole: it appears complete or not at all. */
export const makeWhole = async (path: string, fill: (partial: string) => void | Promise<void>): Promise<void> => {
  const partial = `${path}.partial`
  rmSync(partial, { force: true })
  try {
    await fill(partial)
    syncFile(partial)
    renameSync(partial, path)
  } finally {
    rmSync(partial, { force: true })
  }
}

/** Makes a new database one of a world, with all tables and nothing in them. */
export const addTables = async (db: Database): Promise<void> => {
  db.pragma(`page_size = ${pageBytes}`)
  db.pragma(`application_id = ${applicationId}`)
  await migrate(db)
}

/** All tables, and the contents. */
const fillWithContents = async (db: Database, contents: readonly KnownContent[]): Promise<void> => {
  await addTables(db)
  db.transaction(() => {
    for (const { hash, bytes } of contents) {
      const blob = new BlobWriter(db, hash)
      blob.write(bytes)
      blob.finish()
    }
  })()
}

const addGenesis = (db: Database, genesis: Creation["genesis"]): void => {
  const payload = Buffer.from(genesis.payload)
  const digest = Buffer.from(genesis.digest)
  db.transaction(() => {
    run(db, query.insertInto("event").values({ ...genesis, payload, digest }))
    writeHead(db, { seq: genesis.seq, digest })
  })()
}

/** Creates a world's file; it appears complete or not at all. */
export const createWorldFile = (path: string, { genesis, contents, templates }: Creation): Promise<void> => {
  const template = templates === null ? null : templateOf(templates, contents)
  return makeWhole(path, async partial => {
    if (template === null || !copyTemplate(template, partial)) {
      await change(partial, db => fillWithContents(db, contents))
      if (template !== null) keepTemplate(template, partial)
    }
    await change(partial, db => {
      addGenesis(db, genesis)
      db.pragma("journal_mode = WAL")
    })
  })
}

interface SchemaRow {
  readonly sql: string
}

/** The same tables as another world's, which is of the newest format. Migrating takes ten times as long. */
const copyTables = (from: Database, db: Database): void => {
  const schema = from.prepare<[], SchemaRow>(
    "SELECT sql FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
  )
  for (const { sql } of schema.all()) db.prepare(sql).run()
  for (const table of ["kysely_migration", "kysely_migration_lock"]) {
    const insert = db.prepare(`INSERT INTO ${table} VALUES (?, ?)`)
    for (const row of from.prepare<[], unknown[]>(`SELECT * FROM ${table}`).raw().all()) insert.run(...row)
  }
  db.pragma(`user_version = ${formatVersion}`)
}

/** Creates the file of a fork, which says no more than where its history comes from. `from` is the parent's database. */
export const createForkFile = (path: string, from: Database, parent: Parent): Promise<void> =>
  makeWhole(path, partial =>
    change(partial, db => {
      db.pragma(`page_size = ${forkPageBytes}`)
      db.pragma(`application_id = ${applicationId}`)
      db.transaction(() => {
        copyTables(from, db)
        writeParent(db, path, parent)
        writeHead(db, parent)
      })()
    }),
  )
