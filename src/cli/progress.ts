/** How far something is, on standard error: a bar where that is a terminal, nothing elsewhere. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

const REFRESH_MS = 100
const BAR_CELLS = 24

export interface ProgressBar {
  readonly show: (text: string, done: number, total: number) => void
  readonly clear: () => void
}

/** The bar disappears with the scope. `delayMs`: what is over sooner shows none. */
export const progressBar = (delayMs = 500): Effect.Effect<ProgressBar, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { stderr } = process
      let nextMs = Date.now() + delayMs
      let shown = false
      const clear = () => {
        if (shown) stderr.write("\r\x1b[K")
        shown = false
      }
      const show = (text: string, done: number, total: number) => {
        const now = Date.now()
        if (!stderr.isTTY || now < nextMs) return
        nextMs = now + REFRESH_MS
        shown = true
        const share = total > 0 ? Math.min(1, done / total) : 0
        const cells = Math.round(share * BAR_CELLS)
        const bar =
          total > 0 ? ` [${"#".repeat(cells)}${"-".repeat(BAR_CELLS - cells)}] ${Math.floor(share * 100)} %` : " …"
        stderr.write(`\r${text.slice(0, Math.max(10, (stderr.columns ?? 80) - bar.length - 1))}${bar}\x1b[K`)
      }
      return { show, clear }
    }),
    bar => Effect.sync(bar.clear),
  )

/** Lets signals and output through during long work. */
export const breathe: Effect.Effect<void> = Effect.callback<void>(resume => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})
