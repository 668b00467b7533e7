/**
 * Address spaces as TLB tags. A tag's low 12 bits say which address space an entry belongs to and with which rights it was made, so
 * that traps, returns and context switches flush nothing:
 *
 *     bit  11      6 5        3 2   0
 *          space    variant    zero (an address's low bits there reject misalignment)
 *
 * Space 0 is physical memory. The others are given out to pairs of (hart, satp) as they come up; when they run out, the TLBs are
 * emptied and numbering begins anew. RISC-V privileged ISA, sections 12.1.11 and 12.2.1.
 */
import { mstatusBit, privilege, satpMode } from "../riscv/csr.ts"
import {
  callI32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type ModuleBuilder,
} from "../wasm/index.ts"
import { ADDRESS_SPACES, HARTS_MAX, TLB, TLB_FETCH, TLB_HART_BYTES } from "./layout.ts"
import { get32, get64, set32, set64 } from "./state.ts"

const SPACES = 64
const SPACE_SHIFT = 6
const VARIANT_SHIFT = 3
/** In the table: the number of spaces given out, then for each its satp and its hart. */
const COUNT = ADDRESS_SPACES
const ENTRIES = ADDRESS_SPACES + 16
const ENTRY_BYTES = 16

export interface AddressSpaces {
  /** `contextChanged()`: recomputes the running hart's TLB tags from satp, mstatus and its privilege. */
  readonly contextChanged: FunctionRef
  /** `flushTranslations()`: forgets all translations of all harts, at once. */
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
  const flushTranslations = module.function(
    "flushTranslations",
    { params: [], result: null },
    f => {
      f.memoryFill(TLB, 0, HARTS_MAX * TLB_HART_BYTES)
      f.storeI32(COUNT, 1)
    },
    { exported: true },
  )

  // The number of the space for this satp on this hart.
  const spaceOf = module.function("spaceOf", { params: ["i64"], result: "i32" }, f => {
    const satp = f.param(0, "i64")
    const index = f.local("i32")
    const entry = f.local("i32")
    const count = f.let(i32.load(COUNT))
    f.set(index, 1)
    f.block(done => {
      f.loop(next => {
        f.brIf(done, i32.geu(index, count))
        f.set(entry, i32.mul(index, ENTRY_BYTES))
        const same = i32.and(
          i64.eq(i64.load(entry, ENTRIES), satp),
          i64.eq(i64.load(entry, ENTRIES + 8), get64("mhartid")),
        )
        f.if(same, () => f.return(index))
        f.set(index, i32.add(index, 1))
        f.br(next)
      })
    })
    f.if(i32.geu(index, SPACES), () => {
      f.call(flushTranslations)
      f.set(index, 1)
    })
    f.set(entry, i32.mul(index, ENTRY_BYTES))
    f.storeI64(entry, satp, ENTRIES)
    f.storeI64(entry, get64("mhartid"), ENTRIES + 8)
    f.storeI32(COUNT, i32.add(index, 1))
    f.return(index)
    f.unreachable()
  })

  const contextChanged = module.function(
    "contextChanged",
    { params: [], result: null },
    f => {
      const space = f.local("i32")
      const level = f.local("i32")
      const tag = (privilegeNow: Expr<"i32">, store: (value: Expr<"i64">) => void) => {
        f.set(level, privilegeNow)
        f.if(
          i32.and(translates(get64("satp")), i32.ne(level, privilege.machine)),
          () => {
            f.set(space, callI32(spaceOf, get64("satp")))
            // Rights that differ: U; S with SUM, MXR; U with MXR.
            const sum = i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.SUM)), 1)
            const mxr = i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.MXR)), 1)
            const variant = i32.or(i32.or(level, i32.shl(mxr, 1)), i32.shl(sum, 2))
            store(i64.extendu(i32.or(i32.shl(space, SPACE_SHIFT), i32.shl(variant, VARIANT_SHIFT))))
          },
          // Physical memory: what differs is the protection that applies. Never zero, which marks an empty entry.
          () => store(i64.extendu(i32.shl(i32.or(level, 4), VARIANT_SHIFT))),
        )
      }
      // A new space may flush; the second computation then finds both in the new numbering.
      for (let pass = 0; pass < 2; pass++) {
        tag(get32("privilege"), value => set64(f, "fetchContext", value))
        tag(dataPrivilege(), value => set64(f, "dataContext", value))
      }
    },
    { exported: true },
  )

  const forgetSpaces = module.function(
    "forgetSpaces",
    { params: [], result: null },
    f => {
      const index = f.local("i32")
      const entry = f.local("i32")
      const count = f.let(i32.load(COUNT))
      f.set(index, 1)
      f.block(done => {
        f.loop(next => {
          f.brIf(done, i32.geu(index, count))
          f.set(entry, i32.mul(index, ENTRY_BYTES))
          f.if(i64.eq(i64.load(entry, ENTRIES + 8), get64("mhartid")), () => f.storeI64(entry, -1, ENTRIES + 8))
          f.set(index, i32.add(index, 1))
          f.br(next)
        })
      })
      set32(f, "superpages", 0)
      f.call(contextChanged)
    },
    { exported: true },
  )
  return { contextChanged, flushTranslations, forgetSpaces }
}

/** Empties the fetch TLBs of all harts: their entries point into predecoded pages that have gone. */
export const flushFetches = (f: FunctionBuilder): void => {
  for (let hart = 0; hart < HARTS_MAX; hart++)
    f.memoryFill(TLB + hart * TLB_HART_BYTES + TLB_FETCH, 0, TLB_HART_BYTES / 4)
}
