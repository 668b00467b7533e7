/** A terminal in raw mode: each key is delivered at once and none has a meaning of its own. */
import { writeSync } from "node:fs"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Attributes off, cursor shown: what a guest may have left behind. */
const RESET = "\x1b[0m\x1b[?25h"

/** Puts the terminal of `input` into raw mode until the scope or the process ends, in whatever way; `resetFd` is its screen. */
export const rawMode = (input: NodeJS.ReadStream, resetFd: number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        const enter = () => input.setRawMode(true)
        const leave = () => {
          process.off("exit", leave)
          process.off("SIGCONT", enter)
          try {
            input.setRawMode(false)
            writeSync(resetFd, RESET)
          } catch {
            // The terminal has gone away.
          }
        }
        process.on("exit", leave)
        process.on("SIGCONT", enter)
        enter()
        return leave
      }),
      leave => Effect.sync(leave),
    ),
  )
