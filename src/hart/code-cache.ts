/**
 * Predecoded pages. Each halfword of a guest page that execution reached has an 8-byte record: an operation number and operands, laid
 * out as `riscv/format.ts` says. Records are made when they are first executed and undone when the bytes under them are written.
 * Pages are kept by physical page; the oldest goes when room is short.
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
import { flushFetches, flushJumps } from "./address-space.ts"
import {
  BREAKPOINTS,
  CODE,
  CODE_PAGE_BYTES,
  CODE_PAGE_CLOSED,
  CODE_PAGE_INFO,
  CODE_PAGE_INFO_BYTES,
  CODE_PAGE_REGIONS,
  CODE_PAGES,
  COMPUTED_TARGET,
  CROSSING_RECORD,
  HART_COUNT,
  HEAT_MIN,
  HOT_RECORDS,
  HOT_RECORDS_MAX,
  JUMP_TARGETS,
  JUMP_TARGETS_PAGE_BYTES,
  NEXT_CODE_PAGE,
  PAGE_CODE,
  RAM_BASE,
  RAM_PAGES_MAX,
  RECORD_BYTES,
  RECORD_SHIFT,
  REGION_INFO,
  ROM_BASE,
  TLB,
  TLB_BYTES,
  TLB_ENTRY_BYTES,
  TLB_FETCH,
  TLB_HART_BYTES,
  TLB_WRITE,
} from "./layout.ts"
import { tlbBase, tlbIndex } from "./memory-access.ts"
import { isObserved } from "./observation.ts"
import { access } from "./pmp.ts"
import { get32, get64, holdBudget } from "./state.ts"
import { inRam, inRom, type RamBytes, raise, ramHost, romHost } from "./translation.ts"

/** Operations that are no instructions. */
export const operation = {
  /** Not yet decoded. */
  decode: 0,
  /** Past the last halfword of a page. */
  pageEnd: 1,
  /** A 4-byte instruction whose second half lies in the next page. */
  crossing: 2,
  illegal: 3,
  /** A translated region begins here. */
  region: 4,
  /** Somebody wants to be told before the instruction here is executed. */
  breakpoint: 5,
  /** The first operation that is an instruction. */
  first: 6,
} as const

/** The interpreter came to a record by a jump; `isComputed`: by a computed one or a computed call, from the same page. */
export const countJump = (f: FunctionBuilder, record: Expr<"i32">, isComputed: Expr<"i32">): void => {
  const place = f.let(i32.shl(i32.shru(i32.sub(record, CODE), 3), 1))
  const before = f.let(i32.load16u(place, JUMP_TARGETS))
  const count = f.let(i32.and(i32.add(before, 1), COMPUTED_TARGET - 1))
  const mark = i32.or(i32.and(before, COMPUTED_TARGET), i32.select(COMPUTED_TARGET, 0, isComputed))
  f.storeI32As16(place, i32.or(count, mark), JUMP_TARGETS)
  f.if(i32.eq(count, i32.load(HEAT_MIN)), () => {
    const hot = f.let(i32.load(HOT_RECORDS))
    f.if(i32.ltu(hot, HOT_RECORDS_MAX), () => {
      f.storeI32(i32.shl(hot, 2), record, HOT_RECORDS + 4)
      f.storeI32(HOT_RECORDS, i32.add(hot, 1))
    })
  })
}

/** Slow writes to a predecoded page before it is given up as data. */
const WRITES_MAX = 256

