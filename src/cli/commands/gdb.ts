/** `cv gdb`: a server for gdb over a world's history. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Debugger } from "../../debugger/debugger.ts"
import type { TcpListener } from "../../host/tcp-listener.ts"
import { debugWorld, positionWritten, symbolsFlag } from "../debugging.ts"
import { events, worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { remark, writeLine } from "../output.ts"
import { progressBar } from "../progress.ts"
import { looksLikePosition, parsePositionText } from "../replaying.ts"
import { lifeOf } from "../world-life.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

const gdbServer = Effect.promise(() => import("../../debugger/gdb/index.ts"))

const PORT_MAX = 0xffff

/** `127.0.0.1:1234`, `[::1]:1234`, `:1234` or `1234`. */
const parseEndpoint = (text: string): Effect.Effect<{ readonly address: string; readonly port: number }, Misused> => {
  const match = /^(?:(?:\[([\da-f:]+)\]|([^:[\]]*)):)?(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > PORT_MAX)
    return Effect.fail(
      new Misused({ problem: `"${text}" is no place to listen at; use ADDRESS:PORT, for example 127.0.0.1:1234.` }),
    )
  return Effect.succeed({ address: match[1] ?? (match[2] || "127.0.0.1"), port })
}

const isLoopback = (address: string): boolean => /^127\.|^::1$|^localhost$/.test(address)

/** Serves one gdb after the other; with `once` only the first. */
const serveAll = Effect.fnUntraced(function* (
  debugged: Debugger,
  listener: TcpListener,
  { world, once }: { readonly world: string; readonly once: boolean },
) {
  const { GdbSession } = yield* gdbServer
  do {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const client = yield* listener.accept
        const session = new GdbSession(debugged, { world, send: client.send })
        client.receive(
          bytes => session.take(bytes),
          () => session.hangUp(),
        )
        yield* session.serve
      }),
    )
  } while (!once)
})

export const gdb = Command.make(
  "gdb",
  {
    world: worldArgument,
    listen: Flag.String("listen").pipe(
      Flag.withMetavar("ADDRESS:PORT"),
      Flag.withDescription("Where gdb connects to; port 0 is a free one"),
      Flag.withDefault("127.0.0.1:1234"),
    ),
    at: Flag.String("at").pipe(
      Flag.withMetavar("POS"),
      Flag.withDescription(
        "Stand there first: a position, or a virtual time such as 1.5s (default: at the beginning of the history)",
      ),
      Flag.optional,
    ),
    symbols: symbolsFlag,
    once: Flag.Boolean("once").pipe(
      Flag.withDescription("End when the first gdb takes its leave"),
      Flag.withDefault(false),
    ),
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const world = worldNameOf(path)
    const { address, port } = yield* parseEndpoint(flags.listen)
    const at = Option.getOrNull(flags.at)
    // Whether a position is one is known before the history is opened.
    const position = at !== null && looksLikePosition(at) ? yield* parsePositionText(at) : null
    const { formatPosition } = yield* events
    const { formatEndpoint, listenTcp } = yield* Effect.promise(() => import("../../host/tcp-listener.ts"))
    const { refusal } = yield* gdbServer
    yield* Effect.scoped(
      Effect.gen(function* () {
        // Whether it may listen is known before the history is opened.
        const listener = yield* listenTcp(address, port, refusal(world))
        const debugged = yield* debugWorld(path, flags.symbols)
        if (at !== null)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const bar = yield* progressBar()
              const going = { progress: (done: number) => bar.show(`Going to ${at}`, done, 1) }
              if (position === null) yield* positionWritten(debugged, at, going)
              else yield* debugged.goTo(position, going)
            }),
          )
        if ((yield* lifeOf(debugged.world)) === "open")
          yield* remark(
            `cv: ${world} is still being recorded, or was cut off; what is durable up to ${formatPosition(debugged.timeline.end)} is there to debug.`,
          )
        if (!isLoopback(address)) yield* remark(`cv: Whoever reaches ${address} can read all of the guest's memory.`)
        const place = formatEndpoint(listener.address, listener.port)
        yield* writeLine(`Listening on ${place}; connect with: gdb-multiarch -ex "target remote ${place}"`)
        yield* serveAll(debugged, listener, { world, once: flags.once })
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Debug a world's history with gdb, forth and back"),
  Command.withDescription(
    "Listens for gdb and lets it look at a world's history: breakpoints, watchpoints, steps, and the same backwards with reverse-stepi, reverse-continue and the like. Harts are gdb's threads. Nothing of the history is changed; `monitor help` in gdb lists what there is beyond its own commands. One gdb at a time; the place it went to stays for the next.",
  ),
  Command.withExamples([
    { command: "cv gdb debian", description: 'Then, elsewhere: gdb-multiarch -ex "target remote 127.0.0.1:1234"' },
    { command: "cv gdb debian --at r1204.m0.h1.i123456789", description: "Stand there first" },
    { command: "cv gdb board --symbols board.elf --listen 127.0.0.1:0", description: "At a port that is free" },
  ]),
)
