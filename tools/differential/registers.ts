/**
 * Control and status registers the generator writes, each with the values for which the privileged specification and QEMU 7.2
 * agree. What is left out, and why:
 *
 * - mstatus: UXL keeps 2 (QEMU lets it change), VS, MPV and GVA belong to extensions this machine lacks, MPP is never 2
 *   (QEMU keeps it).
 * - mepc and sepc get even values (QEMU keeps bit 0); medeleg leaves 10, 11 and 14 alone (reserved, yet writable in QEMU).
 * - mideleg, mie and mip: only the six standard interrupts (QEMU also has virtual supervisor bits and bit 13).
 * - mie and sie: see `enabledInterrupts`.
 * - counter enables: only the three standard counters; counters and time themselves are never read.
 * - satp: mode 10 (Sv57) exists in QEMU only; bare mode with other bits set is unspecified.
 * - pmpaddr: 54 bits; pmpcfg: no lock (it would outlive the block), never W without R (reserved), reserved bits 0.
 * - menvcfg and senvcfg: FIOM only; mscratch is the harness's.
 * - tselect and tdata1 to tdata3 (7a0 to 7a3) are never named: this machine has one trigger of type 0, QEMU without `debug` has none;
 *   nor are the counters and events 3 to 31, which read as zero here and do not exist in QEMU with `pmu-num=0`.
 */
import type { Random } from "../../test/oracle/random.ts"
import { integerPattern } from "./operands.ts"

export type Access = "write" | "set" | "clear"

export interface WritableCsr {
  readonly number: number
  /** An operand for csrrw, csrrs or csrrc; undefined where that access is not tried. */
  readonly operand: (random: Random, access: Access) => bigint | undefined
}

const masked =
  (mask: bigint) =>
  (random: Random): bigint =>
    (random.chance(50) ? integerPattern(random) : random.uint64()) & mask
const whole = masked((1n << 64n) - 1n)
const writeOnly =
  (value: (random: Random) => bigint) =>
  (random: Random, access: Access): bigint | undefined =>
    access === "write" ? value(random) : undefined

const status =
  (mask: bigint) =>
  (random: Random, access: Access): bigint => {
    const previous = mask & 0x1800n ? random.pick([0n, 0x1800n, access === "write" ? 0x0800n : 0x1800n]) : 0n
    const others = random.uint64() & random.uint64() & mask & ~0x1800n
    return others | previous | (access === "write" ? 0x2_0000_0000n : 0n)
  }

const pmpConfiguration = (random: Random): bigint => {
  let value = 0n
  for (let entry = 0; entry < 8; entry++) {
    const permissions = random.pick([0, 1, 3, 4, 5, 7])
    value = (value << 8n) | BigInt(permissions | (random.below(4) << 3))
  }
  return value
}

/**
 * Interrupts a block may enable. Of several that are pending QEMU 7.2 takes the lowest-numbered, not the most urgent one (privileged
 * specification, 3.1.9: 11, 3, 7, 9, 1, 5), so only those come together for which both are the same; 7 and 11 are never pending.
 */
export const enabledInterrupts = (random: Random): bigint => random.pick([0x208n, 0x022n, 0x028n]) | 0x880n

/** `machineVector` is the harness's trap vector, the only base mtvec may hold; `interrupts` are those mie may enable. */
export const machineCsrs = (machineVector: number, interrupts: bigint): readonly WritableCsr[] => [
  { number: 0x300, operand: status(0x7e_79aan) },
  { number: 0x301, operand: whole },
  { number: 0x302, operand: masked(0xb1ffn) },
  { number: 0x303, operand: masked(0x222n) },
  { number: 0x304, operand: masked(interrupts) },
  { number: 0x305, operand: writeOnly(random => BigInt(machineVector) | BigInt(random.below(4))) },
  { number: 0x306, operand: masked(7n) },
  { number: 0x341, operand: masked(~1n & ((1n << 64n) - 1n)) },
  { number: 0x342, operand: whole },
  { number: 0x343, operand: whole },
  { number: 0x344, operand: masked(0x222n) },
  { number: 0x30a, operand: masked(1n) },
  {
    number: 0x180,
    operand: writeOnly(random => {
      const mode = random.pick([0n, 8n, 9n, 8n, 9n, 1n, 5n, 7n, 11n, 15n])
      return mode === 0n ? 0n : (mode << 60n) | (random.uint64() >> 4n)
    }),
  },
  { number: 0x3a0, operand: writeOnly(pmpConfiguration) },
  ...[0x3b0, 0x3b1, 0x3b2, 0x3b3].map(number => ({ number, operand: masked((1n << 54n) - 1n) })),
]

export const supervisorCsrs = (interrupts: bigint): readonly WritableCsr[] => [
  { number: 0x100, operand: status(0xc_6122n) },
  { number: 0x104, operand: masked(interrupts & 0x222n) },
  { number: 0x105, operand: whole },
  { number: 0x106, operand: masked(7n) },
  { number: 0x10a, operand: masked(1n) },
  { number: 0x140, operand: whole },
  { number: 0x141, operand: masked(~1n & ((1n << 64n) - 1n)) },
  { number: 0x142, operand: whole },
  { number: 0x143, operand: whole },
  { number: 0x144, operand: masked(0x222n) },
]

export const floatCsrs: readonly WritableCsr[] = [
  { number: 1, operand: masked(0xffn) },
  { number: 2, operand: masked(0xfn) },
  { number: 3, operand: masked(0xffffn) },
]

/** Registers whose every access is an illegal instruction, in any mode. */
export const absentCsrs: readonly number[] = [
  0x005, 0x0ff, 0x145, 0x1ff, 0x181, 0x2c0, 0x3a1, 0x3a3, 0x5c0, 0x7c0, 0x800, 0xcc0, 0xfc0, 0xf10, 0xf16,
]

/** Read-only registers with the same value everywhere: reading is fine in machine mode, writing never is. */
export const constantCsrs: readonly number[] = [0xf14, 0xf15, 0xf11]