/** Fields of a page's entry in CODE_PAGE_INFO. */
const INFO_PAGE = CODE_PAGE_INFO
const INFO_HOST = CODE_PAGE_INFO + 4
const INFO_WRITES = CODE_PAGE_INFO + 8
/** Where a record's place in REGION_INFO is, less REGION_INFO. */
export const regionInfoPlace = (record: Expr<"i32">): Expr<"i32"> => i32.shl(i32.shru(i32.sub(record, CODE), 3), 2)
/** The parts of a record's place in REGION_INFO. */
export const regionInfo = {
  number: (info: Expr<"i32">) => i32.and(info, 0xffff),
  operation: (info: Expr<"i32">) => i32.and(i32.shru(info, 16), 0x1ff),
  entry: (info: Expr<"i32">) => i32.shru(info, 25),
  /** The operation in an info that is known. */
  operationIn: (info: number): number => (info >>> 16) & 0x1ff,
  pack: (number: number, original: number, entry: number): number => (number | (original << 16) | (entry << 25)) >>> 0,
}
export const originalOperation = (record: Expr<"i32">): Expr<"i32"> =>
  regionInfo.operation(i32.load(regionInfoPlace(record), REGION_INFO))

export interface CodeCache {
  /** `invalidateBytes(code, offset, bytes)`: bytes of a page with predecoded records were written. */
  readonly invalidateBytes: FunctionRef
  /** `dropPage(code)`: forgets a page's records. */
  readonly dropPage: FunctionRef
  /** `unlinkRegions(code)`: gives a page's records their own operations back, so that its regions are no longer entered. */
  readonly unlinkRegions: FunctionRef
  /** `forgetTargets(code)`: forgets which of a page's records were jumped to. */
  readonly forgetTargets: FunctionRef
}

export interface Fetch {
  /** `fetchSlow(pc)`: where the records of the page pc lies in begin, as far as pc's is concerned, or 0 with a trap asked for. */
  readonly fetchSlow: FunctionRef
  /** `decodeAt(record)`: decodes the instruction a record stands for. */
  readonly decodeAt: FunctionRef
  /** `decodeCrossing(pc)`: decodes into CROSSING_RECORD; 1 with a trap asked for. */
  readonly decodeCrossing: FunctionRef
  /** `wordAt(pc)`: the bits of the instruction at pc, which was just fetched. */
  readonly wordAt: FunctionRef
  /** `dropPageNumber(page)`: forgets the records of a guest page that a device wrote to. */
  readonly dropPageNumber: FunctionRef
}

/** The place among the predecoded pages of the one that an address lies in. */
const positionOf = (code: Expr<"i32">) => i32.divu(i32.sub(code, CODE), CODE_PAGE_BYTES)
const infoOf = (code: Expr<"i32">) => i32.mul(positionOf(code), CODE_PAGE_INFO_BYTES)
const regionsIn = (code: Expr<"i32">) => i32.shl(positionOf(code), 2)
/** Whether a page holds a breakpoint. */
const isClosed = (code: Expr<"i32">) => i32.load8u(positionOf(code), CODE_PAGE_CLOSED)

