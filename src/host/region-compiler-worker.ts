/** The thread that compiles regions: see `region-compilers.ts`. */
import { setPriority } from "node:os"
import { type MessagePort, parentPort } from "node:worker_threads"
import { compileRegion, type HelperTypes, REGION_MEMORY_PAGES, type RegionJob } from "../machine/machine-config.ts"
import type { Client } from "./region-compilers.ts"

/** A memory that compiled code may be run on. */
let memory: WebAssembly.Memory | null = null

/**
 * Calls a region's function with nothing to execute: the engine compiles functions when they are first called, and shares what it
 * compiled with the thread that the module goes to.
 */
const compileNow = (module: WebAssembly.Module): void => {
  memory ??= new WebAssembly.Memory({ initial: REGION_MEMORY_PAGES })
  const hart: Record<string, () => number> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === "hart") hart[name] = () => 0
  const { exports } = new WebAssembly.Instance(module, { host: { memory }, hart })
  for (const call of Object.values(exports) as ((count: number, pc: bigint, entry: number) => bigint)[]) call(0, 0n, 0)
}

const serve = (port: MessagePort, helpers: HelperTypes, finished: Int32Array): void => {
  port.on("message", (job: RegionJob) => {
    const compiled = compileRegion(job, helpers)
    if (compiled.region !== null) compileNow(compiled.region.module)
    port.postMessage(compiled)
    Atomics.add(finished, 0, 1)
  })
}

// The machine's own thread goes first where the processors are few; on Linux this is the thread's priority alone.
if (process.platform === "linux") setPriority(10)
parentPort!.on("message", ({ port, helpers, finished }: Client) => serve(port, helpers, finished))
