/** Compilers of regions whose work a thread of its own does, one for the whole process: the machines go on meanwhile. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads"
import type { CompiledBatch, HelperTypes, RegionCompilerMaker } from "../machine/machine-config.ts"

/** What the thread is told of a machine. */
export interface Client {
  readonly port: MessagePort
  readonly helpers: HelperTypes
  /** How many batches were finished. */
  readonly finished: Int32Array
}

// The compiled worker stands beside this file under the same name.
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "./region-compiler-worker.ts" : "./region-compiler-worker.js",
  import.meta.url,
)

let worker: Worker | null = null

const startWorker = (): Worker => {
  const started = new Worker(workerFile, { execArgv: [] })
  // It has nothing to say to a process that is otherwise done.
  started.unref()
  return started
}

/** Makes compilers that the thread serves. */
export const threadCompiler: RegionCompilerMaker = helpers => {
  worker ??= startWorker()
  const { port1, port2 } = new MessageChannel()
  const finished = new Int32Array(new SharedArrayBuffer(4))
  const client: Client = { port: port2, helpers, finished }
  worker.postMessage(client, [port2])
  port1.unref()
  let taken = 0
  return {
    compile: jobs => port1.postMessage(jobs),
    finished: () => {
      const batches: CompiledBatch[] = []
      for (const all = Atomics.load(finished, 0); taken < all; taken++)
        batches.push(receiveMessageOnPort(port1)!.message as CompiledBatch)
      return batches
    },
  }
}
