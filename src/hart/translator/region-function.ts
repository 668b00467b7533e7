/**
 * A region as one WebAssembly function: structured control flow over its blocks (Ramsey, "Beyond Relooper", 2022), integer registers in
 * locals. What it cannot do it leaves to the interpreter: it goes back with the instruction's pc, nothing of it done.
 */
import {
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type Label,
  type Local,
  type TableRef,
  type TypeRef,
} from "../../wasm/index.ts"
import { isPhysical, jumpEntry } from "../address-space.ts"
import { regionInfo } from "../code-cache.ts"
import type { FloatLibrary } from "../float/index.ts"
import { JUMP_CACHE, REGION_PAGES } from "../layout.ts"
import { tlbBase } from "../memory-access.ts"
import { get64, set32, set64 } from "../state.ts"
import { type Block, dominates, type Region } from "./control-flow.ts"
import { needsFloat } from "./control-kind.ts"
import { type Place, RegionExecution } from "./region-execution.ts"
import { FloatState, namedIn, type Registers, registerLocals } from "./region-registers.ts"
import { type RegisterUse, registersIn, registerUse } from "./register-use.ts"

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

const usesFloat = (block: Block): boolean => block.instructions.some(({ instruction }) => needsFloat(instruction))

export class RegionWriter {
  readonly f: FunctionBuilder
  readonly helpers: RegionHelpers
  /** Bytes of RAM, where the region is for physical addresses without protection; null: every access goes through the TLB. */
  readonly physicalRam: number | null
  readonly registers: Registers<"i64">
  readonly float: FloatState | null
  readonly tlb: Local<"i32">
  readonly dataContext: Local<"i64">
  readonly count: Local<"i32">
  readonly page: Local<"i64">
  readonly nextPc: Local<"i64">
  /** What REGION_INFO says where the region was entered. */
  private readonly info: Expr<"i32">
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

  constructor(f: FunctionBuilder, region: Region, helpers: RegionHelpers, physicalRam: number | null) {
    this.f = f
    this.region = region
    this.helpers = helpers
    this.physicalRam = physicalRam
    this.count = f.param(0, "i32")
    this.info = f.param(2, "i32")
    this.entry = f.let(regionInfo.entry(this.info))
    const pc = f.param(1, "i64")
    if (physicalRam !== null) this.requirePhysical(pc)
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
    f.set(this.nextPc, this.address(offset))
    f.set(this.written, this.use.writtenAfter(block, done))
    if (float !== null) f.set(this.writtenFloat, float.use.writtenAfter(block, done))
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
        const number = regionInfo.number(this.info)
        const infos = i32.load(i32.shl(number, 2), REGION_PAGES)
        const info = f.let(i32.load(i32.add(i32.shl(i32.and(i32.wrap(target), 0xffe), 1), infos)))
        f.if(i32.eq(regionInfo.number(info), number), () => {
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
    for (const register of registersIn(this.use.writtenAfter(from))) this.putBackInteger(register)
    if (float !== null) {
      for (const register of registersIn(float.use.writtenAfter(from))) float.putBack(register)
      float.putBackStatus()
    }
    set32(f, "count", this.count)
    const { regions, regionType, goOn } = this.helpers
    const jump = f.let(jumpEntry(this.tlb, this.nextPc))
    const isSame = i32.eq(i32.load(jump, JUMP_CACHE + 8), i32.wrap(get64("fetchContext")))
    f.if(i32.and(i64.eq(i64.load(jump, JUMP_CACHE), this.nextPc), isSame), () => {
      const info = f.let(i32.load(jump, JUMP_CACHE + 12))
      f.returnCallIndirect(regions, regionType, regionInfo.number(info), this.count, this.nextPc, info)
    })
    f.returnCall(goOn, this.nextPc, this.count)
  }
}

/** Writes a region's function; `f` has the parameters of `regionType`. */
export const writeRegion = (
  f: FunctionBuilder,
  region: Region,
  helpers: RegionHelpers,
  physicalRam: number | null,
): void => new RegionWriter(f, region, helpers, physicalRam).write()
