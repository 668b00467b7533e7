/**
 * The log's worker thread: the only writer of a world file. It makes the file of a new world, commits queued events in groups and
 * does jobs between them.
 */
import { Buffer } from "node:buffer"
import { receiveMessageOnPort, workerData } from "node:worker_threads"
import BetterSqlite from "better-sqlite3"
import { BlobWriter } from "./blob.ts"
import { createWorldFile } from "./creation.ts"
import { type Head, writeHead } from "./head.ts"
import type { StoredMap } from "./memory-map.ts"
import { PageIndex } from "./page-index.ts"
import { Ring } from "./ring.ts"
import { DigestChain, decodeRow } from "./row.ts"
import { mapOf, removeSnapshot, SnapshotWriter, type StoredSnapshot, thinCheckpoints } from "./snapshot-writer.ts"
import { prepare, query } from "./tables.ts"
import {
  type Failure,
  groupBytes,
  groupMilliseconds,
  type JobName,
  type Jobs,
  type Message,
  type Request,
  type WorkerData,
} from "./worker-protocol.ts"

const { path, creation, memory, port, digest: lastDigest, fileBytesMax } = workerData as WorkerData
const ring = new Ring(memory)

/** Jobs that write nothing: parts of a snapshot are written with its end. */
const writesNothing: ReadonlySet<JobName> = new Set(["beginSnapshot", "writePages", "abandonSnapshot", "makeBuffers"])

class AbandonedSnapshot extends Error {}

const touched = (bytes: number): SharedArrayBuffer => {
  const buffer = new SharedArrayBuffer(bytes)
  new Uint8Array(buffer).fill(1)
  return buffer
}

const send = (message: Message) => port.postMessage(message)

/** A disk with no room left, in the operating system's words. */
const fullCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"])

const toFailure = (cause: unknown): Failure => {
  if (!(cause instanceof Error)) return { code: "Error", problem: String(cause) }
  const { code } = cause as NodeJS.ErrnoException
  if (cause instanceof BetterSqlite.SqliteError) return { code: cause.code, problem: cause.message }
  if (code !== undefined && fullCodes.has(code)) return { code: "SQLITE_FULL", problem: cause.message }
  return { code: code ?? cause.constructor.name, problem: String(cause) }
}

const open = () => {
  const db = new BetterSqlite(path, { fileMustExist: true })
  db.pragma("journal_mode = WAL")
  db.pragma("synchronous = FULL")
  db.pragma("cell_size_check = ON")
  if (fileBytesMax !== null) {
    const pageSize = db.pragma("page_size", { simple: true }) as number
    db.pragma(`max_page_count = ${Math.max(1, Math.floor(fileBytesMax / pageSize))}`)
  }
  return db
}

