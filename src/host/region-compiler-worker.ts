/** The thread that compiles regions: see `region-compilers.ts`. */
import { setPriority } from "node:os"
import { type MessagePort, parentPort } from "node:worker_threads"
import type { CompiledBatch, RegionJob } from "../machine/machine-config.ts"
import { once } from "../machine/once.ts"
import { keepBatch, readKept, type StoredBatch } from "./kept-regions.ts"
import type { Client, Door, Request } from "./region-compilers.ts"

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

/** Regions in one module, made when they are wanted. */
interface Batch {
  readonly pages: readonly number[]
  readonly content: () => Pick<CompiledBatch, "module" | "regions">
}

/** A machine that is served. */
interface Machine {
  readonly send: (batch: CompiledBatch) => void
  /** Pages it has met, and what it was given for them. */
  readonly met: Set<number>
  readonly given: Set<Batch>
}

const storedBatch = ({ pages, read }: StoredBatch): Batch => ({
  pages,
  content: once(() => {
    const { bytes, regions } = read()
    return { module: new WebAssembly.Module(bytes), regions }
  }),
})

/** What there is for a guest: what earlier runs left, and what is compiled for any of its machines now. */
class GuestRegions {
  private readonly byPage = new Map<number, Batch[]>()
  private readonly machines = new Set<Machine>()

  constructor(file: string) {
    for (const batch of readKept(file)) this.add(storedBatch(batch))
  }

  join(machine: Machine): void {
    this.machines.add(machine)
  }

  leave(machine: Machine): void {
    this.machines.delete(machine)
  }

  /** Takes a batch in; gives the machines that have met a page it is for. */
  add(batch: Batch): readonly Machine[] {
    for (const page of batch.pages) {
      const same = this.byPage.get(page)
      if (same === undefined) this.byPage.set(page, [batch])
      else same.push(batch)
    }
    return [...this.machines].filter(({ met }) => batch.pages.some(page => met.has(page)))
  }

  /** What a machine was not given yet of what there is for a page. */
  takeFor(page: number, { given }: Machine): readonly Batch[] {
    const batches = this.byPage.get(page)?.filter(batch => !given.has(batch)) ?? []
    for (const batch of batches) given.add(batch)
    return batches
  }
}

const guests = new Map<string, GuestRegions>()

/** Read when a machine runs: a restored one may be wanted for a single instruction. */
const guestOf = (file: string): GuestRegions => {
  const guest = guests.get(file) ?? new GuestRegions(file)
  guests.set(file, guest)
  return guest
}

const serve = ({ port, helpers, memoryPages, finished, file }: Client): void => {
  const machine: Machine = {
    send: batch => {
      port.postMessage(batch)
      Atomics.add(finished, 0, 1)
    },
    met: new Set(),
    given: new Set(),
  }
  const guest = once(() => {
    const all = file === null ? null : guestOf(file)
    all?.join(machine)
    return all
  })
  const sendEarlier = (pages: readonly number[]): void => {
    for (const page of pages) machine.met.add(page)
    const batches = pages.flatMap(page => guest()?.takeFor(page, machine) ?? []).map(({ content }) => content())
    for (const batch of batches) machine.send({ ...batch, refused: [], isEarlier: true })
    for (const { module } of batches) compileNow(module, memoryPages)
  }
  const compile = async (jobs: readonly RegionJob[]): Promise<void> => {
    const all = guest()
    builder ??= import("../machine/machine-config.ts")
    const { buildRegions } = await builder
    const { bytes, regions, refused } = buildRegions(jobs, helpers)
    const module = new WebAssembly.Module(bytes)
    compileNow(module, memoryPages)
    machine.send({ module, regions, refused, isEarlier: false })
    if (file === null || all === null || regions.length === 0) return
    const made: Batch = { pages: [...new Set(regions.map(({ page }) => page))], content: () => ({ module, regions }) }
    machine.given.add(made)
    for (const other of all.add(made)) {
      if (other === machine) continue
      other.given.add(made)
      other.send({ module, regions, refused: [], isEarlier: true })
    }
    keepBatch(file, { bytes, regions })
  }
  port.on("message", (request: Request) => {
    if ("pages" in request) sendEarlier(request.pages)
    else void compile(request.jobs)
  })
  port.on("close", () => file !== null && guests.get(file)?.leave(machine))
}

// The machine's own thread goes first where the processors are few; on Linux this is the thread's priority alone.
if (process.platform === "linux") setPriority(10)
const listen = (port: MessagePort): void => {
  port.on("message", (message: Client | Door) => {
    if ("door" in message) listen(message.door)
    else serve(message)
  })
}
listen(parentPort!)
