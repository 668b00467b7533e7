/**
 * The control-flow graph of a region: the basic blocks that can be reached from one instruction without leaving its page, with what
 * structured control flow needs to know of them (reverse postorder, dominators).
 *
 * A region can have several entries: where calls come back to, where computed jumps were seen to go, and the second entrances of
 * loops that have several. They hang under a root without instructions, which goes to any of them.
 */
import { extract } from "../../riscv/field.ts"
import type { Operand, OperandName } from "../../riscv/format.ts"
import type { Instruction } from "../../riscv/instruction.ts"
import { type ControlKind, controlKind } from "./control-kind.ts"

const PAGE_BYTES = 4096
/** No new block is begun with so many instructions; one that is begun goes on to its end. */
const INSTRUCTIONS_MAX = 400
/** A longer block is divided: with less budget than a block has, it is left to the interpreter. */
const BLOCK_INSTRUCTIONS_MAX = 100
const BLOCKS_MAX = 96
/** What the 7 bits that name an entry can tell apart. */
const ENTRIES_MAX = 128

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
  /** The root: on to one of these. */
  | { readonly kind: "entries"; readonly to: readonly number[] }

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
  /** Where structured control flow begins: the one entry, or a root above several. */
  readonly root: Block
  /** Blocks it can be entered at; the first is what it was made for. */
  readonly entries: readonly Block[]
  /** By offset, without the root. */
  readonly blocks: ReadonlyMap<number, Block>
  /** Blocks that execution may go on to from one without leaving the region; a computed jump may go to the root. */
  readonly followers: (block: Block) => readonly Block[]
}

/** What is known of a page. */
export interface PageCode {
  /** The instruction at an offset; null where there is none that lies wholly in the page. */
  readonly at: (offset: number) => { readonly instruction: Instruction; readonly word: number } | null
  /** Offsets that computed jumps and calls from this page were seen to go to, returns left aside. */
  readonly targets: readonly number[]
}

const inPage = (offset: number) => offset >= 0 && offset < PAGE_BYTES

const operandOf = ({ instruction, word }: PlacedInstruction, isIt: (operand: Operand) => boolean): number =>
  extract(instruction.format.operands.find(isIt)!.field, word)
const named = (name: OperandName) => (operand: Operand) => operand.name === name

const targetOf = (placed: PlacedInstruction): number => placed.offset + operandOf(placed, operand => !!operand.target)

/** Whether a jump leaves a return address behind. */
const isCall = (placed: PlacedInstruction): boolean => operandOf(placed, named("rd")) !== 0
/** Whether a computed jump is a return: from `ra` or `t0`. RISC-V unprivileged ISA, section 2.5.1. */
const isReturn = (placed: PlacedInstruction): boolean =>
  !isCall(placed) && [1, 5].includes(operandOf(placed, named("rs1")))

const endOf = (placed: PlacedInstruction, kind: ControlKind): BlockEnd => {
  const next = placed.offset + placed.instruction.length
  if (kind === "branch") return { kind, taken: targetOf(placed), next }
  if (kind === "jump") return { kind, to: targetOf(placed) }
  return { kind: "indirect" }
}

const successors = (end: BlockEnd): readonly number[] => {
  switch (end.kind) {
    case "branch":
      return [end.next, end.taken]
    case "indirect":
      return []
    case "entries":
      return end.to
    default:
      return [end.to]
  }
}

/** Whether a call goes to this page, as far as is known: one that does comes back by a return from it. */
const callsInPage = (call: PlacedInstruction, kind: ControlKind, targets: readonly number[]): boolean =>
  kind === "jump" ? inPage(targetOf(call)) : targets.length > 0

/** Instructions that can be reached, where blocks begin, and where the region can be entered. */
const explore = (entry: number, { at, targets }: PageCode, isWide: boolean) => {
  const found = new Map<number, PlacedInstruction>()
  const leaders = new Set([entry])
  const entries = new Set([entry])
  const waiting = [entry]
  const lead = (to: number) => {
    if (!inPage(to) || leaders.has(to) || leaders.size >= BLOCKS_MAX) return
    leaders.add(to)
    waiting.push(to)
  }
  const enter = (to: number) => {
    lead(to)
    if (leaders.has(to)) entries.add(to)
  }
  while (waiting.length > 0) {
    let offset = waiting.shift()!
    if (found.size >= INSTRUCTIONS_MAX) break
    for (let length = 1; inPage(offset) && !found.has(offset); length++) {
      const here = at(offset)
      if (here === null) break
      const kind = controlKind(here.instruction)
      if (kind === "outside") break
      const placed = { offset, ...here }
      found.set(offset, placed)
      offset += here.instruction.length
      if (kind === "straight") {
        if (length % BLOCK_INSTRUCTIONS_MAX === 0) leaders.add(offset)
        continue
      }
      for (const to of successors(endOf(placed, kind))) lead(to)
      if (kind === "branch") break
      if (isWide && kind === "indirect" && !isReturn(placed)) for (const to of targets) enter(to)
      if (isWide && isCall(placed) && callsInPage(placed, kind, targets)) enter(offset)
      break
    }
  }
  return { found, leaders, entries }
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

/** A block without instructions above others, or null where there is but one. */
const rootAbove = (entries: readonly number[]): Block | null =>
  entries.length === 1
    ? null
    : {
        offset: -1,
        instructions: [],
        end: { kind: "entries", to: entries },
        order: -1,
        dominator: null,
        merges: [],
        isLoop: false,
      }

/** Blocks within the region that follow one. */
const following = (block: Block, blocks: ReadonlyMap<number, Block>): readonly Block[] => {
  const found: Block[] = []
  for (const offset of successors(block.end)) {
    const next = blocks.get(offset)
    if (next !== undefined && !found.includes(next)) found.push(next)
  }
  return found
}

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
    const before = predecessors.get(block)!.filter(from => from.order < block.order)
    if (before.length > 1 || before.some(from => from.end.kind === "entries")) block.dominator.merges.push(block)
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

/** Blocks that a later one goes back to without passing through them before: loops with several entrances. */
const sideEntrances = (ordered: readonly Block[], blocks: ReadonlyMap<number, Block>): readonly Block[] =>
  ordered.flatMap(from => following(from, blocks).filter(to => to.order <= from.order && !dominates(to, from)))

/**
 * The region that begins at an offset of a page; null where its first instruction cannot be translated. A wide one goes on where calls
 * in its page come back to, and where computed jumps go.
 */
export const findRegion = (entry: number, page: PageCode, isWide: boolean): Region | null => {
  const { found, leaders, entries } = explore(entry, page, isWide)
  if (!found.has(entry)) return null
  for (;;) {
    const all = new Map<number, Block>()
    for (const leader of leaders) if (found.has(leader)) all.set(leader, blockAt(leader, found, leaders))
    const entered = [...entries].filter(offset => all.has(offset)).slice(0, ENTRIES_MAX)
    const root = rootAbove(entered) ?? all.get(entry)!
    const ordered = reversePostorder(root, all)
    findDominators(ordered, all)
    const side = sideEntrances(ordered, all).filter(({ offset }) => !entries.has(offset))
    if (side.length === 0 || entered.length === ENTRIES_MAX) {
      const blocks = new Map(ordered.filter(block => block.offset >= 0).map(block => [block.offset, block]))
      const followers = (block: Block) =>
        block.end.kind === "indirect" && root.end.kind === "entries" ? [root] : following(block, blocks)
      return { root, entries: entered.map(offset => all.get(offset)!), blocks, followers }
    }
    for (const { offset } of side) entries.add(offset)
  }
}
