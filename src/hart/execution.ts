/**
 * What interpreter and translator have in common of an instruction's execution: memory through the TLB, atomics, floating point. They
 * differ in where operands come from, in what happens where the TLB knows nothing, and in control flow.
 */
import type { OperandName } from "../riscv/format.ts"
import type { AmoWidth, FloatOperands, FloatOperation, LoadWidth, Semantics, StoreWidth } from "../riscv/semantics.ts"
import { type Cause, cause } from "../riscv/trap.ts"
import {
  call,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
} from "../wasm/index.ts"
import type { FloatLibrary } from "./float/index.ts"
import { RAM, RAM_BASE, TLB_READ, TLB_WRITE } from "./layout.ts"
import { type AtomicKind, tlbIndex } from "./memory-access.ts"
import { get32, get64, set64 } from "./state.ts"
import { markLine } from "./written-lines.ts"

/** How each width is read. */
export const loads: Record<LoadWidth, { bytes: number; read: (address: Expr<"i32">, offset?: number) => Expr<"i64"> }> =
  {
    i8: { bytes: 1, read: i64.load8s },
    u8: { bytes: 1, read: i64.load8u },
    i16: { bytes: 2, read: i64.load16s },
    u16: { bytes: 2, read: i64.load16u },
    i32: { bytes: 4, read: i64.load32s },
    u32: { bytes: 4, read: i64.load32u },
    i64: { bytes: 8, read: i64.load },
  }

const CANONICAL_NAN = 0x7fc00000
const BOX = -0x100000000n

/** The guest's physical address of a place in its RAM. */
const physicalOf = (host: Expr<"i32">): Expr<"i64"> => i64.add(i64.extendu(host), RAM_BASE - RAM)

export abstract class Execution implements Semantics {
  readonly f: FunctionBuilder
  /** The running hart's TLBs. */
  protected readonly tlb: Expr<"i32">
  /** The low bits of the TLB tags of loads and stores. */
  protected readonly dataContext: Expr<"i64">

  constructor(f: FunctionBuilder, tlb: Expr<"i32">, dataContext: Expr<"i64">) {
    this.f = f
    this.tlb = tlb
    this.dataContext = dataContext
  }

  /** An operand as a record keeps it: a register's offset in its file, or a number. */
  protected abstract raw(name: OperandName): Expr<"i32">
  abstract readonly rs1: Expr<"i64">
  abstract readonly rs2: Expr<"i64">
  abstract readonly imm: Expr<"i64">
  abstract readonly pc: Expr<"i64">
  abstract readonly next: Expr<"i64">
  abstract rd(value: I64): void
  abstract branch(condition: I32): void
  abstract jumpRelative(): void
  abstract jump(address: Expr<"i64">): void
  abstract trap(code: Cause, value: I64): void
  abstract csr(compute: ((old: Expr<"i64">) => Expr<"i64">) | null): Expr<"i64">
  abstract csrUnlessZero(compute: (old: Expr<"i64">) => Expr<"i64">): Expr<"i64">
  abstract system(kind: Parameters<Semantics["system"]>[0]): void
  abstract sfenceVma(): void

  /** Where the TLB knows nothing: sets `host` to where the value lies, or leaves the instruction. */
  protected abstract findLoad(host: Local<"i32">, virtual: Expr<"i64">, bytes: number): void
  /** Stores where the TLB knows nothing, or leaves the instruction. */
  protected abstract storeElsewhere(width: StoreWidth, virtual: Expr<"i64">, value: Expr<"i64">): void
  /** Where the TLB knows nothing: sets `host` to where an atomic acts, or leaves the instruction. */
  protected abstract findAtomic(host: Local<"i32">, virtual: Expr<"i64">, width: AmoWidth, kind: AtomicKind): void
  /** After an atomic wrote to a place that `findAtomic` found. */
  protected abstract wroteFound(width: AmoWidth): void
  protected abstract floatFunction(name: keyof FloatLibrary): FunctionRef

