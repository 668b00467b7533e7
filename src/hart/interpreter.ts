/**
 * The interpreter: one function with a jump table over predecoded records, its cases made from the instruction table.
 *
 * It runs until its budget is used up or something outside the hart must act. Interrupts are looked at when it starts and after
 * every instruction that can change what is pending or enabled (CSR writes, trap returns, device accesses): those put the budget
 * aside (`holdBudget`), the loop ends, and goes on once the interrupts have been looked at.
 */
import { mstatus, mstatusBit, privilege } from "../riscv/csr.ts"
import type { OperandName } from "../riscv/format.ts"
import type { AmoWidth, StoreWidth } from "../riscv/semantics.ts"
import { type Cause, cause } from "../riscv/trap.ts"
import {
  callI32,
  callI64,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type I64,
  i32,
  i64,
  type Label,
  type Local,
  type ModuleBuilder,
} from "../wasm/index.ts"
import { countJump, type Fetch, operation, originalOperation } from "./code-cache.ts"
import type { CsrAccess } from "./csr-access.ts"
import { type Operation, operations, slotOffset } from "./decoder.ts"
import { Execution } from "./execution.ts"
import type { FloatLibrary } from "./float/index.ts"
import { CODE, CROSSING_RECORD, HIT, RECORD_BYTES, RECORD_SHIFT, TLB_FETCH } from "./layout.ts"
import { type AtomicKind, atomicKinds, type MemoryAccess, tlbBase, tlbIndex } from "./memory-access.ts"
import { hitKind, isObserved, type Observation, report } from "./observation.ts"
import { active, exitReason, get32, get64, holdBudget, set32, set64, X_DISCARD } from "./state.ts"
import { raise } from "./translation.ts"
import type { TrapDelivery } from "./trap-delivery.ts"

/** What the interpreter calls. */
export interface InterpreterParts {
  readonly memory: MemoryAccess
  readonly fetch: Fetch
  readonly csr: CsrAccess
  readonly traps: TrapDelivery
  readonly float: FloatLibrary
  /** `flushAddress(virtual)`: forgets the running hart's translations of one page. */
  readonly flushAddress: FunctionRef
  readonly forgetSpaces: FunctionRef
  /** `enterRegion(record, pc, count)`: runs the translated region that begins at a record; gives where to go on. */
  readonly enterRegion: FunctionRef
  readonly observation: Observation
}

/** The loop's variables and the places a case can go to. */
interface Frame {
  readonly f: FunctionBuilder
  readonly parts: InterpreterParts
  /** The record being executed. */
  readonly record: Local<"i32">
  /** Which case is being executed. */
  readonly operation: Local<"i32">
  /** Instructions left after this one. */
  readonly count: Local<"i32">
  /** pc minus the record's address in halfwords: pc = pcBias + (record >> 2). */
  readonly pcBias: Local<"i64">
  /** Where to go on, for `jump`. */
  readonly nextPc: Local<"i64">
  /** 1: the jump is a computed one, or a computed call, and no return. */
  readonly isComputed: Local<"i32">
  readonly tlb: Local<"i32">
  /** Next instruction: `record` names it. */
  readonly dispatch: Label
  /** The case that `operation` names. */
  readonly redo: Label
  /** Next instruction: `nextPc` names it. */
  readonly jump: Label
  /** The trap asked for in the state, at this instruction. */
  readonly trap: Label
  /** The budget is used up or put aside. */
  readonly exhausted: Label
}

const X = active("x")
const F = active("f")

/** An instruction's meaning with operands read from its record. */
class Interpretation extends Execution {
  private readonly frame: Frame
  private readonly operation: Operation

  constructor(frame: Frame, operation: Operation) {
    super(frame.f, frame.tlb, get64("dataContext"))
    this.frame = frame
    this.operation = operation
  }

  private operand(name: OperandName) {
    const found = this.operation.instruction.format.operands.find(operand => operand.name === name)
    if (!found) throw new Error(`${this.operation.instruction.name} has no operand ${name}`)
    return found
  }

