/** Threads that look at stretches of a world's history, each with a machine of its own. */
import { availableParallelism } from "node:os"
import { type MessagePort, Worker } from "node:worker_threads"
import type { Finding, Question, Searchers, Stretch } from "../debugger/search/question.ts"
import { compilerDoor } from "./region-compilers.ts"

/** What a thread is asked. */
export interface SearchRequest {
  readonly question: Question
  readonly stretch: Stretch
}

/** What it answers: how far it is, or what it found, or why not. */
export type SearchReply =
  | { readonly progress: number }
  | { readonly found: readonly Finding[] }
  | { readonly problem: string }

export interface SearcherData {
  readonly path: string
  /** As `--tier`. */
  readonly tier: string
  /** Where regions are kept. */
  readonly regions: string
  /** Leads to the thread that compiles regions for all of them. */
  readonly compiler: MessagePort
  /** Set to 1: the stretch is given up. */
  readonly stop: Int32Array<SharedArrayBuffer>
}

// The compiled worker stands beside this file under the same name.
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "./history-searcher.ts" : "./history-searcher.js",
  import.meta.url,
)

/** A thread, and the word that has it give a stretch up. */
interface Searcher {
  readonly worker: Worker
  readonly stop: Int32Array<SharedArrayBuffer>
  readonly ended: Promise<void>
  failure: unknown
}

/** Each has a machine's memory of its own. */
const THREADS_MAX = 8

/** Threads that end with `close`, which gives up what they are at; it waits until they have. */
export type OpenSearchers = Searchers & { readonly close: () => Promise<void> }

/** A thread that has not ended so long after it was asked to is not waited for any more. */
const END_MILLISECONDS_MAX = 5000

/** The same, started when something is asked first. */
export const lateSearchers = (path: string, settings: Pick<SearcherData, "tier" | "regions">): OpenSearchers => {
  let opened: ReturnType<typeof openSearchers> | null = null
  return {
    width: widthHere(),
    search: (...asked) => {
      opened ??= openSearchers(path, settings)
      return opened.search(...asked)
    },
    close: async () => opened?.close(),
  }
}

const widthHere = (): number => Math.min(THREADS_MAX, Math.max(1, availableParallelism()))

/** Starts as many threads as the computer has processors: they open the world at once. */
export const openSearchers = (path: string, settings: Pick<SearcherData, "tier" | "regions">): OpenSearchers => {
  const width = widthHere()
  const all: Searcher[] = []
  const idle: Searcher[] = []
  const start = (): Searcher => {
    const stop = new Int32Array(new SharedArrayBuffer(4))
    const compiler = compilerDoor()
    const workerData: SearcherData = { path, ...settings, compiler, stop }
    const worker = new Worker(workerFile, { workerData, transferList: [compiler], execArgv: [] })
    const ended = new Promise<void>(resolve => worker.once("exit", () => resolve()))
    const searcher: Searcher = { worker, stop, ended, failure: null }
    // What goes wrong before anything is asked is told to whoever asks first.
    searcher.worker.on("error", cause => {
      searcher.failure ??= cause
    })
    searcher.worker.on("message", (reply: SearchReply) => {
      if ("problem" in reply) searcher.failure ??= new Error(reply.problem)
    })
    all.push(searcher)
    return searcher
  }
  for (let thread = 0; thread < width; thread++) idle.push(start())
  return {
    width,
    search: (question, stretch, progress) => {
      const searcher = idle.pop() ?? start()
      const { worker, stop } = searcher
      Atomics.store(stop, 0, 0)
      const found = new Promise<readonly Finding[]>((resolve, reject) => {
        if (searcher.failure !== null) return reject(searcher.failure)
        const end = () => {
          worker.off("message", receive)
          worker.off("error", reject)
        }
        const receive = (reply: SearchReply) => {
          if ("progress" in reply) return progress(reply.progress)
          end()
          if ("problem" in reply) return reject(new Error(reply.problem))
          idle.push(searcher)
          resolve(reply.found)
        }
        worker.on("message", receive)
        worker.on("error", reject)
        worker.postMessage({ question, stretch } satisfies SearchRequest)
      })
      return { found, stop: () => void Atomics.store(stop, 0, 1) }
    },
    close: async () => {
      for (const { worker, stop } of all) {
        Atomics.store(stop, 0, 1)
        worker.postMessage("end")
      }
      const late = setTimeout(() => {
        for (const { worker } of all) void worker.terminate()
      }, END_MILLISECONDS_MAX)
      await Promise.all(all.map(({ ended }) => ended))
      clearTimeout(late)
    },
  }
}
