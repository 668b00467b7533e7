/**
 * Handing snapshots over to the log's worker. Copying the pages is all that the guest waits for: hashing, compressing and writing them
 * happens in the worker.
 */
import { Effect, Result } from "effect"
import type { LoadedPages } from "./content-pages.ts"
import { SnapshotExists, type WorldDamaged, type WorldWriteFailed } from "./errors.ts"
import { type Page, pageBytes, type SnapshotInfo } from "./snapshot.ts"
import type { SnapshotHead } from "./snapshot-writer.ts"
import type { Failure, JobName, Jobs } from "./worker-protocol.ts"

/** Pages handed to the worker at once. */
const pagesPerMessage = 512
/** Buffers that are made ready at most, and those that the worker makes without looking at anything else. */
const readyMax = 6
const madeAtOnce = 4

export interface SnapshotInput extends SnapshotHead {
  /** Size of the memory, in pages of 4 KiB. */
  readonly pageCount: number
  /** A snapshot whose pages hold wherever `pages` gives none, in the file or the last that was handed over; null: those are zero. */
  readonly parent: number | SnapshotUnderWay | null
  /** Where there is no parent: pages that hold what contents in the file do. The rest of them is zero. */
  readonly loaded?: readonly LoadedPages[]
  /** Each page at most once; those of zeros may have no bytes. They are copied as they are taken. */
  readonly pages: Iterable<Page>
}

/** A snapshot that was handed over. */
export interface SnapshotUnderWay {
  readonly handle: number
  /** Waits until it is durable. */
  readonly durable: Effect.Effect<SnapshotInfo, SnapshotExists | WorldWriteFailed | WorldDamaged>
}

/** The way to the worker, as `WorkerLogWriter` has it. */
export interface Worker {
  readonly path: string
  wake(): void
  queue<J extends JobName>(job: J, body: Jobs[J]["request"]): Promise<Result.Result<Jobs[J]["reply"], Failure>>
  toError(failure: Failure): WorldWriteFailed | WorldDamaged
}

/** Memory that pages are handed over in: used again, as the first touch of new memory takes longer than the copy. */
class PageBuffers {
  private readonly free: Uint8Array[] = []
  private static readonly freeMax = 64

  get count(): number {
    return this.free.length
  }

  take(): Uint8Array {
    return this.free.pop() ?? new Uint8Array(new SharedArrayBuffer(pagesPerMessage * pageBytes))
  }

  giveBack(buffer: Uint8Array): void {
    if (this.free.length < PageBuffers.freeMax) this.free.push(buffer)
  }
}

/** Groups pages into messages, each copied out of the guest's memory at once; the last has those of zeros. */
function* handfuls(pages: Iterable<Page>, buffers: PageBuffers) {
  let indexes = new Uint32Array(pagesPerMessage)
  let contents = buffers.take()
  let count = 0
  const zeros: number[] = []
  for (const { index, bytes } of pages) {
    if (bytes.length === 0) {
      zeros.push(index)
      continue
    }
    if (bytes.length !== pageBytes) throw new RangeError(`page ${index} has ${bytes.length} bytes`)
    indexes[count] = index
    contents.set(bytes, count * pageBytes)
    if (++count < pagesPerMessage) continue
    yield { indexes, contents, zeros: [] }
    indexes = new Uint32Array(pagesPerMessage)
    contents = buffers.take()
    count = 0
  }
  yield { indexes: indexes.slice(0, count), contents, zeros }
}

type Reply = Promise<Result.Result<unknown, Failure>>

export class SnapshotSender {
  private readonly worker: Worker
  private readonly buffers = new PageBuffers()
  private handles = 0
  private isMaking = false
  private unfinished = 0

  constructor(worker: Worker) {
    this.worker = worker
  }

  /** Whether the worker has done what it was given, and there is memory for about so many pages; if not, it makes some. */
  isReadyFor(pages: number): boolean {
    if (this.unfinished > 0) return false
    const wanted = Math.min(readyMax, Math.ceil(pages / pagesPerMessage))
    if (this.buffers.count >= wanted) return true
    if (!this.isMaking) void this.makeBuffers(wanted)
    return false
  }

  private async makeBuffers(wanted: number): Promise<void> {
    this.isMaking = true
    while (this.buffers.count < wanted) {
      const count = Math.min(madeAtOnce, wanted - this.buffers.count)
      const reply = this.worker.queue("makeBuffers", { count, bytes: pagesPerMessage * pageBytes })
      this.worker.wake()
      const made = await reply
      // Where nothing can be written any more nothing needs to be made.
      if (Result.isFailure(made)) break
      for (const buffer of made.success) this.buffers.giveBack(new Uint8Array(buffer))
    }
    this.isMaking = false
  }

  /** Hands over all of a snapshot, after all events appended so far. */
  begin(input: SnapshotInput): SnapshotUnderWay {
    const handle = ++this.handles
    const replies = this.post(input, handle)
    this.unfinished++
    void Promise.all(replies).then(() => this.unfinished--)
    // At the next turn: a worker that wakes now may take the core that the guest waits for.
    setImmediate(() => this.worker.wake())
    const durable = Effect.gen(function* () {
      let info: unknown
      // The first failure is the reason of those that follow.
      for (const reply of replies) info = yield* Effect.fromResult(yield* Effect.promise(() => reply))
      return info as SnapshotInfo
    })
    return { handle, durable: Effect.mapError(durable, failure => this.toError(failure, input.name)) }
  }

  private post(input: SnapshotInput, snapshot: number): readonly Reply[] {
    const { pageCount, parent, pages, loaded = [], ...head } = input
    const [after, stored] = parent !== null && typeof parent === "object" ? [parent.handle, null] : [null, parent]
    const replies: Reply[] = [
      this.worker.queue("beginSnapshot", { snapshot, pageCount, parent: stored, after, loaded }),
    ]
    try {
      for (const { indexes, contents, zeros } of handfuls(pages, this.buffers)) {
        const reply = this.worker.queue("writePages", { snapshot, indexes, contents, zeros })
        void reply.then(() => this.buffers.giveBack(contents))
        replies.push(reply)
      }
    } catch (cause) {
      void this.worker.queue("abandonSnapshot", { snapshot })
      throw cause
    }
    replies.push(this.worker.queue("endSnapshot", { snapshot, head }))
    return replies
  }

  private toError(failure: Failure, name: string | null) {
    return failure.code === "SQLITE_CONSTRAINT_UNIQUE" && name !== null
      ? new SnapshotExists({ path: this.worker.path, snapshot: name })
      : this.worker.toError(failure)
  }
}
