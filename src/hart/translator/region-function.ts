/**
 * A region as one WebAssembly function: structured control flow over its blocks (Ramsey, "Beyond Relooper", 2022), integer registers in
 * locals. What it cannot do it leaves to the interpreter: it goes back with the instruction's pc, nothing of it done.
 */
import { mstatus } from "../../riscv/csr.ts"
import { extract } from "../../riscv/field.ts"
import type { Operand, OperandName } from "../../riscv/format.ts"
import type { AmoWidth, LoadWidth, StoreWidth } from "../../riscv/semantics.ts"
import {
  callI32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  f32,
  f64,
  type I32,
  type I64,
  i32,
  i64,
  type Label,
  type Local,
  type TableRef,
  type TypeRef,
} from "../../wasm/index.ts"
import { isPhysical, jumpEntry } from "../address-space.ts"
import { regionInfo } from "../code-cache.ts"
import { Execution, loads } from "../execution.ts"
import { RNE } from "../float/format.ts"
import type { FloatLibrary } from "../float/index.ts"
import { JUMP_CACHE, RAM, RAM_BASE } from "../layout.ts"
import { tlbBase } from "../memory-access.ts"
import { active, get32, get64, set32, set64 } from "../state.ts"
import { type Block, dominates, type PlacedInstruction, type Region } from "./control-flow.ts"
import { needsFloat } from "./control-kind.ts"
import { hostOperation } from "./host-float.ts"
import { namedBy, type RegisterFile, type RegisterUse, registersIn, registerUse, writtenBy } from "./register-use.ts"

/** The rounding mode of an instruction that takes frm's. */
const DYNAMIC = 7

/** What regions call. */
export interface RegionHelpers {
  readonly findLoad: FunctionRef
  readonly findStore: FunctionRef
  readonly goOn: FunctionRef
  /** The table of all regions, and their type. */
  readonly regions: TableRef
  readonly regionType: TypeRef
  readonly float: (name: keyof FloatLibrary) => FunctionRef
}

/** What a region's code may rely on. */
export interface RegionPlace {
  /** The number it is kept under. */
  readonly number: number
  /** Where its page's part of REGION_INFO begins. */
  readonly info: number
  /** Bytes of RAM, where the region is for physical addresses without protection; null: every access goes through the TLB. */
  readonly physicalRam: number | null
}

type Registers<T extends "i64" | "f64"> = ReadonlyMap<number, Local<T>>

/** Every register that a region names. */
const namedIn = (region: Region, file: RegisterFile): readonly number[] =>
  registersIn([...region.blocks.values()].reduce((named, { instructions }) => named | namedBy(instructions, file), 0))

/** Locals for the registers of a file, those that are needed read from `from`. */
const registerLocals = <T extends "i64" | "f64">(
  f: FunctionBuilder,
  type: T,
  named: readonly number[],
  needed: number,
  from: (register: number) => Expr<T>,
): Registers<T> =>
  new Map(
    named.map(register => [register, (needed >>> register) & 1 ? f.let(from(register)) : (f.local(type) as Local<T>)]),
  )

const usesFloat = (block: Block): boolean => block.instructions.some(({ instruction }) => needsFloat(instruction))

/** Where an instruction of a block stands among the block's. */
interface Place {
  readonly block: Block
  readonly placed: PlacedInstruction
  /** Instructions of the block that have not begun when this one has not. */
  readonly left: number
}

/** The floating-point side of a region. */
class FloatState {
  readonly registers: Registers<"f64">
  readonly use: RegisterUse
  private readonly f: FunctionBuilder
  /** The unit is on: mstatus.FS. */
  readonly isOn: Local<"i32">
  /** Registers or flags may have been written here. */
  private readonly isDirty: Local<"i32">
  /** frm says to nearest even. */
  readonly isNearest: Local<"i32">
  /** So it does, and NX is up: an operation of the host that is merely inexact changes no flag. */
  readonly isPlain: Local<"i32">

  constructor(f: FunctionBuilder, region: Region) {
    this.f = f
    this.use = registerUse(region, "f")
    const load = (register: number) => f64.load(0, active("f", register))
    this.registers = registerLocals(f, "f64", namedIn(region, "f"), this.use.needed, load)
    this.isOn = f.let(i64.ne(i64.and(get64("mstatus"), mstatus.FS), 0))
    this.isDirty = f.local("i32")
    this.isNearest = f.let(i32.eqz(get32("frm")))
    this.isPlain = f.let(i32.const(0))
    this.flagsRose()
  }

