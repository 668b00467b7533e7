/** The thread that compiles regions: see `region-compilers.ts`. */
import { setPriority } from "node:os"
import { parentPort } from "node:worker_threads"
import type { CompiledBatch, RegionJob } from "../machine/machine-config.ts"
import { keepBatch, readKept } from "./kept-regions.ts"
import type { Client } from "./region-compilers.ts"

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

/** Loaded when what earlier runs left has been sent, which needs none of it. */
let builder: Promise<typeof import("../machine/machine-config.ts")> | null = null

const serve = ({ port, helpers, memoryPages, finished, file }: Client): void => {
  const send = (batch: CompiledBatch): void => {
    port.postMessage(batch)
    Atomics.add(finished, 0, 1)
  }
  const modules = (file === null ? [] : readKept(file)).map(({ bytes, regions }) => {
    const module = new WebAssembly.Module(bytes)
    send({ module, regions, refused: [], isEarlier: true })
    return module
  })
  port.on("message", async (jobs: readonly RegionJob[]) => {
    builder ??= import("../machine/machine-config.ts")
    const { buildRegions } = await builder
    const { bytes, ...batch } = buildRegions(jobs, helpers)
    const module = new WebAssembly.Module(bytes)
    compileNow(module, memoryPages)
    send({ ...batch, module, isEarlier: false })
    if (file !== null && batch.regions.length > 0) keepBatch(file, { bytes, regions: batch.regions })
  })
  // One by one: what the machine asks for meanwhile goes first.
  const compileNext = (order: number): void => {
    const module = modules[order]
    if (module === undefined) return
    compileNow(module, memoryPages)
    setImmediate(compileNext, order + 1)
  }
  compileNext(0)
}

// The machine's own thread goes first where the processors are few; on Linux this is the thread's priority alone.
if (process.platform === "linux") setPriority(10)
parentPort!.on("message", serve)
