/** `cv when`: at which moments does this hold? */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Wanted } from "../../debugger/search/question.ts"
import { askedPredicate, debugWorld, hexOf, searchBar, searchersOf, symbolsFlag, valueFormat } from "../debugging.ts"
import { events, worldStore } from "../engine.ts"
import { Ended, Misused } from "../failure.ts"
import { formatNs, formatTable, remark, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

const LISTED_MAX = 1000

const flagOf = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

export const when = Command.make(
  "when",
  {
    world: worldArgument,
    predicate: Argument.String("predicate").pipe(
      Argument.withMetavar("PREDICATE"),
      Argument.withDescription("For example 'mem64(sym:jiffies) > 100', 'console ~ /panic/', 'csr.satp != 0'"),
    ),
    first: flagOf("first", "Only the first moment"),
    last: flagOf("last", "Only the last moment"),
    nth: Flag.Int("nth").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Only the Nth moment, counted from 1"),
      Flag.filter(
        number => number >= 1,
        () => "a number from 1 on",
      ),
      Flag.optional,
    ),
    print: Flag.String("print").pipe(
      Flag.withMetavar("EXPR"),
      Flag.withDescription("A column with a value of that moment: a0, h1.pc, mem64(sp + 8) …; may be given again"),
      Flag.atLeast(0),
    ),
    symbols: symbolsFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    if (Number(flags.first) + Number(flags.last) + Number(Option.isSome(flags.nth)) > 1)
      return yield* new Misused({ problem: "--first, --last and --nth exclude each other; give one of them." })
    const path = yield* existingWorld(flags.world)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const { formatAddress, parse, search } = yield* Effect.promise(() => import("../../debugger/index.ts"))
        const { formatPosition } = yield* events
        // They open the world meanwhile.
        const searchers = yield* searchersOf(path)
        const debug = yield* debugWorld(path, flags.symbols, false)
        const predicate = yield* askedPredicate(debug, flags.predicate)
        const prints = yield* Effect.forEach(flags.print, text => askedPredicate(debug, text))
        const nth = Option.getOrNull(flags.nth)
        const wanted: Wanted = flags.first
          ? { keep: "first" }
          : flags.last
            ? { keep: "last" }
            : // What was printed stays printed: that comes true once.
              { keep: "all", max: parse(flags.predicate).kind === "said" ? 1 : (nth ?? LISTED_MAX) }
        const { progress } = yield* searchBar(path)
        const found =
          (yield* search(
            debug,
            { places: [], predicate, prints, wanted },
            { from: debug.timeline.begin, to: debug.timeline.end },
            searchers,
            { progress },
          )) ?? []
        const findings = nth === null ? found : found.slice(nth - 1, nth)
        if (findings.length === 0) {
          if (flags.json) yield* writeJson([])
          else {
            const less =
              found.length > 0 ? `only ${found.length} ${found.length === 1 ? "time" : "times"}` : "at no moment"
            yield* remark(`cv: ${flags.predicate} comes true ${less} in ${worldNameOf(path)}.`)
          }
          return yield* new Ended({ code: 1 })
        }
        if (flags.json)
          return yield* writeJson(
            findings.map(({ after, hart, virtualNs, pc, values }) => ({
              // What is always there keeps its form, also when it is printed.
              ...Object.fromEntries(flags.print.map((text, order) => [text, hexOf(values[order]!)])),
              position: formatPosition(after),
              hart,
              virtualNs,
              pc: hexOf(pc),
              place: formatAddress(debug.symbols, pc),
            })),
          )
        const shown = yield* valueFormat(debug)
        yield* writeLine(
          formatTable(
            ["POSITION", "#TIME", "#HART", "PC", ...flags.print.map(text => `#${text}`)],
            findings.map(({ after, hart, virtualNs, pc, values }) => [
              formatPosition(after),
              formatNs(virtualNs),
              String(hart),
              formatAddress(debug.symbols, pc),
              ...values.map(shown),
            ]),
          ),
        )
        if (nth === null && findings.length === LISTED_MAX)
          yield* remark(
            `cv: Only the first ${LISTED_MAX} moments are shown; narrow the predicate, or ask for --last or --nth N.`,
          )
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Find the moments at which something comes true"),
  Command.withDescription(
    "Goes through a world's history and prints the moments at which a predicate comes true: about memory, registers, CSRs, interrupts, traps, system calls, console text, tasks. The language is described in docs/questions.md. Exit code 1: at none.",
  ),
  Command.withExamples([
    { command: "cv when debian 'mem64(sym:jiffies_64) > 0x100001000' --first" },
    { command: "cv when debian 'console ~ /panic/'" },
    { command: "cv when debian 'syscall == execve && pid > 100' --print pid --print a0" },
  ]),
)
