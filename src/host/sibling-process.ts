/**
 * Other processes of this same program: a module started in a process of its own, given one request, answering with messages. What
 * one does with memory or with a kill is its own, as in life.
 */
import { fork } from "node:child_process"
import { Cause, Context, Effect, Layer, Queue, Schema, type Scope, Stream } from "effect"

/** A process ended without having said how its work went. */
export class SiblingEnded extends Schema.TaggedError<SiblingEnded>()("SiblingEnded", { how: Schema.String }) {
  override get message(): string {
    return `A process that this one had started ended before its work was done (${this.how}); look for a lack of memory, or for who ended it, then try again.`
  }
}

export interface Sibling<Message> {
  readonly pid: number
  /** What it says, to the end of the process. Fails when it ends in another way than by finishing or by `kill`. */
  readonly messages: Stream.Stream<Message, SiblingEnded>
  /** Ends it with SIGKILL, which it cannot notice, and waits until it is gone. */
  readonly kill: Effect.Effect<void>
}

export class Siblings extends Context.Service<
  Siblings,
  {
    /** Starts the module at `file`, which calls `serveSibling`. The process does not outlive the scope. */
    start<Request, Message>(file: URL, request: Request): Effect.Effect<Sibling<Message>, never, Scope.Scope>
  }
>()("chronovisor/host/Siblings") {
  static readonly layer: Layer.Layer<Siblings> = Layer.sync(Siblings, () => ({ start }))
}

const start = <Request, Message>(file: URL, request: Request): Effect.Effect<Sibling<Message>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const queue = yield* Queue.unbounded<Message, SiblingEnded | Cause.Done>()
    const fail = (how: string) => Queue.failCauseUnsafe(queue, Cause.fail(new SiblingEnded({ how })))
    let killed = false
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const process = fork(file, {
          serialization: "advanced",
          execArgv: [],
          stdio: ["ignore", "ignore", "inherit", "ipc"],
        })
        process.on("message", message => Queue.offerUnsafe(queue, message as Message))
        process.on("error", cause => fail(cause.message))
        // "close" comes after the last message, "exit" may come before it.
        process.on("close", (code, signal) => {
          if (code === 0 || killed) Queue.endUnsafe(queue)
          else fail(signal ?? `exit code ${code}`)
        })
        process.send(request as object, () => {})
        return process
      }),
      child => killAndWait(child),
    )
    const kill = Effect.suspend(() => {
      killed = true
      return killAndWait(child)
    })
    return { pid: child.pid ?? 0, messages: Stream.fromQueue(queue), kill }
  })

const killAndWait = (child: ReturnType<typeof fork>): Effect.Effect<void> =>
  Effect.callback<void>(resume => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

/** Lets the event loop turn once: messages go out, acknowledgements come in. */
export const breathe: Effect.Effect<void> = Effect.callback<void>(resume => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** The other end: does what the one request asks and ends the process. A process whose parent is gone ends too. */
export const serveSibling = <Request, Message>(
  work: (request: Request, say: (message: Message) => Effect.Effect<void>) => Effect.Effect<void>,
): void => {
  const say = (message: Message) =>
    Effect.callback<void>(resume => {
      process.send!(message, undefined, undefined, () => resume(Effect.void))
    })
  process.once("disconnect", () => process.exit(1))
  process.once("message", request => {
    Effect.runPromise(work(request as Request, say)).then(
      () => process.exit(0),
      cause => {
        process.stderr.write(`${cause instanceof Error ? cause.stack : cause}\n`)
        process.exit(70)
      },
    )
  })
}
