/** An instruction inside a region: operands known now, registers in locals, and what the region cannot do left to the interpreter. */
import { extract } from "../../riscv/field.ts"
import type { Operand, OperandName } from "../../riscv/format.ts"
import type { AmoWidth, LoadWidth, StoreWidth } from "../../riscv/semantics.ts"
import {
  callI32,
  type Expr,
  type FunctionRef,
  f32,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Local,
} from "../../wasm/index.ts"
import { Execution, loads } from "../execution.ts"
import { RNE } from "../float/format.ts"
import type { FloatLibrary } from "../float/index.ts"
import { RAM, RAM_BASE } from "../layout.ts"
import type { AtomicKind } from "../memory-access.ts"
import type { Block, PlacedInstruction } from "./control-flow.ts"
import { hostOperation } from "./host-float.ts"
import type { RegionWriter } from "./region-function.ts"

/** The rounding mode of an instruction that takes frm's. */
const DYNAMIC = 7

/** Where an instruction of a block stands among the block's. */
export interface Place {
  readonly block: Block
  readonly placed: PlacedInstruction
  /** Instructions of the block that have not begun when this one has not. */
  readonly left: number
}

const fromBits = (bits: Expr): Expr =>
  bits.type === "i64" ? f64.fromBits(bits as Expr<"i64">) : f32.fromBits(bits as Expr<"i32">)
const bitsOf = (value: Expr): Expr => {
  if (value.type === "f64") return i64.bits(value as Expr<"f64">)
  return value.type === "f32" ? i32.bits(value as Expr<"f32">) : value
}

/** An instruction's meaning with operands known now. */
export class RegionExecution extends Execution {
  private readonly writer: RegionWriter
  private readonly place: Place

  constructor(writer: RegionWriter, place: Place) {
    super(writer.f, writer.tlb, writer.dataContext)
    this.writer = writer
    this.place = place
  }

  private operand(name: OperandName): Operand {
    return this.place.placed.instruction.format.operands.find(operand => operand.name === name)!
  }
  private value(name: OperandName): number {
    return extract(this.operand(name).field, this.place.placed.word)
  }
  protected raw(name: OperandName): Expr<"i32"> {
    const value = this.value(name)
    return i32.const(this.operand(name).kind === "number" ? value : value * 8)
  }
  private register(name: OperandName): Expr<"i64"> {
    const register = this.value(name)
    return register === 0 ? i64.const(0) : this.writer.registers.get(register)!
  }
  get rs1(): Expr<"i64"> {
    return this.register("rs1")
  }
  get rs2(): Expr<"i64"> {
    return this.register("rs2")
  }
  get imm(): Expr<"i64"> {
    return i64.const(this.value("imm"))
  }
  get pc(): Expr<"i64"> {
    return this.writer.address(this.place.placed.offset)
  }
  get next(): Expr<"i64"> {
    const { offset, instruction } = this.place.placed
    return this.writer.address(offset + instruction.length)
  }
  rd(value: I64): void {
    const register = this.value("rd")
    if (register === 0) {
      if (typeof value === "object") this.f.drop(value)
    } else this.f.set(this.writer.registers.get(register)!, value)
  }

  private leave(): void {
    this.writer.leaveAt(this.place)
  }

  override load(width: LoadWidth, address: Expr<"i64">): Expr<"i64"> {
    const { physicalRam } = this.writer
    if (physicalRam === null) return super.load(width, address)
    const { f } = this
    const { bytes, read } = loads[width]
    const place = f.let(i64.sub(address, RAM_BASE))
    f.if(i64.gtu(place, physicalRam - bytes), () => this.leave())
    return f.let(read(i32.wrap(place), RAM))
  }

  protected findLoad(host: Local<"i32">, virtual: Expr<"i64">, bytes: number): void {
    this.f.set(host, callI32(this.writer.helpers.findLoad, virtual, i32.const(bytes)))
    this.f.if(i32.eqz(host), () => this.leave())
  }
  private findStore(host: Local<"i32">, virtual: Expr<"i64">, bytes: number): void {
    this.f.set(host, callI32(this.writer.helpers.findStore, virtual, i32.const(bytes)))
    this.f.if(i32.eqz(host), () => this.leave())
  }
  protected storeElsewhere(width: StoreWidth, virtual: Expr<"i64">, value: Expr<"i64">): void {
    const host = this.f.local("i32")
    this.findStore(host, virtual, width)
    this.write(width, host, value)
  }
  protected findAtomic(host: Local<"i32">, virtual: Expr<"i64">, width: AmoWidth, kind: AtomicKind): void {
    this.f.if(i32.and(i32.wrap(virtual), width - 1), () => this.leave())
    if (kind === "loadReserved") this.findLoad(host, virtual, width)
    else this.findStore(host, virtual, width)
  }
  protected wroteFound(): void {
    // `findStore` has marked the page, and found no code in it.
  }
  protected floatFunction(name: keyof FloatLibrary): FunctionRef {
    return this.writer.helpers.float(name)
  }

  protected floatRegister(name: OperandName): Expr<"i64"> {
    return i64.bits(this.writer.float!.registers.get(this.value(name))!)
  }
  protected setFloatRegister(bits: Expr<"i64">): void {
    this.f.set(this.writer.float!.registers.get(this.value("rd"))!, f64.fromBits(bits))
  }
  requireFloat(): void {
    // Its block has looked.
  }
  protected setFloatDirty(): void {
    this.writer.float!.setDirty()
  }

  /** Where the rounding mode, if there is one, is the host's; null where it cannot be. */
  private roundsAsHost(): Expr<"i32"> | null {
    if (!this.place.placed.instruction.format.operands.some(({ name }) => name === "rm")) return i32.const(1)
    const mode = this.value("rm")
    return mode === RNE || mode === DYNAMIC ? this.writer.float!.isNearest : null
  }

  protected override computeFloat(name: keyof FloatLibrary, operands: readonly Expr[]): Expr {
    const { f } = this
    const float = this.writer.float!
    const roundsAsHost = this.roundsAsHost()
    const host = roundsAsHost && hostOperation(f, name, operands)
    if (!host) {
      const result = super.computeFloat(name, operands)
      float.flagsRose()
      return result
    }
    const value = host.result.bitsOf ?? host.result
    const result = f.local(value.type)
    f.set(result, value)
    f.if(i32.eqz(i32.and(host.rounds ? float.isPlain : roundsAsHost, host.holds)), () => {
      const exact = this.callFloat(name, operands)
      f.set(result, host.result.bitsOf ? fromBits(exact) : exact)
      float.flagsRose()
    })
    this.setFloatDirty()
    return bitsOf(result)
  }

  branch(condition: I32): void {
    this.f.if(condition, () => this.jumpRelative())
  }
  jumpRelative(): void {
    const { block } = this.place
    const { end } = block
    if (end.kind === "branch") this.writer.to(block, end.taken)
    else if (end.kind === "jump") this.writer.to(block, end.to)
  }
  jump(address: Expr<"i64">): void {
    this.writer.toComputed(this.place.block, address)
  }

  /** What traps, the interpreter has to execute. */
  trap(): void {
    this.leave()
  }
  csr(): Expr<"i64"> {
    throw new Error("no part of a region")
  }
  csrUnlessZero(): Expr<"i64"> {
    throw new Error("no part of a region")
  }
  system(): void {
    throw new Error("no part of a region")
  }
  sfenceVma(): void {
    throw new Error("no part of a region")
  }
}