export const defineCodeCache = (module: ModuleBuilder): CodeCache => {
  const forgetTargets = module.function("forgetTargets", { params: ["i32"], result: null }, f => {
    const place = i32.mul(positionOf(f.param(0, "i32")), JUMP_TARGETS_PAGE_BYTES)
    f.memoryFill(i32.add(place, JUMP_TARGETS), 0, JUMP_TARGETS_PAGE_BYTES)
  })
  const unlinkRegions = module.function("unlinkRegions", { params: ["i32"], result: null }, f => {
    const code = f.param(0, "i32")
    const regions = f.let(regionsIn(code))
    f.if(i32.eqz(i32.load(regions, CODE_PAGE_REGIONS)), () => f.return())
    f.storeI32(regions, 0, CODE_PAGE_REGIONS)
    f.call(forgetTargets, code)
    flushJumps(f)
    const record = f.let(code)
    const end = f.let(i32.add(code, 2048 * RECORD_BYTES))
    f.loop(next => {
      f.if(i32.eq(i32.load16u(record), operation.region), () => {
        f.storeI32As16(record, originalOperation(record))
        f.storeI32(regionInfoPlace(record), 0, REGION_INFO)
      })
      f.set(record, i32.add(record, RECORD_BYTES))
      f.brIf(next, i32.ltu(record, end))
    })
  })
  const dropPage = module.function("dropPage", { params: ["i32"], result: null }, f => {
    const code = f.param(0, "i32")
    f.storeI32(i32.shl(i32.load(infoOf(code), INFO_PAGE), 2), 0, PAGE_CODE)
    f.call(unlinkRegions, code)
    flushFetches(f)
  })
  const invalidateBytes = module.function("invalidateBytes", { params: ["i32", "i32", "i32"], result: null }, f => {
    const code = f.param(0, "i32")
    const offset = f.param(1, "i32")
    const bytes = f.param(2, "i32")
    f.call(unlinkRegions, code)
    const info = f.let(infoOf(code))
    const writes = f.let(i32.add(i32.load(info, INFO_WRITES), 1))
    f.storeI32(info, writes, INFO_WRITES)
    f.if(i32.or(i32.gtu(writes, WRITES_MAX), isClosed(code)), () => {
      f.call(dropPage, code)
      // Execution may be in the page: it must look the page up again.
      holdBudget(f)
      f.return()
    })
    // The halfword before may begin an instruction that reaches into the first written one.
    const slot = f.let(i32.sub(i32.shru(offset, 1), i32.ne(i32.shru(offset, 1), 0)))
    const last = f.let(i32.shru(i32.add(offset, i32.sub(bytes, 1)), 1))
    f.loop(next => {
      f.storeI32As16(i32.add(code, i32.shl(slot, 3)), operation.decode)
      f.set(slot, i32.add(slot, 1))
      f.brIf(next, i32.leu(slot, last))
    })
  })
  return { dropPage, invalidateBytes, unlinkRegions, forgetTargets }
}