  /** The TLB tag an access of `bytes` bytes must find: an unaligned address finds none. */
  private tag(address: Expr<"i64">, bytes: number): Expr<"i64"> {
    return i64.or(i64.and(address, BigInt(bytes - 1) | ~0xfffn), this.dataContext)
  }
  private entry(address: Expr<"i64">): Local<"i32"> {
    return this.f.let(i32.add(this.tlb, tlbIndex(address)))
  }
  private hostAddress(address: Expr<"i64">, entry: Expr<"i32">, which: number): Expr<"i32"> {
    return i32.add(i32.wrap(address), i32.load(entry, which + 8))
  }

  /** Where an access acts in this memory; `find` sets it where the TLB knows nothing. */
  private hostPlace(
    which: number,
    virtual: Expr<"i64">,
    bytes: number,
    find: (host: Local<"i32">) => void,
  ): Local<"i32"> {
    const { f } = this
    const entry = this.entry(virtual)
    const host = f.local("i32")
    f.if(
      i64.eq(i64.load(entry, which), this.tag(virtual, bytes)),
      () => f.set(host, this.hostAddress(virtual, entry, which)),
      () => find(host),
    )
    return host
  }

  load(width: LoadWidth, address: Expr<"i64">): Expr<"i64"> {
    const { f } = this
    const { bytes, read } = loads[width]
    const virtual = f.let(address)
    return f.let(read(this.hostPlace(TLB_READ, virtual, bytes, host => this.findLoad(host, virtual, bytes))))
  }

  store(width: StoreWidth, address: Expr<"i64">, value: Expr<"i64">): void {
    const { f } = this
    const virtual = f.let(address)
    const entry = this.entry(virtual)
    f.if(
      i64.eq(i64.load(entry, TLB_WRITE), this.tag(virtual, width)),
      () => this.write(width, this.hostAddress(virtual, entry, TLB_WRITE), value),
      () => this.storeElsewhere(width, virtual, value),
    )
  }

  protected write(width: StoreWidth, place: Expr<"i32">, value: Expr<"i64">): void {
    const { f } = this
    const host = f.let(place)
    markLine(f, host)
    if (width === 1) f.storeI64As8(host, value)
    else if (width === 2) f.storeI64As16(host, value)
    else if (width === 4) f.storeI64As32(host, value)
    else f.storeI64(host, value)
  }

  /** Where an atomic acts in this memory, and whether it got there by the slow path. */
  private atomicPlace(
    kind: AtomicKind,
    width: AmoWidth,
    virtual: Expr<"i64">,
  ): { host: Local<"i32">; slow: Local<"i32"> } {
    const { f } = this
    const slow = f.local("i32")
    f.set(slow, 0)
    const host = this.hostPlace(TLB_WRITE, virtual, width, found => {
      this.findAtomic(found, virtual, width, kind)
      f.set(slow, 1)
    })
    return { host, slow }
  }

  /** After an atomic wrote on the slow path. */
  private wroteAtomic(slow: Expr<"i32">, width: AmoWidth): void {
    this.f.if(slow, () => this.wroteFound(width))
  }

  amo(width: AmoWidth, address: Expr<"i64">, compute: (old: Expr<"i64">) => Expr<"i64">): Expr<"i64"> {
    const { f } = this
    const virtual = f.let(address)
    const { host, slow } = this.atomicPlace("amo", width, virtual)
    const old = f.let(width === 4 ? i64.load32s(host) : i64.load(host))
    this.write(width, host, compute(old))
    this.wroteAtomic(slow, width)
    return old
  }

  loadReserved(width: AmoWidth, address: Expr<"i64">): Expr<"i64"> {
    const { f } = this
    const virtual = f.let(address)
    const host = this.hostPlace(TLB_READ, virtual, width, found =>
      this.findAtomic(found, virtual, width, "loadReserved"),
    )
    const value = f.let(width === 4 ? i64.load32s(host) : i64.load(host))
    set64(f, "reservation", physicalOf(host))
    set64(f, "reservedValue", value)
    return value
  }