  /** Call where flags may have been raised. */
  flagsRose(): void {
    this.f.set(this.isPlain, i32.and(this.isNearest, get32("fflags")))
  }
  setDirty(): void {
    this.f.set(this.isDirty, 1)
  }
  putBack(register: number): void {
    this.f.storeF64(0, this.registers.get(register)!, active("f", register))
  }
  putBackStatus(): void {
    const { f } = this
    f.if(this.isDirty, () => set64(f, "mstatus", i64.or(get64("mstatus"), mstatus.FS)))
  }
}

class RegionWriter {
  readonly f: FunctionBuilder
  readonly helpers: RegionHelpers
  readonly place: RegionPlace
  readonly registers: Registers<"i64">
  readonly float: FloatState | null
  readonly tlb: Local<"i32">
  readonly dataContext: Local<"i64">
  readonly count: Local<"i32">
  readonly page: Local<"i64">
  readonly nextPc: Local<"i64">
  /** Which entry to go to next. */
  private readonly entry: Local<"i32">
  private readonly region: Region
  private readonly use: RegisterUse
  /** Which registers were written, where the region gives up. */
  private readonly written: Local<"i32">
  private readonly writtenFloat: Local<"i32">
  private readonly loops = new Map<Block, Label>()
  private readonly ends = new Map<Block, Label>()
  private giveUp!: Label

  constructor(f: FunctionBuilder, region: Region, helpers: RegionHelpers, place: RegionPlace) {
    this.f = f
    this.region = region
    this.helpers = helpers
    this.place = place
    this.count = f.param(0, "i32")
    this.entry = f.param(2, "i32")
    const pc = f.param(1, "i64")
    if (place.physicalRam !== null) this.requirePhysical(pc)
    this.page = f.let(i64.and(pc, ~0xfffn))
    this.nextPc = f.local("i64")
    this.tlb = f.let(tlbBase())
    this.dataContext = f.let(get64("dataContext"))
    this.written = f.local("i32")
    this.writtenFloat = f.local("i32")
    this.use = registerUse(region, "x")
    const load = (register: number) => get64("x", register)
    this.registers = registerLocals(f, "i64", namedIn(region, "x"), this.use.needed, load)
    this.float = [...region.blocks.values()].some(usesFloat) ? new FloatState(f, region) : null
  }

  /** Gives up at once unless addresses are physical and nothing is protected. */
  private requirePhysical(pc: Expr<"i64">): void {
    const { f } = this
    f.if(i32.eqz(isPhysical()), () => {
      set32(f, "count", this.count)
      f.return(pc)
    })
  }

  write(): void {
    const { f, region, float } = this
    f.block(giveUp => {
      this.giveUp = giveUp
      this.tree(region.root)
      f.unreachable()
    })
    const isIn = (mask: Local<"i32">, register: number) => i32.and(mask, 1 << register)
    for (const register of this.registers.keys())
      f.if(isIn(this.written, register), () => this.putBackInteger(register))
    for (const register of float?.registers.keys() ?? [])
      f.if(isIn(this.writtenFloat, register), () => float!.putBack(register))
    float?.putBackStatus()
    set32(f, "count", this.count)
    f.return(this.nextPc)
  }

  private putBackInteger(register: number): void {
    set64(this.f, "x", this.registers.get(register)!, register)
  }

  address(offset: number): Expr<"i64"> {
    return i64.add(this.page, offset)
  }

  /** Goes back to the interpreter, at an instruction of which nothing is done. */
  leaveAt({ block, placed, left }: Place): void {
    const { f } = this
    if (left > 0) f.set(this.count, i32.add(this.count, left))
    this.giveUpAt(block, placed.offset, block.instructions.length - left)
  }

  /** Goes back to the interpreter at an offset, so many of the block's instructions being done. */
  private giveUpAt(block: Block, offset: number, done: number): void {
    const { f, float } = this
    const instructions = block.instructions.slice(0, done)
    f.set(this.nextPc, this.address(offset))
    f.set(this.written, this.use.writtenBefore(block) | writtenBy(instructions, "x"))
    if (float !== null) f.set(this.writtenFloat, float.use.writtenBefore(block) | writtenBy(instructions, "f"))
    f.br(this.giveUp)
  }

  /** A block with those that it dominates. */
  private tree(block: Block): void {
    if (!block.isLoop && block.end.kind !== "entries") return this.within(block, block.merges.length)
    this.f.loop(again => {
      this.loops.set(block, again)
      this.within(block, block.merges.length)
    })
  }

  /** The block inside of `merges` blocks, at whose ends stands what several ways lead to: the last of them outermost. */
  private within(block: Block, merges: number): void {
    if (merges === 0) return this.code(block)
    const merge = block.merges[merges - 1]!
    this.f.block(end => {
      this.ends.set(merge, end)
      this.within(block, merges - 1)
    })
    this.tree(merge)
  }

