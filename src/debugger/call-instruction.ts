/**
 * Calls as machine code has them: jumps that leave the address behind them in ra. RISC-V unprivileged ISA, sections 2.5.1 (jal, jalr) and
 * 27.4 (c.jalr); RISC-V psABI, "Integer Register Convention". Jumps that link to t0 belong to how a function begins and are none.
 */
import { integerRegisterNames } from "../riscv/register.ts"
import type { Inspection } from "./inspection.ts"

export interface CallInstruction {
  /** Length of the instruction. */
  readonly bytes: 2 | 4
  /** Where it goes to: so far from the instruction; or so far from what a register holds. */
  readonly target: { readonly register: string | null; readonly offset: number }
}

const RA = 1

/** The call that a word encodes, its upper half is of no account where it encodes a short instruction; null: it is no call. */
export const callIn = (word: number): CallInstruction | null => {
  if ((word & 0xf07f) === 0x9002 && (word & 0xf80) !== 0)
    return { bytes: 2, target: { register: integerRegisterNames[(word >>> 7) & 31]!, offset: 0 } }
  if (((word >>> 7) & 31) !== RA) return null
  if ((word & 0x7f) === 0x6f) return { bytes: 4, target: { register: null, offset: jumpOffset(word) } }
  if ((word & 0x707f) === 0x67)
    return { bytes: 4, target: { register: integerRegisterNames[(word >>> 15) & 31]!, offset: word >> 20 } }
  return null
}

/** The immediate of a J-type word, in bytes. */
const jumpOffset = (word: number): number =>
  ((word >> 31) << 20) | (word & 0xff000) | (((word >>> 20) & 1) << 11) | (((word >>> 21) & 0x3ff) << 1)

/** Where a call at an address goes to, as a hart's registers are. */
export const targetOf = (
  inspection: Inspection,
  hart: number,
  address: bigint,
  { target }: CallInstruction,
): bigint => {
  const base = target.register === null ? address : inspection.register(hart, target.register)!
  return BigInt.asUintN(64, base + BigInt(target.offset)) & ~1n
}
