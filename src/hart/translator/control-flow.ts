/**
 * The control-flow graph of a region: the basic blocks that can be reached from one instruction without leaving its page, with what
 * structured control flow needs to know of them (reverse postorder, dominators).
 */
import { extract } from "../../riscv/field.ts"
import type { Instruction } from "../../riscv/instruction.ts"
import { type ControlKind, controlKind } from "./control-kind.ts"

const PAGE_BYTES = 4096
const INSTRUCTIONS_MAX = 400
const BLOCKS_MAX = 96

export interface PlacedInstruction {
  /** Offset in the page. */
  readonly offset: number
  readonly word: number
  readonly instruction: Instruction
}

/** How a block ends. Offsets may lie outside the region. */
export type BlockEnd =
  /** Execution goes on at an offset. */
  | { readonly kind: "next"; readonly to: number }
  /** The last instruction is a branch: taken, or not. */
  | { readonly kind: "branch"; readonly taken: number; readonly next: number }
  /** The last instruction goes to a known place. */
  | { readonly kind: "jump"; readonly to: number }
  /** The last instruction goes to a place that is computed. */
  | { readonly kind: "indirect" }

export interface Block {
  readonly offset: number
  readonly instructions: readonly PlacedInstruction[]
  readonly end: BlockEnd
  /** Place in reverse postorder. */
  order: number
  /** The nearest block that every way to this one leads through; null for the first. */
  dominator: Block | null
  /** Blocks whose nearest dominator this is and that several ways lead to, in reverse postorder. */
  readonly merges: Block[]
  /** A later block comes back here. */
  isLoop: boolean
}

export interface Region {
  readonly entry: Block
  /** By offset. */
  readonly blocks: ReadonlyMap<number, Block>
}

/** What finds the instruction at an offset of the page; null where there is none that lies wholly in the page. */
export type InstructionAt = (offset: number) => { readonly instruction: Instruction; readonly word: number } | null

const inPage = (offset: number) => offset >= 0 && offset < PAGE_BYTES

const targetOf = ({ instruction, word, offset }: PlacedInstruction): number =>
  offset + extract(instruction.format.operands.find(operand => operand.target)!.field, word)

const endOf = (placed: PlacedInstruction, kind: ControlKind): BlockEnd => {
  const next = placed.offset + placed.instruction.length
  if (kind === "branch") return { kind, taken: targetOf(placed), next }
  if (kind === "jump") return { kind, to: targetOf(placed) }
  return { kind: "indirect" }
}

const successors = (end: BlockEnd): readonly number[] => {
  if (end.kind === "branch") return [end.next, end.taken]
  return end.kind === "indirect" ? [] : [end.to]
}

/** Instructions that can be reached, and where blocks begin. */
const explore = (entry: number, at: InstructionAt) => {
  const found = new Map<number, PlacedInstruction>()
  const leaders = new Set([entry])
  const waiting = [entry]
  while (waiting.length > 0) {
    let offset = waiting.shift()!
    while (inPage(offset) && !found.has(offset) && found.size < INSTRUCTIONS_MAX) {
      const here = at(offset)
      if (here === null) break
      const kind = controlKind(here.instruction)
      if (kind === "outside") break
      const placed = { offset, ...here }
      found.set(offset, placed)
      offset += here.instruction.length
      if (kind === "straight") continue
      const end = endOf(placed, kind)
      // A call comes back by a jump that nobody knows here: what follows it is found when it is hot itself.
      for (const to of successors(end)) {
        if (!inPage(to) || leaders.has(to) || leaders.size >= BLOCKS_MAX) continue
        leaders.add(to)
        waiting.push(to)
      }
      break
    }
  }
  return { found, leaders }
}

const blockAt = (
  leader: number,
  found: ReadonlyMap<number, PlacedInstruction>,
  leaders: ReadonlySet<number>,
): Block => {
  const instructions: PlacedInstruction[] = []
  let end: BlockEnd | null = null
  let offset = leader
  for (;;) {
    const placed = found.get(offset)
    if (placed === undefined) break
    instructions.push(placed)
    offset += placed.instruction.length
    const kind = controlKind(placed.instruction)
    if (kind !== "straight") {
      end = endOf(placed, kind)
      break
    }
    if (leaders.has(offset)) break
  }
  return {
    offset: leader,
    instructions,
    end: end ?? { kind: "next", to: offset },
    order: -1,
    dominator: null,
    merges: [],
    isLoop: false,
  }
}

/** Blocks within the region that follow one. */
const following = (block: Block, blocks: ReadonlyMap<number, Block>): readonly Block[] => [
  ...new Set(successors(block.end).flatMap(offset => blocks.get(offset) ?? [])),
]

const reversePostorder = (entry: Block, blocks: ReadonlyMap<number, Block>): readonly Block[] => {
  const postorder: Block[] = []
  const seen = new Set([entry])
  const path = [{ block: entry, left: [...following(entry, blocks)] }]
  while (path.length > 0) {
    const top = path.at(-1)!
    const next = top.left.shift()
    if (next === undefined) {
      postorder.push(top.block)
      path.pop()
    } else if (!seen.has(next)) {
      seen.add(next)
      path.push({ block: next, left: [...following(next, blocks)] })
    }
  }
  const ordered = postorder.reverse()
  for (const [order, block] of ordered.entries()) block.order = order
  return ordered
}

/** The nearest dominators, by iteration to a fixed point (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm"). */
const findDominators = (ordered: readonly Block[], blocks: ReadonlyMap<number, Block>): void => {
  const [entry] = ordered
  const predecessors = new Map<Block, Block[]>(ordered.map(block => [block, []]))
  for (const block of ordered) for (const next of following(block, blocks)) predecessors.get(next)!.push(block)
  const nearest = new Map<Block, Block>([[entry!, entry!]])
  const meet = (a: Block, b: Block): Block => {
    while (a !== b) {
      while (a.order > b.order) a = nearest.get(a)!
      while (b.order > a.order) b = nearest.get(b)!
    }
    return a
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const block of ordered.slice(1)) {
      const known = predecessors.get(block)!.filter(from => nearest.has(from))
      const met = known.reduce(meet)
      if (nearest.get(block) !== met) {
        nearest.set(block, met)
        changed = true
      }
    }
  }
  for (const block of ordered.slice(1)) {
    block.dominator = nearest.get(block)!
    if (predecessors.get(block)!.filter(from => from.order < block.order).length > 1) block.dominator.merges.push(block)
  }
  for (const block of ordered)
    block.isLoop = predecessors.get(block)!.some(from => from.order >= block.order && dominates(block, from))
}

/** Whether every way to `block` leads through `above`. */
export const dominates = (above: Block, block: Block): boolean => {
  let at: Block | null = block
  while (at !== null && at !== above) at = at.dominator
  return at === above
}

/** The region that begins at an offset of a page; null where its first instruction cannot be translated. */
export const findRegion = (entry: number, at: InstructionAt): Region | null => {
  const { found, leaders } = explore(entry, at)
  if (!found.has(entry)) return null
  const all = new Map<number, Block>()
  for (const leader of leaders) if (found.has(leader)) all.set(leader, blockAt(leader, found, leaders))
  const first = all.get(entry)!
  const ordered = reversePostorder(first, all)
  findDominators(ordered, all)
  return { entry: first, blocks: new Map(ordered.map(block => [block.offset, block])) }
}
