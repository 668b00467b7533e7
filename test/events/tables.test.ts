import BetterSqlite from "better-sqlite3"
import { expect, test, vi } from "vitest"
import { writeHead } from "../../src/events/head.ts"
import { query, selectFirst } from "../../src/events/tables.ts"

test("what is said to SQLite again and again is prepared once for each database", () => {
  for (const db of [new BetterSqlite(":memory:"), new BetterSqlite(":memory:")]) {
    db.exec("CREATE TABLE head (id INTEGER PRIMARY KEY, seq INTEGER, digest BLOB)")
    const prepare = vi.spyOn(db, "prepare")
    for (let seq = 0; seq < 100; seq++) {
      writeHead(db, { seq, digest: new Uint8Array(32).fill(seq) })
      expect(selectFirst(db, query.selectFrom("head").select("seq").where("id", "=", 0))).toEqual({ seq })
    }
    expect(prepare).toHaveBeenCalledTimes(2)
    db.close()
  }
})
