/**
 * Taking traps and coming back from them. RISC-V privileged ISA, sections 3.1.6 to 3.1.9 (stack, delegation, interrupts), 3.3.2
 * (trap return) and 12.1.
 */
import { mstatus, mstatusBit, privilege } from "../riscv/csr.ts"
import { cause, interrupt } from "../riscv/trap.ts"
import {
  callI64,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type ModuleBuilder,
} from "../wasm/index.ts"
import { HIT, INTERRUPT_LOG, INTERRUPT_LOG_ENTRIES, INTERRUPT_LOG_ENTRY_BYTES, INTERRUPT_LOG_MAX } from "./layout.ts"
import { hitKind, isObserved, isPassed, report } from "./observation.ts"
import { exitReason, get32, get64, holdBudget, set32, set64 } from "./state.ts"

const INTERRUPT = -(2n ** 63n)

export interface TrapDelivery {
  /** `takeTrap(pc, cause, value)`: enters the handler; gives its address. Interrupts carry the top bit. */
  readonly takeTrap: FunctionRef
  /** `takeException(pc, wordAt…)`: the trap asked for in the state. */
  readonly takeException: FunctionRef
  /** `pollInterrupts(pc)`: takes the most urgent enabled interrupt, if any; gives where to go on. */
  readonly pollInterrupts: FunctionRef
  /** `mret()` and `sret()`: give the address to go to, or -1 for an illegal instruction. */
  readonly mret: FunctionRef
  readonly sret: FunctionRef
}

const bit = (position: number) => 1n << BigInt(position)

/** Copies bit `from` of `value` to bit `to`. */
const moveBit = (value: Expr<"i64">, from: number, to: number): Expr<"i64"> =>
  i64.shl(i64.and(i64.shru(value, from), 1), to)

/** Leaves word of an interrupt for the event log; when there is no more room the run ends, so that somebody reads it. */
const noteInterrupt = (f: FunctionBuilder, number: Expr<"i64">): void => {
  const count = f.let(i32.load(INTERRUPT_LOG))
  f.if(i32.ltu(count, INTERRUPT_LOG_MAX), () => writeInterrupt(f, count, number))
}

const writeInterrupt = (f: FunctionBuilder, count: Expr<"i32">, number: Expr<"i64">): void => {
  const entry = f.let(i32.add(i32.mul(count, INTERRUPT_LOG_ENTRY_BYTES), INTERRUPT_LOG_ENTRIES))
  f.storeI64(entry, number)
  f.storeI64(entry, i64.sub(get64("target"), i64.extendu(get32("count"))), 8)
  f.storeI32(INTERRUPT_LOG, i32.add(count, 1))
  f.if(i32.geu(count, INTERRUPT_LOG_MAX - 2), () => set32(f, "exitReason", exitReason.device))
}

/** Says which trap it is. */
const reportTrap = (f: FunctionBuilder, kind: number, code: Expr<"i64">): void => {
  report(f, kind)
  f.storeI64(HIT, code, 24)
}

/** Has watched registers looked at: after an exception, and after the first instruction of an interrupt's handler. */
const holdAfterNext = (f: FunctionBuilder, isInterrupt: Expr<"i32">): void => {
  holdBudget(f)
  f.if(i32.and(isInterrupt, i32.ne(get32("held"), 0)), () => {
    set32(f, "held", i32.sub(get32("held"), 1))
    set32(f, "count", 1)
  })
}

