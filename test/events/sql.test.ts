import { Effect } from "effect"
import { describe, expect, test } from "vitest"
import { SqlFailed, SqlRefused, WorldStore } from "../../src/events/index.ts"
import { appendBatch, at, genesis, run, withPath } from "./fixture.ts"

describe("sql", () => {
  test("shows history in the project's words", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).create(path, genesis)
          appendBatch(world.log, 1)
          world.log.append(at(2), "console", { device: "uart0", bytes: new TextEncoder().encode("login: ") })
          world.log.append(at(3), "input", {
            source: "console",
            virtualNs: 3000,
            bytes: new TextEncoder().encode("root\n"),
          })
          yield* world.log.flush
          expect(
            yield* world.sql(
              "select seq, position, kind, json_extract(payload, '$.virtualNs') ns from events where seq in (1, 3)",
            ),
          ).toEqual({
            columns: ["seq", "position", "kind", "ns"],
            rows: [
              [1, "r1.m0.h1.i1000", "batch", 1000],
              [3, "r3.m0.h1.i3000", "input", 3000],
            ],
            truncated: false,
          })
          expect((yield* world.sql("select device, text from console")).rows).toEqual([["uart0", "login: "]])
          expect((yield* world.sql("select source, virtual_ns, text from inputs")).rows).toEqual([
            ["console", 3000, "root\n"],
          ])
          expect((yield* world.sql("select name from snapshots")).rows).toEqual([])
          expect(yield* world.sql("values (1), (2), (3)", { rowsMax: 2 })).toEqual({
            columns: ["column1"],
            rows: [[1], [2]],
            truncated: true,
          })
        }),
      ),
    ))

  const refused = [
    "delete from event",
    "drop table event",
    "update event set round = 1 returning *",
    "with x as (select 1) insert into head select 5, 5, x'00' returning *",
    "insert into events values (1)",
    "create table t (a)",
    "create temp table t (a)",
    "attach 'other.cv' as other",
    "vacuum",
    "vacuum into '/tmp/never.cv'",
    "begin immediate",
    "pragma journal_mode = delete",
    " /* a */ -- b\n PRAGMA query_only(0)",
    "select 1; delete from event",
    "",
    "-- nothing",
  ]
  const wrong = [
    "select",
    "select nothing from events",
    "select * from nowhere",
    "select event_json('x', 1, x'')",
    "select abs(-9223372036854775808)",
  ]

  test("refuses what would change the world, and says what is wrong with a query", () =>
    withPath(path =>
      run(
        Effect.gen(function* () {
          const world = yield* (yield* WorldStore).create(path, genesis)
          for (const text of refused) {
            const error = yield* Effect.flip(world.sql(text))
            expect([text, error instanceof SqlRefused || error instanceof SqlFailed]).toEqual([text, true])
            expect(error.message).toMatch(/use one SELECT|cannot modify/)
          }
          expect(yield* world.verify).toMatchObject({ events: 1, bad: null })
          for (const text of wrong) {
            const error = yield* Effect.flip(world.sql(text))
            expect(error.message).toMatch(/^The query failed: .*; the tables are|is unknown here/)
          }
        }),
      ),
    ))
})
