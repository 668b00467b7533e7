/** The recording end of a world's log: a cheap synchronous append, and knowing when it is durable. */
import { Buffer } from "node:buffer"
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads"
import { Effect, Result, type Scope } from "effect"
import type { Creation, KnownContent } from "./creation.ts"
import { WorldDamaged, WorldWriteFailed } from "./errors.ts"
import { definitions, type EventKind, encodeEvent, type Payload } from "./event.ts"
import type { Head } from "./head.ts"
import type { Position } from "./position.ts"
import { Ring } from "./ring.ts"
import { encodeRow, payloadBytesMax, rowBytes } from "./row.ts"
import { type SnapshotInput, SnapshotSender, type SnapshotUnderWay } from "./snapshot-sender.ts"
import {
  type Failure,
  groupBytes,
  type JobName,
  type Jobs,
  type Message,
  type Request,
  type WorkerData,
} from "./worker-protocol.ts"

export interface LogWriterOptions {
  /** Most bytes that may be queued and not durable, a power of two of at least 2 MiB; 8 MiB where absent. */
  readonly queueBytesMax?: number
  /** Largest size of the world file; no limit but the disk's where absent. */
  readonly fileBytesMax?: number
}

export interface LogWriter {
  /**
   * Queues an event for writing and gives its seq. Positions do not go back. Where the queue is full it blocks the thread until
   * there is room: see `room`.
   * @throws WorldWriteFailed when the host did not take earlier events: this one is not recorded. RangeError for a payload that is
   * not of its kind or larger than 1 MiB.
   */
  append<K extends EventKind>(position: Position, kind: K, payload: Payload<K>): number
  /** The seq the next event gets. */
  readonly nextSeq: number
  /** The last event that is safely in the file, known without waiting. */
  readonly durableSeq: number
  readonly queuedBytes: number
  readonly queueBytesMax: number
  /** Why nothing is recorded any more, null while all is well. */
  readonly failure: WorldWriteFailed | null
  /** Asks for an early commit, without waiting for it. */
  hurry(): void
  /** Waits until event `seq` is durable. */
  durable(seq: number): Effect.Effect<void, WorldWriteFailed>
  /** Commits at once, waits until all events appended so far are durable, and gives where the log then ends. */
  readonly flush: Effect.Effect<Head, WorldWriteFailed>
  /**
   * Hands over all of a snapshot, so that the machine can go on while it is stored. It comes after all events appended so far, and is in
   * the file whole or not at all.
   */
  beginSnapshot(input: SnapshotInput): SnapshotUnderWay
  /** Whether a snapshot of about so many pages can be handed over quickly; if not, that is prepared. */
  isReadyForSnapshot(pages: number): boolean
  /** Waits until the queue is at most half full. */
  readonly room: Effect.Effect<void, WorldWriteFailed>
}

interface Waiter {
  readonly ready: () => boolean
  readonly resume: (effect: Effect.Effect<void, WorldWriteFailed>) => void
}

const queueBytesDefault = 8 << 20
const stallMillisecondsMax = 60_000
const stallMillisecondsStep = 100

// The compiled worker stands beside this file under the same name.
const workerFile = new URL(import.meta.url.endsWith(".ts") ? "./log-worker.ts" : "./log-worker.js", import.meta.url)

/** Contents that another thread sees without a copy of its own. */
const toShared = ({ hash, bytes }: KnownContent): KnownContent => {
  if (bytes.buffer instanceof SharedArrayBuffer) return { hash, bytes }
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
  shared.set(bytes)
  return { hash, bytes: shared }
}

/** The writer together with the jobs its worker does. */
export class WorkerLogWriter implements LogWriter {
  readonly path: string
  private readonly snapshots: SnapshotSender
  private readonly ring: Ring
  private readonly worker: Worker
  private readonly port: MessagePort
  private scratch: Buffer = Buffer.alloc(8192)
  private seq: number
  private durableCount = 0
  private durableAt: number
  /** The last end of the log that the worker told of; the shared counter may be ahead of it. */
  private told: Head
  private failed: WorldWriteFailed | null = null
  private ended = false
  private readonly waiters = new Set<Waiter>()
  private readonly replies = new Map<number, (outcome: Result.Result<unknown, Failure>) => void>()
  private nextRequest = 1

