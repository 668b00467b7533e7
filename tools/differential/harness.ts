/**
 * The bare-metal harness of a differential program: boot, trap handler, the hash over all state after every block, checkpoint
 * lines and register dumps on the UART. It keeps no register for itself: the trap handler lives on mscratch alone.
 *
 * A block ends with a c.ebreak at a known address. Every other trap is folded into the hash and skipped; a fetch fault, or too
 * many traps, end the block. Exceptions delegated to supervisor mode land on a stub whose ecall brings them here.
 *
 * Console: `C <block> <hash>` at checkpoints, `D <block>` and one word a line for a dump, `E <hash> <traps>` at the end.
 */
import {
  type Assembler,
  C_EBREAK,
  ECALL,
  FENCE_I,
  iType,
  jType,
  MRET,
  rType,
  SFENCE_ALL,
  SRET,
  sType,
  WFI,
} from "./encode.ts"
import { CODE_BASE, foldedCsrs, HARNESS, slot, TABLE_1, WINDOW_SIZE } from "./layout.ts"

const csr = {
  mstatus: 0x300,
  medeleg: 0x302,
  mideleg: 0x303,
  mie: 0x304,
  mtvec: 0x305,
  mcounteren: 0x306,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  mtval: 0x343,
  mip: 0x344,
  stvec: 0x105,
  scounteren: 0x106,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  sstatus: 0x100,
  satp: 0x180,
  pmpcfg0: 0x3a0,
  pmpcfg2: 0x3a2,
  pmpaddr15: 0x3bf,
  fcsr: 0x003,
} as const

const TRAPS_PER_BLOCK_MAX = 300
const VECTORS = 16

const MACHINE_VECTOR = CODE_BASE + 0x400
export const SUPERVISOR_VECTOR = CODE_BASE + 0x1000
const SUPERVISOR_SIZE = 0x200

/** mstatus without FS and SD (QEMU does not mark them dirty on flag-only writes) and without fields this machine lacks. */
const MSTATUS_MASK = 0x007e_19aan
const SSTATUS_MASK = 0x000c_0122n

/** The words of the harness page. */
export const harnessWords = (options: {
  readonly passes: number
  readonly checkpointMask: number
  readonly dumpFirst: number
  readonly dumpLast: number
  readonly stop: number
  readonly stopBlock: number
  readonly firstBlock: number
  readonly enter: number
  readonly window: number
}): Map<number, bigint> =>
  new Map([
    [slot.checkpointMask, BigInt(options.checkpointMask)],
    [slot.dumpFirst, BigInt(options.dumpFirst)],
    [slot.dumpLast, BigInt(options.dumpLast)],
    [slot.stop, BigInt(options.stop)],
    [slot.stopBlock, BigInt(options.stopBlock)],
    [slot.passesLeft, BigInt(options.passes)],
    [slot.firstBlock, BigInt(options.firstBlock)],
    [slot.enter, BigInt(options.enter)],
    [slot.hash, 0x243f6a8885a308d3n],
    [slot.mixer, 0x9e3779b97f4a7c15n],
    [slot.mstatusMask, MSTATUS_MASK],
    [slot.sstatusMask, SSTATUS_MASK],
    [slot.ramMask, 0x07ff_ffffn],
    [slot.ramBase, 0x8000_0000n],
    [slot.supervisorVector, BigInt(SUPERVISOR_VECTOR)],
    [slot.window, BigInt(options.window)],
    [slot.uart, 0x1000_0000n],
    [slot.powerOff, 0x10_0000n],
    [slot.tables, BigInt(TABLE_1)],
    [slot.mtimecmp, 0x0200_4000n],
    [slot.msip, 0x0200_0000n],
    [slot.openPmp, (1n << 54n) - 1n],
  ])

const dumpOffsets: readonly number[] = [
  ...Array.from({ length: 31 }, (_, n) => slot.x(n + 1)),
  ...Array.from({ length: 32 }, (_, n) => slot.f(n)),
  slot.fcsr,
  slot.mstatus,
  slot.mcause,
  slot.mepc,
  slot.mtval,
  slot.traps,
  slot.vector,
  slot.scause,
  slot.sepc,
  slot.stval,
  slot.sstatus,
  ...foldedCsrs.map((_, index) => slot.csr(index)),
]

