/** The thread that compiles regions: see `region-compilers.ts`. */
import { setPriority } from "node:os"
import { type MessagePort, parentPort } from "node:worker_threads"
import { compileRegions, type HelperTypes, REGION_MEMORY_PAGES, type RegionJob } from "../machine/machine-config.ts"
import type { Client } from "./region-compilers.ts"

/** What compiled code may be run on. */
let memory: WebAssembly.Memory | null = null
const regions = new WebAssembly.Table({ element: "anyfunc", initial: 1 })

/**
 * Calls the regions' functions with nothing to execute: the engine compiles functions when they are first called, and shares what it
 * compiled with the thread that the module goes to.
 */
const compileNow = (module: WebAssembly.Module): void => {
  memory ??= new WebAssembly.Memory({ initial: REGION_MEMORY_PAGES })
  const hart: Record<string, () => number> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === "hart") hart[name] = () => 0
  const { exports } = new WebAssembly.Instance(module, { host: { memory, regions }, hart })
  for (const call of Object.values(exports) as ((count: number, pc: bigint, entry: number) => bigint)[]) call(0, 0n, 0)
}

const serve = (port: MessagePort, helpers: HelperTypes, finished: Int32Array): void => {
  port.on("message", (jobs: readonly RegionJob[]) => {
    const compiled = compileRegions(jobs, helpers)
    compileNow(compiled.module)
    port.postMessage(compiled)
    Atomics.add(finished, 0, 1)
  })
}

// The machine's own thread goes first where the processors are few; on Linux this is the thread's priority alone.
if (process.platform === "linux") setPriority(10)
parentPort!.on("message", ({ port, helpers, finished }: Client) => serve(port, helpers, finished))
