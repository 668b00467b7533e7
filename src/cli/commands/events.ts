/** `cv events`: a world's history, event by event. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { EventKind, StoredEvent } from "../../events/index.ts"
import { events as eventLog, worldStore } from "../engine.ts"
import { eventDocument, eventLine } from "../event-line.ts"
import { Misused } from "../failure.ts"
import { write } from "../output.ts"
import { parsePositionText } from "../replaying.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument } from "../world-name.ts"

const kindsOf = Effect.fnUntraced(function* (wanted: readonly string[]) {
  const { eventKinds, isEventKind } = yield* eventLog
  const unknown = wanted.find(kind => !isEventKind(kind))
  if (unknown !== undefined)
    return yield* new Misused({
      problem: `There are no events of kind ${unknown}; the kinds are ${eventKinds.join(", ")}.`,
    })
  return wanted as readonly EventKind[]
})

export const events = Command.make(
  "events",
  {
    world: worldArgument,
    kind: Flag.String("kind").pipe(
      Flag.withMetavar("K"),
      Flag.withDescription("Only events of this kind; may be given again"),
      Flag.atLeast(0),
    ),
    from: Flag.String("from").pipe(
      Flag.withMetavar("POS"),
      Flag.withDescription("Only events at or after this position"),
      Flag.optional,
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("At most so many"),
      Flag.filter(
        count => count >= 0,
        () => "a number of events is not negative",
      ),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const { WorldStore, ...words } = yield* eventLog
    const kinds = yield* kindsOf(flags.kind)
    const fromPosition = Option.isSome(flags.from) ? yield* parsePositionText(flags.from.value) : undefined
    const line = (event: StoredEvent): string =>
      flags.json ? JSON.stringify(eventDocument(event, words)) : `${eventLine(event, words)}\n`
    yield* Effect.scoped(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const found = world
          .events({
            ...(kinds.length > 0 ? { kinds } : {}),
            ...(fromPosition === undefined ? {} : { fromPosition }),
          })
          .pipe(Stream.take(Option.getOrElse(flags.limit, () => Number.MAX_SAFE_INTEGER)))
        let first = true
        if (flags.json) yield* write("[")
        yield* Stream.runForEachArray(found, chunk => {
          const lines = chunk.map(line)
          if (!flags.json) return write(lines.join(""))
          const text = `${first ? "\n" : ",\n"}${lines.join(",\n")}`
          first = false
          return write(text)
        })
        if (flags.json) yield* write("\n]\n")
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("List the events of a world"),
  Command.withDescription("Lists the events of a world's history in order, one a line."),
  Command.withExamples([
    { command: "cv events debian --kind input", description: "All that came from outside" },
    { command: "cv events debian --from r1204.m0.h0.i0 --limit 20" },
  ]),
)