  private code(block: Block): void {
    const { f } = this
    const { instructions, end } = block
    if (end.kind === "entries") {
      const labels = this.region.entries.map(entry => this.ends.get(entry)!)
      return f.brTable(this.entry, labels, labels[0]!)
    }
    const all = instructions.length
    const isLow = i32.ltu(this.count, all)
    f.if(this.float && usesFloat(block) ? i32.or(isLow, i32.eqz(this.float.isOn)) : isLow, () => {
      this.giveUpAt(block, block.offset, 0)
    })
    f.set(this.count, i32.sub(this.count, all))
    for (const [at, placed] of instructions.entries()) {
      const place = { block, placed, left: all - at }
      f.scope(() => placed.instruction.meaning(new RegionExecution(this, place)))
    }
    if (end.kind === "next") this.to(block, end.to)
    else if (end.kind === "branch") this.to(block, end.next)
  }

  /** On to an offset. */
  to(from: Block, offset: number): void {
    const { f } = this
    const block = this.region.blocks.get(offset)
    if (block === undefined) return this.out(from, this.address(offset))
    if (block.order > from.order) {
      if (block.dominator!.merges.includes(block)) return f.br(this.ends.get(block)!)
      return this.tree(block)
    }
    if (dominates(block, from)) return f.br(this.loops.get(block)!)
    const entry = this.region.entries.indexOf(block)
    if (entry < 0) return this.out(from, this.address(offset))
    f.set(this.entry, entry)
    f.br(this.loops.get(this.region.root)!)
  }

  /** On to an address that is computed: to an entry of this region, or out of it. */
  toComputed(from: Block, address: Expr<"i64">): void {
    const { f } = this
    const { root } = this.region
    const target = f.let(address)
    if (root.end.kind === "entries")
      f.if(i64.eq(i64.and(target, ~0xfffn), this.page), () => {
        const info = f.let(i32.load(i32.shl(i32.and(i32.wrap(target), 0xffe), 1), this.place.info))
        f.if(i32.eq(regionInfo.number(info), this.place.number), () => {
          f.set(this.entry, regionInfo.entry(info))
          f.br(this.loops.get(root)!)
        })
      })
    this.out(from, target)
  }

  /** Out of the region at a block's end, to an address. */
  private out(from: Block, address: Expr<"i64">): void {
    const { f, float } = this
    f.set(this.nextPc, address)
    for (const register of registersIn(this.use.writtenBefore(from) | writtenBy(from.instructions, "x")))
      this.putBackInteger(register)
    if (float !== null) {
      for (const register of registersIn(float.use.writtenBefore(from) | writtenBy(from.instructions, "f")))
        float.putBack(register)
      float.putBackStatus()
    }
    set32(f, "count", this.count)
    const { regions, regionType, goOn } = this.helpers
    const jump = f.let(jumpEntry(this.tlb, this.nextPc))
    const isSame = i32.eq(i32.load(jump, JUMP_CACHE + 8), i32.wrap(get64("fetchContext")))
    f.if(i32.and(i64.eq(i64.load(jump, JUMP_CACHE), this.nextPc), isSame), () => {
      const info = f.let(i32.load(jump, JUMP_CACHE + 12))
      const { number, entry } = regionInfo
      f.returnCallIndirect(regions, regionType, number(info), this.count, this.nextPc, entry(info))
    })
    f.returnCall(goOn, this.nextPc, this.count)
  }
}

/** An instruction's meaning with operands known now. */
class RegionExecution extends Execution {
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
    const { physicalRam } = this.writer.place
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
  protected findAtomic(host: Local<"i32">, virtual: Expr<"i64">, width: AmoWidth, isLoadReserved: boolean): void {
    this.f.if(i32.and(i32.wrap(virtual), width - 1), () => this.leave())
    if (isLoadReserved) this.findLoad(host, virtual, width)
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

const fromBits = (bits: Expr): Expr =>
  bits.type === "i64" ? f64.fromBits(bits as Expr<"i64">) : f32.fromBits(bits as Expr<"i32">)
const bitsOf = (value: Expr): Expr => {
  if (value.type === "f64") return i64.bits(value as Expr<"f64">)
  return value.type === "f32" ? i32.bits(value as Expr<"f32">) : value
}

/** Writes a region's function; `f` has the parameters of `regionType`. */
export const writeRegion = (f: FunctionBuilder, region: Region, helpers: RegionHelpers, place: RegionPlace): void =>
  new RegionWriter(f, region, helpers, place).write()