export const defineFetch = (
  module: ModuleBuilder,
  ramBytes: RamBytes,
  translate: FunctionRef,
  cache: CodeCache,
  /** `decodeInto(word, record, offset)`: offset in the page, or -1 when a target may lie in another page. */
  decodeInto: FunctionRef,
): Fetch => {
  // Makes room for a page's records and write-protects the page in every write TLB.
  const addPage = module.function("addPage", { params: ["i32", "i32"], result: "i32" }, f => {
    const page = f.param(0, "i32")
    const host = f.param(1, "i32")
    const position = f.let(i32.load(NEXT_CODE_PAGE))
    f.storeI32(NEXT_CODE_PAGE, i32.remu(i32.add(position, 1), CODE_PAGES))
    const code = f.let(i32.add(i32.mul(position, CODE_PAGE_BYTES), CODE))
    const info = f.let(i32.mul(position, CODE_PAGE_INFO_BYTES))
    f.if(i32.load(info, INFO_HOST), () => {
      // Only if the page is still kept here; it may have been dropped and made anew elsewhere.
      const old = f.let(i32.shl(i32.load(info, INFO_PAGE), 2))
      f.if(i32.eq(i32.load(old, PAGE_CODE), code), () => f.call(cache.dropPage, code))
    })
    f.storeI32(info, page, INFO_PAGE)
    f.storeI32(info, host, INFO_HOST)
    f.storeI32(info, 0, INFO_WRITES)
    f.storeI32(i32.shl(page, 2), code, PAGE_CODE)
    f.memoryFill(code, 0, 4096 * 4)
    f.storeI32(regionsIn(code), 0, CODE_PAGE_REGIONS)
    f.storeI32As8(position, 0, CODE_PAGE_CLOSED)
    f.call(cache.forgetTargets, code)
    f.storeI32As16(code, operation.pageEnd, 4096 * 4)
    const entry = f.local("i32")
    const hart = f.local("i32")
    f.loop(nextHart => {
      f.set(entry, i32.add(i32.mul(hart, TLB_HART_BYTES), TLB + TLB_WRITE))
      const end = f.let(i32.add(entry, TLB_BYTES))
      f.loop(next => {
        f.if(i32.eq(i32.load(entry, 12), host), () => {
          f.storeI64(entry, 0)
          f.storeI32(entry, 0, 12)
        })
        f.set(entry, i32.add(entry, TLB_ENTRY_BYTES))
        f.brIf(next, i32.ltu(entry, end))
      })
      f.set(hart, i32.add(hart, 1))
      f.brIf(nextHart, i32.ltu(hart, i32.load(HART_COUNT)))
    })
    f.return(code)
    f.unreachable()
  })

  const decodeAt = module.function("decodeAt", { params: ["i32"], result: null }, f => {
    const record = f.param(0, "i32")
    const position = f.let(positionOf(record))
    const code = i32.add(i32.mul(position, CODE_PAGE_BYTES), CODE)
    const offset = f.let(i32.shru(i32.sub(record, code), 2))
    const host = f.let(i32.add(i32.load(i32.mul(position, CODE_PAGE_INFO_BYTES), INFO_HOST), offset))
    const word = f.let(i32.load16u(host))
    f.if(i32.eq(i32.and(word, 3), 3), () => {
      f.if(i32.eq(offset, 4094), () => {
        f.storeI32As16(record, operation.crossing)
        f.return()
      })
      f.set(word, i32.load(host))
    })
    f.call(decodeInto, word, record, offset)
  })

  // The host address of the halfword at pc, or 0 with a trap asked for.
  const halfwordHost = module.function("halfwordHost", { params: ["i64"], result: "i32" }, f => {
    const pc = f.param(0, "i64")
    const physical = f.let(callI64(translate, pc, i32.const(access.execute), i32.const(2)))
    f.if(i64.eq(physical, -1), () => f.return(i32.const(0)))
    f.if(inRam(physical, ramBytes()), () => f.return(ramHost(physical)))
    f.if(inRom(physical), () => f.return(romHost(physical)))
    raise(f, cause.instructionAccessFault, pc)
    f.return(i32.const(0))
    f.unreachable()
  })

  const fetchWord = module.function(
    "fetchWord",
    { params: ["i64"], result: "i64" },
    f => {
      const pc = f.param(0, "i64")
      const host = f.local("i32")
      f.set(host, callI32(halfwordHost, pc))
      f.if(i32.eqz(host), () => f.return(i64.const(-1)))
      const low = f.let(i64.load16u(host))
      f.if(i64.ne(i64.and(low, 3), 3), () => f.return(low))
      f.set(host, callI32(halfwordHost, i64.add(pc, 2)))
      f.if(i32.eqz(host), () => f.return(i64.const(-1)))
      f.return(i64.or(low, i64.shl(i64.load16u(host), 16)))
      f.unreachable()
    },
    { exported: true },
  )

  const decodeCrossing = module.function("decodeCrossing", { params: ["i64"], result: "i32" }, f => {
    const pc = f.param(0, "i64")
    const word = f.let(callI64(fetchWord, pc))
    f.if(i64.eq(word, -1), () => f.return(i32.const(1)))
    f.call(decodeInto, i32.wrap(word), i32.const(CROSSING_RECORD), i32.const(-1))
    // After two or four bytes.
    f.storeI32As16(CROSSING_RECORD + RECORD_BYTES, operation.pageEnd)
    f.storeI32As16(CROSSING_RECORD + 2 * RECORD_BYTES, operation.pageEnd)
    f.return(i32.const(0))
    f.unreachable()
  })

  // Puts the breakpoints of the page pc lies in among its records.
  const plantBreakpoints = module.function("plantBreakpoints", { params: ["i64", "i32"], result: null }, f => {
    const pc = f.param(0, "i64")
    const code = f.param(1, "i32")
    const left = f.let(i32.load(BREAKPOINTS))
    f.block(done => {
      f.loop(next => {
        f.brIf(done, i32.eqz(left))
        f.set(left, i32.sub(left, 1))
        const address = f.let(i64.load(i32.shl(left, 3), BREAKPOINTS + 8))
        f.brIf(next, i64.ne(i64.and(i64.xor(address, pc), ~0xfffn), 0))
        f.call(cache.unlinkRegions, code)
        f.storeI32As8(positionOf(code), 1, CODE_PAGE_CLOSED)
        const record = f.let(i32.add(code, i32.shl(i32.and(i32.wrap(address), 0xffe), RECORD_SHIFT)))
        f.brIf(next, i32.eq(i32.load16u(record), operation.breakpoint))
        f.if(i32.eq(i32.load16u(record), operation.decode), () => f.call(decodeAt, record))
        f.storeI32(regionInfoPlace(record), i32.shl(i32.load16u(record), 16), REGION_INFO)
        f.storeI32As16(record, operation.breakpoint)
        f.br(next)
      })
    })
  })

  const fetchSlow = module.function("fetchSlow", { params: ["i64"], result: "i32" }, f => {
    const pc = f.param(0, "i64")
    const page = f.local("i32")
    const host = f.local("i32")
    const physical = f.let(callI64(translate, pc, i32.const(access.execute), i32.const(2)))
    f.if(i64.eq(physical, -1), () => f.return(i32.const(0)))
    f.if(
      inRam(physical, ramBytes()),
      () => {
        f.set(page, i32.wrap(i64.shru(i64.sub(physical, RAM_BASE), 12)))
        f.set(host, i32.and(ramHost(physical), ~0xfff))
      },
      () =>
        f.if(
          inRom(physical),
          () => {
            f.set(page, i32.add(i32.wrap(i64.shru(i64.sub(physical, ROM_BASE), 12)), RAM_PAGES_MAX))
            f.set(host, i32.and(romHost(physical), ~0xfff))
          },
          () => {
            raise(f, cause.instructionAccessFault, pc)
            f.return(i32.const(0))
          },
        ),
    )
    // Protection divides the page: this instruction may be executed, the next must be asked for again.
    f.if(get32("uncacheable"), () => {
      f.if(callI32(decodeCrossing, pc), () => f.return(i32.const(0)))
      f.return(i32.sub(CROSSING_RECORD, i32.shl(i32.and(i32.wrap(pc), 0xffe), RECORD_SHIFT)))
    })
    const code = f.let(i32.load(i32.shl(page, 2), PAGE_CODE))
    f.if(i32.eqz(code), () => {
      f.set(code, callI32(addPage, page, host))
    })
    f.if(isObserved("breakpoints"), () => f.call(plantBreakpoints, pc, code))
    const entry = f.let(i32.add(tlbBase(), tlbIndex(pc)))
    f.storeI64(entry, i64.or(i64.and(pc, ~0xfffn), get64("fetchContext")), TLB_FETCH)
    f.storeI32(entry, code, TLB_FETCH + 8)
    f.return(code)
    f.unreachable()
  })

  const dropPageNumber = module.function(
    "dropPageNumber",
    { params: ["i32"], result: null },
    f => {
      const code = f.let(i32.load(i32.shl(f.param(0, "i32"), 2), PAGE_CODE))
      f.if(code, () => f.call(cache.dropPage, code))
    },
    { exported: true },
  )
  // Forgets the records of all pages that hold breakpoints, and where every page's records are: breakpoints are put anew.
  module.function(
    "forgetBreakpoints",
    { params: [], result: null },
    f => {
      const position = f.let(i32.const(0))
      f.loop(next => {
        f.if(i32.load8u(position, CODE_PAGE_CLOSED), () => {
          f.storeI32As8(position, 0, CODE_PAGE_CLOSED)
          const code = f.let(i32.add(i32.mul(position, CODE_PAGE_BYTES), CODE))
          // Unless it was dropped already.
          const page = i32.shl(i32.load(infoOf(code), INFO_PAGE), 2)
          f.if(i32.eq(i32.load(page, PAGE_CODE), code), () => f.call(cache.dropPage, code))
        })
        f.set(position, i32.add(position, 1))
        f.brIf(next, i32.ltu(position, CODE_PAGES))
      })
      flushFetches(f)
      flushJumps(f)
    },
    { exported: true },
  )
  return { fetchSlow, decodeAt, decodeCrossing, wordAt: fetchWord, dropPageNumber }
}
