/** A stream the guest's console is shown on. It never blocks the guest's history: who reads too slowly slows the run down. */
import type { WriteStream } from "node:tty"
import * as Effect from "effect/Effect"

export interface Screen {
  readonly show: (output: Uint8Array) => void
  /** Lets other work happen; waits while the reader is behind. */
  readonly breathe: Effect.Effect<void>
  readonly close: () => void
}

/** `onLost` is called when the reader has gone away. */
export const openScreen = (stream: NodeJS.WriteStream | WriteStream, onLost: (cause: Error) => void): Screen => {
  let lost = false
  const onError = (cause: Error) => {
    if (lost) return
    lost = true
    onLost(cause)
  }
  stream.on("error", onError)
  const turn = Effect.callback<void>(resume => {
    const immediate = setImmediate(() => resume(Effect.void))
    return Effect.sync(() => clearImmediate(immediate))
  })
  const drained = Effect.callback<void>(resume => {
    const done = () => {
      stream.off("drain", done)
      stream.off("error", done)
      resume(Effect.void)
    }
    stream.on("drain", done)
    stream.on("error", done)
    return Effect.sync(() => {
      stream.off("drain", done)
      stream.off("error", done)
    })
  })
  return {
    show: output => {
      if (!lost) stream.write(output)
    },
    breathe: Effect.suspend(() => (stream.writableNeedDrain && !lost ? drained : turn)),
    // The listener stays while writes may still fail: an error without one would end the process.
    close: () => {
      if (stream.writableLength === 0) stream.off("error", onError)
    },
  }
}
