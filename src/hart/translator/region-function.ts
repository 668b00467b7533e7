/**
 * A region as one WebAssembly function: structured control flow over its blocks (Ramsey, "Beyond Relooper", 2022), integer registers in
 * locals. What it cannot do it leaves to the interpreter: it goes back with the instruction's pc, nothing of it done.
 */
import { extract } from "../../riscv/field.ts"
import type { Operand, OperandName } from "../../riscv/format.ts"
import type { AmoWidth, StoreWidth } from "../../riscv/semantics.ts"
import {
  callI32,
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  type I32,
  type I64,
  i32,
  i64,
  type Label,
  type Local,
} from "../../wasm/index.ts"
import { Execution } from "../execution.ts"
import type { FloatLibrary } from "../float/index.ts"
import { tlbBase } from "../memory-access.ts"
import { get64, set32, set64 } from "../state.ts"
import { type Block, dominates, type PlacedInstruction, type Region } from "./control-flow.ts"

/** What regions call. */
export interface RegionHelpers {
  readonly findLoad: FunctionRef
  readonly findStore: FunctionRef
  readonly goOn: FunctionRef
  readonly float: (name: keyof FloatLibrary) => FunctionRef
}

/** Integer registers that a region names, and those it writes. */
const registersOf = (region: Region): { readonly used: ReadonlySet<number>; readonly written: ReadonlySet<number> } => {
  const used = new Set<number>()
  const written = new Set<number>()
  for (const { instructions } of region.blocks.values())
    for (const { instruction, word } of instructions)
      for (const { kind, field } of instruction.format.operands) {
        if (kind !== "x" && kind !== "xd") continue
        const register = extract(field, word)
        if (register === 0) continue
        used.add(register)
        if (kind === "xd") written.add(register)
      }
  return { used, written }
}

/** Where an instruction of a block stands among the block's. */
interface Place {
  readonly block: Block
  readonly placed: PlacedInstruction
  /** Instructions of the block that have not begun when this one has not. */
  readonly left: number
}

class RegionWriter {
  readonly f: FunctionBuilder
  readonly helpers: RegionHelpers
  readonly registers = new Map<number, Local<"i64">>()
  readonly tlb: Local<"i32">
  readonly dataContext: Local<"i64">
  readonly count: Local<"i32">
  readonly page: Local<"i64">
  readonly nextPc: Local<"i64">
  private readonly region: Region
  private readonly written: ReadonlySet<number>
  private readonly loops = new Map<Block, Label>()
  private readonly ends = new Map<Block, Label>()
  private goOn!: Label
  private giveUp!: Label

  constructor(f: FunctionBuilder, region: Region, helpers: RegionHelpers) {
    this.f = f
    this.region = region
    this.helpers = helpers
    this.count = f.param(0, "i32")
    this.page = f.param(1, "i64")
    this.nextPc = f.local("i64")
    this.tlb = f.let(tlbBase())
    this.dataContext = f.let(get64("dataContext"))
    const { used, written } = registersOf(region)
    this.written = written
    for (const register of used) this.registers.set(register, f.let(get64("x", register)))
  }

  write(): void {
    const { f } = this
    f.block(goOn => {
      this.goOn = goOn
      f.block(giveUp => {
        this.giveUp = giveUp
        this.tree(this.region.entry)
        f.unreachable()
      })
      this.putBack()
      f.return(this.nextPc)
    })
    this.putBack()
    f.returnCall(this.helpers.goOn, this.nextPc, this.count)
  }

  private putBack(): void {
    for (const register of this.written) set64(this.f, "x", this.registers.get(register)!, register)
    set32(this.f, "count", this.count)
  }

  address(offset: number): Expr<"i64"> {
    return i64.add(this.page, offset)
  }

  /** Goes back to the interpreter, at an instruction of which nothing is done. */
  leaveAt({ placed, left }: Place): void {
    const { f } = this
    if (left > 0) f.set(this.count, i32.add(this.count, left))
    f.set(this.nextPc, this.address(placed.offset))
    f.br(this.giveUp)
  }

  /** A block with those that it dominates. */
  private tree(block: Block): void {
    if (!block.isLoop) return this.within(block, block.merges.length)
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
    const all = instructions.length
    f.if(i32.ltu(this.count, all), () => {
      f.set(this.nextPc, this.address(block.offset))
      f.br(this.giveUp)
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
    const back = block !== undefined && block.order <= from.order
    if (block === undefined || (back && !dominates(block, from))) return this.out(this.address(offset))
    if (back) return f.br(this.loops.get(block)!)
    if (block.dominator!.merges.includes(block)) return f.br(this.ends.get(block)!)
    this.tree(block)
  }

  /** Out of the region, to an address. */
  out(address: Expr<"i64">): void {
    this.f.set(this.nextPc, address)
    this.f.br(this.goOn)
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
    this.writer.out(address)
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

/** Writes a region's function; `f` has the parameters of `regionType`. */
export const writeRegion = (f: FunctionBuilder, region: Region, helpers: RegionHelpers): void =>
  new RegionWriter(f, region, helpers).write()
