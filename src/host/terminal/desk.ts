/**
 * Where what comes from outside lies until the session asks: bytes typed, the wish to end. Who waits is woken by either.
 */
import * as Effect from "effect/Effect"

/** Bytes given out at a time, and kept at most before the source is told to pause. */
const BYTES_AT_ONCE = 4096
const BYTES_MAX = 65536

/** Longest time setTimeout can wait, in milliseconds. */
const TIMEOUT_MAX_MS = 0x7fffffff
/** Oversleeping is made good by shorter waits later, up to this much. */
const CREDIT_MAX_NS = 50_000_000

export class Desk {
  private pieces: Uint8Array[] = []
  private bytes = 0
  private ending = false
  private wake: (() => void) | null = null
  /** Real time that has passed already of the next wait. */
  private creditNs = 0
  /** Called when there is room again. */
  onRoom: () => void = () => {}

  type(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.pieces.push(bytes)
    this.bytes += bytes.length
    this.wake?.()
  }

  get isFull(): boolean {
    return this.bytes >= BYTES_MAX
  }

  get isEmpty(): boolean {
    return this.bytes === 0
  }

  /** Wakes who waits, to look around. */
  stir(): void {
    this.wake?.()
  }

  /** Asks the run to end. */
  end(): void {
    this.ending = true
    this.wake?.()
  }

  get ended(): boolean {
    return this.ending
  }

  /** The next bytes typed. */
  readonly take = (): Uint8Array => {
    const first = this.pieces.shift()
    if (first === undefined) return new Uint8Array(0)
    const taken = first.subarray(0, BYTES_AT_ONCE)
    if (taken.length < first.length) this.pieces.unshift(first.subarray(BYTES_AT_ONCE))
    this.bytes -= taken.length
    if (!this.isFull) this.onRoom()
    return taken
  }

  /** Waits so many nanoseconds, or less when there is something here; gives how long it was, at most `ns`. */
  readonly wait = (ns: number): Effect.Effect<number> =>
    Effect.callback<number>(resume => {
      const start = process.hrtime.bigint()
      const credit = this.creditNs
      const sleepMs = Math.min(Math.max(0, Math.ceil((ns - credit) / 1e6)), TIMEOUT_MAX_MS)
      let timer: NodeJS.Timeout | null = null
      const stop = () => {
        if (timer) clearTimeout(timer)
        this.wake = null
      }
      const elapsed = () => Math.max(0, credit + Number(process.hrtime.bigint() - start))
      const done = () => {
        stop()
        const passed = elapsed()
        this.creditNs = Math.min(Math.max(0, passed - ns), CREDIT_MAX_NS)
        resume(Effect.succeed(Math.min(passed, ns)))
      }
      // A timer may fire a little early: what is left is slept too.
      const ring = () => {
        if (elapsed() < ns && sleepMs < TIMEOUT_MAX_MS) timer = setTimeout(ring, 1)
        else done()
      }
      this.wake = done
      const isWanted = this.bytes > 0 || this.ending
      timer = isWanted ? setTimeout(done, 0) : setTimeout(ring, sleepMs)
      return Effect.sync(stop)
    })
}
