/**
 * Address spaces as TLB tags. A tag's low 12 bits say which address space an entry belongs to and with which rights it was made, so
 * that traps, returns and context switches flush nothing:
 *
 *     bit  11      6 5        3 2   0
 *          space    variant    zero (an address's low bits there reject misalignment)
 *
 * Space 0 is physical memory. The others are given out, hart by hart, to values of satp as they come up; when a hart has used all
 * its numbers, its TLBs are emptied and numbering begins anew. RISC-V privileged ISA, sections 12.1.11 and 12.2.1.
 */
import { mstatusBit, privilege, satpMode } from "../riscv/csr.ts"
import {
  callI32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type I32,
  i32,
  i64,
  type ModuleBuilder,
} from "../wasm/index.ts"
import {
  ADDRESS_SPACES,
  HART_COUNT,
  JUMP_CACHE,
  JUMP_CACHE_BYTES,
  JUMP_CACHE_ENTRIES,
  TLB,
  TLB_BYTES,
  TLB_FETCH,
  TLB_HART_BYTES,
} from "./layout.ts"
import { get32, get64, set32, set64 } from "./state.ts"

const SPACES = 64
const SPACE_SHIFT = 6
const VARIANT_SHIFT = 3
/** A hart's table: the number of spaces given out, 0 included, then the satp of each other one. */
const TABLE_BYTES = SPACES * 8

export interface AddressSpaces {
  /** `contextChanged()`: recomputes the running hart's TLB tags from satp, mstatus and its privilege. */
  readonly contextChanged: FunctionRef
  /** `flushTranslations()`: empties the running hart's TLBs. */
  readonly flushTranslations: FunctionRef
  /** `forgetSpaces()`: makes every translation of the running hart unreachable. */
  readonly forgetSpaces: FunctionRef
}

/** The privilege that loads and stores have: MPP's when MPRV is set. */
export const dataPrivilege = (): Expr<"i32"> =>
  i32.select(
    i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.MPP)), 3),
    get32("privilege"),
    i32.and(i32.eq(get32("privilege"), privilege.machine), i32.wrap(i64.shru(get64("mstatus"), mstatusBit.MPRV))),
  )

/** Whether this satp translates at all. */
export const translates = (satp: Expr<"i64">): Expr<"i32"> => i64.ne(i64.shru(satp, 60), satpMode.bare)

export const defineAddressSpaces = (module: ModuleBuilder): AddressSpaces => {
  const table = () => i32.add(i32.mul(i32.wrap(get64("mhartid")), TABLE_BYTES), ADDRESS_SPACES)

  const flushTranslations = module.function(
    "flushTranslations",
    { params: [], result: null },
    f => {
      f.memoryFill(i32.add(i32.mul(i32.wrap(get64("mhartid")), TLB_HART_BYTES), TLB), 0, TLB_HART_BYTES)
      f.storeI64(table(), 1)
      set32(f, "space", 0)
    },
    { exported: true },
  )

  // The number of the space for the running hart's satp.
  const findSpace = module.function("findSpace", { params: [], result: "i32" }, f => {
    const satp = f.let(get64("satp"))
    const first = f.let(table())
    const index = f.local("i32")
    const count = f.let(i32.load(first))
    const entry = () => i32.add(first, i32.shl(index, 3))
    f.set(index, 1)
    f.block(done => {
      f.loop(next => {
        f.brIf(done, i32.geu(index, count))
        f.if(i64.eq(i64.load(entry()), satp), () => f.return(index))
        f.set(index, i32.add(index, 1))
        f.br(next)
      })
    })
    f.if(i32.geu(index, SPACES), () => {
      f.call(flushTranslations)
      f.set(index, 1)
    })
    f.storeI64(entry(), satp)
    f.storeI64(first, i64.extendu(i32.add(index, 1)))
    f.return(index)
    f.unreachable()
  })

  const contextChanged = module.function(
    "contextChanged",
    { params: [], result: null },
    f => {
      const level = f.local("i32")
      const translated = f.let(translates(get64("satp")))
      f.if(i32.and(translated, i32.eqz(get32("space"))), () => set32(f, "space", callI32(findSpace)))
      const tag = (privilegeNow: Expr<"i32">, store: (value: Expr<"i64">) => void) => {
        f.set(level, privilegeNow)
        f.if(
          i32.and(translated, i32.ne(level, privilege.machine)),
          () => {
            // Rights that differ: U; S with SUM, MXR; U with MXR.
            const sum = i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.SUM)), 1)
            const mxr = i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.MXR)), 1)
            const variant = i32.or(i32.or(level, i32.shl(mxr, 1)), i32.shl(sum, 2))
            store(i64.extendu(i32.or(i32.shl(get32("space"), SPACE_SHIFT), i32.shl(variant, VARIANT_SHIFT))))
          },
          // Physical memory: what differs is the protection that applies.
          () => store(i64.extendu(physicalContext(level))),
        )
      }
      tag(get32("privilege"), value => set64(f, "fetchContext", value))
      tag(dataPrivilege(), value => set64(f, "dataContext", value))
    },
    { exported: true },
  )

  const forgetSpaces = module.function(
    "forgetSpaces",
    { params: [], result: null },
    f => {
      // No satp has all bits set: mode 15 does not exist.
      f.memoryFill(i32.add(table(), 8), 0xff, TABLE_BYTES - 8)
      set32(f, "space", 0)
      set32(f, "superpages", 0)
      f.call(contextChanged)
    },
    { exported: true },
  )
  return { contextChanged, flushTranslations, forgetSpaces }
}

/** The low bits of a TLB tag for physical memory, seen with a privilege. Never zero, which marks an empty entry. */
const physicalContext = (level: I32): Expr<"i32"> => i32.shl(i32.or(level, 4), VARIANT_SHIFT)

/** Whether the running hart's loads and stores use physical addresses, and no protection restricts them. */
export const isPhysical = (): Expr<"i32"> => {
  const isMachine = i64.eq(get64("dataContext"), i64.extendu(physicalContext(privilege.machine)))
  const isOpen = i32.or(get32("pmpOpen"), i32.and(get32("machineOpen"), isMachine))
  return i32.and(isOpen, i64.ltu(get64("dataContext"), 1 << SPACE_SHIFT))
}

/** Fills a part of every hart's TLBs with zeros. */
const clearOfAll = (f: FunctionBuilder, from: number, bytes: number): void => {
  const hart = f.let(i32.load(HART_COUNT))
  f.loop(next => {
    f.set(hart, i32.sub(hart, 1))
    f.memoryFill(i32.add(i32.mul(hart, TLB_HART_BYTES), TLB + from), 0, bytes)
    f.brIf(next, hart)
  })
}

/** Empties the fetch TLBs of all harts: their entries point into predecoded pages that have gone. */
export const flushFetches = (f: FunctionBuilder): void => clearOfAll(f, TLB_FETCH, TLB_BYTES)

/** Forgets where regions went on to, on all harts: a region has gone. */
export const flushJumps = (f: FunctionBuilder): void => clearOfAll(f, JUMP_CACHE, JUMP_CACHE_BYTES)

/** Where the running hart's TLBs at `tlb` keep a jump to `pc`, less JUMP_CACHE. */
export const jumpEntry = (tlb: Expr<"i32">, pc: Expr<"i64">): Expr<"i32"> =>
  i32.add(tlb, i32.and(i32.shl(i32.wrap(pc), 3), (JUMP_CACHE_ENTRIES - 1) << 4))
