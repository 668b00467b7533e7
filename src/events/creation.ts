/** The file of a new world: made under another name, and given its own when it is whole. Runs in a thread of its own, without Effect. */
import { Buffer } from "node:buffer"
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs"
import BetterSqlite, { type Database } from "better-sqlite3"
import { Kysely, SqliteDialect } from "kysely"
import { Migrator } from "kysely/migration"
import { formatVersion, migrationProvider } from "../../migrations/index.ts"
import { BlobWriter } from "./blob.ts"
import { writeHead } from "./head.ts"
import { query, run } from "./tables.ts"

/** "CVWD": marks a SQLite file as a world. */
export const applicationId = 0x43565744
const pageBytes = 8192

/** What a new world begins with. */
export interface Creation {
  readonly path: string
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
  readonly contents: readonly Uint8Array[]
}

/** Brings a database's tables to the newest form. */
export const migrate = async (db: Database): Promise<void> => {
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database: db }) })
  const { error } = await new Migrator({ db: kysely, provider: migrationProvider }).migrateToLatest()
  if (error !== undefined) throw error
  db.pragma(`user_version = ${formatVersion}`)
}

/** Creates a file with all tables and what `fill` adds; it appears complete or not at all. */
const createDatabase = async (path: string, fill: (db: Database) => void): Promise<void> => {
  const partial = `${path}.partial`
  rmSync(partial, { force: true })
  const db = new BetterSqlite(partial)
  try {
    db.pragma(`page_size = ${pageBytes}`)
    db.pragma(`application_id = ${applicationId}`)
    // Nobody sees the file before it is whole: it needs no journal, and reaches the disk once, at the end.
    db.pragma("journal_mode = OFF")
    db.pragma("synchronous = OFF")
    await migrate(db)
    db.transaction(() => fill(db))()
    db.pragma("journal_mode = WAL")
    db.close()
    syncFile(partial)
    renameSync(partial, path)
  } finally {
    db.close()
    rmSync(partial, { force: true })
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

/** Creates a world's file. */
export const createWorldFile = ({ path, genesis, contents }: Creation): Promise<void> =>
  createDatabase(path, db => {
    const { payload, digest } = genesis
    run(
      db,
      query.insertInto("event").values({ ...genesis, payload: Buffer.from(payload), digest: Buffer.from(digest) }),
    )
    writeHead(db, { seq: genesis.seq, digest })
    for (const content of contents) {
      const blob = new BlobWriter(db)
      blob.write(content)
      blob.finish()
    }
  })
