/** Which lines of memory were written between two events, so that who looks for a write need not look everywhere. */
import { type Kysely, sql } from "kysely"

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // "lines": of all that was written after one event and up to another, and perhaps more: how many pages, the gaps between their numbers
  // (LEB128), then for each page 64 bits, little-endian, one for each line of 64 bytes from the lowest on; zstd.
  await sql`CREATE TABLE written (
    id INTEGER PRIMARY KEY,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    lines BLOB NOT NULL,
    seal BLOB NOT NULL
  ) STRICT`.execute(db)
}
