/** Emitters of single random instructions, and of the small groups (a branch and what it skips) that stay well-defined. */
import type { Random } from "../../test/oracle/random.ts"
import { type Assembler, bType, cBranch, cJump, iType, jType, rType, scatter, sType, uType } from "./encode.ts"

/** A register that is known to hold an address, and the addresses that may be touched through it. */
export interface Pointer {
  readonly register: number
  readonly value: number
  readonly low: number
  readonly high: number
}

/** What the emitters need to know of the block they write. */
export interface Block {
  readonly a: Assembler
  readonly random: Random
  /** Registers whose value the block relies on. */
  readonly pinned: Set<number>
  readonly pointers: Pointer[]
}

export const anyRegister = (block: Block): number => block.random.below(32)

/** A destination: any register the block does not rely on. */
export const destination = (block: Block): number => {
  for (;;) {
    const register = block.random.below(32)
    if (!block.pinned.has(register)) return register
  }
}

const nonZeroDestination = (block: Block): number => destination(block) || nonZeroDestination(block)

/** One of x8..x15, in its three-bit form; -1 if the block relies on all of them. */
const compactDestination = (block: Block): number => {
  const free = [0, 1, 2, 3, 4, 5, 6, 7].filter(n => !block.pinned.has(n + 8))
  return free.length === 0 ? -1 : block.random.pick(free)
}

// [funct7, funct3]
const op: readonly (readonly [number, number])[] = [
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(f3 => [0, f3] as const),
  ...[0, 5, 4, 6, 7].map(f3 => [0x20, f3] as const),
  ...[0, 1, 2, 3, 4, 5, 6, 7].map(f3 => [1, f3] as const),
  ...[2, 4, 6].map(f3 => [0x10, f3] as const),
  ...[4, 5, 6, 7].map(f3 => [5, f3] as const),
  ...[1, 5].map(f3 => [0x30, f3] as const),
  ...[1, 5].map(f3 => [0x24, f3] as const),
  [0x34, 1],
  [0x14, 1],
]
const op32: readonly (readonly [number, number])[] = [
  [0, 0],
  [0x20, 0],
  [0, 1],
  [0, 5],
  [0x20, 5],
  ...[0, 4, 5, 6, 7].map(f3 => [1, f3] as const),
  [4, 0],
  ...[2, 4, 6].map(f3 => [0x10, f3] as const),
  [0x30, 1],
  [0x30, 5],
]
// [funct3, bits 31..26] of the 64-bit shift forms
const shifts: readonly (readonly [number, number])[] = [
  [1, 0x00],
  [5, 0x00],
  [5, 0x10],
  [5, 0x18],
  [1, 0x12],
  [5, 0x12],
  [1, 0x1a],
  [1, 0x0a],
]
// [opcode, funct3, whole immediate]
const unary: readonly (readonly [number, number, number])[] = [
  ...[0x600, 0x601, 0x602, 0x604, 0x605].map(i => [0x13, 1, i] as const),
  [0x13, 5, 0x287],
  [0x13, 5, 0x6b8],
  ...[0x600, 0x602].map(i => [0x1b, 1, i] as const),
]
const shifts32: readonly (readonly [number, number])[] = [
  [1, 0],
  [5, 0],
  [5, 0x20],
  [5, 0x30],
]

