/** `cv ls`: the worlds in the home directory. */
import { statSync } from "node:fs"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { OpenError, ReadError } from "../../events/index.ts"
import { events, worldStore } from "../engine.ts"
import { oneLine } from "../failure.ts"
import { formatBytes, formatCount, formatTable, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"
import { lifeOf, parentOf } from "../world-life.ts"
import { listWorlds } from "../world-name.ts"

interface Row {
  readonly name: string
  readonly path: string
  readonly bytes: number
  readonly modified: string
  readonly events: number | null
  readonly image: string | null
  readonly state: string
  /** Of a fork: where it leaves which world. */
  readonly parent: Effect.Success<ReturnType<typeof parentOf>>
  /** Why it cannot be read, null when it can. */
  readonly problem: string | null
}

/** A world that cannot be read, in a word. */
const stateWithout = (error: OpenError | ReadError): string =>
  ({ WorldDamaged: "damaged", WorldNewer: "of a newer format", ParentUnusable: "without its parent" })[
    error._tag as string
  ] ?? "unreadable"

const rowOf = Effect.fnUntraced(function* (name: string, path: string) {
  const { WorldStore } = yield* events
  const status = statSync(path, { throwIfNoEntry: false })
  const file = { name, path, bytes: status?.size ?? 0, modified: (status?.mtime ?? new Date(0)).toISOString() }
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const world = yield* (yield* WorldStore).openReadOnly(path)
      const [machine] = world.genesis.machines
      const image = machine.image ?? machine.kernel?.name ?? null
      return {
        ...file,
        events: (yield* world.head).seq + 1,
        image,
        state: yield* lifeOf(world),
        parent: yield* parentOf(world),
        problem: null,
      } satisfies Row
    }),
  ).pipe(
    Effect.catch(error =>
      Effect.succeed({
        ...file,
        events: null,
        image: null,
        state: stateWithout(error),
        parent: null,
        problem: oneLine(error.message),
      } satisfies Row),
    ),
  )
})

export const ls = Command.make(
  "ls",
  { json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const rows: Row[] = yield* Effect.forEach(yield* listWorlds, ({ name, path }) => rowOf(name, path))
    if (flags.json) return yield* writeJson(rows)
    yield* writeLine(
      formatTable(
        ["NAME", "#EVENTS", "#SIZE", "MODIFIED", "IMAGE", "STATE", "FORKED FROM"],
        rows.map(({ name, events, bytes, modified, image, state, parent }) => [
          name,
          events === null ? "-" : formatCount(events),
          formatBytes(bytes),
          modified.slice(0, 16).replace("T", " "),
          image ?? "-",
          state,
          parent === null ? "" : `${parent.name} at ${parent.position}`,
        ]),
      ),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("List the worlds there are"),
  Command.withDescription("Lists the worlds in the home directory."),
)
