/** The hart as one WebAssembly module: everything below the loop that TypeScript calls. */
import { type FunctionRef, type FunctionType, i32, i64, ModuleBuilder } from "../wasm/index.ts"
import { defineAddressSpaces } from "./address-space.ts"
import { defineCodeCache, defineFetch } from "./code-cache.ts"
import { defineCsrAccess } from "./csr-access.ts"
import { defineDecoder } from "./decoder.ts"
import { defineFloat } from "./float/index.ts"
import { defineInterpreter } from "./interpreter.ts"
import { JUMP_CACHE, JUMP_CACHE_BYTES, RAM, RAM_BYTES, TLB_FETCH, TLB_READ, TLB_WRITE } from "./layout.ts"
import { defineMemoryAccess, tlbBase, tlbIndex } from "./memory-access.ts"
import { defineObservation } from "./observation.ts"
import { definePageHash } from "./page-hash.ts"
import { definePmp, definePmpChanged } from "./pmp.ts"
import { defineRegions, regionHelpers } from "./regions.ts"
import { active } from "./state.ts"
import { defineTranslation } from "./translation.ts"
import { defineTrapDelivery } from "./trap-delivery.ts"

/** `flushAddress(virtual)`: empties the TLB entries a page of the running hart can be in. */
const defineFlushAddress = (module: ModuleBuilder): FunctionRef =>
  module.function("flushAddress", { params: ["i64"], result: null }, f => {
    const entry = f.let(i32.add(tlbBase(), tlbIndex(f.param(0, "i64"))))
    for (const which of [TLB_READ, TLB_WRITE, TLB_FETCH]) f.storeI64(entry, 0, which)
    f.memoryFill(i32.add(tlbBase(), JUMP_CACHE), 0, JUMP_CACHE_BYTES)
  })

/** What TypeScript gives the module and what it calls. */
export interface HartImports {
  readonly memory: WebAssembly.Memory
  /** The translated regions by number. */
  readonly regions: WebAssembly.Table
  readonly deviceLoad: (address: number, bytes: number) => number
  readonly deviceStore: (address: number, bytes: number, low: number, high: number) => void
  /** Puts the content of an absent page into RAM. */
  readonly bringPage: (page: number) => void
}

export interface HartExports {
  readonly run: (budget: number) => number
  /** The same, looking at the watched fields of the state after every instruction. */
  readonly runWatching: (budget: number) => number
  readonly contextChanged: () => void
  readonly flushTranslations: () => void
  readonly forgetSpaces: () => void
  readonly pmpChanged: () => void
  readonly dropPageNumber: (page: number) => void
  /** Leaves a hash of a RAM page at PAGE_HASH. */
  readonly hashPage: (page: number) => void
  readonly decodeAt: (record: number) => void
  readonly unlinkRegions: (code: number) => void
  /** Forgets, on all harts, where regions went on to. */
  readonly forgetJumps: () => void
  /** Nonzero where the running hart's loads and stores use physical addresses that nothing protects. */
  readonly isPhysical: () => number
  /** The bits of the instruction at pc for the running hart, or -1 with a trap asked for. */
  readonly fetchWord: (pc: bigint) => bigint
  /** The value of a CSR for the running hart; 0 with a trap asked for where it may not be read. */
  readonly csrRead: (number: number, writes: number) => bigint
  /** Has breakpoints put anew. */
  readonly forgetBreakpoints: () => void
  /** Nonzero where a watched field of the running hart's state is not what was known; it is known afterwards. */
  readonly stateChanged: () => number
}

/** The module's bytes, and the table of known CSRs that its memory must hold at CSR_INDEX. */
export const buildHartModule = (): {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly csrIndex: Uint8Array
  /** What translated regions may call. */
  readonly helpers: ReadonlyMap<string, FunctionType>
} => {
  const module = new ModuleBuilder()
  module.importMemory("host", "memory", RAM / 0x10000)
  const devices = {
    deviceLoad: module.importFunction("host", "deviceLoad", { params: ["i32", "i32"], result: "i32" }),
    deviceStore: module.importFunction("host", "deviceStore", { params: ["i32", "i32", "i32", "i32"], result: null }),
  }
  const bringPage = module.importFunction("host", "bringPage", { params: ["i32"], result: null })
  const ramBytes = () => i64.load(0, RAM_BYTES)
  const pmpAllows = definePmp(module)
  const pmpChanged = definePmpChanged(module)
  const { contextChanged, flushTranslations, forgetSpaces } = defineAddressSpaces(module)
  const cache = defineCodeCache(module)
  const observation = defineObservation(module)
  const { translate } = defineTranslation(module, ramBytes, pmpAllows, cache.dropPage, bringPage, observation)
  const memory = defineMemoryAccess(module, ramBytes, translate, cache, devices, observation)
  const fetch = defineFetch(module, ramBytes, translate, cache, defineDecoder(module))
  const csr = defineCsrAccess(module, { contextChanged, flushTranslations, pmpChanged })
  const traps = defineTrapDelivery(module, contextChanged, fetch.wordAt)
  const float = defineFloat(module, active("fflags"))
  for (const ref of Object.values(float)) module.export(ref)
  const { enterRegion } = defineRegions(module, ramBytes, translate, observation)
  for (const ref of [fetch.decodeAt, cache.unlinkRegions]) module.export(ref)
  defineInterpreter(module, {
    memory,
    fetch,
    csr,
    traps,
    float,
    flushAddress: defineFlushAddress(module),
    forgetSpaces,
    enterRegion,
    observation,
  })

  definePageHash(module)
  const names: ReadonlySet<string> = new Set([...regionHelpers, ...Object.keys(float)])
  const helpers = new Map([...module.exportedTypes].filter(([name]) => names.has(name)))
  return { bytes: module.encode(), csrIndex: csr.index, helpers }
}
