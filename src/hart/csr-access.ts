/**
 * Control and status registers: what each reads as, what a write leaves. RISC-V privileged ISA, chapters 2, 3, 10 and 12.
 * Legal values (WARL) follow QEMU's `virt` machine where the specification leaves a choice.
 */
import {
  type CsrName,
  csrNumber,
  HPM_COUNTERS,
  MISA,
  menvcfg,
  mip,
  mstatus,
  mstatusBit,
  PMP_ENTRIES,
  privilege,
  satpMode,
} from "../riscv/csr.ts"
import { cause } from "../riscv/trap.ts"
import { type Expr, type FunctionBuilder, type FunctionRef, i32, i64, type ModuleBuilder } from "../wasm/index.ts"
import { CSR_INDEX } from "./layout.ts"
import { exitReason, type FieldName, get32, get64, holdBudget, set32, set64 } from "./state.ts"
import { raise } from "./translation.ts"

export interface CsrAccess {
  /** `csrRead(number, writes)`: the value; asks for a trap when the access is not allowed. */
  readonly read: FunctionRef
  /** `csrWrite(number, value)`. */
  readonly write: FunctionRef
  /** What CSR_INDEX must hold. */
  readonly index: Uint8Array
}

/** Virtual nanoseconds in one tick of `time`: 10 MHz. */
const NANOSECONDS_PER_TICK = 100

const DELEGABLE_INTERRUPTS = mip.SSIP | mip.STIP | mip.SEIP
const ALL_INTERRUPTS = mip.SSIP | mip.MSIP | mip.STIP | mip.MTIP | mip.SEIP | mip.MEIP
const DELEGABLE_EXCEPTIONS = 0xb3ffn
const MSTATUS_WRITABLE =
  mstatus.SIE |
  mstatus.MIE |
  mstatus.SPIE |
  mstatus.MPIE |
  mstatus.SPP |
  mstatus.MPP |
  mstatus.FS |
  mstatus.MPRV |
  mstatus.SUM |
  mstatus.MXR |
  mstatus.TVM |
  mstatus.TW |
  mstatus.TSR
const SSTATUS_WRITABLE = mstatus.SIE | mstatus.SPIE | mstatus.SPP | mstatus.FS | mstatus.SUM | mstatus.MXR
const SSTATUS_READABLE = SSTATUS_WRITABLE | mstatus.UXL
const COUNTERS = 7n

/** Instructions executed before the one that is running. */
export const executed = (): Expr<"i64"> => i64.sub(i64.sub(get64("target"), i64.extendu(get32("count"))), 1)

interface Register {
  readonly read: (f: FunctionBuilder) => Expr<"i64">
  /** null: read-only in fact or by number; a write changes nothing. */
  readonly write: ((f: FunctionBuilder, value: Expr<"i64">) => void) | null
  /** Yields 1 when this access is an illegal instruction for a reason of its own. */
  readonly forbidden?: () => Expr<"i32">
}

const merge = (old: Expr<"i64">, value: Expr<"i64">, mask: bigint) => i64.or(i64.and(old, ~mask), i64.and(value, mask))

