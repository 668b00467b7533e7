/** `cv snapshot`: named states of a world to begin from. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { momentIn } from "../debugging.ts"
import { events, sessions, worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { formatNs, formatTable, writeJson, writeLine } from "../output.ts"
import { breathe, progressBar } from "../progress.ts"
import { replayFlags, replayWorld } from "../replaying.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

const nameArgument = Argument.String("name").pipe(
  Argument.withMetavar("NAME"),
  Argument.withDescription("The snapshot's name"),
)

const create = Command.make(
  "create",
  {
    world: worldArgument,
    name: nameArgument,
    at: Flag.String("at").pipe(
      Flag.withMetavar("POS"),
      Flag.withDescription(
        "At the last event not after this position, or virtual time such as 1.5s (default: at the end of the history)",
      ),
      Flag.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(flags.name))
      return yield* new Misused({
        problem: `"${flags.name}" cannot be a snapshot's name; use up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.`,
      })
    const at = Option.isSome(flags.at) ? yield* momentIn(path, flags.at.value) : null
    const { createSnapshot } = yield* sessions
    const { formatPosition, WorldStore, SnapshotExists } = yield* events
    const snapshot = yield* Effect.scoped(
      Effect.gen(function* () {
        const recorded = yield* (yield* WorldStore).openReadOnly(path)
        // Known before the history is gone through.
        if ((yield* recorded.snapshots).some(({ name }) => name === flags.name))
          return yield* new SnapshotExists({ path, snapshot: flags.name })
        const { seq } = yield* recorded.head
        const bar = yield* progressBar()
        return yield* createSnapshot(path, flags.name, at, {
          progress: done => bar.show(`Going through ${worldNameOf(path)}`, done, seq),
          breathe,
        })
      }),
    )
    const position = formatPosition(snapshot.position)
    if (flags.json) return yield* writeJson(describe(snapshot, position))
    yield* writeLine(`${worldNameOf(path)}: snapshot ${flags.name} at ${position}`)
  }),
).pipe(
  Command.withDescription("Makes a snapshot of a world that is not being recorded, at its end or at a position."),
  Command.withExamples([
    { command: "cv snapshot create debian booted" },
    { command: "cv snapshot create debian early --at r1204.m0.h1.i123456789" },
  ]),
)

interface Info {
  readonly name: string | null
  readonly seq: number
  readonly virtualNs: number
  readonly digest: Uint8Array
}

const describe = ({ name, seq, virtualNs, digest }: Info, position: string) => ({
  name,
  position,
  event: seq,
  virtualNs,
  digest: Buffer.from(digest).toString("hex"),
})

const list = Command.make(
  "ls",
  { world: worldArgument, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const { formatPosition, WorldStore } = yield* events
    const snapshots = yield* Effect.scoped(
      Effect.flatMap((yield* WorldStore).openReadOnly(path), recorded => recorded.snapshots),
    )
    const named = snapshots.filter(({ name }) => name !== null)
    if (flags.json)
      return yield* writeJson(named.map(snapshot => describe(snapshot, formatPosition(snapshot.position))))
    yield* writeLine(
      formatTable(
        ["NAME", "#EVENT", "POSITION", "#TIME"],
        named.map(({ name, seq, position, virtualNs }) => [
          name!,
          String(seq),
          formatPosition(position),
          formatNs(virtualNs),
        ]),
      ),
    )
  }),
).pipe(Command.withDescription("Lists a world's snapshots in the order of its history."))

const restore = Command.make(
  "restore",
  { world: worldArgument, name: nameArgument, ...replayFlags },
  Effect.fnUntraced(function* (flags) {
    yield* replayWorld(yield* existingWorld(flags.world), flags.name, flags)
  }),
).pipe(
  Command.withDescription(
    "Restores a snapshot into this process and replays the rest of the recorded history from there, comparing every event.",
  ),
  Command.withExamples([{ command: "cv snapshot restore debian booted" }]),
)

const remove = Command.make(
  "rm",
  { world: worldArgument, name: nameArgument },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const { WorldStore } = yield* events
    yield* Effect.scoped(
      Effect.gen(function* () {
        const store = yield* WorldStore
        yield* Effect.scoped(Effect.flatMap(store.openReadOnly(path), recorded => recorded.snapshot(flags.name)))
        const world = yield* store.open(path, { onDamage: "refuse" })
        const { id } = yield* world.snapshot(flags.name)
        yield* world.removeSnapshot(id)
      }),
    )
  }),
).pipe(Command.withDescription("Removes a snapshot. The history itself stays as it is."))

export const snapshot = Command.make("snapshot").pipe(
  Command.withShortDescription("Keep named states of a world to begin from"),
  Command.withDescription("Makes, lists, restores and removes named states of a world."),
  Command.withSubcommands([create, list, restore, remove]),
  Command.provide(worldStore),
)
