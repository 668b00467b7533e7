/** `cv inspect`: what a world is made of and where its history ends. */
import { statSync } from "node:fs"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import type { World } from "../../events/index.ts"
import { events, worldStore } from "../engine.ts"
import { formatBytes, formatCount, formatNs, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"
import { lifeOf, parentOf } from "../world-life.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

const EVENTS_AT_ONCE = 4096

/** How far a machine and each of its harts have come: a batch tells of the harts that executed something. */
const progressOf = Effect.fnUntraced(function* (world: World, lastSeq: number) {
  const known = new Map<number, number>()
  const [{ harts }] = world.genesis.machines
  let virtualNs: number | null = null
  for (let toSeq = lastSeq; toSeq >= 0 && known.size < harts; toSeq -= EVENTS_AT_ONCE) {
    const fromSeq = Math.max(0, toSeq - EVENTS_AT_ONCE + 1)
    const batches = yield* world.readEvents({ kinds: ["batch"], fromSeq, toSeq }, EVENTS_AT_ONCE)
    for (const batch of batches.toReversed()) {
      if (batch.kind !== "batch") continue
      virtualNs ??= batch.payload.virtualNs
      for (const { hart, to } of batch.payload.harts) if (!known.has(hart)) known.set(hart, to)
    }
  }
  const instructions = Array.from({ length: harts }, (_, hart) => ({ hart, instret: known.get(hart) ?? 0 }))
  return { virtualNs: virtualNs ?? 0, instructions }
})

export const inspect = Command.make(
  "inspect",
  { world: worldArgument, json: jsonFlag },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const { formatPosition, WorldStore } = yield* events
    const found = yield* Effect.scoped(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(path)
        const { seq, digest } = yield* world.head
        const [last] = yield* world.readEvents({ fromSeq: seq }, 1)
        const { virtualNs, instructions } = yield* progressOf(world, seq)
        const snapshots = yield* world.snapshots
        const { genesis } = world
        const { startTime, ...rest } = genesis
        return {
          name: worldNameOf(path),
          path,
          bytes: statSync(path).size,
          state: yield* lifeOf(world),
          parent: yield* parentOf(world),
          events: seq + 1,
          end: last ? formatPosition(last.position) : null,
          virtualNs,
          instructions,
          logDigest: Buffer.from(digest).toString("hex"),
          snapshots: snapshots.filter(({ name }) => name !== null).map(({ name }) => name!),
          checkpoints: snapshots.filter(({ name }) => name === null).length,
          ...rest,
          startTime: new Date(startTime.seconds * 1000 + startTime.nanoseconds / 1e6).toISOString(),
        }
      }),
    )
    if (flags.json) return yield* writeJson(found)
    const [machine] = found.machines
    const contentLine = (content: { name: string; bytes: number; hash: string }) =>
      `${content.name} (${formatBytes(content.bytes)}, sha256 ${content.hash.slice(0, 16)}…)`
    const lines: readonly (readonly [string, string])[] = [
      ["World", found.name],
      ["File", `${found.path} (${formatBytes(found.bytes)})`],
      ["State", found.state],
      ...(found.parent === null
        ? []
        : [["Forked from", `${found.parent.name} at ${found.parent.position} (${found.parent.path})`] as const]),
      ["History", `${formatCount(found.events)} events up to ${found.end ?? "the beginning"}`],
      ["Virtual time", formatNs(found.virtualNs)],
      ["Log digest", found.logDigest],
      ["Snapshots", found.snapshots.length > 0 ? found.snapshots.join(", ") : "none"],
      ["Checkpoints", found.checkpoints > 0 ? formatCount(found.checkpoints) : "none"],
      ["Engine", found.engine],
      ["Seed", String(found.seed)],
      ["Started at", found.startTime],
      ["Image", machine.image ?? "none"],
      ["Harts", String(machine.harts)],
      ["Memory", formatBytes(machine.memoryBytes)],
      ["Firmware", typeof machine.firmware === "string" ? machine.firmware : contentLine(machine.firmware)],
      ["Kernel", machine.kernel ? contentLine(machine.kernel) : "none"],
      ["Initrd", machine.initrd ? contentLine(machine.initrd) : "none"],
      ...machine.disks.map((disk, at) => [`Disk ${at}`, contentLine(disk.content)] as const),
      ["Command line", machine.bootargs === "" ? "none" : machine.bootargs],
    ]
    yield* writeLine(lines.map(([label, value]) => `${`${label}:`.padEnd(14)} ${value}`).join("\n"))
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Show what a world is made of and where its history ends"),
  Command.withDescription("Shows what a world is made of and where its history ends."),
)
