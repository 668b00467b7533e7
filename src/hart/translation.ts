/**
 * Address translation: Sv39 and Sv48 page walks in hardware, accessed and dirty bits set by the walker (Svadu behaviour).
 * RISC-V privileged ISA, sections 12.3 to 12.5.
 */

import { mstatusBit, privilege, pte as pteBit, satpMode } from "../riscv/csr.ts"
import { cause } from "../riscv/trap.ts"
import {
  callI32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type ModuleBuilder,
} from "../wasm/index.ts"
import { dataPrivilege, translates } from "./address-space.ts"
import { IN_REGION, PAGE_ABSENT, PAGE_CODE, PAGE_DIRTY, RAM, RAM_BASE, ROM, ROM_BASE, ROM_BYTES } from "./layout.ts"
import { hitKind, isObserved, nearness, type Observation, reportAccess } from "./observation.ts"
import { access } from "./pmp.ts"
import { get32, get64, holdBudget, set32, set64 } from "./state.ts"
import { markLine } from "./written-lines.ts"

/** Asks for a trap on behalf of the instruction that called. */
export const raise = (f: FunctionBuilder, code: Expr<"i64"> | number, value: Expr<"i64">): void => {
  set64(f, "trapCause", code)
  set64(f, "trapValue", value)
  set32(f, "trapped", 1)
}

/** `accessKind` → cause: read 5, write 7, execute 1; page faults are 8 more on loads, stores and fetches (13, 15, 12). */
const accessFault = (kind: Expr<"i32">): Expr<"i64"> =>
  i64.extendu(
    i32.select(
      cause.loadAccessFault,
      i32.select(cause.storeAccessFault, cause.instructionAccessFault, i32.eq(kind, access.write)),
      i32.eq(kind, access.read),
    ),
  )
const pageFault = (kind: Expr<"i32">): Expr<"i64"> =>
  i64.extendu(
    i32.select(
      cause.loadPageFault,
      i32.select(cause.storePageFault, cause.instructionPageFault, i32.eq(kind, access.write)),
      i32.eq(kind, access.read),
    ),
  )

/** Whether a physical address lies in guest RAM of `ramBytes` bytes. */
export const inRam = (address: Expr<"i64">, ramBytes: Expr<"i64">): Expr<"i32"> =>
  i64.ltu(i64.sub(address, RAM_BASE), ramBytes)
export const inRom = (address: Expr<"i64">): Expr<"i32"> => i64.ltu(i64.sub(address, ROM_BASE), ROM_BYTES)
/** Where a RAM address lies in the WebAssembly memory. */
export const ramHost = (address: Expr<"i64">): Expr<"i32"> => i32.add(i32.wrap(address), (RAM - RAM_BASE) | 0)
export const romHost = (address: Expr<"i64">): Expr<"i32"> => i32.add(i32.wrap(address), ROM - ROM_BASE)

/** Guest RAM in bytes, as the code finds it. */
export type RamBytes = () => Expr<"i64">

export interface Translation {
  /** `translate(virtual, kind, bytes)`: the physical address, or -1 with a trap asked for. */
  readonly translate: FunctionRef
}

