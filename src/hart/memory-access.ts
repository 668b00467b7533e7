/**
 * Loads, stores and atomics off the fast path: TLB refill, pages that hold predecoded code, accesses across two pages, devices.
 * RISC-V privileged ISA, section 3.6 (physical memory attributes).
 */
import { cause } from "../riscv/trap.ts"
import {
  callI32,
  callI64,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type ModuleBuilder,
} from "../wasm/index.ts"
import type { CodeCache } from "./code-cache.ts"
import {
  PAGE_CODE,
  PAGE_DIRTY,
  RAM_BASE,
  SCRATCH,
  TLB,
  TLB_ENTRIES,
  TLB_HART_BYTES,
  TLB_READ,
  TLB_WRITE,
} from "./layout.ts"
import { hitKind, isObserved, nearness, nearnessOf, type Observation, reportAccess } from "./observation.ts"
import { access } from "./pmp.ts"
import { get32, get64, holdBudget, set32, set64 } from "./state.ts"
import { inRam, inRom, type RamBytes, raise, ramHost, romHost } from "./translation.ts"
import { markLines } from "./written-lines.ts"

/** The running hart's TLBs begin here. */
export const tlbBase = (): Expr<"i32"> => i32.add(i32.mul(i32.wrap(get64("mhartid")), TLB_HART_BYTES), TLB)

/** Offset of the TLB entry of a virtual address. */
export const tlbIndex = (virtual: Expr<"i64">): Expr<"i32"> =>
  i32.and(i32.wrap(i64.shru(virtual, 12 - 4)), (TLB_ENTRIES - 1) << 4)

/** Keeps a translation. `host`: where the address lies in this memory. */
export const fillTlb = (f: FunctionBuilder, which: number, virtual: Expr<"i64">, host: Expr<"i32">): void => {
  const entry = f.let(i32.add(tlbBase(), tlbIndex(virtual)))
  f.storeI64(entry, i64.or(i64.and(virtual, ~0xfffn), get64("dataContext")), which)
  f.storeI32(entry, i32.sub(host, i32.wrap(virtual)), which + 8)
  f.storeI32(entry, i32.and(host, ~0xfff), which + 12)
}

export interface MemoryAccess {
  /** `loadSlow(virtual, bytes)`: where in this memory the value lies now, or 0 with a trap asked for. */
  readonly loadSlow: FunctionRef
  /** `storeSlow(virtual, bytes, value)`: 0, or 1 with a trap asked for. */
  readonly storeSlow: FunctionRef
  /** `atomicHost(virtual, bytes, kind)`, a kind by its place in `atomicKinds`: where in this memory an atomic may act, or 0 with a trap asked for. */
  readonly atomicHost: FunctionRef
  /** `wroteAtomic(physical, bytes)`: call after writing through `atomicHost`. */
  readonly wroteAtomic: FunctionRef
}

export interface DeviceImports {
  /** `deviceLoad(address, bytes)`: the low 32 bits; the high half of 8 bytes is left at SCRATCH + 4. Nobody there: sets `busFault`. */
  readonly deviceLoad: FunctionRef
  /** `deviceStore(address, bytes, low, high)`. */
  readonly deviceStore: FunctionRef
}

/** What an atomic does; as a number for `atomicHost`, its place in this list. */
export const atomicKinds = ["amo", "loadReserved", "storeConditional"] as const
export type AtomicKind = (typeof atomicKinds)[number]

