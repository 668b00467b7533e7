/** Where a trap was taken from. RISC-V privileged ISA, sections 3.1.7 to 3.1.15 and 12.1.2 to 12.1.8. */
import { mstatus, mstatusBit } from "../riscv/csr.ts"
import { cause } from "../riscv/trap.ts"
import type { Inspection } from "./inspection.ts"

/** What a hart did when it took a trap; all of its integer registers are still as they were. */
export interface Interrupted {
  /** The instruction that was interrupted, or that trapped. */
  readonly pc: bigint
  /** Where it goes on when the trap has been dealt with: behind an environment call. */
  readonly resumes: bigint
  /** The privilege it had. */
  readonly privilege: bigint
}

const [SPP, MPP] = [BigInt(mstatusBit.SPP), BigInt(mstatusBit.MPP)]
const INTERRUPT = 1n << 63n
const VECTORED = 1n
const environmentCalls: readonly number[] = [cause.ecallFromU, cause.ecallFromS, cause.ecallFromM]

/** What a hart did that stands at the first instruction of a trap's handler; null where it stands elsewhere. */
export const interruptedAt = (inspection: Inspection, hart: number): Interrupted | null => {
  const read = (name: string): bigint => inspection.register(hart, name) ?? 0n
  const privilege = read("privilege")
  if (privilege === 0n) return null
  const mode = privilege === 1n ? "s" : "m"
  const [vector, taken] = [read(`${mode}tvec`), read(`${mode}cause`)]
  const isVectored = (vector & 3n) === VECTORED && (taken & INTERRUPT) !== 0n
  const handler = (vector & ~3n) + (isVectored ? 4n * (taken & ~INTERRUPT) : 0n)
  if (handler === 0n || inspection.pc(hart) !== handler) return null
  const pc = read(`${mode}epc`)
  const status = read("mstatus")
  return {
    pc,
    resumes: environmentCalls.includes(Number(taken)) ? pc + 4n : pc,
    privilege: mode === "s" ? (status & mstatus.SPP) >> SPP : (status & mstatus.MPP) >> MPP,
  }
}
