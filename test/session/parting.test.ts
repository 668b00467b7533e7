import BetterSqlite from "better-sqlite3"
import { Effect } from "effect"
import { expect, test, vi } from "vitest"
import { WorldStore } from "../../src/events/index.ts"
import { DigestChain, zeroDigest } from "../../src/events/row.ts"
import { consoleBefore, type Parting, partingOf } from "../../src/session/parting.ts"
import { at, genesis } from "../events/fixture.ts"
import { run, withPath } from "./embedded.ts"

vi.setConfig({ testTimeout: 60_000 })

/** A history of console lines, `length` of them, those from `differs` on told otherwise; an input each ten. */
const record = (path: string, length: number, differs = Number.POSITIVE_INFINITY) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { log } = yield* (yield* WorldStore).create(path, genesis)
      log.append(at(0), "lifecycle", { change: "started" })
      for (let round = 2; round < length; round++) {
        const bytes = new TextEncoder().encode(`${round}${round >= differs ? " otherwise" : ""}\r\n`)
        if (round % 10 === 0) log.append(at(round), "input", { source: "console", virtualNs: round, bytes })
        else log.append(at(round), "console", { device: "uart0", bytes })
      }
      yield* log.flush
    }),
  )

const parting = (first: string, second: string): Effect.Effect<Parting, unknown, WorldStore> =>
  Effect.scoped(
    Effect.gen(function* () {
      const store = yield* WorldStore
      return yield* partingOf(yield* store.openReadOnly(first), yield* store.openReadOnly(second))
    }),
  )

test("histories part at the first event that differs, wherever that is, and at the first input", () =>
  withPath(async path => {
    const other = `${path}.other`
    await run(record(path, 1500))
    for (const [length, differs, input] of [
      [1500, 2, 10],
      [1400, 700, 700],
      [1500, 701, 710],
      [1500, 1499, null],
    ] as const) {
      await run(record(other, length, differs))
      const found = await run(parting(path, other))
      expect(found.common).toBe(differs)
      expect(found.lengths).toEqual([1500, length])
      expect(found.events.map(event => event?.seq)).toEqual([differs, differs])
      expect(found.inputs.map(event => event?.seq ?? null)).toEqual([input, input])
      await run(Effect.flatMap(WorldStore, store => store.remove(other)))
    }
    await run(record(other, 1200))
    const beginning = await run(parting(other, path))
    expect(beginning).toMatchObject({ common: 1200, events: [null, { seq: 1200 }], inputs: [null, { seq: 1200 }] })
    expect(await run(parting(path, path))).toMatchObject({ common: 1500, events: [null, null], inputs: [null, null] })
  }))

test("events that say the same in an older version are the same", () =>
  withPath(async path => {
    const old = `${path}.old`
    await run(record(path, 200))
    await run(record(old, 200, 150))
    const db = new BetterSqlite(old)
    interface Columns {
      readonly seq: number
      readonly round: number
      readonly machine: number
      readonly hart: number
      readonly instret: number
      readonly kind: string
      readonly version: number
      readonly payload: Buffer
    }
    const chain = new DigestChain(zeroDigest)
    db.exec("begin")
    for (const { seq, kind, version, payload, ...position } of db
      .prepare<[], Columns>("select seq, round, machine, hart, instret, kind, version, payload from event order by seq")
      .all()) {
      const written = kind === "lifecycle" ? 1 : version
      const digest = chain.next({ seq, position, kind, version: written, payload })
      db.prepare("update event set version = ?, digest = ? where seq = ?").run(written, digest, seq)
      db.prepare("update head set digest = ?").run(digest)
    }
    db.exec("commit")
    db.close()
    await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(old)
        expect((yield* world.verify).bad).toBeNull()
      }),
    )
    expect((await run(parting(path, old))).common).toBe(150)
  }))

test("the console before a moment is its last lines", () =>
  withPath(async path => {
    await run(record(path, 3000))
    await run(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        expect(yield* consoleBefore(world, 2002, 3)).toBe("1998\n1999\n2001")
        expect(yield* consoleBefore(world, 4, 9)).toBe("2\n3")
        expect(yield* consoleBefore(world, 2, 9)).toBe("")
      }),
    )
  }))
