/** The thread that compiles regions: see `region-compilers.ts`. */
import { setPriority } from "node:os"
import { parentPort } from "node:worker_threads"
import type { CompiledBatch, RegionJob } from "../machine/machine-config.ts"
import { type KeptBatch, keepBatch, readKept, type StoredBatch } from "./kept-regions.ts"
import type { Client, Request } from "./region-compilers.ts"

/** What compiled code may be run on. */
let memory: WebAssembly.Memory | null = null
const regions = new WebAssembly.Table({ element: "anyfunc", initial: 1 })

/**
 * Calls the regions' functions with nothing to execute: the engine compiles functions when they are first called, and shares what it
 * compiled with the thread that the module goes to.
 */
const compileNow = (module: WebAssembly.Module, memoryPages: number): void => {
  memory ??= new WebAssembly.Memory({ initial: memoryPages })
  const hart: Record<string, () => number> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === "hart") hart[name] = () => 0
  const { exports } = new WebAssembly.Instance(module, { host: { memory, regions }, hart })
  for (const call of Object.values(exports) as ((count: number, pc: bigint, info: number) => bigint)[]) call(0, 0n, 0)
}

/** Loaded when it is needed: what earlier runs left comes without. */
let builder: Promise<typeof import("../machine/machine-config.ts")> | null = null

/** What earlier runs left, by the pages it is for; each batch is given away once. */
class EarlierBatches {
  private readonly byPage = new Map<number, StoredBatch[]>()
  private readonly taken = new Set<StoredBatch>()

  constructor(batches: readonly StoredBatch[]) {
    for (const batch of batches)
      for (const page of batch.pages) {
        const same = this.byPage.get(page)
        if (same === undefined) this.byPage.set(page, [batch])
        else same.push(batch)
      }
  }

  takeFor(page: number): readonly KeptBatch[] {
    const batches = this.byPage.get(page)?.filter(batch => !this.taken.has(batch)) ?? []
    for (const batch of batches) this.taken.add(batch)
    return batches.map(({ read }) => read())
  }
}

const serve = ({ port, helpers, memoryPages, finished, file }: Client): void => {
  /** Read when the machine runs: a restored one may be wanted for a single instruction. */
  let earlier: EarlierBatches | null = null
  const send = (batch: CompiledBatch): void => {
    port.postMessage(batch)
    Atomics.add(finished, 0, 1)
  }
  const sendEarlier = (pages: readonly number[]): void => {
    earlier ??= new EarlierBatches(file === null ? [] : readKept(file))
    const known = earlier
    const modules = pages.flatMap(page =>
      known.takeFor(page).map(({ bytes, regions }) => {
        const module = new WebAssembly.Module(bytes)
        send({ module, regions, refused: [], isEarlier: true })
        return module
      }),
    )
    for (const module of modules) compileNow(module, memoryPages)
  }
  const compile = async (jobs: readonly RegionJob[]): Promise<void> => {
    builder ??= import("../machine/machine-config.ts")
    const { buildRegions } = await builder
    const { bytes, ...batch } = buildRegions(jobs, helpers)
    const module = new WebAssembly.Module(bytes)
    compileNow(module, memoryPages)
    send({ ...batch, module, isEarlier: false })
    if (file !== null && batch.regions.length > 0) keepBatch(file, { bytes, regions: batch.regions })
  }
  port.on("message", (request: Request) => {
    if ("pages" in request) sendEarlier(request.pages)
    else void compile(request.jobs)
  })
}

// The machine's own thread goes first where the processors are few; on Linux this is the thread's priority alone.
if (process.platform === "linux") setPriority(10)
parentPort!.on("message", serve)
