/** Random blocks by category: what is in them, in which mode they run, and what has to be prepared. */
import type { Random } from "../../test/oracle/random.ts"
import { type Assembler, EBREAK, ECALL, FENCE_I, iType, MRET, rType, SFENCE_ALL, SRET, sType, WFI } from "./encode.ts"
import {
  anyRegister,
  arithmetic,
  atomicInstruction,
  type Block,
  backwardJump,
  countedLoop,
  destination,
  floatInstruction,
  forwardJump,
  freshPointer,
  illegalInstruction,
  integerInstruction,
  loadReserved,
  memoryInstruction,
  type Pointer,
  reservation,
} from "./instructions.ts"
import { CODE_BASE, RAM_SIZE, TABLE_0, TABLE_1, WINDOW, WINDOW_SIZE } from "./layout.ts"
import { floatPattern, integerPattern } from "./operands.ts"
import { leafEntry, middleEntry, satp, testAddress, userAlias } from "./paging.ts"
import {
  type Access,
  absentCsrs,
  constantCsrs,
  enabledInterrupts,
  floatCsrs,
  machineCsrs,
  supervisorCsrs,
  type WritableCsr,
} from "./registers.ts"

export const categories = [
  "integer",
  "float",
  "memory",
  "atomic",
  "branch",
  "csr",
  "trap",
  "interrupt",
  "paging",
  "protection",
  "self-modifying",
] as const
export type Category = (typeof categories)[number]

export type Mode = "machine" | "supervisor" | "user"

/** Something machine mode does before the block starts. */
export type Preparation =
  | { readonly kind: "csr"; readonly number: number; readonly value: bigint }
  | { readonly kind: "word"; readonly address: number; readonly value: bigint; readonly size: 4 | 8 }
  | { readonly kind: "sfence" }
  | { readonly kind: "fence.i" }

/** A block as it is being written. */
export interface Draft extends Block {
  mode: Mode
  /** Added to physical code addresses to get the ones the block runs at. */
  alias: (physical: number) => number
  mstatus: bigint
  readonly x: Map<number, bigint>
  readonly f: Map<number, bigint>
  fcsr: bigint | undefined
  readonly preparations: Preparation[]
  /** Registers kept free of the block's results, for operands that need an exact value. */
  readonly reserve: number[]
  /** Instructions that loops run again. */
  repeated: number
}

const MPP = { machine: 0x1800n, supervisor: 0x0800n, user: 0n } as const
const FS_DIRTY = 0x6000n
const WIDTHS = 0xa_0000_0000n
const MACHINE_VECTOR = CODE_BASE + 0x400

const newDraft = (a: Assembler, random: Random, reserved: number): Draft => {
  const draft: Draft = {
    a,
    random,
    pinned: new Set(),
    pointers: [],
    mode: "machine",
    alias: physical => physical,
    mstatus: 0n,
    x: new Map(),
    f: new Map(),
    fcsr: undefined,
    preparations: [],
    reserve: [],
    repeated: 0,
  }
  while (draft.reserve.length < reserved) {
    const register = random.between(1, 31)
    if (draft.pinned.has(register)) continue
    draft.pinned.add(register)
    draft.reserve.push(register)
  }
  return draft
}

/** Sets the mode and the status the block starts with. */
const enterIn = (draft: Draft, mode: Mode, extra = 0n): void => {
  draft.mode = mode
  draft.mstatus = WIDTHS | FS_DIRTY | MPP[mode] | extra
}

/** A register that holds `value` at the start of the block, and nothing else during it. */
const pin = (draft: Draft, value: bigint): number => {
  const register = draft.reserve.pop()
  if (register === undefined) throw new Error("A block of this category has to reserve more registers.")
  draft.x.set(register, BigInt.asUintN(64, value))
  return register
}

const canPin = (draft: Draft, count = 1): boolean => draft.reserve.length >= count

/** Fresh contents for some registers, so that values do not decay to zero. */
const seedRegisters = (draft: Draft, integers: number, floats: number): void => {
  const { random } = draft
  for (let n = 0; n < integers; n++) {
    const register = random.between(1, 31)
    if (!draft.pinned.has(register)) draft.x.set(register, integerPattern(random))
  }
  for (let n = 0; n < floats; n++) draft.f.set(random.below(32), floatPattern(random))
  if (floats > 0 || random.chance(20))
    draft.fcsr =
      BigInt((random.chance(4) ? random.between(5, 7) : random.below(5)) << 5) |
      (random.chance(50) ? 0n : BigInt(random.below(32)))
}

