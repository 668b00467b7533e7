/** The first format of a world file: the log, contents, memory pages and snapshots. */
import { type Kysely, sql } from "kysely"

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // The log. A row is never updated.
  await sql`CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    round INTEGER NOT NULL,
    machine INTEGER NOT NULL,
    hart INTEGER NOT NULL,
    instret INTEGER NOT NULL,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    payload BLOB NOT NULL,
    digest BLOB NOT NULL
  ) STRICT`.execute(db)
  await sql`CREATE INDEX event_kind ON event (kind, seq)`.execute(db)

  // Where the log ends; written with every group of events, so that rows lost at the end are noticed.
  await sql`CREATE TABLE head (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL
  ) STRICT`.execute(db)

  // Contents (kernels, disks) by the sha256 of all their bytes. A hash that is NULL: not complete.
  await sql`CREATE TABLE blob (
    id INTEGER PRIMARY KEY,
    hash BLOB UNIQUE,
    size INTEGER NOT NULL
  ) STRICT`.execute(db)
  // Pieces of 64 KiB, zstd with its checksum; a piece that is all zero has no row.
  await sql`CREATE TABLE blob_chunk (
    blob INTEGER NOT NULL,
    chunk INTEGER NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (blob, chunk)
  ) STRICT`.execute(db)

  // Memory pages by the sha256 of their 4096 bytes: slot number `slot` of a pack, which is zstd of several pages.
  await sql`CREATE TABLE page (
    hash BLOB PRIMARY KEY,
    pack INTEGER NOT NULL,
    slot INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`.execute(db)
  await sql`CREATE TABLE page_pack (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT`.execute(db)
  // The hashes of 128 pages in address order, zstd, by the sha256 of them.
  await sql`CREATE TABLE page_segment (hash BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT`.execute(db)

  await sql`CREATE TABLE snapshot (
    id INTEGER PRIMARY KEY,
    name TEXT UNIQUE,
    seq INTEGER NOT NULL,
    round INTEGER NOT NULL,
    machine INTEGER NOT NULL,
    hart INTEGER NOT NULL,
    instret INTEGER NOT NULL,
    virtual_ns INTEGER NOT NULL,
    digest BLOB NOT NULL,
    page_count INTEGER NOT NULL,
    state BLOB NOT NULL,
    segments BLOB NOT NULL,
    seal BLOB NOT NULL
  ) STRICT`.execute(db)
}