/** One instruction of RV64I (without memory and control), M, Zba, Zbb or Zbs. */
export const integerInstruction = (block: Block) => {
  const { a, random } = block
  const rd = destination(block)
  const rs1 = anyRegister(block)
  const rs2 = anyRegister(block)
  const immediate = random.chance(30) ? random.pick([0, 1, -1, 2047, -2048]) : random.between(-2048, 2047)
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const [f7, f3] = random.pick(op)
      return a.instruction(rType(0x33, f3, f7, rd, rs1, rs2))
    }
    case 4:
    case 5: {
      const [f7, f3] = random.pick(op32)
      return a.instruction(rType(0x3b, f3, f7, rd, rs1, rs2))
    }
    case 6:
      return a.instruction(iType(0x13, random.pick([0, 2, 3, 4, 6, 7]), rd, rs1, immediate))
    case 7: {
      const [f3, f6] = random.pick(shifts)
      return a.instruction(iType(0x13, f3, rd, rs1, (f6 << 6) | random.below(64)))
    }
    case 8: {
      if (random.chance(10)) {
        // QEMU 7.2 computes ctzw wrongly when the low word is zero (it counts on into the high one), so a bit is set first.
        const source = nonZeroDestination(block)
        a.instruction(iType(0x13, 1, source, rs1, (0x0a << 6) | random.below(32)))
        return a.instruction(iType(0x1b, 1, rd, source, 0x601))
      }
      const [opcode, f3, whole] = random.pick(unary)
      return a.instruction(iType(opcode, f3, rd, rs1, whole))
    }
    case 9: {
      if (random.chance(40)) return a.instruction(iType(0x1b, 0, rd, rs1, immediate))
      if (random.chance(30)) return a.instruction(iType(0x1b, 1, rd, rs1, (2 << 6) | random.below(64)))
      if (random.chance(20)) return a.instruction(rType(0x3b, 4, 4, rd, rs1, 0))
      const [f3, f7] = random.pick(shifts32)
      return a.instruction(rType(0x1b, f3, f7, rd, rs1, random.below(32)))
    }
    case 10:
      return a.instruction(uType(random.pick([0x37, 0x17]), rd, random.below(1 << 20)))
    default: {
      const [f7, f3] = random.pick(op)
      const same = random.chance(50) ? rs1 : rd
      return a.instruction(rType(0x33, f3, f7, rd, same, rs2))
    }
  }
}

/** One compressed instruction that only computes; reserved forms, which trap, now and then. */
export const compressedInstruction = (block: Block) => {
  const { a, random } = block
  const rd = destination(block)
  const rd3 = compactDestination(block)
  const rs3 = random.below(8)
  const rs2 = random.between(1, 31)
  const six = random.below(64)
  const imm6 = scatter(six, [5, 12, 1], [0, 2, 5])
  if (rd3 < 0) return a.instruction(imm6 | (rd << 7) | 0x4001)
  switch (random.below(12)) {
    case 0:
      return a.instruction(0x0001 | imm6 | (rd << 7))
    case 1:
      return a.instruction(0x2001 | imm6 | (nonZeroDestination(block) << 7))
    case 2:
      return a.instruction(0x4001 | imm6 | (rd << 7))
    case 3:
      // c.lui, or with rd = sp c.addi16sp; a zero immediate is reserved.
      return a.instruction(0x6001 | imm6 | (rd << 7))
    case 4:
      return a.instruction(0x8001 | imm6 | (rd3 << 7))
    case 5:
      return a.instruction(0x8401 | imm6 | (rd3 << 7))
    case 6:
      return a.instruction(0x8801 | imm6 | (rd3 << 7))
    case 7:
    case 8:
      // sub xor or and; subw addw
      return a.instruction(
        0x8c01 | (random.pick([0x0000, 0x0020, 0x0040, 0x0060, 0x1000, 0x1020]) | (rd3 << 7) | (rs3 << 2)),
      )
    case 9:
      return a.instruction(0x0002 | imm6 | (rd << 7))
    case 10:
      return a.instruction((random.chance(50) ? 0x8002 : 0x9002) | (nonZeroDestination(block) << 7) | (rs2 << 2))
    default:
      return a.instruction(0x0000 | (random.between(1, 255) << 5) | (rd3 << 2))
  }
}

/** Rounding mode field: mostly dynamic or a static mode, rarely a reserved one. */
const roundingMode = (random: Random): number =>
  random.chance(2) ? random.pick([5, 6]) : random.pick([0, 1, 2, 3, 4, 7, 7, 7, 7])

