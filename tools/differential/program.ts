/** A whole differential program, made from a seed: harness, tables, data, and blocks with what prepares them. */
import { Random } from "../../test/oracle/random.ts"
import { type Category, type Draft, writeBlock } from "./blocks.ts"
import { Assembler, FENCE_I, iType, SFENCE_ALL, sType } from "./encode.ts"
import { END_OF_BLOCK, emitHarness, harnessWords } from "./harness.ts"
import { BLOCKS, CODE_BASE, HARNESS, RETURN_PAGE, SUPERPAGE, slot, WINDOW, WINDOW_SIZE } from "./layout.ts"
import { integerPattern } from "./operands.ts"
import { skeleton } from "./paging.ts"

export interface ProgramOptions {
  readonly seed: number
  readonly categories: readonly Category[]
  /** Distinct instructions to write; they run once a pass. */
  readonly instructions: number
  readonly passes: number
}

export interface BlockInfo {
  readonly category: Category
  readonly mode: string
  /** Physical addresses of its instructions, the closing c.ebreak last. */
  readonly addresses: readonly number[]
  /** Virtual addresses differ from physical ones by this. */
  readonly alias: number
}

export interface Program {
  readonly options: ProgramOptions
  readonly blocks: readonly BlockInfo[]
  /** Instructions of blocks that a run executes, about: skipped ones are counted, loops are estimated. */
  readonly dynamicInstructions: number
  readonly image: Uint8Array
}

/** What a run shall print; a program's image is patched accordingly. Blocks count on from pass to pass. */
export interface Watch {
  /** A checkpoint line after every block whose number has none of these bits. */
  readonly checkpointMask: number
  readonly dumpFirst: number
  readonly dumpLast: number
  /** Ends block `stopBlock` early, at this physical address of one of its instructions. */
  readonly stop?: { readonly block: number; readonly address: number }
}

/** Only coarse checkpoints. */
export const coarseWatch: Watch = { checkpointMask: 255, dumpFirst: Number.MAX_SAFE_INTEGER, dumpLast: 0 }

/** Emits what machine mode does before the block, and the jump into it. */
const emitSetup = (a: Assembler, draft: Draft, label: string, next: string, entry: number, end: number): void => {
  a.align(8)
  const pool = a.here
  const constants: bigint[] = []
  const constant = (value: bigint): number => {
    let index = constants.indexOf(value)
    if (index < 0) index = constants.push(value) - 1
    if (index > 255) throw new Error("A block needs more constants than its setup can reach.")
    return 8 * index
  }
  const steps: (() => void)[] = []
  const loadInto = (register: number, value: bigint): void => {
    const offset = constant(value)
    steps.push(() => a.load(register, offset, 30))
  }
  for (const preparation of draft.preparations) {
    if (preparation.kind === "csr") {
      loadInto(5, preparation.value)
      steps.push(() => a.csrWrite(preparation.number, 5))
    } else if (preparation.kind === "word") {
      loadInto(5, preparation.value)
      loadInto(6, BigInt(preparation.address))
      steps.push(() => a.instruction(sType(0x23, preparation.size === 8 ? 3 : 2, 6, 5, 0)))
    } else steps.push(() => a.instruction(preparation.kind === "sfence" ? SFENCE_ALL : FENCE_I))
  }
  const save = (offset: number, value: bigint): void => {
    loadInto(5, value)
    steps.push(() => a.store(5, offset, 31))
  }
  for (const [register, value] of draft.x) save(slot.x(register), value)
  for (const [register, value] of draft.f) save(slot.f(register), value)
  if (draft.fcsr !== undefined) save(slot.fcsr, draft.fcsr)
  loadInto(5, BigInt(end))
  loadInto(6, BigInt(entry))
  loadInto(7, draft.mstatus)
  for (const value of constants) a.word64(value)
  a.label(label)
  a.addressTo(30, pool)
  for (const step of steps) step()
  a.load(4, slot.enter, 31)
  a.instruction(iType(0x67, 0, 28, 4, 0))
  a.jump(next)
}

export const generateProgram = (options: ProgramOptions): Program => {
  const random = new Random(options.seed)
  const a = new Assembler(CODE_BASE)
  emitHarness(a)
  a.seek(WINDOW)
  for (let n = 0; n < WINDOW_SIZE; n += 8) a.word64(integerPattern(random))
  a.seek(RETURN_PAGE)
  for (let n = 0; n < 4096; n += 2) a.word16(0x8082)
  const tables = [...skeleton()].sort(([left], [right]) => left - right)
  for (const [address, value] of tables) {
    a.seek(address)
    a.word64(value)
  }
  a.seek(SUPERPAGE)
  a.seek(BLOCKS)

  const blocks: BlockInfo[] = []
  let written = 0
  let repeated = 0
  while (written < options.instructions) {
    const category = random.pick(options.categories)
    // Blocks begin at any halfword, so that instructions straddle lines and pages in every way.
    if (random.chance(50)) a.word16(0)
    if (random.chance(2)) a.seek(Math.ceil(a.here / 4096) * 4096 + 4096 - 2 * random.between(1, 20))
    const addresses: number[] = []
    const entry = a.here
    a.observer = address => addresses.push(address)
    const draft = writeBlock(category, a, random, random.between(8, 32))
    const end = a.here
    a.instruction(END_OF_BLOCK)
    a.observer = undefined
    const index = blocks.length
    emitSetup(a, draft, `setup ${index}`, `setup ${index + 1}`, draft.alias(entry), draft.alias(end))
    blocks.push({ category, mode: draft.mode, addresses, alias: draft.alias(entry) - entry })
    written += addresses.length - 1
    repeated += draft.repeated
  }
  a.label(`setup ${blocks.length}`)
  a.addressTo(5, a.addressOf("passEnd"))
  a.instruction(iType(0x67, 0, 0, 5, 0))

  const enter = a.addressOf("enter")
  const firstBlock = a.addressOf("setup 0")
  const image = a.finish()
  const view = new DataView(image.buffer)
  const words = harnessWords({
    passes: options.passes,
    checkpointMask: 0,
    dumpFirst: 0,
    dumpLast: 0,
    stop: 0,
    stopBlock: 0,
    firstBlock,
    enter,
    window: WINDOW,
  })
  for (const [offset, value] of words) view.setBigUint64(HARNESS - CODE_BASE + offset, value, true)
  return { options, blocks, dynamicInstructions: (written + repeated) * options.passes, image }
}

/** The image of a program that prints what `watch` asks for. */
export const watchedImage = (program: Program, watch: Watch): Uint8Array => {
  const image = program.image.slice()
  const view = new DataView(image.buffer)
  const set = (offset: number, value: number): void =>
    view.setBigUint64(HARNESS - CODE_BASE + offset, BigInt(value), true)
  set(slot.checkpointMask, watch.checkpointMask)
  set(slot.dumpFirst, watch.dumpFirst)
  set(slot.dumpLast, watch.dumpLast)
  if (watch.stop !== undefined) {
    const info = program.blocks[watch.stop.block % program.blocks.length]!
    set(slot.stop, watch.stop.address + info.alias)
    set(slot.stopBlock, watch.stop.block)
    const pass = Math.floor(watch.stop.block / program.blocks.length)
    if (pass === 0) view.setUint16(watch.stop.address - CODE_BASE, END_OF_BLOCK, true)
    else {
      set(slot.patchPass, program.options.passes - pass)
      set(slot.patchAddress, watch.stop.address)
    }
  }
  return image
}