export const defineMemoryAccess = (
  module: ModuleBuilder,
  ramBytes: RamBytes,
  translate: FunctionRef,
  cache: CodeCache,
  devices: DeviceImports,
  observation: Observation,
): MemoryAccess => {
  /** Tells of an access to RAM that `near` says is watched; the run ends after the instruction. */
  const tell = (
    f: FunctionBuilder,
    near: Expr<"i32">,
    kind: "read" | "write",
    virtual: Expr<"i64">,
    physical: Expr<"i64">,
    bytes: Expr<"i32">,
  ): void =>
    f.if(i32.eq(near, nearness.hit), () => {
      reportAccess(f, hitKind[kind], virtual, physical, bytes)
      holdBudget(f)
    })
  /** How near an access is to what is watched, having told of it. */
  const look = (
    f: FunctionBuilder,
    kind: "read" | "write",
    virtual: Expr<"i64">,
    physical: Expr<"i64">,
    bytes: Expr<"i32">,
  ): Expr<"i32"> => {
    const near = nearnessOf(f, observation, virtual, physical, bytes, i32.const(access[kind]))
    tell(f, near, kind, virtual, physical, bytes)
    return near
  }

  const pageNumber = (physical: Expr<"i64">): Expr<"i32"> => i32.wrap(i64.shru(i64.sub(physical, RAM_BASE), 12))

  /** RAM was written: the page is dirty, and the lines; predecoded instructions there are stale. */
  const wrote = module.function("wrote", { params: ["i64", "i32"], result: null }, f => {
    const physical = f.param(0, "i64")
    const bytes = f.param(1, "i32")
    const page = f.let(pageNumber(physical))
    f.storeI32As8(page, 1, PAGE_DIRTY)
    markLines(f, f.let(ramHost(physical)), bytes)
    const code = f.let(i32.load(i32.shl(page, 2), PAGE_CODE))
    f.if(code, () => f.call(cache.invalidateBytes, code, i32.and(i32.wrap(physical), 0xfff), bytes))
  })

  /** An access that nobody answered changed nothing, and the trap it ends in goes on with the budget as it was. */
  const holdUnlessRefused = (f: FunctionBuilder): void => f.if(i32.eqz(get32("busFault")), () => holdBudget(f))

  const deviceLoad = (f: FunctionBuilder, physical: Expr<"i64">, bytes: Expr<"i32">): void => {
    set32(f, "busFault", 0)
    f.if(
      i64.geu(physical, 0x100000000n),
      () => set32(f, "busFault", 1),
      () =>
        f.if(
          i32.eq(bytes, 8),
          // The high half is left in memory by the device's side.
          () => f.storeI32(SCRATCH, callI32(devices.deviceLoad, i32.wrap(physical), bytes)),
          () => f.storeI64(SCRATCH, i64.extendu(callI32(devices.deviceLoad, i32.wrap(physical), bytes))),
        ),
    )
    holdUnlessRefused(f)
  }

  const loadSlow = module.function("loadSlow", { params: ["i64", "i32"], result: "i32" }, f => {
    const virtual = f.param(0, "i64")
    const bytes = f.param(1, "i32")
    const physical = f.local("i64")
    const host = f.local("i32")
    const offset = f.let(i32.and(i32.wrap(virtual), 0xfff))
    f.if(i32.gtu(i32.add(offset, bytes), 4096), () => {
      const firstBytes = f.let(i32.sub(4096, offset))
      f.set(physical, callI64(translate, virtual, i32.const(access.read), firstBytes))
      f.if(i64.eq(physical, -1), () => f.return(i32.const(0)))
      const secondVirtual = f.let(i64.add(virtual, i64.extendu(firstBytes)))
      const second = f.let(callI64(translate, secondVirtual, i32.const(access.read), i32.sub(bytes, firstBytes)))
      f.if(i64.eq(second, -1), () => f.return(i32.const(0)))
      f.if(i32.eqz(i32.and(inRam(physical, ramBytes()), inRam(second, ramBytes()))), () => {
        raise(f, cause.loadAccessFault, i64.select(secondVirtual, virtual, inRam(physical, ramBytes())))
        f.return(i32.const(0))
      })
      f.if(isObserved("memory"), () => {
        look(f, "read", virtual, physical, firstBytes)
        look(f, "read", secondVirtual, second, i32.sub(bytes, firstBytes))
      })
      f.memoryCopy(SCRATCH, ramHost(physical), firstBytes)
      f.memoryCopy(i32.add(firstBytes, SCRATCH), ramHost(second), i32.sub(bytes, firstBytes))
      f.return(i32.const(SCRATCH))
    })
    f.set(physical, callI64(translate, virtual, i32.const(access.read), bytes))
    f.if(i64.eq(physical, -1), () => f.return(i32.const(0)))
    f.if(inRam(physical, ramBytes()), () => {
      f.set(host, ramHost(physical))
      const near = look(f, "read", virtual, physical, bytes)
      f.if(i32.eqz(i32.or(get32("uncacheable"), near)), () => fillTlb(f, TLB_READ, virtual, host))
      f.return(host)
    })
    f.if(inRom(physical), () => f.return(romHost(physical)))
    f.if(
      i32.and(offset, i32.sub(bytes, 1)),
      () => set32(f, "busFault", 1),
      () => deviceLoad(f, physical, bytes),
    )
    f.if(get32("busFault"), () => {
      raise(f, cause.loadAccessFault, virtual)
      f.return(i32.const(0))
    })
    f.return(i32.const(SCRATCH))
    f.unreachable()
  })

  const storeSlow = module.function("storeSlow", { params: ["i64", "i32", "i64"], result: "i32" }, f => {
    const virtual = f.param(0, "i64")
    const bytes = f.param(1, "i32")
    const value = f.param(2, "i64")
    const physical = f.local("i64")
    const host = f.local("i32")
    const offset = f.let(i32.and(i32.wrap(virtual), 0xfff))
    const kind = i32.const(access.write)
    f.if(i32.gtu(i32.add(offset, bytes), 4096), () => {
      const firstBytes = f.let(i32.sub(4096, offset))
      f.set(physical, callI64(translate, virtual, kind, firstBytes))
      f.if(i64.eq(physical, -1), () => f.return(i32.const(1)))
      const secondVirtual = f.let(i64.add(virtual, i64.extendu(firstBytes)))
      const second = f.let(callI64(translate, secondVirtual, kind, i32.sub(bytes, firstBytes)))
      f.if(i64.eq(second, -1), () => f.return(i32.const(1)))
      f.if(i32.eqz(i32.and(inRam(physical, ramBytes()), inRam(second, ramBytes()))), () => {
        raise(f, cause.storeAccessFault, i64.select(secondVirtual, virtual, inRam(physical, ramBytes())))
        f.return(i32.const(1))
      })
      f.storeI64(SCRATCH, value)
      f.memoryCopy(ramHost(physical), SCRATCH, firstBytes)
      f.call(wrote, physical, firstBytes)
      f.memoryCopy(ramHost(second), i32.add(firstBytes, SCRATCH), i32.sub(bytes, firstBytes))
      f.call(wrote, second, i32.sub(bytes, firstBytes))
      f.if(isObserved("memory"), () => {
        look(f, "write", virtual, physical, firstBytes)
        look(f, "write", secondVirtual, second, i32.sub(bytes, firstBytes))
      })
      f.return(i32.const(0))
    })
    f.set(physical, callI64(translate, virtual, kind, bytes))
    f.if(i64.eq(physical, -1), () => f.return(i32.const(1)))
    f.if(inRam(physical, ramBytes()), () => {
      f.set(host, ramHost(physical))
      f.storeI64(SCRATCH, value)
      f.switch(
        i32.ctz(bytes),
        [
          () => f.storeI64As8(host, value),
          () => f.storeI64As16(host, value),
          () => f.storeI64As32(host, value),
          () => f.storeI64(host, value),
        ],
        () => f.unreachable(),
      )
      f.call(wrote, physical, bytes)
      // A page with predecoded code keeps taking this path.
      const code = f.let(i32.load(i32.shl(pageNumber(physical), 2), PAGE_CODE))
      const near = look(f, "write", virtual, physical, bytes)
      f.if(i32.eqz(i32.or(i32.or(get32("uncacheable"), code), near)), () => fillTlb(f, TLB_WRITE, virtual, host))
      f.return(i32.const(0))
    })
    // Writes to the boot ROM are lost.
    f.if(inRom(physical), () => f.return(i32.const(0)))
    set32(f, "busFault", 0)
    f.if(
      i32.or(i32.and(offset, i32.sub(bytes, 1)), i64.geu(physical, 0x100000000n)),
      () => set32(f, "busFault", 1),
      () => {
        const address = f.let(i32.wrap(physical))
        f.call(devices.deviceStore, address, bytes, i32.wrap(value), i32.wrap(i64.shru(value, 32)))
        holdUnlessRefused(f)
      },
    )
    f.if(get32("busFault"), () => {
      raise(f, cause.storeAccessFault, virtual)
      f.return(i32.const(1))
    })
    f.return(i32.const(0))
    f.unreachable()
  })

  const atomicHost = module.function("atomicHost", { params: ["i64", "i32", "i32"], result: "i32" }, f => {
    const virtual = f.param(0, "i64")
    const bytes = f.param(1, "i32")
    const kind = f.param(2, "i32")
    const loadReserved = i32.eq(kind, atomicKinds.indexOf("loadReserved"))
    const physical = f.local("i64")
    f.if(i32.and(i32.wrap(virtual), i32.sub(bytes, 1)), () => {
      raise(f, i64.extendu(i32.select(cause.loadMisaligned, cause.storeMisaligned, loadReserved)), virtual)
      f.return(i32.const(0))
    })
    f.set(physical, callI64(translate, virtual, i32.select(access.read, access.write, loadReserved), bytes))
    f.if(i64.eq(physical, -1), () => f.return(i32.const(0)))
    f.if(i32.eqz(inRam(physical, ramBytes())), () => {
      raise(f, i64.extendu(i32.select(cause.loadAccessFault, cause.storeAccessFault, loadReserved)), virtual)
      f.return(i32.const(0))
    })
    set64(f, "trapValue", physical)
    const code = i32.load(i32.shl(pageNumber(physical), 2), PAGE_CODE)
    const near = f.local("i32")
    f.set(near, 0)
    f.if(isObserved("memory"), () => {
      // Reading first, as `wrote` comes later, where something is written at all. What a store-conditional compares it does not read.
      f.set(near, callI32(observation.watched, virtual, physical, bytes, i32.const(access.read)))
      f.if(i32.ne(kind, atomicKinds.indexOf("storeConditional")), () => tell(f, near, "read", virtual, physical, bytes))
      const write = f.let(callI32(observation.watched, virtual, physical, bytes, i32.const(access.write)))
      set32(f, "watchedWrite", i32.eq(write, nearness.hit))
      set64(f, "watchedAddress", virtual)
      f.set(near, i32.or(near, write))
    })
    f.if(i32.eqz(i32.or(i32.or(loadReserved, near), i32.or(get32("uncacheable"), code))), () => {
      fillTlb(f, TLB_WRITE, virtual, ramHost(physical))
      // Later stores do not come here, and this access may yet write nothing.
      f.storeI32As8(pageNumber(physical), 1, PAGE_DIRTY)
    })
    f.return(ramHost(physical))
    f.unreachable()
  })

  const wroteAtomic = module.function("wroteAtomic", { params: ["i64", "i32"], result: null }, f => {
    const [physical, bytes] = [f.param(0, "i64"), f.param(1, "i32")]
    f.call(wrote, physical, bytes)
    f.if(i32.and(isObserved("memory"), i32.ne(get32("watchedWrite"), 0)), () =>
      tell(f, i32.const(nearness.hit), "write", get64("watchedAddress"), physical, bytes),
    )
  })
  return { loadSlow, storeSlow, atomicHost, wroteAtomic }
}
