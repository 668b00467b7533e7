/** Effects that run while keys are answered. */
import { Cause, Effect, Exit, Fiber } from "effect"

export class Background {
  private readonly fibers = new Set<Fiber.Fiber<unknown, unknown>>()
  private waiting: (() => void)[] = []

  /** Runs one more; `then` is told how it ended unless it was interrupted. */
  run<A, E>(effect: Effect.Effect<A, E>, then: (exit: Exit.Exit<A, E>) => void): void {
    const fiber = Effect.runFork(effect)
    this.fibers.add(fiber)
    fiber.addObserver(exit => {
      this.fibers.delete(fiber)
      if (Exit.isSuccess(exit) || !Cause.hasInterruptsOnly(exit.cause)) then(exit)
      if (this.fibers.size === 0) for (const resolve of this.waiting.splice(0)) resolve()
    })
  }

  /** Resolves when none runs. */
  idle(): Promise<void> {
    if (this.fibers.size === 0) return Promise.resolve()
    return new Promise(resolve => this.waiting.push(resolve))
  }

  /** Interrupts all of them. */
  async close(): Promise<void> {
    await Promise.all([...this.fibers].map(fiber => Effect.runPromise(Fiber.interrupt(fiber))))
  }
}
