/** What the recording thread and the log's worker thread say to each other, apart from the events themselves (see ring.ts). */
import type { MessagePort } from "node:worker_threads"
import type { StoredBlob } from "./blob.ts"
import type { LoadedPages } from "./content-pages.ts"
import type { Creation } from "./creation.ts"
import type { Head } from "./head.ts"
import type { SnapshotInfo } from "./snapshot.ts"
import type { SnapshotHead } from "./snapshot-writer.ts"

/** Rows are committed together when this much is queued … */
export const groupBytes = 65536
/** … or this long after the first of them was queued. */
export const groupMilliseconds = 10

export interface WorkerData {
  readonly path: string
  /** What to make the file from first, null where it is there. */
  readonly creation: Creation | null
  readonly memory: SharedArrayBuffer
  readonly port: MessagePort
  /** The end of the log as it is. */
  readonly digest: Uint8Array
  /** Largest size of the file, null: no limit but the disk's. */
  readonly fileBytesMax: number | null
}

/** Each job runs in one transaction, after all events queued before it are durable. */
export interface Jobs {
  beginBlob: { request: Record<never, never>; reply: number }
  writeBlob: { request: { blob: number; bytes: Uint8Array }; reply: null }
  endBlob: { request: { blob: number }; reply: StoredBlob }
  abandonBlob: { request: { blob: number }; reply: null }
  /** `snapshot` is a number of the caller's. `after`: the one handed over before, which it builds on; else `parent`: one in the file. */
  beginSnapshot: {
    request: {
      snapshot: number
      pageCount: number
      parent: number | null
      after: number | null
      loaded: readonly LoadedPages[]
    }
    reply: null
  }
  writePages: {
    request: { snapshot: number; indexes: Uint32Array; contents: Uint8Array; zeros: readonly number[] }
    reply: null
  }
  endSnapshot: { request: { snapshot: number; head: SnapshotHead }; reply: SnapshotInfo }
  abandonSnapshot: { request: { snapshot: number }; reply: null }
  /** Memory that has been touched, which takes longer than a copy into it. */
  makeBuffers: { request: { count: number; bytes: number }; reply: readonly SharedArrayBuffer[] }
  removeSnapshot: { request: { snapshot: number }; reply: boolean }
  stop: { request: Record<never, never>; reply: null }
}
export type JobName = keyof Jobs

export type Request = { [J in JobName]: { readonly id: number; readonly job: J } & Jobs[J]["request"] }[JobName]

export interface Failure {
  /** SQLite's result code, or the name of the error. */
  readonly code: string
  readonly problem: string
}

export type Message =
  | { readonly about: "durable"; readonly head: Head }
  | { readonly about: "failed"; readonly failure: Failure }
  | { readonly about: "reply"; readonly id: number; readonly value: unknown }
  | { readonly about: "refusal"; readonly id: number; readonly failure: Failure }