export const defineTranslation = (
  module: ModuleBuilder,
  ramBytes: RamBytes,
  pmpAllows: FunctionRef,
  /** `dropPage(code)`: forgets a page's predecoded records. */
  dropPage: FunctionRef,
  /** `bringPage(page)`: puts the content of an absent page into RAM. */
  bringPage: FunctionRef,
  observation: Observation,
): Translation => {
  /** The walker is about to change a page-table entry: tells of it where it is watched. Fetches are not told of. */
  const tellOfEntry = (f: FunctionBuilder, address: Expr<"i64">, kind: Expr<"i32">): void =>
    f.if(i32.and(isObserved("memory"), i32.ne(kind, access.execute)), () => {
      const near = callI32(observation.watched, address, address, i32.const(8), i32.const(access.write))
      f.if(i32.eq(near, nearness.hit), () => {
        // A region cannot stop here: the interpreter comes again.
        f.if(i32.load(IN_REGION), () => f.return(i64.const(-1)))
        reportAccess(f, hitKind.write, address, address, i32.const(8))
        holdBudget(f)
      })
    })

  /** Whatever reads or writes RAM translates first: here absent pages come in. */
  const needPage = (f: FunctionBuilder, physical: Expr<"i64">): void => {
    const page = f.let(i32.wrap(i64.shru(i64.sub(physical, RAM_BASE), 12)))
    f.if(i32.and(i32.load8u(page, PAGE_DIRTY), PAGE_ABSENT), () => f.call(bringPage, page))
  }

  const translate = module.function("translate", { params: ["i64", "i32", "i32"], result: "i64" }, f => {
    const virtual = f.param(0, "i64")
    const kind = f.param(1, "i32")
    const bytes = f.param(2, "i32")
    const level = f.local("i32")
    const satp = f.let(get64("satp"))
    const physical = f.local("i64")
    set32(f, "uncacheable", 0)
    f.if(
      i32.eq(kind, access.execute),
      () => f.set(level, get32("privilege")),
      () => f.set(level, dataPrivilege()),
    )
    const failAccess = () => {
      raise(f, accessFault(kind), virtual)
      f.return(i64.const(-1))
    }
    const failPage = () => {
      raise(f, pageFault(kind), virtual)
      f.return(i64.const(-1))
    }
    f.set(physical, virtual)
    f.if(i32.and(translates(satp), i32.ne(level, privilege.machine)), () => {
      const levels = f.let(i32.select(3, 4, i64.eq(i64.shru(satp, 60), satpMode.sv39)))
      // The bits above those translated must all equal the highest one.
      const unused = f.let(i64.extendu(i32.sub(64 - 12, i32.mul(levels, 9))))
      f.if(i64.ne(i64.shrs(i64.shl(virtual, unused), unused), virtual), failPage)
      const table = f.let(i64.shl(i64.and(satp, 0xfffffffffffn), 12))
      const depth = f.let(i32.sub(levels, 1))
      const entryAddress = f.local("i64")
      const entry = f.local("i64")
      const flags = f.local("i32")
      const shift = f.local("i64")
      f.block(leaf => {
        f.loop(descend => {
          f.set(shift, i64.extendu(i32.add(12, i32.mul(depth, 9))))
          f.set(entryAddress, i64.add(table, i64.shl(i64.and(i64.shru(virtual, shift), 0x1ff), 3)))
          f.if(i32.eqz(inRam(entryAddress, ramBytes())), failAccess)
          f.if(
            i32.eqz(
              callI32(pmpAllows, entryAddress, i32.const(8), i32.const(access.read), i32.const(privilege.supervisor)),
            ),
            failAccess,
          )
          needPage(f, entryAddress)
          f.set(entry, i64.load(ramHost(entryAddress)))
          f.set(flags, i32.wrap(entry))
          f.if(i32.eqz(i32.and(flags, Number(pteBit.V))), failPage)
          // Writable but not readable is reserved; so are the bits above the page number.
          f.if(i32.eq(i32.and(flags, 6), Number(pteBit.W)), failPage)
          f.if(i64.ne(i64.shru(entry, 54), 0), failPage)
          f.brIf(leaf, i32.and(flags, Number(pteBit.R | pteBit.X)))
          // A pointer to the next table: A, D and U are reserved in it.
          f.if(i32.and(flags, Number(pteBit.A | pteBit.D | pteBit.U)), failPage)
          f.set(table, i64.shl(i64.and(i64.shru(entry, 10), 0xfffffffffffn), 12))
          f.set(depth, i32.sub(depth, 1))
          f.brIf(descend, i32.ges(depth, 0))
          failPage()
        })
      })
      f.if(
        i32.and(flags, Number(pteBit.U)),
        // Supervisor code never runs user pages, and reads and writes them only with SUM.
        () =>
          f.if(i32.eq(level, privilege.supervisor), () => {
            f.if(i32.eq(kind, access.execute), failPage)
            f.if(i32.eqz(i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.SUM)), 1)), failPage)
          }),
        () => f.if(i32.eq(level, privilege.user), failPage),
      )
      // R, W and X stand one bit higher than the kinds of access. MXR lets executable pages be read.
      const granted = f.let(i32.shru(flags, 1))
      f.if(i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.MXR)), 1), () =>
        f.set(granted, i32.or(granted, i32.shru(i32.and(granted, access.execute), 2))),
      )
      f.if(i32.eqz(i32.and(granted, kind)), failPage)
      const offsetMask = f.let(i64.sub(i64.shl(1, shift), 1))
      const frame = f.let(i64.shl(i64.and(i64.shru(entry, 10), 0xfffffffffffn), 12))
      f.if(i64.ne(i64.and(frame, offsetMask), 0), failPage)
      f.if(depth, () => set32(f, "superpages", 1))
      const wanted = f.let(
        i32.or(flags, i32.select(Number(pteBit.A | pteBit.D), Number(pteBit.A), i32.eq(kind, access.write))),
      )
      f.if(i32.ne(wanted, flags), () => {
        f.if(
          i32.eqz(
            callI32(pmpAllows, entryAddress, i32.const(8), i32.const(access.write), i32.const(privilege.supervisor)),
          ),
          failAccess,
        )
        tellOfEntry(f, entryAddress, kind)
        f.storeI32(ramHost(entryAddress), wanted)
        const page = f.let(i32.wrap(i64.shru(i64.sub(entryAddress, RAM_BASE), 12)))
        f.storeI32As8(page, 1, PAGE_DIRTY)
        markLine(f, ramHost(entryAddress))
        // A page table that is also executed: its records are stale.
        const code = f.let(i32.load(i32.shl(page, 2), PAGE_CODE))
        f.if(code, () => f.call(dropPage, code))
      })
      f.set(physical, i64.or(frame, i64.and(virtual, offsetMask)))
      // What the walk itself met says nothing about this page.
      set32(f, "uncacheable", 0)
    })
    f.if(i32.eqz(callI32(pmpAllows, physical, bytes, kind, level)), failAccess)
    f.if(inRam(physical, ramBytes()), () => needPage(f, physical))
    f.return(physical)
    f.unreachable()
  })
  return { translate }
}