  storeConditional(width: AmoWidth, address: Expr<"i64">, value: Expr<"i64">): Expr<"i64"> {
    const { f } = this
    const virtual = f.let(address)
    const { host, slow } = this.atomicPlace("storeConditional", width, virtual)
    const held = i32.and(
      i64.eq(get64("reservation"), physicalOf(host)),
      i64.eq(get64("reservedValue"), width === 4 ? i64.load32s(host) : i64.load(host)),
    )
    const failed = f.let(i64.const(1))
    f.if(held, () => {
      this.write(width, host, value)
      this.wroteAtomic(slow, width)
      f.set(failed, 0)
    })
    set64(f, "reservation", -1)
    return failed
  }

  protected illegalUnless(permitted: Expr<"i32">): void {
    this.f.if(i32.eqz(permitted), () => this.trap(cause.illegalInstruction, 0))
  }

  /** The bits of a floating-point register. */
  protected abstract floatRegister(name: OperandName): Expr<"i64">
  /** Writes the floating-point destination. */
  protected abstract setFloatRegister(bits: Expr<"i64">): void
  abstract requireFloat(): void
  /** A floating-point register or flag may have been written: mstatus.FS says so. */
  protected abstract setFloatDirty(): void

  get rawFs1(): Expr<"i64"> {
    return this.floatRegister("rs1")
  }
  get rawFs2(): Expr<"i64"> {
    return this.floatRegister("rs2")
  }

  /** The rounding mode in force; an illegal instruction when it is none. */
  private roundingMode(): Expr<"i32"> {
    const { f } = this
    const mode = f.let(this.raw("rm"))
    f.if(i32.gtu(mode, 4), () => {
      this.illegalUnless(i32.eq(mode, 7))
      f.set(mode, get32("frm"))
      this.illegalUnless(i32.leu(mode, 4))
    })
    return mode
  }

  /** The result of one of the library's functions, which raises the flags that are due. */
  protected callFloat(name: keyof FloatLibrary, operands: readonly Expr[]): Local {
    const callee = this.floatFunction(name)
    const rounds = callee.type.params.length > operands.length
    return this.f.let(call(callee, ...operands, ...(rounds ? [this.roundingMode()] : [])))
  }
  protected computeFloat(name: keyof FloatLibrary, operands: readonly Expr[]): Expr {
    const result = this.callFloat(name, operands)
    this.setFloatDirty()
    return result
  }

  get double(): FloatOperands<"i64"> {
    return this.floatOperands<"i64">(
      "64",
      bits => bits,
      bits => bits,
    )
  }
  get single(): FloatOperands<"i32"> {
    return this.floatOperands<"i32">(
      "32",
      // Boxed: all ones above. Anything else reads as the canonical NaN.
      bits => i32.select(i32.wrap(bits), CANONICAL_NAN, i64.eq(i64.shrs(bits, 32), -1)),
      bits => i64.or(i64.extendu(bits), BOX),
    )
  }

  private floatOperands<T extends "i32" | "i64">(
    suffix: "32" | "64",
    read: (bits: Expr<"i64">) => Expr<T>,
    box: (bits: Expr<T>) => Expr<"i64">,
  ): FloatOperands<T> {
    const semantics = this
    return {
      get fs1() {
        return read(semantics.floatRegister("rs1"))
      },
      get fs2() {
        return read(semantics.floatRegister("rs2"))
      },
      get fs3() {
        return read(semantics.floatRegister("rs3"))
      },
      fd(bits) {
        semantics.setFloatRegister(box(bits))
        semantics.setFloatDirty()
      },
      compute: (name: FloatOperation, ...operands) =>
        semantics.computeFloat(
          (name.includes("_") ? `${name}_${suffix}` : `${name}${suffix}`) as keyof FloatLibrary,
          operands,
        ),
    }
  }

  narrow(): Expr<"i32"> {
    return this.computeFloat("narrow", [this.double.fs1]) as Expr<"i32">
  }
  widen(): Expr<"i64"> {
    // The rounding mode does nothing here, but a reserved one is still illegal.
    this.roundingMode()
    return this.computeFloat("widen", [this.single.fs1]) as Expr<"i64">
  }
}
