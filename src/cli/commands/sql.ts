/** `cv sql`: queries over a world's history. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type { DerivedName } from "../../debugger/search/derived-tables.ts"
import type { SqlValue } from "../../events/index.ts"
import { withDefaultSignals } from "../../host/terminal/ending-signals.ts"
import { debugWorld, searchBar, searchersOf } from "../debugging.ts"
import { events, worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { formatTable, printable, remark, write, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument } from "../world-name.ts"

const text = (value: SqlValue): string =>
  value === null ? "" : value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value)

/** RFC 4180. */
const csvField = (value: SqlValue): string => {
  const plain = text(value)
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

/** Names for columns, of which several may be called the same: `a`, `a:1`, as SQLite itself does. */
const distinct = (columns: readonly string[]): readonly string[] => {
  const names: string[] = []
  for (const column of columns) {
    let name = column
    for (let number = 1; names.includes(name); number++) name = `${column}:${number}`
    names.push(name)
  }
  return names
}

/** The tables a query names that have to be derived. */
const derivedIn = (query: string) =>
  (["traps", "switches"] as const).filter(name => new RegExp(`\\b${name}\\b`, "i").test(query))

/** Goes through a history for a table. */
const derivedTable = Effect.fnUntraced(function* (path: string, name: DerivedName) {
  const { derive } = yield* Effect.promise(() => import("../../debugger/index.ts"))
  const searchers = yield* searchersOf(path)
  const derived = yield* derive(yield* debugWorld(path, [], false), name, searchers, yield* searchBar(path))
  return derived ?? { name, columns: ["position"], rows: [] }
})

export const sql = Command.make(
  "sql",
  {
    world: worldArgument,
    query: Argument.String("query").pipe(
      Argument.withMetavar("QUERY"),
      Argument.withDescription(
        "One SELECT over events, console, inputs, interrupts, snapshots, blobs, traps and switches",
      ),
    ),
    json: jsonFlag,
    csv: Flag.Boolean("csv").pipe(
      Flag.withDescription("Print comma-separated values with a heading line"),
      Flag.withDefault(false),
    ),
  },
  Effect.fnUntraced(function* (flags) {
    if (flags.json && flags.csv)
      return yield* new Misused({ problem: "--json and --csv exclude each other; give one of them." })
    const path = yield* existingWorld(flags.world)
    const { WorldStore } = yield* events
    const { columns, rows, truncated } = yield* Effect.scoped(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const tables = yield* Effect.forEach(derivedIn(flags.query), name => derivedTable(path, name))
        return yield* withDefaultSignals(world.sql(flags.query, { tables }))
      }),
    )
    if (flags.json)
      yield* writeJson(
        rows.map(row => Object.fromEntries(distinct(columns).map((column, at) => [column, row[at] ?? null]))),
      )
    else if (flags.csv) yield* write([columns, ...rows].map(row => `${row.map(csvField).join(",")}\r\n`).join(""))
    else {
      const headings = columns.map((column, at) => {
        const isNumber =
          rows.length > 0 && rows.every(row => typeof row[at] === "number" || typeof row[at] === "bigint")
        return (isNumber ? "#" : "") + column
      })
      yield* writeLine(
        formatTable(
          headings,
          rows.map(row => row.map(value => printable(text(value)))),
        ),
      )
    }
    if (truncated)
      yield* remark(`cv: Only the first ${rows.length} rows are shown; narrow the query, or add LIMIT and OFFSET.`)
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Query a world's history"),
  Command.withDescription(
    "Runs one SQL query, which can only read, over a world's history. The tables traps (exceptions) and switches (Linux turning to another task) are derived by going through the history when a query names them.",
  ),
  Command.withExamples([
    { command: 'cv sql debian "select kind, count(*) from events group by kind"' },
    { command: 'cv sql debian "select name, count(*) from interrupts group by name"' },
    { command: 'cv sql debian "select name, count(*) from traps group by name"' },
    { command: 'cv sql debian "select position, text from inputs" --csv' },
  ]),
)