  /** `head`: the end of the log; of one that is still to be made, its first event. */
  constructor(path: string, head: Head, options: LogWriterOptions, creation: Creation | null) {
    const capacity = options.queueBytesMax ?? queueBytesDefault
    if (capacity < 2 * payloadBytesMax || (capacity & (capacity - 1)) !== 0)
      throw new RangeError(`a queue of ${capacity} bytes is not a power of two of at least 2 MiB`)
    this.path = path
    this.snapshots = new SnapshotSender(this)
    this.seq = head.seq + 1
    this.durableAt = creation === null ? head.seq : head.seq - 1
    this.told = { seq: this.durableAt, digest: head.digest }
    const memory = Ring.allocate(capacity)
    this.ring = new Ring(memory)
    const { port1, port2 } = new MessageChannel()
    this.port = port1
    const workerData: WorkerData = {
      path,
      creation: creation && { ...creation, contents: creation.contents.map(toShared) },
      memory,
      port: port2,
      digest: head.digest,
      fileBytesMax: options.fileBytesMax ?? null,
    }
    this.worker = new Worker(workerFile, { workerData, transferList: [port2], execArgv: [] })
    this.port.on("message", (message: Message) => this.receive(message))
    this.worker.on("error", cause => this.end(String(cause)))
    this.worker.on("exit", () => this.end("its writer thread ended"))
  }

  get nextSeq(): number {
    return this.seq
  }

  get queueBytesMax(): number {
    return this.ring.capacity
  }

  get queuedBytes(): number {
    return this.ring.queuedBytes
  }

  get durableSeq(): number {
    const count = this.ring.durableFrames
    this.durableAt += (count - this.durableCount) >>> 0
    this.durableCount = count
    return this.durableAt
  }

  get failure(): WorldWriteFailed | null {
    if (this.failed === null && this.ring.failed) {
      // The reason is on its way: take it without waiting for the event loop.
      for (let next = receiveMessageOnPort(this.port); next !== undefined; next = receiveMessageOnPort(this.port))
        this.receive(next.message as Message)
    }
    return this.failed
  }

  append<K extends EventKind>(position: Position, kind: K, payload: Payload<K>): number {
    if (this.ring.failed && this.failure !== null) throw this.failure
    const content = encodeEvent(kind, payload)
    const frameBytes = 4 + rowBytes(kind, content)
    if (frameBytes > this.scratch.length) this.scratch = Buffer.alloc(frameBytes * 2)
    encodeRow(this.scratch, 4, this.seq, position, kind, definitions[kind].version, content)
    this.scratch.writeUInt32LE(frameBytes - 4, 0)
    const frame = this.scratch.subarray(0, frameBytes)
    if (!this.ring.put(frame)) this.putWhenRoom(frame)
    // The worker sleeps until told where the queue was empty, and for a moment where the group is not full.
    const queued = this.ring.queuedBytes
    if (queued <= frameBytes || (queued >= groupBytes && queued - frameBytes < groupBytes)) this.ring.signal(false)
    return this.seq++
  }

  private putWhenRoom(frame: Uint8Array): void {
    for (let waited = 0; waited < stallMillisecondsMax; waited += stallMillisecondsStep) {
      this.ring.signal(true)
      this.ring.waitForRoom(stallMillisecondsStep)
      if (this.failure !== null) throw this.failure
      if (this.ring.put(frame)) return
    }
    this.ring.fail()
    throw this.fail({ code: "STALLED", problem: `the disk took nothing for ${stallMillisecondsMax / 1000} seconds` })
  }

  hurry(): void {
    this.ring.signal(true)
  }

  durable(seq: number): Effect.Effect<void, WorldWriteFailed> {
    return this.until(() => this.durableSeq >= seq)
  }

  get flush(): Effect.Effect<Head, WorldWriteFailed> {
    return Effect.suspend(() => {
      const last = this.seq - 1
      this.ring.signal(true)
      return Effect.map(
        this.until(() => this.told.seq >= last),
        () => this.told,
      )
    })
  }

  get room(): Effect.Effect<void, WorldWriteFailed> {
    return Effect.suspend(() => {
      if (this.queuedBytes * 2 > this.queueBytesMax) this.ring.signal(true)
      return this.until(() => this.queuedBytes * 2 <= this.queueBytesMax)
    })
  }

  beginSnapshot(input: SnapshotInput): SnapshotUnderWay {
    return this.snapshots.begin(input)
  }

