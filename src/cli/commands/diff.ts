/** `cv diff`: where two histories part. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { Pair } from "../../session/parting.ts"
import { events, worldStore } from "../engine.ts"
import { type EventWords, eventDocument, eventLine } from "../event-line.ts"
import { Ended } from "../failure.ts"
import { formatCount, printable, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

const partings = Effect.promise(() => import("../../session/parting.ts"))

/** Lines of the console that are shown. */
const LINES = 10

/** Two events, or that there is none, with the names of their worlds. */
const pairLines = (names: readonly [string, string], pair: Pair, words: EventWords): readonly string[] => {
  const width = Math.max(...names.map(({ length }) => length))
  return pair.map((event, side) =>
    `${names[side]!.padEnd(width)}  ${event === null ? "nothing more" : eventLine(event, words).trim()}`.trimEnd(),
  )
}

export const diff = Command.make(
  "diff",
  {
    first: worldArgument,
    second: Argument.String("other").pipe(
      Argument.withMetavar("W2"),
      Argument.withDescription("The other world's name, or the path of a .cv file"),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const paths = [yield* existingWorld(flags.first), yield* existingWorld(flags.second)] as const
    const names = [worldNameOf(paths[0]), worldNameOf(paths[1])] as const
    const { WorldStore, ...words } = yield* events
    const { consoleBefore, partingOf } = yield* partings
    const { parting, end, console } = yield* Effect.scoped(
      Effect.gen(function* () {
        const store = yield* WorldStore
        const a = yield* store.openReadOnly(paths[0])
        const parting = yield* partingOf(a, yield* store.openReadOnly(paths[1]))
        const { common } = parting
        const [last] = common === 0 ? [] : yield* a.readEvents({ fromSeq: common - 1, toSeq: common - 1 }, 1)
        return { parting, end: last?.position ?? null, console: yield* consoleBefore(a, common, LINES) }
      }),
    )
    const { common, lengths } = parting
    const [one, other] = parting.events
    const prefix = one === null && other !== null ? 0 : other === null && one !== null ? 1 : null
    const isDifferent = one !== null && other !== null
    const until = end && words.formatPosition(end)
    if (flags.json)
      yield* writeJson({
        worlds: names,
        equal: one === null && other === null,
        beginning: prefix === null ? null : names[prefix],
        common,
        position: until,
        console,
        events: parting.events.map(event => event && eventDocument(event, words)),
        inputs: parting.inputs.map(event => event && eventDocument(event, words)),
      })
    else if (isDifferent) {
      const where = until === null ? "from their beginning" : `after ${formatCount(common)} events, at ${until}`
      yield* writeLine(`${names[0]} and ${names[1]} part ${where}`)
      if (console !== "") yield* writeLine(["The console until there:", ...console.split("\n").map(quoted)].join("\n"))
      yield* writeLine(["The first events that differ:", ...pairLines(names, parting.events, words)].join("\n"))
      if (parting.inputs.some(event => event !== null))
        yield* writeLine(["The first inputs that differ:", ...pairLines(names, parting.inputs, words)].join("\n"))
      else yield* writeLine("Their inputs are the same.")
    } else if (prefix === null)
      yield* writeLine(`${names[0]} and ${names[1]} are the same: ${formatCount(common)} events up to ${until}`)
    else {
      const more = lengths[1 - prefix]! - common
      yield* writeLine(
        `${names[prefix]} is the beginning of ${names[1 - prefix]}, which has ${formatCount(more)} more events after ${until}`,
      )
    }
    if (isDifferent) return yield* new Ended({ code: 1 })
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Find where two histories part"),
  Command.withDescription(
    "Compares two worlds event by event and shows the first that differ, with the console until there, and the first inputs that differ. The exit code is 1 where they differ, and 0 where they are the same or one is the beginning of the other.",
  ),
  Command.withExamples([
    { command: "cv diff debian what-if", description: "See what a fork was told that its parent was not" },
  ]),
)

const quoted = (line: string): string => `  | ${printable(line)}`.trimEnd()
