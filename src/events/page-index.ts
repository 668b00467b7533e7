/**
 * Finding stored pages by the first 48 bits of their hashes. Most pages that are looked for are new: a table of bits says so without asking
 * the database.
 */
import type { Database } from "better-sqlite3"
import { prepare, query } from "./tables.ts"

const BITS = 2 ** 23

export class PageIndex {
  private readonly select
  private readonly insert
  /** A bit for each remainder of a prefix; set where a page may be stored. */
  private readonly mayBe = new Uint8Array(BITS / 8)

  /** For a file that only this process writes. */
  constructor(db: Database) {
    this.select = prepare(db, query.selectFrom("page").select("place").where("prefix", "=", 0))
    const values = { prefix: 0, place: 0 }
    this.insert = prepare(
      db,
      query
        .insertInto("page")
        .values(values)
        .onConflict(conflict => conflict.doNothing()),
    )
    const all = query.selectFrom("page").select("prefix").compile()
    for (const { prefix } of db.prepare<[], { prefix: number }>(all.sql).iterate()) this.note(prefix)
  }

  private note(prefix: number): void {
    const bit = prefix % BITS
    this.mayBe[bit >>> 3]! |= 1 << (bit & 7)
  }

  /** The place of a page that may have this hash; undefined where none has. */
  find(prefix: number): number | undefined {
    const bit = prefix % BITS
    return this.mayBe[bit >>> 3]! & (1 << (bit & 7)) ? this.select.get(prefix)?.place : undefined
  }

  /** Notes where a page is; of several with one prefix, the first stays. */
  add(prefix: number, place: number): void {
    this.insert.run(prefix, place)
    this.note(prefix)
  }
}