  isReadyForSnapshot(pages: number): boolean {
    return this.snapshots.isReadyFor(pages)
  }

  private until(ready: () => boolean): Effect.Effect<void, WorldWriteFailed> {
    return Effect.callback<void, WorldWriteFailed>(resume => {
      const waiter: Waiter = { ready, resume }
      this.waiters.add(waiter)
      this.settle()
      return Effect.sync(() => this.waiters.delete(waiter))
    })
  }

  private settle(): void {
    for (const waiter of this.waiters) {
      const ready = waiter.ready()
      if (!ready && this.failed === null) continue
      this.waiters.delete(waiter)
      waiter.resume(ready ? Effect.void : Effect.fail(this.failed!))
    }
  }

  private receive(message: Message): void {
    switch (message.about) {
      case "durable":
        this.told = message.head
        this.settle()
        return
      case "failed":
        this.fail(message.failure)
        return
      case "reply":
        this.reply(message.id, Result.succeed(message.value))
        return
      case "refusal":
        this.reply(message.id, Result.fail(message.failure))
        return
    }
  }

  private reply(id: number, outcome: Result.Result<unknown, Failure>): void {
    this.replies.get(id)?.(outcome)
    this.replies.delete(id)
  }

  private fail(failure: Failure): WorldWriteFailed {
    this.failed ??= new WorldWriteFailed({ path: this.path, ...failure, durableSeq: this.durableSeq })
    this.settle()
    return this.failed
  }

  private end(problem: string): void {
    if (this.ended) return
    this.ended = true
    this.ring.fail()
    this.fail({ code: "ENDED", problem })
    for (const id of this.replies.keys()) this.reply(id, Result.fail({ code: "ENDED", problem }))
  }

  /** Has the worker do a job, after the events appended before it. The failure is the worker's own: see `toError`. */
  post<J extends JobName>(job: J, body: Jobs[J]["request"]): Promise<Result.Result<Jobs[J]["reply"], Failure>> {
    const reply = this.queue(job, body)
    this.wake()
    return reply
  }

  /** The same, for a worker that is woken later. */
  queue<J extends JobName>(job: J, body: Jobs[J]["request"]): Promise<Result.Result<Jobs[J]["reply"], Failure>> {
    if (this.ended) return Promise.resolve(Result.fail({ code: "ENDED", problem: "its writer thread has ended" }))
    const id = this.nextRequest++
    return new Promise(resolve => {
      this.replies.set(id, outcome => resolve(outcome as Result.Result<Jobs[J]["reply"], Failure>))
      this.port.postMessage({ ...body, id, job } as unknown as Request)
    })
  }

  /** Has the worker look at what was queued. */
  wake(): void {
    this.ring.signal(false)
  }

  /** The same, waiting for the reply. */
  request<J extends JobName>(job: J, body: Jobs[J]["request"]): Effect.Effect<Jobs[J]["reply"], Failure> {
    return Effect.flatMap(
      Effect.promise(() => this.post(job, body)),
      Effect.fromResult,
    )
  }

  /** What a failed job means for the world; a mistake in the program is no operating error and is thrown. */
  toError(failure: Failure): WorldWriteFailed | WorldDamaged {
    if (failure.code === "ContentDamaged")
      return new WorldDamaged({ path: this.path, seq: null, kind: null, position: null, problem: failure.problem })
    if (failure.code === "ENDED" || failure.code === "AbandonedSnapshot" || failure.code.startsWith("SQLITE_"))
      return new WorldWriteFailed({ path: this.path, ...failure, durableSeq: this.durableSeq })
    throw new Error(failure.problem)
  }

  /** Makes durable what can be, and ends the worker. */
  get close(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const end = Effect.promise(async () => {
        this.port.close()
        await this.worker.terminate()
      })
      return Effect.andThen(Effect.ignore(this.request("stop", {})), end)
    })
  }
}

/**
 * A writer whose worker ends with the scope. The caller holds the world's lock. The worker starts meanwhile, and makes the file first
 * where there is a `creation`: that it cannot shows as the writer's `failure`.
 */
export const makeLogWriter = (
  path: string,
  head: Head,
  options: LogWriterOptions,
  creation: Creation | null = null,
): Effect.Effect<WorkerLogWriter, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new WorkerLogWriter(path, head, options, creation)),
    writer => writer.close,
  )
