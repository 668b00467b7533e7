/** `cv dap`: a server for editors that debug by the Debug Adapter Protocol. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { DapOutside } from "../../debugger/dap/index.ts"
import { debugWorld } from "../debugging.ts"
import { worldStore } from "../engine.ts"
import { Misused } from "../failure.ts"
import { remark } from "../output.ts"
import { existingWorld } from "../world-name.ts"

const PORT_MAX = 0xffff

/** `127.0.0.1:4711`, `[::1]:4711`, `:4711` or `4711`. */
const parsePlace = (text: string): Effect.Effect<{ readonly address: string; readonly port: number }, Misused> => {
  const match = /^(?:(?:\[([\da-f:]+)\]|([^:[\]]*)):)?(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > PORT_MAX)
    return Effect.fail(
      new Misused({ problem: `"${text}" is no place to listen at; use ADDRESS:PORT, for example 127.0.0.1:4711.` }),
    )
  return Effect.succeed({ address: match[1] ?? (match[2] || "127.0.0.1"), port })
}

const isLoopback = (address: string): boolean => /^127\.|^::1$|^localhost$/.test(address)

/** Worlds and files as the command line finds them. */
const outside = Effect.gen(function* () {
  const context = yield* Effect.context<Exclude<Effect.Services<ReturnType<typeof openNamed>>, Scope.Scope>>()
  return {
    directory: process.cwd(),
    openWorld: (world, programs) => Effect.provideContext(openNamed(world, programs), context),
  } satisfies DapOutside
})

const openNamed = Effect.fnUntraced(function* (world: string, programs: readonly string[]) {
  return yield* debugWorld(yield* existingWorld(world), programs)
})

export const dap = Command.make(
  "dap",
  {
    listen: Flag.String("listen").pipe(
      Flag.withMetavar("ADDRESS:PORT"),
      Flag.withDescription(
        "Serve clients that connect there, instead of one on standard input and output; port 0 is a free one",
      ),
      Flag.optional,
    ),
  },
  Effect.fnUntraced(function* (flags) {
    const place = Option.isSome(flags.listen) ? yield* parsePlace(flags.listen.value) : null
    const { serveDap } = yield* Effect.promise(() => import("../../debugger/dap/index.ts"))
    const served = yield* outside
    if (place === null) return yield* serveDap(process.stdin, process.stdout, served)
    const { formatPlace, serveClients } = yield* Effect.promise(() => import("../../host/client-server.ts"))
    yield* Effect.scoped(
      Effect.gen(function* () {
        const found = yield* serveClients(place, socket => serveDap(socket, socket, served))
        if (!isLoopback(place.address))
          yield* remark(`cv: Whoever reaches ${place.address} can read your worlds and the files you can read.`)
        yield* remark(`Listening on ${formatPlace(found)}`)
        yield* Effect.never
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("Let an editor debug a world's history, forth and back"),
  Command.withDescription(
    'Speaks the Debug Adapter Protocol, which VS Code, Neovim, Emacs and other editors debug with, on standard input and output. The editor names the world in its launch configuration: "world", and optionally "at" (a position or virtual time to begin at), "program" or "programs" (ELF files with debug information) and "stopOnEntry". Harts are threads; stepping back and going on in reverse go through the same history backwards. Nothing of the history is changed.',
  ),
  Command.withExamples([
    { command: "cv dap", description: "As an editor starts it" },
    { command: "cv dap --listen 127.0.0.1:4711", description: "For editors that connect to a port" },
  ]),
)