  /** A number or register offset as the record keeps it. */
  protected raw(name: OperandName): Expr<"i32"> {
    const { slot } = this.operand(name)
    const at = slotOffset[slot]
    return slot.startsWith("byte") ? i32.load8u(this.frame.record, at) : i32.load16u(this.frame.record, at)
  }

  private register(name: OperandName): Expr<"i64"> {
    return i64.load(this.raw(name), X)
  }

  get rs1(): Expr<"i64"> {
    return this.register("rs1")
  }
  get rs2(): Expr<"i64"> {
    return this.register("rs2")
  }
  get imm(): Expr<"i64"> {
    const { slot } = this.operand("imm")
    const at = slotOffset[slot]
    return slot === "D" ? i64.load32s(this.frame.record, at) : i64.load16s(this.frame.record, at)
  }
  get pc(): Expr<"i64"> {
    return i64.add(this.frame.pcBias, i64.extendu(i32.shru(this.frame.record, RECORD_SHIFT)))
  }
  get next(): Expr<"i64"> {
    return i64.add(this.pc, this.operation.instruction.length)
  }
  rd(value: I64): void {
    this.f.storeI64(this.raw("rd"), value, X)
  }

  private spill(): void {
    set32(this.f, "count", this.frame.count)
  }
  private reload(): void {
    this.f.set(this.frame.count, get32("count"))
  }
  protected findLoad(host: Local<"i32">, virtual: Expr<"i64">, bytes: number): void {
    const { f, frame } = this
    this.spill()
    f.set(host, callI32(frame.parts.memory.loadSlow, virtual, i32.const(bytes)))
    f.brIf(frame.trap, i32.eqz(host))
    this.reload()
  }
  protected storeElsewhere(width: StoreWidth, virtual: Expr<"i64">, value: Expr<"i64">): void {
    const { f, frame } = this
    this.spill()
    f.brIf(frame.trap, callI32(frame.parts.memory.storeSlow, virtual, i32.const(width), value))
    this.reload()
  }
  protected findAtomic(host: Local<"i32">, virtual: Expr<"i64">, width: AmoWidth, kind: AtomicKind): void {
    const { f, frame } = this
    this.spill()
    const number = i32.const(atomicKinds.indexOf(kind))
    f.set(host, callI32(frame.parts.memory.atomicHost, virtual, i32.const(width), number))
    f.brIf(frame.trap, i32.eqz(host))
    this.reload()
  }
  protected wroteFound(width: AmoWidth): void {
    // `trapValue` holds the physical address.
    this.f.call(this.frame.parts.memory.wroteAtomic, get64("trapValue"), i32.const(width))
    this.reload()
  }
  protected floatFunction(name: keyof FloatLibrary): FunctionRef {
    return this.frame.parts.float[name]
  }

  protected floatRegister(name: OperandName): Expr<"i64"> {
    return i64.load(this.raw(name), F)
  }
  protected setFloatRegister(bits: Expr<"i64">): void {
    this.f.storeI64(this.raw("rd"), bits, F)
  }
  requireFloat(): void {
    this.illegalUnless(i64.ne(i64.and(get64("mstatus"), mstatus.FS), 0))
  }
  protected setFloatDirty(): void {
    set64(this.f, "mstatus", i64.or(get64("mstatus"), mstatus.FS))
  }

  branch(condition: Expr<"i32"> | number): void {
    this.f.if(condition, () => this.jumpRelative())
  }

  jumpRelative(): void {
    const { f, frame } = this
    const { slot } = this.operand("imm")
    const at = slotOffset[slot]
    const distance = slot === "D" ? i32.load(frame.record, at) : i32.load16s(frame.record, at)
    if (this.operation.near) {
      f.set(frame.record, i32.add(frame.record, distance))
      f.br(frame.dispatch)
    } else {
      f.set(frame.nextPc, i64.add(this.pc, i64.extend(distance)))
      f.br(frame.jump)
    }
  }