const serve = () => {
  const db = open()
  const nothing = Buffer.alloc(0)
  const insert = prepare(
    db,
    query.insertInto("event").values({
      seq: 0,
      round: 0,
      machine: 0,
      hart: 0,
      instret: 0,
      kind: "",
      version: 0,
      payload: nothing,
      digest: nothing,
    }),
  )
  const chain = new DigestChain(lastDigest)
  let digest: Uint8Array = lastDigest

  const insertFrames = (frames: Buffer): { count: number; bytes: number; head: Head } => {
    let offset = 0
    let count = 0
    let seq = 0
    // The last frame may have been cut off by the limit of what is copied out at once.
    while (offset + 4 <= frames.length) {
      const start = offset + 4
      const end = start + frames.readUInt32LE(offset)
      if (end > frames.length) break
      const row = decodeRow(frames, start)
      digest = chain.nextEncoded(frames, start, end)
      const { round, machine, hart, instret } = row.position
      insert.run(row.seq, round, machine, hart, instret, row.kind, row.version, row.payload, digest)
      seq = row.seq
      offset = end
      count++
    }
    const head = { seq, digest }
    writeHead(db, head)
    return { count, bytes: offset, head }
  }
  const commitFrames = db.transaction(insertFrames)

  /** Makes what is queued durable. Throws when the host does not take it; then the chain is broken and no more may follow. */
  const commit = (): void => {
    while (ring.queuedBytes > 0) {
      const { count, bytes, head } = commitFrames(ring.peek(4 << 20))
      ring.free(bytes, count)
      send({ about: "durable", head })
    }
  }

  let nextHandle = 1
  const blobs = new Map<number, BlobWriter>()
  const snapshots = new Map<number, SnapshotWriter>()

  /** Made with the first snapshot: many worlds have none. */
  let index: PageIndex | null = null
  const pageIndex = (): PageIndex => {
    index ??= new PageIndex(db)
    return index
  }

  /** The one finished last, for the next to build on. */
  let last: { snapshot: number; stored: StoredSnapshot } | null = null

  const writerOf = (snapshot: number): SnapshotWriter => {
    const writer = snapshots.get(snapshot)
    if (writer === undefined) throw new AbandonedSnapshot("an earlier part of the snapshot could not be written")
    return writer
  }

  const parentOf = ({ parent, after }: Jobs["beginSnapshot"]["request"]): StoredMap | null => {
    if (after === null) return parent === null ? null : mapOf(db, parent)
    if (last?.snapshot !== after) throw new AbandonedSnapshot("the snapshot before could not be written")
    return last.stored.map
  }

  const perform = (request: Exclude<Request, { job: "stop" }>): unknown => {
    switch (request.job) {
      case "beginBlob":
        blobs.set(nextHandle, new BlobWriter(db))
        return nextHandle++
      case "writeBlob":
        blobs.get(request.blob)!.write(request.bytes)
        return null
      case "endBlob": {
        const stored = blobs.get(request.blob)!.finish()
        blobs.delete(request.blob)
        return stored
      }
      case "abandonBlob":
        blobs.get(request.blob)?.abandon()
        blobs.delete(request.blob)
        return null
      case "beginSnapshot":
        snapshots.set(
          request.snapshot,
          new SnapshotWriter(db, request.pageCount, parentOf(request), pageIndex(), request.loaded),
        )
        return null
      case "writePages": {
        const { buffer, byteOffset, byteLength } = request.contents
        const writer = writerOf(request.snapshot)
        writer.pages(request.indexes, Buffer.from(buffer, byteOffset, byteLength))
        writer.zeros(request.zeros)
        return null
      }
      case "endSnapshot": {
        const stored = writerOf(request.snapshot).finish(request.head)
        snapshots.delete(request.snapshot)
        last = { snapshot: request.snapshot, stored }
        if (request.head.name === null) thinCheckpoints(db, [...snapshots.values()])
        return stored.info
      }
      case "abandonSnapshot":
        snapshots.delete(request.snapshot)
        return null
      case "makeBuffers":
        return Array.from({ length: request.count }, () => touched(request.bytes))
      case "removeSnapshot":
        return removeSnapshot(db, request.snapshot, [...snapshots.values()])
    }
  }

  const answer = (request: Exclude<Request, { job: "stop" }>): void => {
    // Parts of something larger become durable with its end: syncing each of them would only cost time.
    const part = request.job === "writeBlob"
    try {
      if (part) db.pragma("synchronous = NORMAL")
      const value = writesNothing.has(request.job) ? perform(request) : db.transaction(() => perform(request))()
      send({ about: "reply", id: request.id, value })
    } catch (cause) {
      // What was rolled back is missing: nothing may be built on it.
      if (request.job === "writePages" || request.job === "endSnapshot") snapshots.delete(request.snapshot)
      send({ about: "refusal", id: request.id, failure: toFailure(cause) })
    } finally {
      if (part) db.pragma("synchronous = FULL")
    }
  }

  const close = (): void => {
    // At rest a world is one plain file; while others read it, the log of SQLite's own stays beside it.
    try {
      db.pragma("wal_checkpoint(TRUNCATE)")
      db.pragma("busy_timeout = 0")
      db.pragma("journal_mode = DELETE")
    } catch (cause) {
      if (!(cause instanceof BetterSqlite.SqliteError)) throw cause
    }
    db.close()
  }

  let failed = false
  const commitOrFail = (): void => {
    if (failed) return
    try {
      commit()
    } catch (cause) {
      failed = true
      // In this order: whoever sees the ring failed finds the reason in its messages.
      send({ about: "failed", failure: toFailure(cause) })
      ring.fail()
    }
  }

  for (;;) {
    const signals = ring.signals
    const urgent = ring.takeUrgent()
    const received = receiveMessageOnPort(port)
    if (received !== undefined) {
      const request = received.message as Request
      commitOrFail()
      if (request.job === "stop") {
        close()
        send({ about: "reply", id: request.id, value: null })
        port.close()
        return
      }
      answer(request)
      continue
    }
    if (failed || ring.queuedBytes === 0) {
      ring.sleep(signals, Number.POSITIVE_INFINITY)
      continue
    }
    if (!urgent && ring.queuedBytes < groupBytes) ring.sleep(signals, groupMilliseconds)
    commitOrFail()
  }
}

try {
  if (creation !== null) {
    await createWorldFile(path, creation)
    ring.free(0, 1)
    send({ about: "durable", head: { seq: creation.genesis.seq, digest: lastDigest } })
  }
  serve()
} catch (cause) {
  send({ about: "failed", failure: toFailure(cause) })
  ring.fail()
  port.close()
}