const repeat = (count: number, action: () => void): void => {
  for (let n = 0; n < count; n++) action()
}

const control = (draft: Draft) => {
  const { random } = draft
  if (random.chance(60)) return forwardJump(draft)
  if (random.chance(50)) return backwardJump(draft)
  const before = draft.a.here
  const turns = countedLoop(draft, () => arithmetic(draft))
  draft.repeated += Math.round(((draft.a.here - before) / 3.2) * (turns - 1))
}

const windowPointer = (draft: Draft): Pointer => {
  const { random } = draft
  if (draft.pointers.length > 0 && random.chance(60)) return random.pick(draft.pointers)
  const pointer = freshPointer(draft, WINDOW + 256, WINDOW + WINDOW_SIZE - 256)
  return { ...pointer, low: WINDOW, high: WINDOW + WINDOW_SIZE }
}

const pinWindowPointers = (draft: Draft, count: number, alignment: number): void => {
  repeat(count, () => {
    const value = WINDOW + 2048 + draft.random.below((WINDOW_SIZE - 4096) / alignment) * alignment
    draft.pointers.push({ register: pin(draft, BigInt(value)), value, low: WINDOW, high: WINDOW + WINDOW_SIZE })
  })
}

const integerBlock = (draft: Draft, length: number): void => {
  enterIn(draft, "machine")
  seedRegisters(draft, 8, 0)
  repeat(length, () => (draft.random.chance(4) ? control(draft) : arithmetic(draft)))
}

const floatBlock = (draft: Draft, length: number): void => {
  enterIn(draft, "machine")
  seedRegisters(draft, 4, 14)
  repeat(length, () => {
    const { random } = draft
    if (random.chance(88)) floatInstruction(draft)
    else if (random.chance(50)) arithmetic(draft)
    else memoryInstruction(draft, windowPointer(draft))
  })
}

const memoryBlock = (draft: Draft, length: number): void => {
  enterIn(draft, "machine")
  pinWindowPointers(draft, 2, 1)
  seedRegisters(draft, 6, 4)
  repeat(length, () => {
    if (draft.random.chance(80)) memoryInstruction(draft, windowPointer(draft))
    else arithmetic(draft)
  })
}

const atomicBlock = (draft: Draft, length: number): void => {
  enterIn(draft, "machine")
  pinWindowPointers(draft, 2, draft.random.pick([4, 8, 8]))
  const aligned = [...draft.pointers]
  const odd = draft.random.chance(15) ? pin(draft, BigInt(WINDOW + 512 + draft.random.below(512))) : 0
  seedRegisters(draft, 8, 0)
  repeat(length, () => {
    const { random } = draft
    if (odd !== 0 && random.chance(10)) {
      const pointer = { register: odd, value: 1, low: WINDOW, high: WINDOW + WINDOW_SIZE }
      if (random.chance(60)) atomicInstruction(draft, pointer)
      else loadReserved(draft, pointer, 2)
    } else if (random.chance(55)) atomicInstruction(draft, random.pick(aligned))
    else if (random.chance(30)) reservation(draft, random.pick(aligned))
    else if (random.chance(40)) memoryInstruction(draft, random.pick(aligned))
    else arithmetic(draft)
  })
}

const branchBlock = (draft: Draft, length: number): void => {
  enterIn(draft, "machine")
  seedRegisters(draft, 10, 0)
  repeat(Math.ceil(length / 3), () => (draft.random.chance(65) ? control(draft) : arithmetic(draft)))
}

