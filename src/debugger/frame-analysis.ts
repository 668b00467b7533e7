/**
 * Frames of functions without call frame information: what their instructions do to the stack pointer, and where they put the return
 * address and the caller's frame pointer, along every way from the first instruction. RISC-V psABI, "Integer Register Convention": the
 * stack grows downward; ra is x1, sp x2, s0 x8.
 */
import { callIn } from "./call-instruction.ts"
import type { PlacedInstruction } from "./inspection.ts"

/** A frame before an instruction. Places are counted from the canonical frame address (CFA), the stack pointer before the function. */
export interface Frame {
  /** So many bytes above `from` lies the CFA. */
  readonly cfa: { readonly from: "sp" | "s0"; readonly above: number }
  /** Where it was put; null: it is in its register; undefined: neither. */
  readonly ra: number | null | undefined
  readonly s0: number | null | undefined
}

interface State {
  /** How far above sp and s0 the CFA lies; null: that is not known. */
  readonly sp: number | null
  readonly fp: number | null
  readonly ra: Frame["ra"]
  readonly s0: Frame["s0"]
}

const atEntry: State = { sp: 0, fp: null, ra: null, s0: null }
/** Longer functions are not looked through. */
const INSTRUCTIONS_MAX = 8192

const moves = /^(?:c\.addi|c\.addi16sp) sp, (-?\d+)$|^addi sp, sp, (-?\d+)$/
const pointsUp = /^(?:addi|c\.addi4spn) s0, sp, (-?\d+)$/
const takesBack = /^addi sp, s0, (-?\d+)$/
const stores = /^(?:sd|c\.sdsp) (ra|s0), (-?\d+)\(sp\)$/
const loads = /^(?:ld|c\.ldsp) (ra|s0), (-?\d+)\(sp\)$/
const writesStack = /^(?!sd|sw|sh|sb|c\.s|b|c\.b|fs|c\.fs)\S+ sp\b/
const branch = /^(?:c\.)?b\w+ .*?(0x[\da-f]+)$/
const jump = /^(?:c\.j|j|jal zero,) (0x[\da-f]+)$/
const leaves = /^(?:ret|mret|sret|ebreak|c\.ebreak|unimp|c\.jr ra)$/
const computed = /^(?:c\.jr|jr) /

const after = (state: State, { text, word }: PlacedInstruction): State => {
  const up = (sp: number | null, offset: number): number | null => (sp === null ? null : sp - offset)
  const moved = moves.exec(text)
  if (moved) return { ...state, sp: up(state.sp, Number(moved[1] ?? moved[2])) }
  const pointed = pointsUp.exec(text)
  if (pointed) return { ...state, fp: up(state.sp, Number(pointed[1])) }
  const taken = takesBack.exec(text)
  if (taken) return { ...state, sp: up(state.fp, Number(taken[1])) }
  const stored = stores.exec(text)
  if (stored) return withPlace(state, stored, place => place)
  const loaded = loads.exec(text)
  if (loaded) return withPlace(state, loaded, () => null)
  if (writesStack.test(text)) return { ...state, sp: null }
  // What is in ra only is lost with the next call.
  return callIn(word) !== null && state.ra === null ? { ...state, ra: undefined } : state
}

/** A register was put to, or taken from, a place relative to sp. */
const withPlace = (state: State, [, name, offset]: RegExpExecArray, value: (place: number) => number | null): State => {
  if (state.sp === null) return state
  const place = Number(offset) - state.sp
  if (name === "ra") return { ...state, ra: value(place) }
  // Only the caller's is of interest, which is there until it is made to point elsewhere.
  const isCallers = state.fp === null || value(place) === null
  return isCallers ? { ...state, s0: value(place), fp: value(place) === null ? null : state.fp } : state
}

/** Where execution may go on, and how surely: it may not come back from a call, and not every computed jump is a switch's. */
const followers = (
  { sp }: State,
  { address, bytes, text, word }: PlacedInstruction,
): readonly { readonly address: bigint; readonly doubt: number }[] => {
  const behind = address + BigInt(bytes)
  if (leaves.test(text)) return []
  // With a frame it is no call in place of a return: the cases of a switch lie behind.
  if (computed.test(text)) return sp === 0 ? [] : [{ address: behind, doubt: 2 }]
  const jumped = jump.exec(text)
  if (jumped) return [{ address: BigInt(jumped[1]!), doubt: 0 }]
  const branched = branch.exec(text)
  const onward = { address: behind, doubt: callIn(word) === null ? 0 : 1 }
  return branched ? [onward, { address: BigInt(branched[1]!), doubt: 0 }] : [onward]
}

/**
 * The frame before the instruction at `pc` of a function that begins at `entry`; null where that does not show. `instructionAt` gives
 * those of the function only.
 */
export const analysedFrame = (
  entry: bigint,
  pc: bigint,
  instructionAt: (address: bigint) => PlacedInstruction | null,
): Frame | null => {
  const seen = new Set<bigint>()
  const open: { readonly address: bigint; readonly state: State }[][] = [[{ address: entry, state: atEntry }], [], []]
  while (seen.size < INSTRUCTIONS_MAX) {
    const next = open.find(list => list.length > 0)?.pop()
    if (next === undefined) return null
    const { address, state } = next
    if (seen.has(address)) continue
    seen.add(address)
    if (address === pc) return frameOf(state)
    const instruction = instructionAt(address)
    if (instruction === null) continue
    const changed = after(state, instruction)
    for (const follower of followers(state, instruction))
      open[follower.doubt]!.push({ address: follower.address, state: changed })
  }
  return null
}

const frameOf = ({ sp, fp, ra, s0 }: State): Frame | null => {
  if (sp !== null) return { cfa: { from: "sp", above: sp }, ra, s0 }
  return fp === null ? null : { cfa: { from: "s0", above: fp }, ra, s0 }
}