/** One F or D instruction that touches no memory. */
export const floatInstruction = (block: Block) => {
  const { a, random } = block
  const double = random.below(2)
  const fd = random.below(32)
  const f1 = random.below(32)
  const f2 = random.below(32)
  const rm = roundingMode(random)
  const fp = (f7: number, f3: number, rd: number, rs1: number, rs2: number): void =>
    a.instruction(rType(0x53, f3, f7 | double, rd, rs1, rs2))
  switch (random.below(20)) {
    case 0:
    case 1:
    case 2:
      return fp(random.pick([0x00, 0x04]), rm, fd, f1, f2)
    case 3:
    case 4:
      return fp(0x08, rm, fd, f1, f2)
    case 5:
    case 6:
      return fp(0x0c, rm, fd, f1, f2)
    case 7:
      return fp(0x2c, rm, fd, f1, 0)
    case 8:
    case 9:
    case 10:
    case 11:
      return a.instruction(
        rType(random.pick([0x43, 0x47, 0x4b, 0x4f]), rm, (random.below(32) << 2) | double, fd, f1, f2),
      )
    case 12:
      return fp(0x10, random.below(3), fd, f1, f2)
    case 13:
      return fp(0x14, random.below(2), fd, f1, f2)
    case 14:
      return fp(0x50, random.below(3), destination(block), f1, f2)
    case 15:
      return fp(0x60, rm, destination(block), f1, random.below(4))
    case 16:
      return fp(0x68, rm, fd, anyRegister(block), random.below(4))
    case 17:
      if (random.chance(50)) return fp(0x70, random.below(2), destination(block), f1, 0)
      return fp(0x78, 0, fd, anyRegister(block), 0)
    case 18:
      return a.instruction(double ? rType(0x53, rm, 0x21, fd, f1, 0) : rType(0x53, rm, 0x20, fd, f1, 1))
    default: {
      // fflags, frm, fcsr: read, write, set and clear.
      const csr = random.pick([1, 1, 2, 3])
      if (random.chance(50)) return a.instruction(iType(0x73, 2, destination(block), 0, csr))
      const small = csr === 2 ? random.below(5) : random.below(32)
      return a.instruction(iType(0x73, csr === 2 ? 5 : random.pick([5, 6, 7]), destination(block), small, csr))
    }
  }
}

/** Puts an address near `low`..`high` into a fresh register with auipc; the register's exact value is known. */
export const freshPointer = (block: Block, low: number, high: number): Pointer => {
  const { a, random } = block
  const register = nonZeroDestination(block)
  const middle = random.between(low, high)
  const upper = Math.round((middle - a.here) / 4096)
  const value = a.here + upper * 4096
  a.instruction(uType(0x17, register, upper))
  return { register, value, low, high }
}

/** One load or store, of a random width, through the pointer; compressed where the registers allow it. */
export const memoryInstruction = (block: Block, pointer: Pointer, alignedPercent = 60) => {
  const { a, random } = block
  const width = random.below(4)
  const size = 1 << width
  const low = Math.max(-2048, pointer.low - pointer.value)
  const high = Math.min(2047, pointer.high - 8 - pointer.value)
  let offset = low >= high ? 0 : random.between(low, high)
  if (random.chance(alignedPercent)) {
    const down = offset - ((((pointer.value + offset) % size) + size) % size)
    offset = down < -2048 ? down + size : down
  }
  const compact = random.chance(35) && width >= 2
  if (compact) {
    const scaled = random.below(32) * size
    const inReach = pointer.value + scaled >= pointer.low && pointer.value + scaled <= pointer.high - 8
    const f3 = (random.chance(30) && width === 3 ? 1 : width) | (random.chance(50) ? 4 : 0)
    const isStore = (f3 & 4) !== 0
    const isFloat = (f3 & 3) === 1
    if (pointer.register >= 8 && pointer.register < 16 && inReach) {
      const rd3 = isStore || isFloat ? random.below(8) : compactDestination(block)
      const fields =
        width === 3 ? scatter(scaled, [3, 10, 3], [6, 5, 2]) : scatter(scaled, [3, 10, 3], [2, 6, 1], [6, 5, 1])
      if (rd3 >= 0) return a.instruction((f3 << 13) | fields | ((pointer.register - 8) << 7) | (rd3 << 2))
    }
    if (pointer.register === 2 && inReach) {
      if (isStore) {
        const fields = width === 3 ? scatter(scaled, [3, 10, 3], [6, 7, 3]) : scatter(scaled, [2, 9, 4], [6, 7, 2])
        return a.instruction((f3 << 13) | fields | (random.below(32) << 2) | 2)
      }
      const fields =
        width === 3
          ? scatter(scaled, [5, 12, 1], [3, 5, 2], [6, 2, 3])
          : scatter(scaled, [5, 12, 1], [2, 4, 3], [6, 2, 2])
      const rd = isFloat ? random.below(32) : nonZeroDestination(block)
      return a.instruction((f3 << 13) | fields | (rd << 7) | 2)
    }
  }
  if (width >= 2 && random.chance(30)) {
    if (random.chance(50)) return a.instruction(sType(0x27, width, pointer.register, random.below(32), offset))
    return a.instruction(iType(0x07, width, random.below(32), pointer.register, offset))
  }
  if (random.chance(45)) return a.instruction(sType(0x23, width, pointer.register, anyRegister(block), offset))
  const f3 = width < 3 && random.chance(50) ? width + 4 : width
  return a.instruction(iType(0x03, f3, destination(block), pointer.register, offset))
}