/** One CSR instruction in any of the six forms; operands other than small immediates come from pinned registers. */
const csrInstruction = (draft: Draft, csrs: readonly WritableCsr[]) => {
  const { a, random } = draft
  const rd = destination(draft)
  if (random.chance(6))
    return a.instruction(iType(0x73, random.pick([1, 2, 3, 5, 6, 7]), rd, anyRegister(draft), random.pick(absentCsrs)))
  if (random.chance(4)) {
    // A csrrs whose register holds zero is a write all the same (unprivileged specification, 7.1), yet QEMU lets it pass: the
    // register holds one.
    const f3 = random.pick([1, 2, 5, 6])
    const writes = random.chance(50)
    const source = writes && f3 === 2 ? (canPin(draft) ? pin(draft, 1n) : 0) : Number(writes)
    return a.instruction(iType(0x73, f3, rd, source, random.pick(constantCsrs)))
  }
  const { number, operand } = random.pick(csrs)
  if (random.chance(20)) return a.instruction(iType(0x73, random.pick([2, 3, 6, 7]), rd, 0, number))
  const access = random.pick<Access>(["write", "write", "set", "clear"])
  const f3 = { write: 1, set: 2, clear: 3 }[access]
  const value = operand(random, access)
  if (value === undefined) return a.instruction(iType(0x73, 2, rd, 0, number))
  if (value < 32n) return a.instruction(iType(0x73, f3 + 4, rd, Number(value), number))
  if (!canPin(draft)) return arithmetic(draft)
  a.instruction(iType(0x73, f3, rd, pin(draft, value), number))
}

const csrBlock = (draft: Draft, length: number): void => {
  const { random } = draft
  const mode = random.pick<Mode>(["machine", "machine", "machine", "supervisor", "user"])
  enterIn(draft, mode)
  const interrupts = enabledInterrupts(random)
  const machine = machineCsrs(MACHINE_VECTOR, interrupts)
  const supervisor = supervisorCsrs(interrupts)
  if (mode === "machine") {
    if (random.chance(30)) draft.mstatus &= ~(BigInt(random.between(1, 3)) << 13n)
    if (random.chance(30))
      draft.preparations.push({ kind: "csr", number: 0x303, value: BigInt(random.below(0x300)) & 0x222n })
    repeat(length, () => {
      if (random.chance(75)) csrInstruction(draft, random.pick([machine, machine, supervisor, floatCsrs]))
      else arithmetic(draft)
    })
  } else {
    // satp is left alone here: it would take effect at once.
    const traps = machine.filter(csr => csr.number !== 0x180)
    repeat(length, () => {
      if (random.chance(70))
        csrInstruction(draft, random.chance(15) ? traps : random.chance(70) ? supervisor : floatCsrs)
      else arithmetic(draft)
    })
  }
  seedRegisters(draft, 5, 0)
}

/** csrw xEPC, the address after the return; the return itself. */
const returnFromTrap = (draft: Draft, instruction: number, epc: number): void => {
  const { a } = draft
  const register = pin(draft, 0n)
  a.csrWrite(epc, register)
  a.instruction(instruction)
  draft.x.set(register, BigInt(draft.alias(a.here)))
}

const delegate = (draft: Draft, mask: bigint): void => {
  const value = draft.random.uint64() & mask
  draft.preparations.push({ kind: "csr", number: 0x302, value })
}