export const defineTrapDelivery = (
  module: ModuleBuilder,
  contextChanged: FunctionRef,
  wordAt: FunctionRef,
): TrapDelivery => {
  const takeTrap = module.function("takeTrap", { params: ["i64", "i64", "i64"], result: "i64" }, f => {
    const pc = f.param(0, "i64")
    const code = f.param(1, "i64")
    const value = f.param(2, "i64")
    const status = f.let(get64("mstatus"))
    const number = f.let(i64.and(code, 63))
    const isInterrupt = f.let(i64.lts(code, 0))
    const delegation = i64.select(get64("mideleg"), get64("medeleg"), isInterrupt)
    const delegated = f.let(i32.wrap(i64.and(i64.shru(delegation, number), 1)))
    const vector = f.local("i64")
    f.if(
      i32.and(delegated, i32.ne(get32("privilege"), privilege.machine)),
      () => {
        set64(f, "sepc", pc)
        set64(f, "scause", code)
        set64(f, "stval", value)
        const kept = i64.and(status, ~(mstatus.SIE | mstatus.SPIE | mstatus.SPP))
        set64(
          f,
          "mstatus",
          i64.or(
            i64.or(kept, moveBit(status, mstatusBit.SIE, mstatusBit.SPIE)),
            i64.shl(i64.extendu(get32("privilege")), mstatusBit.SPP),
          ),
        )
        set32(f, "privilege", privilege.supervisor)
        f.set(vector, get64("stvec"))
      },
      () => {
        set64(f, "mepc", pc)
        set64(f, "mcause", code)
        set64(f, "mtval", value)
        const kept = i64.and(status, ~(mstatus.MIE | mstatus.MPIE | mstatus.MPP))
        set64(
          f,
          "mstatus",
          i64.or(
            i64.or(kept, moveBit(status, mstatusBit.MIE, mstatusBit.MPIE)),
            i64.shl(i64.extendu(get32("privilege")), mstatusBit.MPP),
          ),
        )
        set32(f, "privilege", privilege.machine)
        f.set(vector, get64("mtvec"))
      },
    )
    f.call(contextChanged)
    f.if(isInterrupt, () => noteInterrupt(f, number))
    f.if(isObserved("state"), () => holdAfterNext(f, isInterrupt))
    const base = f.let(i64.and(vector, ~3n))
    f.if(i32.and(isInterrupt, i32.wrap(i64.and(vector, 1))), () => f.return(i64.add(base, i64.shl(number, 2))))
    f.return(base)
    f.unreachable()
  })

  const takeException = module.function("takeException", { params: ["i64"], result: "i64" }, f => {
    const pc = f.param(0, "i64")
    const code = f.let(get64("trapCause"))
    const value = f.let(get64("trapValue"))
    set32(f, "trapped", 0)
    // An instruction that trapped did not retire: minstret must not count it.
    set64(f, "minstretOffset", i64.sub(get64("minstretOffset"), 1))
    f.if(i64.eq(code, cause.illegalInstruction), () => f.set(value, callI64(wordAt, pc)))
    f.if(isObserved("exceptions"), () => {
      reportTrap(f, hitKind.exception, code)
      holdBudget(f)
    })
    f.return(callI64(takeTrap, pc, code, value))
    f.unreachable()
  })

  const pollInterrupts = module.function("pollInterrupts", { params: ["i64"], result: "i64" }, f => {
    const pc = f.param(0, "i64")
    const pending = f.let(i64.and(get64("mip"), get64("mie")))
    f.if(i64.eqz(pending), () => f.return(pc))
    const level = f.let(get32("privilege"))
    const status = f.let(get64("mstatus"))
    const candidates = f.local("i64")
    const machineEnabled = i32.or(
      i32.ltu(level, privilege.machine),
      i32.and(i32.wrap(i64.shru(status, mstatusBit.MIE)), 1),
    )
    f.if(machineEnabled, () => f.set(candidates, i64.and(pending, i64.xor(get64("mideleg"), -1))))
    f.if(i64.eqz(candidates), () => {
      const supervisorEnabled = i32.or(
        i32.eq(level, privilege.user),
        i32.and(i32.eq(level, privilege.supervisor), i32.and(i32.wrap(i64.shru(status, mstatusBit.SIE)), 1)),
      )
      f.if(supervisorEnabled, () => f.set(candidates, i64.and(pending, get64("mideleg"))))
      f.if(i64.eqz(candidates), () => f.return(pc))
    })
    // Most urgent first. Section 3.1.9.
    const order = [
      interrupt.machineExternal,
      interrupt.machineSoftware,
      interrupt.machineTimer,
      interrupt.supervisorExternal,
      interrupt.supervisorSoftware,
      interrupt.supervisorTimer,
    ]
    const tell = (number: number) =>
      f.if(isObserved("interrupts"), () =>
        f.if(i32.eqz(isPassed()), () => {
          reportTrap(f, hitKind.interrupt, i64.const(number))
          holdBudget(f)
          f.return(pc)
        }),
      )
    for (const number of order)
      f.if(i64.ne(i64.and(candidates, bit(number)), 0), () => {
        tell(number)
        f.return(callI64(takeTrap, pc, i64.const(INTERRUPT | BigInt(number)), i64.const(0)))
      })
    f.return(pc)
    f.unreachable()
  })

  const giveBack = (
    f: FunctionBuilder,
    previous: Expr<"i64">,
    clear: bigint,
    enableFrom: number,
    enableTo: number,
    address: Expr<"i64">,
  ) => {
    const status = f.let(get64("mstatus"))
    const level = f.let(previous)
    const enabled = moveBit(status, enableFrom, enableTo)
    const cleared = f.let(i64.and(status, ~clear))
    // Leaving machine mode ends MPRV.
    f.if(i64.ne(level, privilege.machine), () => f.set(cleared, i64.and(cleared, ~mstatus.MPRV)))
    set64(f, "mstatus", i64.or(i64.or(cleared, enabled), bit(enableFrom)))
    set32(f, "privilege", i32.wrap(level))
    f.call(contextChanged)
    f.return(address)
    f.unreachable()
  }

  const mret = module.function("mret", { params: [], result: "i64" }, f => {
    f.if(i32.ne(get32("privilege"), privilege.machine), () => f.return(i64.const(-1)))
    giveBack(
      f,
      i64.and(i64.shru(get64("mstatus"), mstatusBit.MPP), 3),
      mstatus.MIE | mstatus.MPIE | mstatus.MPP,
      mstatusBit.MPIE,
      mstatusBit.MIE,
      get64("mepc"),
    )
  })
  const sret = module.function("sret", { params: [], result: "i64" }, f => {
    const level = get32("privilege")
    const trapped = i32.and(
      i32.eq(level, privilege.supervisor),
      i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.TSR)), 1),
    )
    f.if(i32.or(i32.eq(level, privilege.user), trapped), () => f.return(i64.const(-1)))
    giveBack(
      f,
      i64.and(i64.shru(get64("mstatus"), mstatusBit.SPP), 1),
      mstatus.SIE | mstatus.SPIE | mstatus.SPP,
      mstatusBit.SPIE,
      mstatusBit.SIE,
      get64("sepc"),
    )
  })
  return { takeTrap, takeException, pollInterrupts, mret, sret }
}