export const defineCsrAccess = (
  module: ModuleBuilder,
  effects: { contextChanged: FunctionRef; flushTranslations: FunctionRef; pmpChanged: FunctionRef },
): CsrAccess => {
  const plain = (name: FieldName, mask = -1n, after?: (f: FunctionBuilder) => void): Register => ({
    read: () => get64(name),
    write: (f, value) => {
      set64(f, name, mask === -1n ? value : i64.and(value, mask))
      after?.(f)
    },
  })
  const constant = (value: bigint): Register => ({ read: () => i64.const(value), write: null })
  const reconsider = holdBudget
  const changeContext = (f: FunctionBuilder) => {
    f.call(effects.contextChanged)
    holdBudget(f)
  }
  const floatOff = () => i64.eqz(i64.and(get64("mstatus"), mstatus.FS))
  const setFloatDirty = (f: FunctionBuilder) => set64(f, "mstatus", i64.or(get64("mstatus"), mstatus.FS))
  const trapVector = (name: FieldName): Register => ({
    read: () => get64(name),
    write: (f, value) => f.if(i64.eqz(i64.and(value, 2)), () => set64(f, name, value)),
  })
  /** With dirty floating-point state the summary bit is set. */
  const status = () =>
    i64.or(get64("mstatus"), i64.shl(i64.extendu(i64.eq(i64.and(get64("mstatus"), mstatus.FS), mstatus.FS)), 63))
  const writeStatus = (f: FunctionBuilder, value: Expr<"i64">, mask: bigint) => {
    const legal = f.let(merge(get64("mstatus"), value, mask))
    // MPP = 2 names no privilege: the old one stays.
    f.if(i64.eq(i64.and(legal, mstatus.MPP), 2n << 11n), () =>
      f.set(legal, merge(legal, get64("mstatus"), mstatus.MPP)),
    )
    set64(f, "mstatus", legal)
    changeContext(f)
  }
  const level = () => get32("privilege")
  /** A counter below machine mode needs its bit in mcounteren, in user mode in scounteren too. */
  const counterOff = (bit: bigint) => () =>
    i32.or(
      i32.and(i32.ltu(level(), privilege.machine), i64.eqz(i64.and(get64("mcounteren"), bit))),
      i32.and(i32.eq(level(), privilege.user), i64.eqz(i64.and(get64("scounteren"), bit))),
    )
  const ticks = () => i64.add(i64.divu(i64.add(executed(), get64("skew")), NANOSECONDS_PER_TICK), get64("timeOffset"))
  const counter = (offset: "mcycleOffset" | "minstretOffset", writable: boolean): Register => ({
    read: () => i64.add(executed(), get64(offset)),
    // The value written is what the next instruction reads.
    write: writable ? (f, value) => set64(f, offset, i64.sub(i64.sub(value, executed()), 1)) : null,
  })

  /** Locked entries keep their byte; reserved bits read as zero. */
  const pmpConfig = (name: "pmpcfg0" | "pmpcfg2"): Register => ({
    read: () => get64(name),
    write: (f, value) => {
      const old = f.let(get64(name))
      const locked = f.let(i64.mul(i64.shru(i64.and(old, 0x8080808080808080n), 7), 0xff))
      const legal = i64.and(value, 0x9f9f9f9f9f9f9f9fn)
      set64(f, name, i64.or(i64.and(old, locked), i64.and(legal, i64.xor(locked, -1))))
      f.call(effects.pmpChanged)
      f.call(effects.flushTranslations)
      changeContext(f)
    },
  })
  const pmpAddress = (entry: number): Register => ({
    read: () => get64("pmpaddr", entry),
    write: (f, value) => {
      const configOf = (index: number) => i32.wrap(i64.shru(get64(index < 8 ? "pmpcfg0" : "pmpcfg2"), (index % 8) * 8))
      // Locked by itself, or as the lower bound of a locked top-of-range entry.
      const locked = i32.and(configOf(entry), 0x80)
      const lockedAbove = entry + 1 < PMP_ENTRIES ? i32.eq(i32.and(configOf(entry + 1), 0x98), 0x88) : i32.const(0)
      f.if(i32.eqz(i32.or(locked, lockedAbove)), () => {
        set64(f, "pmpaddr", i64.and(value, (1n << 54n) - 1n), entry)
        f.call(effects.pmpChanged)
        f.call(effects.flushTranslations)
        changeContext(f)
      })
    },
  })

  const registers: Record<CsrName, Register> = {
    fflags: {
      read: () => i64.extendu(get32("fflags")),
      write: (f, value) => {
        set32(f, "fflags", i32.and(i32.wrap(value), 31))
        setFloatDirty(f)
      },
      forbidden: floatOff,
    },
    frm: {
      read: () => i64.extendu(get32("frm")),
      write: (f, value) => {
        set32(f, "frm", i32.and(i32.wrap(value), 7))
        setFloatDirty(f)
      },
      forbidden: floatOff,
    },
    fcsr: {
      read: () => i64.extendu(i32.or(get32("fflags"), i32.shl(get32("frm"), 5))),
      write: (f, value) => {
        set32(f, "fflags", i32.and(i32.wrap(value), 31))
        set32(f, "frm", i32.and(i32.wrap(i64.shru(value, 5)), 7))
        setFloatDirty(f)
      },
      forbidden: floatOff,
    },
    cycle: { ...counter("mcycleOffset", false), forbidden: counterOff(1n) },
    time: { read: ticks, write: null, forbidden: counterOff(2n) },
    instret: { ...counter("minstretOffset", false), forbidden: counterOff(4n) },
    mcycle: counter("mcycleOffset", true),
    minstret: counter("minstretOffset", true),
    mcountinhibit: constant(0n),

    sstatus: {
      read: () => i64.and(status(), SSTATUS_READABLE | mstatus.SD),
      write: (f, value) => writeStatus(f, value, SSTATUS_WRITABLE),
    },
    sie: {
      read: () => i64.and(get64("mie"), get64("mideleg")),
      write: (f, value) => {
        const mask = f.let(i64.and(get64("mideleg"), ALL_INTERRUPTS))
        set64(f, "mie", i64.or(i64.and(get64("mie"), i64.xor(mask, -1)), i64.and(value, mask)))
        reconsider(f)
      },
    },
    sip: {
      read: () => i64.and(get64("mip"), get64("mideleg")),
      write: (f, value) => {
        const mask = f.let(i64.and(get64("mideleg"), mip.SSIP))
        set64(f, "mip", i64.or(i64.and(get64("mip"), i64.xor(mask, -1)), i64.and(value, mask)))
        reconsider(f)
      },
    },
    stvec: trapVector("stvec"),
    scounteren: plain("scounteren", COUNTERS),
    senvcfg: plain("senvcfg", menvcfg.FIOM),
    sscratch: plain("sscratch"),
    sepc: plain("sepc", ~1n),
    scause: plain("scause"),
    stval: plain("stval"),
    stimecmp: {
      read: () => get64("stimecmp"),
      write: (f, value) => {
        set64(f, "stimecmp", value)
        set32(f, "exitReason", exitReason.timer)
        reconsider(f)
      },
      // Below machine mode Sstc must be given (menvcfg.STCE) and `time` be visible.
      forbidden: () =>
        i32.and(
          i32.ltu(level(), privilege.machine),
          i32.or(i64.eqz(i64.and(get64("menvcfg"), menvcfg.STCE)), i64.eqz(i64.and(get64("mcounteren"), 2))),
        ),
    },
    satp: {
      read: () => get64("satp"),
      write: (f, value) => {
        const mode = f.let(i64.shru(value, 60))
        const known = i32.or(i64.eqz(mode), i32.or(i64.eq(mode, satpMode.sv39), i64.eq(mode, satpMode.sv48)))
        f.if(known, () => {
          set64(f, "satp", value)
          set32(f, "space", 0)
          changeContext(f)
        })
      },
      forbidden: () =>
        i32.and(
          i32.eq(level(), privilege.supervisor),
          i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.TVM)), 1),
        ),
    },

    mstatus: { read: status, write: (f, value) => writeStatus(f, value, MSTATUS_WRITABLE) },
    misa: constant(MISA),
    medeleg: plain("medeleg", DELEGABLE_EXCEPTIONS),
    mideleg: plain("mideleg", DELEGABLE_INTERRUPTS, reconsider),
    mie: plain("mie", ALL_INTERRUPTS, reconsider),
    mip: {
      read: () => get64("mip"),
      write: (f, value) => {
        // With Sstc the timer comparison alone makes STIP.
        const mask = f.let(
          i64.select(
            mip.SSIP | mip.SEIP,
            mip.SSIP | mip.SEIP | mip.STIP,
            i64.ne(i64.and(get64("menvcfg"), menvcfg.STCE), 0),
          ),
        )
        set64(f, "mip", i64.or(i64.and(get64("mip"), i64.xor(mask, -1)), i64.and(value, mask)))
        reconsider(f)
      },
    },
    mtvec: trapVector("mtvec"),
    mcounteren: plain("mcounteren", COUNTERS),
    menvcfg: plain("menvcfg", menvcfg.FIOM | menvcfg.STCE, f => {
      set32(f, "exitReason", exitReason.timer)
      reconsider(f)
    }),
    mscratch: plain("mscratch"),
    mepc: plain("mepc", ~1n),
    mcause: plain("mcause"),
    mtval: plain("mtval"),
    pmpcfg0: pmpConfig("pmpcfg0"),
    pmpcfg2: pmpConfig("pmpcfg2"),
    pmpaddr0: pmpAddress(0),
    mvendorid: constant(0n),
    marchid: constant(0n),
    mimpid: constant(0n),
    mhartid: { read: () => get64("mhartid"), write: null },
    mconfigptr: constant(0n),
    // One trigger of type 0: there is none.
    tselect: constant(0n),
    tdata1: constant(0n),
    tdata2: constant(0n),
    tdata3: constant(0n),
  }

  const numbered: [number, Register][] = (Object.keys(csrNumber) as CsrName[]).map(name => [
    csrNumber[name],
    registers[name],
  ])
  for (let entry = 1; entry < PMP_ENTRIES; entry++) numbered.push([csrNumber.pmpaddr0 + entry, pmpAddress(entry)])
  const zero: Register = { read: () => i64.const(0), write: null }
  for (let number = HPM_COUNTERS.first; number <= HPM_COUNTERS.last; number++) {
    numbered.push([HPM_COUNTERS.mcounter + number, zero], [HPM_COUNTERS.event + number, zero])
    numbered.push([HPM_COUNTERS.counter + number, { ...zero, forbidden: counterOff(1n << BigInt(number)) }])
  }
  const index = new Uint8Array(4096)
  for (const [position, [number]] of numbered.entries()) index[number] = position + 1

  const read = module.function(
    "csrRead",
    { params: ["i32", "i32"], result: "i64" },
    f => {
      const number = f.param(0, "i32")
      const writes = f.param(1, "i32")
      const illegal = () => {
        raise(f, cause.illegalInstruction, i64.const(0))
        f.return(i64.const(0))
      }
      const position = f.let(i32.load8u(number, CSR_INDEX))
      // Bits 9:8 are the lowest privilege, bits 11:10 both set mean read-only.
      const tooLow = i32.ltu(get32("privilege"), i32.and(i32.shru(number, 8), 3))
      const readOnly = i32.and(writes, i32.eq(i32.shru(number, 10), 3))
      f.if(i32.or(tooLow, readOnly), illegal)
      const cases = numbered.map(([, register]) => () => {
        if (register.forbidden) f.if(register.forbidden(), illegal)
        f.return(register.read(f))
      })
      f.switch(position, [illegal, ...cases], illegal)
      f.unreachable()
    },
    { exported: true },
  )

  const write = module.function("csrWrite", { params: ["i32", "i64"], result: null }, f => {
    const number = f.param(0, "i32")
    const value = f.param(1, "i64")
    const nothing = () => {}
    const cases = numbered.map(([, register]) => {
      const action = register.write
      return action ? () => f.scope(() => action(f, value)) : nothing
    })
    f.switch(i32.load8u(number, CSR_INDEX), [nothing, ...cases], nothing)
  })
  return { read, write, index }
}