const trapBlock = (draft: Draft, length: number) => {
  const { random, a } = draft
  const mode = random.pick<Mode>(["machine", "supervisor", "supervisor", "user", "user"])
  const trapVirtualMemory = BigInt(random.below(2)) << 20n
  const timeoutWait = BigInt(random.below(2)) << 21n
  const trapReturn = BigInt(random.below(2)) << 22n
  const previous = (BigInt(random.below(2)) << 8n) | (BigInt(random.below(2)) << 5n)
  enterIn(draft, mode, trapVirtualMemory | timeoutWait | trapReturn | previous)
  if (random.chance(30)) draft.mstatus &= ~FS_DIRTY
  // The supervisor stub returns with sret, so nothing is delegated where sret traps.
  if (trapReturn === 0n) delegate(draft, 0xb1ffn)
  if (random.chance(50))
    draft.preparations.push({ kind: "csr", number: 0x105, value: BigInt(CODE_BASE + 0x1000 + random.below(2)) })
  const supervisorPrevious = pin(draft, 0x100n)
  seedRegisters(draft, 6, 4)
  repeat(length, () => {
    const kind = random.below(100)
    if (kind < 15) illegalInstruction(draft)
    else if (kind < 20) a.instruction(ECALL)
    else if (kind < 24) a.instruction(EBREAK)
    else if (kind < 30) {
      if (mode !== "machine")
        return csrInstruction(
          draft,
          machineCsrs(MACHINE_VECTOR, 0n).filter(csr => csr.number !== 0x180),
        )
      a.instruction(iType(0x73, 2, destination(draft), 0, random.pick(absentCsrs)))
    } else if (kind < 36 && canPin(draft, 5)) {
      if (mode === "machine") {
        if (random.chance(50)) a.csrSet(0x300, pin(draft, random.pick([0x80n, 0x1800n])))
        returnFromTrap(draft, MRET, 0x341)
      } else if (mode === "supervisor") {
        if (random.chance(60)) a.csrSet(0x100, supervisorPrevious)
        returnFromTrap(draft, SRET, 0x141)
      } else a.instruction(random.pick([SRET, MRET]))
    } else if (kind < 39)
      a.instruction(
        rType(0x73, 0, 9, 0, random.chance(50) ? 0 : anyRegister(draft), random.chance(50) ? 0 : anyRegister(draft)),
      )
    else if (kind < 42 && mode !== "machine" && (timeoutWait !== 0n || mode === "user")) a.instruction(WFI)
    else if (kind < 44 && mode === "supervisor" && trapVirtualMemory !== 0n) a.csrRead(destination(draft), 0x180)
    else if (kind < 60) floatInstruction(draft)
    else if (kind < 70) memoryInstruction(draft, windowPointer(draft))
    else if (kind < 75) forwardJump(draft)
    else arithmetic(draft)
  })
  if (random.chance(20)) {
    // Last, a jump to where no instruction can be fetched.
    const target = random.pick([0n, 0x8800_0000n, 0x0800_0000n, integerPattern(random) | (1n << 60n)])
    if (canPin(draft)) a.instruction(iType(0x67, 0, destination(draft), pin(draft, target), random.below(2)))
  }
  if (random.chance(20) && canPin(draft)) {
    const nowhere = pin(
      draft,
      random.pick([8n, 0x10n, BigInt(CODE_BASE + RAM_SIZE), BigInt(CODE_BASE + RAM_SIZE + 0x1000)]),
    )
    repeat(3, () =>
      a.instruction(
        random.pick([
          iType(0x03, random.below(7), destination(draft), nowhere, 0),
          sType(0x23, random.below(4), nowhere, anyRegister(draft), 0),
          // Not a read-modify-write: QEMU reports 5 for it here, the cause of loads, where the specification has 7.
          rType(0x2f, 3, 0x08, destination(draft), nowhere, 0),
          iType(0x07, 3, random.below(32), nowhere, 0),
        ]),
      ),
    )
  }
}

const interruptBlock = (draft: Draft, length: number): void => {
  const { random, a } = draft
  const mode = random.pick<Mode>(["machine", "machine", "supervisor", "supervisor", "user"])
  enterIn(draft, mode, (BigInt(random.below(256)) & 0xa2n) | (BigInt(random.below(2)) << 8n))
  const bits = (mask: bigint): bigint => random.uint64() & mask
  draft.preparations.push({ kind: "csr", number: 0x303, value: bits(0x222n) })
  const enabled = enabledInterrupts(random)
  draft.preparations.push({ kind: "csr", number: 0x304, value: bits(enabled) })
  draft.preparations.push({ kind: "csr", number: 0x344, value: bits(0x222n) })
  draft.preparations.push({ kind: "word", address: 0x0200_0000, value: BigInt(random.below(2)), size: 4 })
  draft.preparations.push({ kind: "csr", number: 0x105, value: BigInt(CODE_BASE + 0x1000 + random.below(2)) })
  draft.preparations.push({ kind: "csr", number: 0x305, value: BigInt(MACHINE_VECTOR + random.below(2)) })
  seedRegisters(draft, 5, 0)
  const machine: readonly [number, bigint][] = [
    [0x304, enabled],
    [0x344, 0x222n],
    [0x300, 0x8n],
    [0x300, 0xaan],
    [0x303, 0x222n],
  ]
  const supervisor: readonly [number, bigint][] = [
    [0x104, enabled & 0x222n],
    [0x144, 0x222n],
    [0x100, 0x2n],
    [0x100, 0x22n],
  ]
  repeat(length, () => {
    if (mode !== "user" && random.chance(40) && canPin(draft)) {
      const [number, mask] = random.pick(mode === "machine" ? [...machine, ...supervisor] : supervisor)
      const value = bits(mask)
      const f3 = random.pick([2, 3, 2])
      if (value < 32n) a.instruction(iType(0x73, f3 + 4, destination(draft), Number(value), number))
      else a.instruction(iType(0x73, f3, destination(draft), pin(draft, value), number))
    } else if (random.chance(10)) forwardJump(draft)
    else arithmetic(draft)
  })
}

