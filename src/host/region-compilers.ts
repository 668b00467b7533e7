/** Compilers of regions whose work a thread of its own does, one for the whole process: the machines go on meanwhile. */
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { setPriority } from "node:os"
import { join } from "node:path"
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads"
import {
  type CompiledBatch,
  type HelperTypes,
  REGION_MEMORY_PAGES,
  type RegionCompilerMaker,
  type RegionJob,
} from "../machine/machine-config.ts"

/** What the thread is told of a machine. */
export interface Client {
  readonly port: MessagePort
  readonly helpers: HelperTypes
  /** The least memory that regions take. */
  readonly memoryPages: number
  /** How many batches were finished. */
  readonly finished: Int32Array
  /** Where regions are kept from run to run, null: nowhere. */
  readonly file: string | null
}

/** A way to the thread for machines of another one. */
export interface Door {
  readonly door: MessagePort
}

/** What a machine asks the thread: regions to compile, or those of earlier runs for pages it met. */
export type Request = { readonly jobs: readonly RegionJob[] } | { readonly pages: readonly number[] }

// The compiled worker stands beside this file under the same name.
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "./region-compiler-worker.ts" : "./region-compiler-worker.js",
  import.meta.url,
)

/**
 * Where regions of a guest are kept, which is described by `guest`. Only the program that compiled them uses them: as built, the
 * worker's file names its parts by their content.
 */
export const keptFile = (directory: string, guest: unknown): string => {
  const hash = createHash("sha256").update(readFileSync(workerFile)).update(JSON.stringify(guest))
  return join(directory, `${hash.digest("hex").slice(0, 32)}.regions`)
}

let worker: Worker | null = null

/** Has the threads in which V8 optimizes code come after the machine's own where the processors are few. */
const demoteOptimizers = (): void => {
  for (const task of readdirSync("/proc/self/task"))
    try {
      if (readFileSync(`/proc/self/task/${task}/comm`, "utf8").includes("V8Worker")) setPriority(Number(task), 10)
    } catch {
      // A thread that has ended meanwhile, or may not be touched: it stays as it is.
    }
}

const startWorker = (): Worker => {
  if (process.platform === "linux") demoteOptimizers()
  const started = new Worker(workerFile, { execArgv: [] })
  // It has nothing to say to a process that is otherwise done.
  started.unref()
  return started
}

/** The thread, started where it is not: whoever will soon need it may ask early. */
export const compilingThread = (): Worker => {
  worker ??= startWorker()
  return worker
}

/** A way to the thread that another thread of this process can be given. */
export const compilerDoor = (): MessagePort => {
  const { port1, port2 } = new MessageChannel()
  compilingThread().postMessage({ door: port2 } satisfies Door, [port2])
  return port1
}

/**
 * Makes compilers that the thread serves. What they compile is kept in `file`, and what it holds is there for machines to come. `door`
 * leads to a thread that another one started.
 */
export const threadCompiler =
  (file: string | null = null, door: MessagePort | null = null): RegionCompilerMaker =>
  helpers => {
    const { port1, port2 } = new MessageChannel()
    const finished = new Int32Array(new SharedArrayBuffer(4))
    const client: Client = { port: port2, helpers, memoryPages: REGION_MEMORY_PAGES, finished, file }
    const way = door ?? compilingThread()
    way.postMessage(client, [port2])
    port1.unref()
    let taken = 0
    return {
      compile: jobs => port1.postMessage({ jobs } satisfies Request),
      met: file === null ? undefined : pages => port1.postMessage({ pages } satisfies Request),
      finished: () => {
        const batches: CompiledBatch[] = []
        for (const all = Atomics.load(finished, 0); taken < all; taken++)
          batches.push(receiveMessageOnPort(port1)!.message as CompiledBatch)
        return batches
      },
    }
  }
