/** Which pages of memory were written between two events, so that who looks for a write need not look everywhere. */
import { type Kysely, sql } from "kysely"

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // "pages": the gaps between their numbers, LEB128, zstd; all that was written after one event and up to another, and perhaps more.
  await sql`CREATE TABLE written (
    id INTEGER PRIMARY KEY,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    pages BLOB NOT NULL,
    seal BLOB NOT NULL
  ) STRICT`.execute(db)
}
