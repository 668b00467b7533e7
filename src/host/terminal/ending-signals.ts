/** Signals that ask the process to end. A run ends in good order: its history is written, the terminal restored. */
import { constants } from "node:os"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/** The code a process ends with when a signal ended it. */
export const signalExitCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal]

/** Has them end the process at once meanwhile: what is done in one piece hears of none of them. */
export const withDefaultSignals = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const listeners = endingSignals.flatMap(signal =>
        (process.rawListeners(signal) as NodeJS.SignalsListener[]).map(listener => ({ signal, listener })),
      )
      for (const signal of endingSignals) process.removeAllListeners(signal)
      return listeners
    }),
    () => effect,
    listeners =>
      Effect.sync(() => {
        for (const { signal, listener } of listeners) process.on(signal, listener)
      }),
  )

/** Calls `onSignal` for each of them until the scope ends. */
export const onEndingSignal = (onSignal: (signal: NodeJS.Signals) => void): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(
    Effect.acquireRelease(
      Effect.sync(() => {
        for (const signal of endingSignals) process.on(signal, onSignal)
      }),
      () =>
        Effect.sync(() => {
          for (const signal of endingSignals) process.off(signal, onSignal)
        }),
    ),
  )