  jump(address: Expr<"i64">): void {
    // A jump from `ra` or `t0` that leaves no address behind is a return (unprivileged ISA, section 2.5.1).
    const [rd, rs1] = [this.raw("rd"), this.raw("rs1")]
    const isReturn = i32.and(i32.eq(rd, X_DISCARD * 8), i32.eq(i32.or(rs1, 4 * 8), 5 * 8))
    this.f.set(this.frame.isComputed, i32.eqz(isReturn))
    this.goTo(address)
  }
  private goTo(address: Expr<"i64">): void {
    this.f.set(this.frame.nextPc, address)
    this.f.br(this.frame.jump)
  }

  trap(code: Cause, value: I64): void {
    raise(this.f, code, typeof value === "object" ? value : i64.const(value))
    this.f.br(this.frame.trap)
  }

  csr(compute: ((old: Expr<"i64">) => Expr<"i64">) | null): Expr<"i64"> {
    return this.accessCsr(i32.const(compute ? 1 : 0), compute)
  }
  csrUnlessZero(compute: (old: Expr<"i64">) => Expr<"i64">): Expr<"i64"> {
    const source = this.operation.instruction.format.operands.some(operand => operand.name === "rs1") ? "rs1" : "imm"
    return this.accessCsr(this.f.let(i32.ne(this.raw(source), 0)), compute)
  }
  private accessCsr(writes: Expr<"i32">, compute: ((old: Expr<"i64">) => Expr<"i64">) | null): Expr<"i64"> {
    const { f, frame } = this
    const { csr } = frame.parts
    this.spill()
    const old = f.let(callI64(csr.read, this.raw("csr"), writes))
    f.brIf(frame.trap, get32("trapped"))
    if (compute) {
      f.if(writes, () => {
        f.call(csr.write, this.raw("csr"), compute(old))
        f.if(isObserved("state"), () => holdBudget(f))
        this.reload()
      })
    }
    return old
  }

  /** Stops the loop after this instruction. */
  private hold(): void {
    this.spill()
    holdBudget(this.f)
    this.reload()
  }

  system(kind: "ecall" | "ebreak" | "mret" | "sret" | "wfi" | "fence.i"): void {
    const { f, frame } = this
    const level = get32("privilege")
    const statusBit = (position: number) => i32.and(i32.wrap(i64.shru(get64("mstatus"), position)), 1)
    switch (kind) {
      case "ecall":
        f.if(i32.and(get32("builtinSbi"), i32.eq(level, privilege.supervisor)), () => {
          set32(f, "exitReason", exitReason.sbi)
          this.hold()
          f.br(frame.exhausted)
        })
        raise(f, i64.extendu(i32.add(level, cause.ecallFromU)), i64.const(0))
        f.br(frame.trap)
        return
      case "ebreak":
        return this.trap(cause.breakpoint, 0)
      case "mret":
      case "sret": {
        const target = f.let(callI64(frame.parts.traps[kind]))
        f.if(i64.eq(target, -1), () => this.trap(cause.illegalInstruction, 0))
        this.hold()
        return this.goTo(target)
      }
      case "wfi": {
        const forbidden = i32.or(
          i32.eq(level, privilege.user),
          i32.and(i32.eq(level, privilege.supervisor), statusBit(mstatusBit.TW)),
        )
        f.if(forbidden, () => this.trap(cause.illegalInstruction, 0))
        f.if(i64.eqz(i64.and(get64("mip"), get64("mie"))), () => {
          set32(f, "exitReason", exitReason.wait)
          this.hold()
        })
        return
      }
      case "fence.i":
        // Writes to predecoded code are seen at once.
        return
    }
  }

  sfenceVma(): void {
    const { f, frame } = this
    const level = get32("privilege")
    const forbidden = i32.or(
      i32.eq(level, privilege.user),
      i32.and(i32.eq(level, privilege.supervisor), i32.and(i32.wrap(i64.shru(get64("mstatus"), mstatusBit.TVM)), 1)),
    )
    f.if(forbidden, () => this.trap(cause.illegalInstruction, 0))
    f.if(
      i32.and(i32.ne(this.raw("rs1"), 0), i32.eqz(get32("superpages"))),
      () => f.call(frame.parts.flushAddress, this.rs1),
      () => f.call(frame.parts.forgetSpaces),
    )
    // The very next fetch uses the new tables.
    this.hold()
  }
}