// Registers by use while the harness runs; x31 always points at the harness page.
const BASE = 31
const HASH = 8
const MIXER = 9
const EQ = 0
const NE = 1
const LT = 4
const GEU = 7

/** Emits the harness at the assembler's base; afterwards the labels `enter` and `passEnd` exist. */
export const emitHarness = (a: Assembler): void => {
  const constant = (rd: number, value: number): void => a.addImmediate(rd, 0, value)
  const fold = (register: number): void => {
    a.instruction(rType(0x33, 4, 0, HASH, HASH, register))
    a.instruction(rType(0x33, 0, 1, HASH, HASH, MIXER))
    a.instruction(iType(0x13, 5, 10, HASH, 29))
    a.instruction(rType(0x33, 4, 0, HASH, HASH, 10))
  }

  // Boot: park other harts, then start the first block.
  a.branch(EQ, 10, 0, "boot")
  a.label("park")
  a.instruction(WFI)
  a.jump("park")
  a.label("boot")
  a.addressTo(BASE, HARNESS)
  a.csrWrite(csr.mscratch, BASE)
  a.addressTo(5, MACHINE_VECTOR)
  a.csrWrite(csr.mtvec, 5)
  a.load(5, slot.openPmp, BASE)
  a.csrWrite(csr.pmpaddr15, 5)
  constant(5, 0x1f)
  a.instruction(iType(0x13, 1, 5, 5, 56))
  a.csrWrite(csr.pmpcfg2, 5)
  constant(5, -1)
  a.load(6, slot.mtimecmp, BASE)
  a.store(5, 0, 6)
  a.jump("quiesce", 1)
  a.load(5, slot.firstBlock, BASE)
  a.instruction(iType(0x67, 0, 0, 5, 0))

  // Machine trap vectors: with vectored mode an interrupt's entry tells its number.
  a.seek(MACHINE_VECTOR)
  for (let index = 0; index < VECTORS; index++) a.jump(`vector ${index}`)
  for (let index = 0; index < VECTORS; index++) {
    a.label(`vector ${index}`)
    a.csrWrite(csr.mscratch, BASE, BASE)
    a.store(30, slot.x(30), BASE)
    constant(30, index)
    a.jump("trap")
  }

  // Supervisor trap vectors: report to machine mode, then go back the supervisor's way.
  a.seek(SUPERVISOR_VECTOR)
  for (let index = 0; index < VECTORS; index++) a.jump(`supervisor ${index}`)
  for (let index = 0; index < VECTORS; index++) {
    a.label(`supervisor ${index}`)
    a.instruction(ECALL)
    a.instruction(SRET)
  }
  a.seek(SUPERVISOR_VECTOR + SUPERVISOR_SIZE)

  a.label("trap")
  a.store(30, slot.vector, BASE)
  for (let n = 1; n < 30; n++) a.store(n, slot.x(n), BASE)
  a.csrRead(30, csr.mscratch)
  a.store(30, slot.x(31), BASE)
  a.csrWrite(csr.mscratch, BASE)
  a.load(HASH, slot.hash, BASE)
  a.load(MIXER, slot.mixer, BASE)
  a.csrRead(5, csr.mcause)
  a.csrRead(6, csr.mepc)
  a.csrRead(7, csr.mtval)
  a.csrRead(11, csr.mstatus)
  a.load(12, slot.mstatusMask, BASE)
  a.instruction(rType(0x33, 7, 0, 11, 11, 12))
  a.store(11, slot.mstatus, BASE)
  // The end of the block?
  a.instruction(iType(0x13, 0, 16, 6, 0))
  constant(14, 3)
  a.branch(NE, 5, 14, "counted")
  a.jump("finishAtEnd", 1)
  a.label("counted")
  a.store(5, slot.mcause, BASE)
  a.store(6, slot.mepc, BASE)
  a.store(7, slot.mtval, BASE)
  for (const register of [5, 6, 7, 11, 30]) fold(register)
  a.load(12, slot.traps, BASE)
  a.addImmediate(12, 12, 1)
  a.store(12, slot.traps, BASE)
  a.load(12, slot.trapsInBlock, BASE)
  a.addImmediate(12, 12, 1)
  a.store(12, slot.trapsInBlock, BASE)
  constant(13, TRAPS_PER_BLOCK_MAX)
  a.branch(GEU, 12, 13, "finish")
  a.branch(LT, 5, 0, "interrupt")
  constant(12, 1)
  a.branch(EQ, 5, 12, "finish")
  constant(12, 12)
  a.branch(EQ, 5, 12, "finish")
  constant(12, 9)
  a.branch(NE, 5, 12, "skip")
  a.load(12, slot.supervisorVector, BASE)
  a.instruction(rType(0x33, 0, 0x20, 12, 6, 12))
  a.instruction(iType(0x13, 3, 12, 12, SUPERVISOR_SIZE))
  a.branch(NE, 12, 0, "supervisor")
  a.label("skip")
  a.jump("length", 1)
  a.instruction(rType(0x33, 0, 0, 6, 6, 14))
  a.label("resume")
  a.csrWrite(csr.mepc, 6)
  a.store(HASH, slot.hash, BASE)
  for (let n = 1; n < 32; n++) a.load(n, slot.x(n), BASE)
  a.instruction(MRET)

  a.label("interrupt")
  constant(12, 1)
  a.instruction(rType(0x33, 1, 0, 12, 12, 5))
  a.csrClear(csr.mie, 12)
  a.jump("resume")

  a.label("supervisor")
  a.csrRead(5, csr.scause)
  a.csrRead(16, csr.sepc)
  a.csrRead(7, csr.stval)
  a.csrRead(11, csr.sstatus)
  a.load(12, slot.sstatusMask, BASE)
  a.instruction(rType(0x33, 7, 0, 11, 11, 12))
  constant(14, 3)
  a.branch(NE, 5, 14, "delegated")
  a.jump("finishAtEnd", 1)
  a.label("delegated")
  a.store(5, slot.scause, BASE)
  a.store(16, slot.sepc, BASE)
  a.store(7, slot.stval, BASE)
  a.store(11, slot.sstatus, BASE)
  for (const register of [5, 16, 7, 11]) fold(register)
  a.addImmediate(17, 6, 4)
  constant(12, 1)
  a.branch(EQ, 5, 12, "finish")
  constant(12, 12)
  a.branch(EQ, 5, 12, "finish")
  a.branch(LT, 5, 0, "supervisorInterrupt")
  a.instruction(iType(0x13, 0, 6, 16, 0))
  a.jump("length", 1)
  a.instruction(rType(0x33, 0, 0, 16, 16, 14))
  a.csrWrite(csr.sepc, 16)
  a.instruction(iType(0x13, 0, 6, 17, 0))
  a.jump("resume")
  a.label("supervisorInterrupt")
  constant(12, 1)
  a.instruction(rType(0x33, 1, 0, 12, 12, 5))
  a.csrClear(csr.mie, 12)
  a.instruction(iType(0x13, 0, 6, 17, 0))
  a.jump("resume")

  // x14 = length of the instruction at x6; all code lies in RAM under aliases that keep the low 27 bits.
  a.label("length")
  a.load(14, slot.ramMask, BASE)
  a.load(15, slot.ramBase, BASE)
  a.instruction(rType(0x33, 7, 0, 14, 14, 6))
  a.instruction(rType(0x33, 6, 0, 14, 14, 15))
  a.instruction(iType(0x03, 5, 14, 14, 0))
  a.instruction(iType(0x13, 7, 14, 14, 3))
  a.instruction(iType(0x13, 3, 14, 14, 3))
  a.instruction(iType(0x13, 4, 14, 14, 1))
  a.instruction(iType(0x13, 1, 14, 14, 1))
  a.addImmediate(14, 14, 2)
  a.instruction(iType(0x67, 0, 0, 1, 0))

  // Returns unless x16 is the address where this block ends.
  a.label("finishAtEnd")
  a.load(13, slot.end, BASE)
  a.branch(EQ, 16, 13, "finish")
  a.load(13, slot.stop, BASE)
  a.branch(NE, 16, 13, "notAtEnd")
  a.load(13, slot.blockCount, BASE)
  a.load(14, slot.stopBlock, BASE)
  a.branch(EQ, 13, 14, "finish")
  a.label("notAtEnd")
  a.instruction(iType(0x67, 0, 0, 1, 0))

  // The block is over: hash everything, print what is asked for, go on.
  a.label("finish")
  constant(12, 3)
  a.instruction(iType(0x13, 1, 12, 12, 13))
  a.csrSet(csr.mstatus, 12)
  for (let n = 0; n < 32; n++) a.instruction(sType(0x27, 3, BASE, n, slot.f(n)))
  a.csrRead(12, csr.fcsr)
  a.store(12, slot.fcsr, BASE)
  foldedCsrs.forEach(({ number }, index) => {
    a.csrRead(12, number)
    a.store(12, slot.csr(index), BASE)
  })
  for (const offset of dumpOffsets) {
    a.load(12, offset, BASE)
    fold(12)
  }
  a.jump("foldTables", 1)
  a.jump("quiesce", 1)
  a.store(0, slot.trapsInBlock, BASE)
  a.load(20, slot.blockCount, BASE)
  a.load(12, slot.checkpointMask, BASE)
  a.instruction(rType(0x33, 7, 0, 12, 12, 20))
  a.branch(NE, 12, 0, "noCheckpoint")
  a.jump("foldWindow", 1)
  constant(10, 0x43)
  a.jump("putCharacter", 1)
  a.instruction(iType(0x13, 0, 18, 20, 0))
  a.jump("putWord", 1)
  a.instruction(iType(0x13, 0, 18, HASH, 0))
  a.jump("putWord", 1)
  a.jump("putNewline", 1)
  a.label("noCheckpoint")
  a.store(HASH, slot.hash, BASE)
  a.load(12, slot.dumpFirst, BASE)
  a.branch(6, 20, 12, "noDump")
  a.load(12, slot.dumpLast, BASE)
  a.branch(6, 12, 20, "noDump")
  constant(10, 0x44)
  a.jump("putCharacter", 1)
  a.instruction(iType(0x13, 0, 18, 20, 0))
  a.jump("putWord", 1)
  a.jump("putNewline", 1)
  for (const offset of dumpOffsets) {
    a.load(18, offset, BASE)
    a.jump("putWord", 1)
    a.jump("putNewline", 1)
  }
  a.label("noDump")
  a.addImmediate(20, 20, 1)
  a.store(20, slot.blockCount, BASE)
  a.load(5, slot.continuation, BASE)
  a.instruction(iType(0x67, 0, 0, 5, 0))

  // x5 = end, x6 = entry, x7 = mstatus, x28 = continuation: into the block with all registers from the save area.
  a.label("enter")
  a.store(5, slot.end, BASE)
  a.store(28, slot.continuation, BASE)
  a.csrWrite(csr.mepc, 6)
  constant(12, 3)
  a.instruction(iType(0x13, 1, 12, 12, 13))
  a.csrSet(csr.mstatus, 12)
  for (let n = 0; n < 32; n++) a.instruction(iType(0x07, 3, n, BASE, slot.f(n)))
  a.load(12, slot.fcsr, BASE)
  a.csrWrite(csr.fcsr, 12)
  a.csrWrite(csr.mstatus, 7)
  for (let n = 1; n < 32; n++) a.load(n, slot.x(n), BASE)
  a.instruction(MRET)

  // All blocks ran once: again, or report and power off.
  a.label("passEnd")
  a.load(12, slot.passesLeft, BASE)
  a.addImmediate(12, 12, -1)
  a.store(12, slot.passesLeft, BASE)
  a.load(5, slot.firstBlock, BASE)
  a.branch(EQ, 12, 0, "allDone")
  a.load(13, slot.patchPass, BASE)
  a.branch(NE, 12, 13, "noPatch")
  a.load(13, slot.patchAddress, BASE)
  a.instruction(0x00009737) // lui x14, 9
  a.addImmediate(14, 14, 2)
  a.instruction(sType(0x23, 1, 13, 14, 0))
  a.instruction(FENCE_I)
  a.label("noPatch")
  a.instruction(iType(0x67, 0, 0, 5, 0))
  a.label("allDone")
  a.load(HASH, slot.hash, BASE)
  a.load(MIXER, slot.mixer, BASE)
  a.jump("foldWindow", 1)
  constant(10, 0x45)
  a.jump("putCharacter", 1)
  a.instruction(iType(0x13, 0, 18, HASH, 0))
  a.jump("putWord", 1)
  a.load(18, slot.traps, BASE)
  a.jump("putWord", 1)
  a.jump("putNewline", 1)
  a.load(12, slot.powerOff, BASE)
  a.instruction(0x000056b7) // lui x13, 5
  a.addImmediate(13, 13, 0x555)
  a.instruction(sType(0x23, 2, 12, 13, 0))
  a.label("off")
  a.instruction(jType(0, 0))

  // Nothing pending, delegated, translated or protected between blocks.
  a.label("quiesce")
  for (const number of [csr.mie, csr.medeleg, csr.mideleg, csr.satp, csr.pmpcfg0, csr.mcounteren, csr.scounteren])
    a.csrWrite(number, 0)
  a.instruction(SFENCE_ALL)
  constant(12, 0x222)
  a.csrClear(csr.mip, 12)
  a.load(12, slot.msip, BASE)
  a.instruction(sType(0x23, 2, 12, 0, 0))
  a.load(12, slot.supervisorVector, BASE)
  a.csrWrite(csr.stvec, 12)
  a.addressTo(12, MACHINE_VECTOR)
  a.csrWrite(csr.mtvec, 12)
  a.instruction(iType(0x67, 0, 0, 1, 0))

  // The first entries of the two test page tables: accessed and dirty bits show here.
  a.label("foldTables")
  a.load(13, slot.tables, BASE)
  for (let entry = 0; entry < 4; entry++) {
    a.load(12, 8 * entry, 13)
    fold(12)
  }
  a.instruction(0x00001737) // lui x14, 1
  a.instruction(rType(0x33, 0, 0, 13, 13, 14))
  for (let entry = 0; entry < 8; entry++) {
    a.load(12, 8 * entry, 13)
    fold(12)
  }
  a.instruction(iType(0x67, 0, 0, 1, 0))

  a.label("foldWindow")
  a.load(13, slot.window, BASE)
  constant(15, 1)
  a.instruction(iType(0x13, 1, 15, 15, Math.log2(WINDOW_SIZE)))
  a.instruction(rType(0x33, 0, 0, 15, 15, 13))
  a.label("foldWindowNext")
  a.load(12, 0, 13)
  fold(12)
  a.addImmediate(13, 13, 8)
  a.branch(NE, 13, 15, "foldWindowNext")
  a.instruction(iType(0x67, 0, 0, 1, 0))

  // putCharacter: x10; clobbers x11, x12. putWord: a blank and sixteen digits of x18; clobbers x2, x3, x10.
  a.label("putNewline")
  constant(10, 10)
  a.label("putCharacter")
  a.load(11, slot.uart, BASE)
  a.label("putWait")
  a.instruction(iType(0x03, 4, 12, 11, 5))
  a.instruction(iType(0x13, 7, 12, 12, 0x20))
  a.branch(EQ, 12, 0, "putWait")
  a.instruction(sType(0x23, 0, 11, 10, 0))
  a.instruction(iType(0x67, 0, 0, 1, 0))
  a.label("putWord")
  a.instruction(iType(0x13, 0, 2, 1, 0))
  constant(10, 0x20)
  a.jump("putCharacter", 1)
  constant(3, 60)
  a.label("putDigit")
  a.instruction(rType(0x33, 5, 0, 10, 18, 3))
  a.instruction(iType(0x13, 7, 10, 10, 15))
  constant(12, 10)
  a.branch(6, 10, 12, "putDecimal")
  a.addImmediate(10, 10, 39)
  a.label("putDecimal")
  a.addImmediate(10, 10, 48)
  a.jump("putCharacter", 1)
  a.addImmediate(3, 3, -4)
  a.branch(5, 3, 0, "putDigit")
  a.instruction(iType(0x67, 0, 0, 2, 0))

  a.align(8)
  if (a.here > HARNESS) throw new Error("The harness code has grown into the harness page.")
}

export const END_OF_BLOCK = C_EBREAK
