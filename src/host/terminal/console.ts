/** The outside of a run as this process sees it: its standard streams, a terminal or not, and its signals. */
import { fstatSync } from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Outside } from "../../session/outside.ts"
import { Desk } from "./desk.ts"
import { onEndingSignal } from "./ending-signals.ts"
import { EscapeKeys, escapeHelp } from "./escape-keys.ts"
import { rawMode } from "./raw-mode.ts"
import { openScreen } from "./screen.ts"

/** An outside that can also tell why it asked the run to end. */
export interface HostConsole extends Outside {
  /** The signal that asked for the end, null when none did. */
  readonly signal: () => NodeJS.Signals | null
  /** Why the console could be shown no longer, null when it could. A reader that has enough is no problem. */
  readonly problem: () => Error | null
}

export interface ConsoleOptions {
  /** Where the guest's console is shown. */
  readonly screen: NodeJS.WriteStream
  /** Whether anything but the guest or the operator ends the run. */
  readonly limited: boolean
  /** Whether what comes in is for the guest. */
  readonly reads: boolean
}

/** Whether a person types and sees. */
export const isLive = ({ screen, reads }: Pick<ConsoleOptions, "screen" | "reads">): boolean =>
  reads && process.stdin.isTTY === true && screen.isTTY === true

/** The console for a run: live on a terminal, plain elsewhere. */
export const openConsole = (options: ConsoleOptions): Effect.Effect<HostConsole, never, Scope.Scope> =>
  isLive(options) ? openLiveConsole(options.screen) : openPlainConsole(options)

/** What both kinds have: a desk that fills, a screen, signals. */
const openShared = (stream: NodeJS.WriteStream) =>
  Effect.gen(function* () {
    const desk = new Desk()
    let signal: NodeJS.Signals | null = null
    let problem: Error | null = null
    const screen = openScreen(stream, cause => {
      if ((cause as NodeJS.ErrnoException).code !== "EPIPE") problem = cause
      desk.end()
    })
    yield* Effect.addFinalizer(() => Effect.sync(screen.close))
    yield* onEndingSignal(received => {
      signal ??= received
      desk.end()
    })
    const base = {
      typed: desk.take,
      quits: () => desk.ended,
      show: screen.show,
      breathe: screen.breathe,
      wait: desk.wait,
      signal: () => signal,
      problem: () => problem,
    }
    return { desk, base }
  })

/** Delivers what `stdin` gives until the scope ends, and pauses it while the guest is behind. */
const readInput = (desk: Desk, onBytes: (bytes: Uint8Array) => void, onEnd: () => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { stdin } = process
      const onData = (bytes: Uint8Array) => {
        onBytes(bytes)
        if (desk.isFull) stdin.pause()
      }
      desk.onRoom = () => {
        if (stdin.isPaused()) stdin.resume()
      }
      stdin.on("data", onData)
      stdin.on("end", onEnd)
      stdin.on("error", onEnd)
      stdin.resume()
      return () => {
        desk.onRoom = () => {}
        stdin.off("data", onData)
        stdin.off("end", onEnd)
        stdin.pause()
        stdin.unref()
      }
    }),
    release => Effect.sync(release),
  )

const openLiveConsole = (stream: NodeJS.WriteStream): Effect.Effect<HostConsole, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { desk, base } = yield* openShared(stream)
    yield* rawMode(process.stdin, stream === process.stderr ? 2 : 1)
    const keys = new EscapeKeys()
    let asked = false
    const help = `\r\n${escapeHelp.join("\r\n")}\r\n`
    const onBytes = (bytes: Uint8Array) => {
      const { typed, commands } = keys.take(bytes)
      desk.type(typed)
      for (const command of commands)
        if (command === "quit") desk.end()
        else if (command === "snapshot") {
          asked = true
          desk.stir()
        } else base.show(Buffer.from(help))
    }
    yield* readInput(desk, onBytes, () => desk.end())
    return {
      ...base,
      pace: "wall" as const,
      asksForSnapshot: () => {
        const was = asked
        asked = false
        return was
      },
      snapshotBegan: (name: string | null) => {
        const text = name === null ? "nothing is recorded: no snapshot" : `snapshot ${name}`
        base.show(Buffer.from(`\r\n${text}\r\n`))
      },
    }
  })

/** Whether something comes in on `stdin` by itself: a pipe, a socket or a file, but no terminal and no /dev/null. */
const isFed = (): boolean => {
  try {
    const status = fstatSync(0)
    return status.isFIFO() || status.isSocket() || status.isFile()
  } catch {
    return false
  }
}

const openPlainConsole = ({ screen, limited, reads }: ConsoleOptions): Effect.Effect<HostConsole, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { desk, base } = yield* openShared(screen)
    const fed = reads && isFed()
    let open = fed
    let pace: Outside["pace"] = limited ? "virtual" : "wall"
    if (fed)
      yield* readInput(
        desk,
        bytes => desk.type(bytes),
        () => {
          open = false
          desk.stir()
        },
      )
    return {
      ...base,
      get pace() {
        return pace
      },
      wait: (ns: number) =>
        Effect.suspend(() => {
          if (ns !== Number.POSITIVE_INFINITY || open || !desk.isEmpty) return base.wait(ns)
          // Nobody can wake the guest any more: with time skipped, the session finds that out.
          pace = "virtual"
          return Effect.succeed(0)
        }),
    }
  })

/** An outside that shows nothing and types nothing; signals still end the run. */
export const openQuietConsole: Effect.Effect<HostConsole, never, Scope.Scope> = Effect.gen(function* () {
  const { base } = yield* openShared(process.stderr)
  return { ...base, pace: "virtual" as const, show: () => {} }
})
