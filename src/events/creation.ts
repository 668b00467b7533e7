/** The file of a new world: made under another name, and given its own when it is whole. Runs in the log's worker thread. */
import { Buffer } from "node:buffer"
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import BetterSqlite, { type Database } from "better-sqlite3"
import { Kysely, SqliteDialect } from "kysely"
import { Migrator } from "kysely/migration"
import { formatVersion, migrationProvider } from "../../migrations/index.ts"
import { BlobWriter } from "./blob.ts"
import { writeHead } from "./head.ts"
import { query, run } from "./tables.ts"
import { copyTemplate, keepTemplate, templateOf } from "./template.ts"

/** "CVWD": marks a SQLite file as a world. */
export const applicationId = 0x43565744
const pageBytes = 8192

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
const change = async (file: string, body: (db: Database) => void | Promise<void>): Promise<void> => {
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

/** All tables, and the contents. */
const fillWithContents = async (db: Database, contents: readonly KnownContent[]): Promise<void> => {
  db.pragma(`page_size = ${pageBytes}`)
  db.pragma(`application_id = ${applicationId}`)
  await migrate(db)
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
export const createWorldFile = async (path: string, { genesis, contents, templates }: Creation): Promise<void> => {
  const template = templates === null ? null : templateOf(templates, contents)
  const partial = `${path}.partial`
  rmSync(partial, { force: true })
  try {
    if (template === null || !copyTemplate(template, partial)) {
      await change(partial, db => fillWithContents(db, contents))
      if (template !== null) keepTemplate(template, partial)
    }
    await change(partial, db => {
      addGenesis(db, genesis)
      db.pragma("journal_mode = WAL")
    })
    syncFile(partial)
    renameSync(partial, path)
  } finally {
    rmSync(partial, { force: true })
  }
}