/** Defines `run(budget)`: executes up to `budget` instructions of the running hart; gives an exit reason. */
export const defineInterpreter = (module: ModuleBuilder, parts: InterpreterParts): void => {
  const run = defineRun(module, parts)
  // `runWatching(budget)`: the same, with the watched fields of the state looked at after every instruction.
  module.function(
    "runWatching",
    { params: ["i32"], result: "i32" },
    f => {
      const left = f.param(0, "i32")
      f.loop(next => {
        const reason = f.let(callI32(run, i32.const(1)))
        f.if(reason, () => f.return(reason))
        f.if(callI32(parts.observation.stateChanged), () => {
          f.storeI32(HIT, hitKind.state)
          f.return(i32.const(exitReason.observed))
        })
        f.set(left, i32.sub(left, 1))
        f.brIf(next, left)
      })
      f.return(i32.const(exitReason.budget))
      f.unreachable()
    },
    { exported: true },
  )
}

const defineRun = (module: ModuleBuilder, parts: InterpreterParts): FunctionRef =>
  module.function(
    "run",
    { params: ["i32"], result: "i32" },
    f => {
      const budget = f.param(0, "i32")
      const record = f.local("i32")
      const operationNow = f.local("i32")
      const count = f.local("i32")
      const pcBias = f.local("i64")
      const nextPc = f.local("i64")
      const isComputed = f.local("i32")
      const tlb = f.let(tlbBase())
      const jumpPending = f.local("i32")
      const base = f.local("i32")
      const entry = f.local("i32")
      const pc = () => i64.add(pcBias, i64.extendu(i32.shru(record, RECORD_SHIFT)))

      set64(f, "target", i64.add(get64("target"), i64.extendu(budget)))
      set32(f, "held", 0)
      set32(f, "exitReason", exitReason.budget)
      set32(f, "count", budget)
      f.set(nextPc, callI64(parts.traps.pollInterrupts, get64("pc")))
      f.set(count, get32("count"))
      f.set(jumpPending, 1)

      f.loop(main => {
        f.block(trap => {
          f.block(jump => {
            f.block(exhausted => {
              f.brIf(jump, jumpPending)
              f.loop(dispatch => {
                f.brIf(exhausted, i32.eqz(count))
                f.set(count, i32.sub(count, 1))
                f.set(operationNow, i32.load16u(record))
                f.loop(redo => {
                  const frame: Frame = {
                    f,
                    parts,
                    record,
                    operation: operationNow,
                    count,
                    pcBias,
                    nextPc,
                    isComputed,
                    tlb,
                    dispatch,
                    redo,
                    jump,
                    trap,
                    exhausted,
                  }
                  f.switch(operationNow, cases(frame), () => f.unreachable())
                  f.unreachable()
                })
              })
            })
            // The budget is used up, or was put aside for this.
            f.if(i32.and(i32.ne(get32("held"), 0), i32.eqz(get32("exitReason"))), () => {
              f.if(isObserved("state"), () =>
                f.if(callI32(parts.observation.stateChanged), () => report(f, hitKind.state)),
              )
              f.if(i32.eqz(get32("exitReason")), () => {
                set32(f, "count", get32("held"))
                set32(f, "held", 0)
                f.set(nextPc, callI64(parts.traps.pollInterrupts, pc()))
                f.set(count, get32("count"))
                f.set(jumpPending, 1)
                f.br(main)
              })
            })
            set64(f, "pc", pc())
            set64(f, "target", i64.sub(get64("target"), i64.extendu(get32("held"))))
            set32(f, "count", 0)
            set32(f, "held", 0)
            f.return(get32("exitReason"))
          })
          // To `nextPc`: the page's records from the fetch TLB, or found and made.
          f.set(jumpPending, 0)
          f.set(entry, i32.add(tlb, tlbIndex(nextPc)))
          f.if(
            i64.eq(i64.load(entry, TLB_FETCH), i64.or(i64.and(nextPc, ~0xfffn), get64("fetchContext"))),
            () => f.set(base, i32.load(entry, TLB_FETCH + 8)),
            () => {
              // Without budget there is no fetch: it may trap.
              f.set(pcBias, nextPc)
              f.set(record, 0)
              f.brIf(main, i32.eqz(count))
              f.set(base, callI32(parts.fetch.fetchSlow, nextPc))
              f.if(i32.eqz(base), () => {
                f.set(count, i32.sub(count, 1))
                f.br(trap)
              })
            },
          )
          const from = f.let(record)
          f.set(record, i32.add(base, i32.shl(i32.and(i32.wrap(nextPc), 0xffe), RECORD_SHIFT)))
          f.if(i32.and(i32.geu(base, CODE), i32.ne(i32.load16u(record), operation.region)), () => {
            const isSamePage = i32.ltu(i32.sub(from, base), 4096 << RECORD_SHIFT)
            countJump(f, record, i32.and(isComputed, isSamePage))
          })
          f.set(isComputed, 0)
          f.set(pcBias, i64.sub(i64.and(nextPc, ~0xfffn), i64.extendu(i32.shru(base, RECORD_SHIFT))))
          f.br(main)
        })
        set32(f, "count", count)
        f.set(nextPc, callI64(parts.traps.takeException, pc()))
        f.set(count, get32("count"))
        f.set(jumpPending, 1)
        f.br(main)
      })
      f.unreachable()
    },
    { exported: true },
  )

