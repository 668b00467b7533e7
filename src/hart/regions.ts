/** How translated regions are entered, how one goes on into the next, and what they ask the hart for. */
import {
  callI64,
  callIndirectI64,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type ModuleBuilder,
} from "../wasm/index.ts"
import { flushJumps, isPhysical, jumpEntry } from "./address-space.ts"
import { operation, regionInfo, regionInfoPlace } from "./code-cache.ts"
import {
  JUMP_CACHE,
  PAGE_CODE,
  PAGE_DIRTY,
  RAM_BASE,
  RECORD_SHIFT,
  REGION_INFO,
  TLB_FETCH,
  TLB_READ,
  TLB_WRITE,
} from "./layout.ts"
import { fillTlb, tlbBase, tlbIndex } from "./memory-access.ts"
import { asRegion, nearness, nearnessOf, type Observation } from "./observation.ts"
import { access } from "./pmp.ts"
import { get32, get64, set32 } from "./state.ts"
import { inRam, type RamBytes, ramHost } from "./translation.ts"
import { markLines } from "./written-lines.ts"

/**
 * `region(count, pc, info)`: executes at most `count` instructions from `pc`, where REGION_INFO says `info`; gives the next pc and
 * leaves what is left in the state's `count`.
 */
export const regionType = { params: ["i32", "i64", "i32"], result: "i64" } as const

export interface Regions {
  /** `enterRegion(record, pc, count)`: what the region that begins at a record gives. */
  readonly enterRegion: FunctionRef
}

/** Names under which the regions' modules import these. */
export const regionHelpers = ["findLoad", "findStore", "goOn"] as const

export const defineRegions = (
  module: ModuleBuilder,
  ramBytes: RamBytes,
  translate: FunctionRef,
  observation: Observation,
): Regions => {
  const table = module.importTable("host", "regions")
  const type = module.functionType(regionType)
  const exported = { exported: true }

  const enterRegion = module.function("enterRegion", { params: ["i32", "i64", "i32"], result: "i64" }, f => {
    const [record, pc, count] = [f.param(0, "i32"), f.param(1, "i64"), f.param(2, "i32")]
    const info = f.let(i32.load(regionInfoPlace(record), REGION_INFO))
    f.return(callIndirectI64(table, type, regionInfo.number(info), count, pc, info))
    f.unreachable()
  })

  // `goOn(pc, count)`: on into the region at pc, where there is one; gives pc otherwise. `count` stands in the state too.
  module.function(
    "goOn",
    { params: ["i64", "i32"], result: "i64" },
    f => {
      const [pc, count] = [f.param(0, "i64"), f.param(1, "i32")]
      const entry = f.let(i32.add(tlbBase(), tlbIndex(pc)))
      f.if(i64.eq(i64.load(entry, TLB_FETCH), i64.or(i64.and(pc, ~0xfffn), get64("fetchContext"))), () => {
        const place = i32.shl(i32.and(i32.wrap(pc), 0xffe), RECORD_SHIFT)
        const record = f.let(i32.add(i32.load(entry, TLB_FETCH + 8), place))
        f.if(i32.and(i32.eq(i32.load16u(record), operation.region), i32.ne(count, 0)), () => {
          const info = f.let(i32.load(regionInfoPlace(record), REGION_INFO))
          const jump = f.let(jumpEntry(tlbBase(), pc))
          f.storeI64(jump, pc, JUMP_CACHE)
          f.storeI32(jump, i32.wrap(get64("fetchContext")), JUMP_CACHE + 8)
          f.storeI32(jump, info, JUMP_CACHE + 12)
          f.returnCallIndirect(table, type, regionInfo.number(info), count, pc, info)
        })
      })
      f.return(pc)
      f.unreachable()
    },
    exported,
  )

  /**
   * Where `bytes` at `virtual` lie in this memory, and whether in a page with watched memory; returns 0, with nothing done, where that
   * is not in one page of RAM or would have to be told of.
   */
  const findRam = (f: FunctionBuilder, kind: number) => {
    const [virtual, bytes] = [f.param(0, "i64"), f.param(1, "i32")]
    f.if(i32.gtu(i32.add(i32.and(i32.wrap(virtual), 0xfff), bytes), 4096), () => f.return(i32.const(0)))
    const physical = f.local("i64")
    asRegion(f, () => f.set(physical, callI64(translate, virtual, i32.const(kind), bytes)))
    f.if(i32.or(i64.eq(physical, -1), i32.eqz(inRam(physical, ramBytes()))), () => {
      set32(f, "trapped", 0)
      f.return(i32.const(0))
    })
    const near = nearnessOf(f, observation, virtual, physical, bytes, i32.const(kind))
    f.if(i32.eq(near, nearness.hit), () => f.return(i32.const(0)))
    return { virtual, bytes, physical, near, host: f.let(ramHost(physical)) }
  }
  const find = { params: ["i64", "i32"], result: "i32" } as const

  // `findLoad(virtual, bytes)`: where in this memory a value in RAM lies, or 0: the interpreter has to look.
  module.function(
    "findLoad",
    find,
    f => {
      const { virtual, near, host } = findRam(f, access.read)
      f.if(i32.eqz(i32.or(get32("uncacheable"), near)), () => fillTlb(f, TLB_READ, virtual, host))
      f.return(host)
      f.unreachable()
    },
    exported,
  )

  // `findStore(virtual, bytes)`: where in this memory to store, or 0: the interpreter has to look.
  module.function(
    "findStore",
    find,
    f => {
      const { virtual, bytes, physical, near, host } = findRam(f, access.write)
      const page = f.let(i32.wrap(i64.shru(i64.sub(physical, RAM_BASE), 12)))
      f.if(i32.or(get32("uncacheable"), i32.load(i32.shl(page, 2), PAGE_CODE)), () => f.return(i32.const(0)))
      f.storeI32As8(page, 1, PAGE_DIRTY)
      // The region marks a line itself; a misaligned access may reach into the next.
      markLines(f, host, bytes)
      f.if(i32.eqz(near), () => fillTlb(f, TLB_WRITE, virtual, host))
      f.return(host)
      f.unreachable()
    },
    exported,
  )

  module.function("forgetJumps", { params: [], result: null }, flushJumps, exported)
  module.function(
    "isPhysical",
    { params: [], result: "i32" },
    f => {
      f.return(isPhysical())
      f.unreachable()
    },
    exported,
  )
  return { enterRegion }
}