const amoFunctions = [0x00, 0x01, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18, 0x1c]
const amo = (function5: number, width: number, orderBits: number, rd: number, rs1: number, rs2: number): number =>
  rType(0x2f, width, (function5 << 2) | orderBits, rd, rs1, rs2)

/** One read-modify-write instruction at the pointer's own address. */
export const atomicInstruction = (block: Block, pointer: Pointer): void => {
  const { a, random } = block
  const width = random.chance(50) || pointer.value % 8 !== 0 ? 2 : 3
  a.instruction(
    amo(random.pick(amoFunctions), width, random.below(4), destination(block), pointer.register, anyRegister(block)),
  )
}

export const loadReserved = (block: Block, pointer: Pointer, width: 2 | 3): void => {
  block.a.instruction(amo(0x02, width, block.random.below(4), destination(block), pointer.register, 0))
}

export const storeConditional = (block: Block, pointer: Pointer, width: 2 | 3): void => {
  block.a.instruction(amo(0x03, width, block.random.below(4), destination(block), pointer.register, anyRegister(block)))
}

/** lr, some computing, sc to the same place; then often a second sc, which has to fail. The address is naturally aligned. */
export const reservation = (block: Block, pointer: Pointer): void => {
  const width = pointer.value % 8 === 0 && block.random.chance(50) ? 3 : 2
  loadReserved(block, pointer, width)
  for (let n = block.random.below(4); n > 0; n--) integerInstruction(block)
  storeConditional(block, pointer, width)
  if (block.random.chance(40)) storeConditional(block, pointer, width)
}

/** An instruction of integer or compressed arithmetic. */
export const arithmetic = (block: Block): void => {
  if (block.random.chance(60)) integerInstruction(block)
  else compressedInstruction(block)
}

const skipped = (block: Block): void => {
  for (let n = block.random.between(1, 4); n > 0; n--) arithmetic(block)
}

/** A branch or jump over a few instructions, in one of all the ways there are. */
export const forwardJump = (block: Block) => {
  const { a, random } = block
  const at = a.here
  switch (random.below(7)) {
    case 0:
    case 1: {
      const rs1 = anyRegister(block)
      const rs2 = random.chance(20) ? rs1 : anyRegister(block)
      const f3 = random.pick([0, 1, 4, 5, 6, 7])
      a.instruction(bType(f3, rs1, rs2, 0))
      skipped(block)
      return a.patch(at, bType(f3, rs1, rs2, a.here - at))
    }
    case 2: {
      const notZero = random.chance(50)
      const register = random.between(8, 15)
      a.instruction(cBranch(notZero, register, 0))
      skipped(block)
      return a.patch(at, cBranch(notZero, register, a.here - at))
    }
    case 3: {
      const rd = destination(block)
      a.instruction(jType(rd, 0))
      skipped(block)
      return a.patch(at, jType(rd, a.here - at))
    }
    case 4: {
      a.instruction(cJump(0))
      skipped(block)
      return a.patch(at, cJump(a.here - at))
    }
    default: {
      // jalr through a register, the target's lowest bit often set.
      const register = nonZeroDestination(block)
      a.instruction(uType(0x17, register, 0))
      const through = a.here
      const odd = random.below(2)
      if (random.chance(50)) {
        const rd = destination(block)
        a.instruction(iType(0x67, 0, rd, register, 0))
        skipped(block)
        return a.patch(through, iType(0x67, 0, rd, register, a.here - at + odd))
      }
      a.addImmediate(register, register, 0)
      // c.jalr writes x1, which a pinned x1 forbids.
      const link = !block.pinned.has(1) && random.chance(50)
      a.instruction((link ? 0x9002 : 0x8002) | (register << 7))
      skipped(block)
      return a.patch(through, iType(0x13, 0, register, register, a.here - at + odd))
    }
  }
}

