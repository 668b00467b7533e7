/** `cv trace`: what a line printed there would have shown, decided afterwards. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type { StopPlace } from "../../debugger/stop-point.ts"
import { askedPredicate, debugWorld, hexOf, searchBar, searchersOf, symbolsFlag, valueFormat } from "../debugging.ts"
import { events, worldStore } from "../engine.ts"
import { Ended, Misused } from "../failure.ts"
import { formatNs, formatTable, remark, write, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

export const trace = Command.make(
  "trace",
  {
    world: worldArgument,
    at: Flag.String("at").pipe(
      Flag.withMetavar("SYMBOL|ADDR"),
      Flag.withDescription("Where a row is wanted each time a hart gets there; may be given again"),
      Flag.atLeast(1),
    ),
    print: Flag.String("print").pipe(
      Flag.withMetavar("EXPR"),
      Flag.withDescription("A column: a0, mem64(sp + 8), csr.sepc, pid …; may be given again"),
      Flag.atLeast(0),
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("At most so many rows"),
      Flag.filter(
        count => count >= 1,
        () => "a number from 1 on",
      ),
      Flag.withDefault(1000),
    ),
    csv: Flag.Boolean("csv").pipe(
      Flag.withDescription("Print comma-separated values with a heading line"),
      Flag.withDefault(false),
    ),
    symbols: symbolsFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    if (flags.json && flags.csv)
      return yield* new Misused({ problem: "--json and --csv exclude each other; give one of them." })
    const path = yield* existingWorld(flags.world)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const { formatAddress, parseAddress, search } = yield* Effect.promise(() => import("../../debugger/index.ts"))
        const { formatPosition } = yield* events
        // They open the world meanwhile.
        const searchers = yield* searchersOf(path)
        const debug = yield* debugWorld(path, flags.symbols, false)
        const places: StopPlace[] = []
        for (const text of flags.at) {
          const { space, address } = yield* parseAddress(text, debug.symbols)
          if (space === "physical")
            return yield* new Misused({ problem: `A hart gets to virtual addresses; give ${text} without phys:.` })
          places.push({ kind: "breakpoint", address })
        }
        const prints = yield* Effect.forEach(flags.print, text => askedPredicate(debug, text))
        const { progress } = yield* searchBar(path)
        const found =
          (yield* search(
            debug,
            { places, predicate: null, prints, wanted: { keep: "all", max: flags.limit } },
            { from: debug.timeline.begin, to: debug.timeline.end },
            searchers,
            { progress },
          )) ?? []
        const rows = found.map(({ before, hart, virtualNs, pc, values }) => ({
          position: formatPosition(before),
          virtualNs,
          hart,
          at: formatAddress(debug.symbols, pc),
          values,
        }))
        if (flags.json)
          yield* writeJson(
            rows.map(({ values, ...row }) => ({
              // What is always there keeps its form, also when it is printed.
              ...Object.fromEntries(flags.print.map((text, order) => [text, hexOf(values[order]!)])),
              ...row,
            })),
          )
        else if (flags.csv) {
          const lines = [["position", "virtual_ns", "hart", "at", ...flags.print]]
          for (const { position, virtualNs, hart, at, values } of rows)
            lines.push([position, String(virtualNs), String(hart), at, ...values.map(hexOf)])
          yield* write(lines.map(line => `${line.map(csvField).join(",")}\r\n`).join(""))
        } else if (rows.length > 0) {
          const shown = yield* valueFormat(debug)
          yield* writeLine(
            formatTable(
              ["POSITION", "#TIME", "#HART", "AT", ...flags.print.map(text => `#${text}`)],
              rows.map(({ position, virtualNs, hart, at, values }) => [
                position,
                formatNs(virtualNs),
                String(hart),
                at,
                ...values.map(shown),
              ]),
            ),
          )
        }
        if (rows.length === 0) {
          yield* remark(`cv: No hart ever gets to ${flags.at.join(" or ")} in ${worldNameOf(path)}.`)
          return yield* new Ended({ code: 1 })
        }
        if (rows.length === flags.limit)
          yield* remark(`cv: Only the first ${rows.length} rows are shown; raise --limit for more.`)
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Print a row each time a hart gets somewhere"),
  Command.withDescription(
    "Goes through a world's history and prints a row each time a hart is about to execute the instruction at an address, with the values of expressions at that moment: tracing decided afterwards. Expressions are those of docs/questions.md; a value that cannot be had there is shown as ?. Exit code 1: no hart ever gets there.",
  ),
  Command.withExamples([
    { command: "cv trace debian --at do_sys_openat2 --print a0 --print a1 --print pid" },
    { command: "cv trace debian --at handle_exception --print csr.scause --csv --limit 100000" },
  ]),
)

/** RFC 4180. */
const csvField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
