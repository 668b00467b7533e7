/** Forks: worlds whose history begins in the file of another, their parent. */
import { type Kysely, sql } from "kysely"

export const up = async (db: Kysely<unknown>): Promise<void> => {
  // One row in a fork, none elsewhere: where its parent is, the last event it shares with it, where it leaves it; sealed.
  await sql`CREATE TABLE parent (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    path TEXT NOT NULL,
    seq INTEGER NOT NULL,
    digest BLOB NOT NULL,
    round INTEGER NOT NULL,
    machine INTEGER NOT NULL,
    hart INTEGER NOT NULL,
    instret INTEGER NOT NULL,
    seal BLOB NOT NULL
  ) STRICT`.execute(db)
}