const pagingBlock = (draft: Draft, length: number): void => {
  const { random, a } = draft
  const mode = random.pick<Mode>(["machine", "supervisor", "supervisor", "user", "user"])
  // A supervisor that may read user pages (SUM) must not find code in them: where it has read one, QEMU 7.2 lets it run it too.
  const userData = mode !== "supervisor" || random.chance(60)
  const views = userData ? [0, 1, 2, 3] : [0, 2]
  enterIn(draft, mode, (BigInt(random.pick(views)) << 18n) | (BigInt(random.below(2)) << 5n))
  if (mode === "user") draft.alias = userAlias
  const { preparations } = draft
  // Where pages may map what is no RAM, every access is aligned and none is a read-modify-write: of a misaligned one QEMU reports
  // the aligned address, of the other the cause of loads.
  const outside = random.chance(40)
  const leaf = (): bigint => leafEntry(random, { outside, userCode: mode !== "supervisor" || !userData })
  for (let n = 0; n < 4; n++)
    preparations.push({ kind: "word", address: TABLE_1 + 8 * n, value: middleEntry(random), size: 8 })
  for (let n = 0; n < 8; n++) preparations.push({ kind: "word", address: TABLE_0 + 8 * n, value: leaf(), size: 8 })
  preparations.push({ kind: "csr", number: 0x180, value: satp(random.pick([3, 4]), random.below(0x10000)) })
  preparations.push({ kind: "sfence" })
  delegate(draft, 0xb1ffn)
  const pointers = Array.from({ length: 4 }, () => {
    const sharpOffsets = outside ? [0, 4088, 2048] : [0, 4088, 4090, 4095, 2048]
    const offset = random.chance(30) ? random.pick(sharpOffsets) : 8 * random.below(512)
    const address = testAddress(random, random.below(4), random.below(8), offset)
    return { register: pin(draft, address), value: offset, low: -1e6, high: 1e6, aligned: offset % 8 === 0 }
  })
  const asSupervisor = random.chance(50)
  const sharp = pin(draft, (1n << 17n) | (asSupervisor ? 0x800n : 0n))
  const flip = pin(draft, BigInt(random.pick(views.slice(1))) << 18n)
  seedRegisters(draft, 4, 3)
  if (mode === "machine") a.csrSet(0x300, sharp)
  repeat(length, () => {
    const kind = random.below(100)
    const pointer = random.pick(pointers)
    // The return from a trap leaves MPP = U. QEMU 7.2 then still uses translations it made for MPP = S until mstatus is written.
    if (mode === "machine" && asSupervisor && kind < 60) a.csrSet(0x300, sharp)
    if (kind < 50) memoryInstruction(draft, pointer, outside ? 100 : 70)
    else if (kind < 58 && pointer.aligned && !outside) atomicInstruction(draft, pointer)
    else if (kind < 60) loadReserved(draft, pointer, 2)
    else if (kind < 63 && !draft.pinned.has(1) && mode !== "machine")
      a.instruction(iType(0x67, 0, 1, pointer.register, 2 * random.between(-8, 8)))
    else if (kind < 66 && mode === "supervisor")
      a.instruction(iType(0x73, random.pick([2, 3]), destination(draft), flip, 0x100))
    else if (kind < 68 && mode === "supervisor")
      a.instruction(random.chance(50) ? SFENCE_ALL : rType(0x73, 0, 9, 0, pointer.register, random.pick([0, 5])))
    else if (kind < 70 && mode === "supervisor" && canPin(draft, 2)) {
      // A supervisor changes an entry itself, through its identity mapping, and fences.
      const table = pin(draft, BigInt(TABLE_0 + 8 * random.below(8)))
      a.instruction(sType(0x23, 3, table, pin(draft, leaf()), 0))
      a.instruction(SFENCE_ALL)
    } else if (kind < 72 && mode === "machine") a.csrSet(0x300, sharp)
    else if (kind < 76) forwardJump(draft)
    else arithmetic(draft)
  })
}