/** j forward, a block that jumps back to it, and on: control flow that goes backwards once. */
export const backwardJump = (block: Block): void => {
  const { a } = block
  const first = a.here
  a.instruction(jType(0, 0))
  const back = a.here
  skipped(block)
  const leave = a.here
  a.instruction(jType(0, 0))
  a.patch(first, jType(0, a.here - first))
  skipped(block)
  a.instruction(block.random.chance(50) ? cJump(back - a.here) : jType(destination(block), back - a.here))
  a.patch(leave, jType(0, a.here - leave))
}

/** A counted loop of two to nine turns. */
export const countedLoop = (block: Block, body: () => void): number => {
  const { a, random } = block
  let counter = random.between(1, 31)
  while (block.pinned.has(counter)) counter = random.between(1, 31)
  const turns = random.between(2, 9)
  a.addImmediate(counter, 0, turns)
  block.pinned.add(counter)
  const top = a.here
  for (let n = random.between(2, 5); n > 0; n--) body()
  a.addImmediate(counter, counter, -1)
  if (counter >= 8 && counter < 16 && a.here - top < 250) a.instruction(cBranch(true, counter, top - a.here))
  else a.instruction(bType(1, counter, 0, top - a.here))
  block.pinned.delete(counter)
  return turns
}

/** A word that no hart of this kind executes: custom and reserved opcodes, reserved fields, reserved compressed forms. */
export const illegalInstruction = (block: Block) => {
  const { a, random } = block
  const fields = (random.uint32() & 0xffff8f80) >>> 0
  const f3 = (value: number): number => value << 12
  switch (random.below(9)) {
    case 0:
      return a.instruction(
        (fields | f3(random.below(8)) | random.pick([0x0b, 0x2b, 0x5b, 0x7b, 0x57, 0x77, 0x6b])) >>> 0,
      )
    case 1:
      return a.instruction((fields | f3(random.pick([2, 3])) | 0x63) >>> 0)
    case 2:
      return a.instruction((fields | f3(7) | 0x03) >>> 0)
    case 3:
      return a.instruction((fields | f3(random.pick([4, 5, 6, 7])) | 0x23) >>> 0)
    case 4:
      return a.instruction(
        rType(
          random.pick([0x33, 0x3b]),
          random.below(8),
          random.pick([0x7f, 0x55, 0x03, 0x41]),
          random.below(32),
          random.below(32),
          random.below(32),
        ),
      )
    case 5:
      return a.instruction(
        rType(
          0x2f,
          random.pick([0, 1, 5, 6, 7]),
          random.below(128),
          random.below(32),
          random.below(32),
          random.below(32),
        ),
      )
    case 6:
      return a.instruction(
        rType(
          0x53,
          0,
          random.pick([0x02, 0x03, 0x07, 0x0b, 0x7f, 0x31]),
          random.below(32),
          random.below(32),
          random.below(32),
        ),
      )
    case 7:
      return a.instruction((fields | f3(random.between(1, 7)) | 0x67) >>> 0)
    default:
      return a.instruction(
        random.pick([0x0000, 0x8000, 0x8004, 0x2001, 0x4002, 0x6002, 0x8002, 0x6281, 0x6101, 0x9c41, 0x9c61, 0x9ffd]),
      )
  }
}
