/**
 * Where a function returns to, as far as that shows without call frame information: `ra` while it holds an address outside the function,
 * else the first word on the stack that stands behind a call (RISC-V psABI, section 1.1: `ra` is x1, the stack grows downward).
 */
import type { Inspection } from "./inspection.ts"
import type { SymbolSource } from "./symbols/symbol-source.ts"

const WORD_BYTES = 8
/** How much of the stack is looked through. */
const STACK_WORDS = 256

export interface ReturnPlace {
  readonly address: bigint
  /** When the function has returned, `sp` is at least this. */
  readonly stack: bigint
}

/** Whether an instruction, as text, is a call: it puts the address of the next one into `ra`. */
export const isCall = (text: string): boolean => /^(?:c\.)?jalr? /.test(text)

/** Whether the instruction before an address is a call that returns there. */
export const followsCall = (inspection: Inspection, hart: number, address: bigint): boolean =>
  [2n, 4n].some(bytes => {
    const before = inspection.instruction(hart, address - bytes)
    return before !== null && BigInt(before.bytes) === bytes && isCall(before.text)
  })

/** null where nothing looks like it. */
export const returnPlace = (inspection: Inspection, symbols: SymbolSource, hart: number): ReturnPlace | null => {
  const function_ = (address: bigint) => symbols.at(address)?.symbol.address ?? null
  const [sp, ra] = [inspection.register(hart, "sp")!, inspection.register(hart, "ra")!]
  const here = function_(inspection.pc(hart))
  if (here !== null && function_(ra) !== here && followsCall(inspection, hart, ra)) return { address: ra, stack: sp }
  for (let at = 0; at < STACK_WORDS; at++) {
    const slot = sp + BigInt(at * WORD_BYTES)
    const word = inspection.readInteger(hart, slot, WORD_BYTES)
    if (word === null) return null
    if (word % 2n === 0n && word !== 0n && followsCall(inspection, hart, word))
      return { address: word, stack: slot + 1n }
  }
  return null
}
