/** One way through history on a client's behalf: it can be paused, shows what is printed, and how far it is. */
import type { Clock } from "effect"
import type { Going } from "../../session/timeline/timeline.ts"
import type { Connection } from "./connection.ts"
import type { Debuggee } from "./debuggee.ts"

/** What is over sooner shows no progress; between two reports passes so much time. */
const DELAY_MS = 500
const REFRESH_MS = 200

export interface MotionOptions {
  readonly title: string
  /** What is printed on the way is shown. */
  readonly isForth: boolean
  /** The client shows progress. */
  readonly showsProgress: boolean
  /** Breakpoints that are changed meanwhile count from where it is. */
  readonly resumes?: true
}

export class Motion {
  /** Names the motion in reports of progress. */
  readonly id: string
  private readonly debuggee: Debuggee
  private readonly connection: Connection
  private readonly clock: Clock.Clock
  private readonly options: MotionOptions
  private readonly begunMs: number
  private reportedMs = 0
  /** How much of all that is printed up to a place was shown. */
  private shown: number
  private isPaused = false
  private isInterrupted = false

  constructor(id: string, debuggee: Debuggee, connection: Connection, clock: Clock.Clock, options: MotionOptions) {
    this.id = id
    this.debuggee = debuggee
    this.connection = connection
    this.clock = clock
    this.options = options
    this.begunMs = clock.currentTimeMillisUnsafe()
    this.shown = this.printed.length
  }

  /** What was printed; the beginning of a character that is not complete yet is left for later. */
  private get printed(): string {
    return this.debuggee.debug.printed.replace(/\ufffd$/, "")
  }

  /** Ends it where it is. */
  pause(): void {
    this.isPaused = true
  }

  /** Ends it for a moment, so that it goes on with those there are now. */
  breakpointsChanged(): void {
    if (this.options.resumes) this.isInterrupted = true
  }

  /** Whether to go on where it was ended for a moment. */
  resumes(): boolean {
    const wasInterrupted = this.isInterrupted && !this.isPaused
    this.isInterrupted = false
    return wasInterrupted
  }

  readonly going: Going = {
    isCancelled: () => this.isPaused || this.isInterrupted,
    progress: done => {
      if (this.options.isForth) this.showPrinted()
      if (this.options.showsProgress) this.report(done)
    },
  }

  private report(done: number): void {
    const now = this.clock.currentTimeMillisUnsafe()
    const percentage = Math.round(Math.min(1, Math.max(0, done)) * 100)
    if (this.reportedMs === 0 && now - this.begunMs < DELAY_MS) return
    if (this.reportedMs !== 0 && now - this.reportedMs < REFRESH_MS) return
    const { id, connection, options } = this
    if (this.reportedMs === 0)
      connection.tell("progressStart", { progressId: id, title: options.title, cancellable: true, percentage })
    else connection.tell("progressUpdate", { progressId: id, percentage })
    this.reportedMs = now
  }

  private showPrinted(): void {
    const { printed } = this
    if (printed.length > this.shown)
      this.connection.tell("output", { category: "stdout", output: printed.slice(this.shown) })
    this.shown = Math.max(this.shown, printed.length)
  }

  /** It is over. */
  end(): void {
    if (this.options.isForth) this.showPrinted()
    if (this.reportedMs !== 0) this.connection.tell("progressEnd", { progressId: this.id })
  }
}