/** The jump table. Operations that read the same slots and mean the same share a case. */
const cases = (frame: Frame): (() => void)[] => {
  const { f, parts, record, count, pcBias, nextPc } = frame
  const pc = () => i64.add(pcBias, i64.extendu(i32.shru(record, RECORD_SHIFT)))
  const giveBack = () => f.set(count, i32.add(count, 1))
  const special: (() => void)[] = []
  special[operation.decode] = () => {
    giveBack()
    f.call(parts.fetch.decodeAt, record)
    f.br(frame.dispatch)
  }
  special[operation.pageEnd] = () => {
    giveBack()
    f.set(nextPc, pc())
    f.br(frame.jump)
  }
  special[operation.crossing] = () => {
    f.set(nextPc, pc())
    f.brIf(frame.trap, callI32(parts.fetch.decodeCrossing, nextPc))
    giveBack()
    f.set(pcBias, i64.sub(nextPc, CROSSING_RECORD >> RECORD_SHIFT))
    f.set(record, CROSSING_RECORD)
    f.br(frame.dispatch)
  }
  special[operation.illegal] = () => {
    raise(f, cause.illegalInstruction, i64.const(0))
    f.br(frame.trap)
  }
  special[operation.region] = () => {
    giveBack()
    f.set(nextPc, callI64(parts.enterRegion, record, pc(), count))
    // Where the first instruction needs the interpreter, it is executed by it.
    f.if(i32.eq(get32("count"), count), () => {
      f.set(count, i32.sub(count, 1))
      f.set(frame.operation, originalOperation(record))
      f.br(frame.redo)
    })
    f.set(count, get32("count"))
    f.br(frame.jump)
  }
  special[operation.breakpoint] = () => {
    giveBack()
    set32(f, "count", count)
    f.if(callI32(parts.observation.isBreakpoint, pc()), () => {
      report(f, hitKind.breakpoint)
      holdBudget(f)
      f.set(count, 0)
      f.br(frame.exhausted)
    })
    f.set(count, i32.sub(count, 1))
    f.set(frame.operation, originalOperation(record))
    f.br(frame.redo)
  }
  const shared = new Map<string, () => void>()
  const meanings = new Map<unknown, number>()
  const bodies = operations.map(op => {
    const { instruction, near } = op
    if (!meanings.has(instruction.meaning)) meanings.set(instruction.meaning, meanings.size)
    const slots = instruction.format.operands.map(({ name, kind, slot }) => `${name}${kind}${slot}`).sort()
    const key = [meanings.get(instruction.meaning), instruction.length, near, ...slots].join()
    const body =
      shared.get(key) ??
      (() => {
        f.scope(() => instruction.meaning(new Interpretation(frame, op)))
        f.set(record, i32.add(record, (instruction.length / 2) * RECORD_BYTES))
        f.br(frame.dispatch)
      })
    shared.set(key, body)
    return body
  })
  return [...special, ...bodies]
}
