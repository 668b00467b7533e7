/**
 * Which registers a region must read when it is entered, and which it may have written by the time it is left: data flow over its
 * blocks. Sets of registers are bit masks.
 */
import { extract } from "../../riscv/field.ts"
import type { Block, PlacedInstruction, Region } from "./control-flow.ts"

/** The integer registers, or the floating-point ones. */
export type RegisterFile = "x" | "f"

export interface RegisterUse {
  /** Registers whose value the region may use, or put back, without having written it. */
  readonly needed: number
  /** Registers that may have been written when a block begins. */
  readonly writtenBefore: (block: Block) => number
  /** The same when so many of its instructions are done; all of them where not told. */
  readonly writtenAfter: (block: Block, done?: number) => number
}

/** The registers an instruction reads and the one it writes. Nothing is kept of x0. */
const usesOf = ({ instruction, word }: PlacedInstruction, file: RegisterFile): { reads: number; writes: number } => {
  let [reads, writes] = [0, 0]
  for (const { name, kind, field } of instruction.format.operands) {
    if (kind === "number" || (kind === "f") !== (file === "f")) continue
    const bit = 1 << extract(field, word)
    if (name === "rd") writes |= bit
    else reads |= bit
  }
  return file === "x" ? { reads: reads & ~1, writes: writes & ~1 } : { reads, writes }
}

/** The registers that instructions write. */
export const writtenBy = (instructions: readonly PlacedInstruction[], file: RegisterFile): number =>
  instructions.reduce((written, placed) => written | usesOf(placed, file).writes, 0)

/** The registers that instructions name. */
export const namedBy = (instructions: readonly PlacedInstruction[], file: RegisterFile): number =>
  instructions.reduce((named, placed) => {
    const { reads, writes } = usesOf(placed, file)
    return named | reads | writes
  }, 0)

/** The registers in a mask. */
export const registersIn = (mask: number): readonly number[] =>
  Array.from({ length: 32 }, (_, register) => register).filter(register => (mask >>> register) & 1)

/** Registers read before the block writes them. */
const readFirst = ({ instructions }: Block, file: RegisterFile): number => {
  let [first, written] = [0, 0]
  for (const placed of instructions) {
    const { reads, writes } = usesOf(placed, file)
    first |= reads & ~written
    written |= writes
  }
  return first
}

/** Repeats `step` for every block until no mask changes. */
const fixedPoint = (blocks: readonly Block[], step: (block: Block) => number): ReadonlyMap<Block, number> => {
  const masks = new Map<Block, number>()
  for (let changed = true; changed; ) {
    changed = false
    for (const block of blocks) {
      const mask = step(block)
      if (masks.get(block) === mask) continue
      masks.set(block, mask)
      changed = true
    }
  }
  return masks
}

export const registerUse = ({ root, blocks, followers }: Region, file: RegisterFile): RegisterUse => {
  const all = blocks.has(root.offset) ? [...blocks.values()] : [root, ...blocks.values()]
  const written = new Map(all.map(block => [block, writtenBy(block.instructions, file)]))
  const before = new Map<Block, number>(all.map(block => [block, 0]))
  fixedPoint(all, block => {
    const after = before.get(block)! | written.get(block)!
    for (const next of followers(block)) before.set(next, before.get(next)! | after)
    return after
  })
  const first = new Map(all.map(block => [block, readFirst(block, file)]))
  // Every block may be left, and what was written by then is put back.
  const live = new Map<Block, number>(all.map(block => [block, 0]))
  fixedPoint(all.toReversed(), block => {
    let after = 0
    for (const next of followers(block)) after |= live.get(next)!
    const mask = before.get(block)! | first.get(block)! | (after & ~written.get(block)!)
    live.set(block, mask)
    return mask
  })
  const writtenBefore = (block: Block) => before.get(block)!
  const writtenAfter = (block: Block, done?: number) =>
    writtenBefore(block) | writtenBy(block.instructions.slice(0, done), file)
  return { needed: live.get(root)!, writtenBefore, writtenAfter }
}
