/** Where the debugger is shown: a world opened for it, a terminal taken over and given back in every case. */
import { Effect } from "effect"
import { alsoPhysical } from "../../debugger/symbols/kernel-names.ts"
import { onEndingSignal } from "../../host/terminal/ending-signals.ts"
import { requireWithin } from "../../session/position-within.ts"
import { wantsColor } from "../../tui/color-context.ts"
import { destinationForms, readDestination } from "../../tui/debug/destination.ts"
import { type ForkRequest, Operator } from "../../tui/debug/operator.ts"
import type { Destination } from "../../tui/debug/order.ts"
import { debugWorld } from "../debugging.ts"
import { Ended, Misused } from "../failure.ts"
import { forkLine, forkWorld } from "../forking.ts"
import { breathe } from "../progress.ts"
import { worldNameOf } from "../world-name.ts"

const INTERRUPTED = 130

const readPlace = (text: string): Effect.Effect<Destination, Misused> => {
  const place = readDestination(text)
  if (place !== null) return Effect.succeed(place)
  return Effect.fail(new Misused({ problem: `"${text}" is no place in a history; give --at ${destinationForms}.` }))
}

/** The screen until the scope ends, and why it is to be left. The views are loaded only here: other commands start faster without. */
const screen = (world: string, operator: Operator) =>
  Effect.gen(function* () {
    const [{ render }, { createElement }, { DebugTerminal }] = yield* Effect.promise(() =>
      Promise.all([import("ink"), import("react"), import("../../tui/debug/debug-terminal.ts")]),
    )
    // Who listens to a signal decides what it does: Ink would end the process.
    yield* onEndingSignal(() => {})
    const instance = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const node = createElement(DebugTerminal, { world, operator, colored: wantsColor(process.env) })
        return render(node, {
          // A terminal is there, whatever the environment says of who looks at it.
          interactive: true,
          alternateScreen: true,
          incrementalRendering: true,
          exitOnCtrlC: false,
          patchConsole: false,
        })
      }),
      instance =>
        Effect.promise(async () => {
          instance.unmount()
          await instance.waitUntilExit().catch(() => {})
        }),
    )
    // Before anybody says why the process ends, the terminal is as it was.
    const onCrash = () => instance.unmount()
    yield* Effect.acquireRelease(
      Effect.sync(() => process.prependListener("uncaughtException", onCrash)),
      () => Effect.sync(() => process.off("uncaughtException", onCrash)),
    )
    return instance
  })

/** Shows a world's history until the screen is left; `symbols` are files of programs that the guest runs. */
export const debugOnTerminal = (path: string, at: string | undefined, symbols: readonly string[]) =>
  Effect.scoped(
    Effect.gen(function* () {
      const place = at === undefined ? null : yield* readPlace(at)
      const session = yield* debugWorld(path, symbols)
      const { linux, timeline } = session
      if (place?.kind === "position") yield* requireWithin(session.world, place.position, timeline.end)
      if (linux !== null) session.symbols = alsoPhysical(session.symbols, linux.mapping)
      const { columns, rows } = process.stdout
      const services = yield* Effect.context<Effect.Services<ReturnType<typeof forkWorld>>>()
      const fork = ({ name, position }: ForkRequest) =>
        Effect.runPromiseWith(services)(Effect.map(forkWorld(path, name, position), forkLine))
      let leave = (_: "quit" | "interrupted") => {}
      const operator = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const size = { columns, rows }
          return new Operator({ debugger: session, size, breathe, forkWorld: fork, onQuit: why => leave(why) })
        }),
        operator => Effect.promise(() => operator.close()),
      )
      const instance = yield* screen(worldNameOf(path), operator)
      operator.start(place)
      const why = yield* Effect.callback<"quit" | "interrupted", unknown>(resume => {
        leave = why => resume(Effect.succeed(why))
        // Only a view that fails ends by itself.
        instance.waitUntilExit().catch(cause => resume(Effect.fail(cause)))
      })
      if (why === "interrupted") return yield* new Ended({ code: INTERRUPTED })
    }),
  )