const protectionBlock = (draft: Draft, length: number): void => {
  const { random, a } = draft
  const mode = random.pick<Mode>(["machine", "supervisor", "user"])
  enterIn(draft, mode)
  const base = WINDOW + 0x1000
  const { preparations } = draft
  let configuration = 0n
  const addresses: bigint[] = []
  for (let entry = 0; entry < 4; entry++) {
    const size = 3 + random.below(8)
    const start = BigInt(base + (random.below(2048) & ~7)) >> 2n
    const match = random.below(4)
    // A top-of-range entry must not begin at zero: the harness's supervisor vector lies there.
    const lowest = entry === 0 && match === 1
    const permissions = random.pick([0, 1, 3, 4, 5, 7])
    const napot = ((start >> BigInt(size - 2)) << BigInt(size - 2)) | ((1n << BigInt(size - 3)) - 1n)
    addresses.push(match === 3 ? napot : start)
    configuration |= BigInt(permissions | ((lowest ? 0 : match) << 3)) << BigInt(8 * entry)
  }
  addresses.forEach((value, entry) => {
    preparations.push({ kind: "csr", number: 0x3b0 + entry, value })
  })
  // Two open halves of the page behind them: QEMU 7.2 caches a permission for the whole page when the entry that matched covers
  // all of it, even where an earlier entry covers a part.
  for (const half of [0, 1]) {
    preparations.push({ kind: "csr", number: 0x3b4 + half, value: BigInt((base + 0x800 * half) / 4 + 0xff) })
    configuration |= 0x1fn << BigInt(8 * (4 + half))
  }
  preparations.push({ kind: "csr", number: 0x3a0, value: configuration })
  preparations.push({ kind: "sfence" })
  const pointers = Array.from({ length: 3 }, () => {
    const value = base + 2048 + 8 * random.below(16) - 64
    return { register: pin(draft, BigInt(value)), value, low: base, high: base + 0x1000 }
  })
  const sharp = pin(draft, 0x2_0000n)
  seedRegisters(draft, 4, 2)
  // With MPP still user after the return that started the block, MPRV makes machine mode's accesses user ones.
  if (mode === "machine" && random.chance(80)) a.csrSet(0x300, sharp)
  repeat(length, () => {
    if (random.chance(70)) memoryInstruction(draft, random.pick(pointers), 100)
    else if (random.chance(20)) atomicInstruction(draft, random.pick(pointers))
    else arithmetic(draft)
  })
}

const selfModifyingBlock = (draft: Draft, length: number): void => {
  const { random, a } = draft
  enterIn(draft, "machine")
  seedRegisters(draft, 6, 2)
  repeat(Math.ceil(length / 8), () => {
    if (!canPin(draft, 3)) return
    // The instruction at `target` is rewritten, run, and written back, so that the next pass finds what this one found.
    const words = [0, 1].map(() =>
      rType(0x33, random.pick([0, 4, 6, 7]), 0, destination(draft), anyRegister(draft), anyRegister(draft)),
    )
    const at = pin(draft, 0n)
    const [first, second] = words.map(word => pin(draft, BigInt(word)))
    if (random.chance(50)) a.instruction(0x0001)
    a.instruction(sType(0x23, 2, at, second!, 0))
    a.instruction(FENCE_I)
    repeat(random.below(3), () => integerInstruction(draft))
    draft.x.set(at, BigInt(a.here))
    a.instruction(words[0]!)
    repeat(random.below(3), () => arithmetic(draft))
    a.instruction(sType(0x23, 2, at, first!, 0))
    a.instruction(FENCE_I)
    arithmetic(draft)
  })
}

interface Writer {
  readonly write: (draft: Draft, length: number) => void
  readonly reserved: number
}

const writers: Record<Category, Writer> = {
  integer: { write: integerBlock, reserved: 0 },
  float: { write: floatBlock, reserved: 0 },
  memory: { write: memoryBlock, reserved: 2 },
  atomic: { write: atomicBlock, reserved: 3 },
  branch: { write: branchBlock, reserved: 0 },
  csr: { write: csrBlock, reserved: 12 },
  trap: { write: trapBlock, reserved: 12 },
  interrupt: { write: interruptBlock, reserved: 12 },
  paging: { write: pagingBlock, reserved: 10 },
  protection: { write: protectionBlock, reserved: 4 },
  "self-modifying": { write: selfModifyingBlock, reserved: 12 },
}

/** Writes the code of a block of about `length` instructions at the assembler's place; the caller ends and prepares it. */
export const writeBlock = (category: Category, a: Assembler, random: Random, length: number): Draft => {
  const { write, reserved } = writers[category]
  const draft = newDraft(a, random, reserved)
  write(draft, length)
  return draft
}
