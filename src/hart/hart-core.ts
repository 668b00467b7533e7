/** The WebAssembly instance of one machine: its memory, its harts' states, and how TypeScript reads and changes them. */
import { buildHartModule, type HartExports, type HartImports } from "./hart-module.ts"
import {
  ACTIVE,
  CSR_INDEX,
  HART_BYTES,
  HART_COUNT,
  HARTS_MAX,
  INTERRUPT_LOG,
  INTERRUPT_LOG_ENTRIES,
  INTERRUPT_LOG_ENTRY_BYTES,
  LINE_SHIFT,
  LINE_WRITTEN,
  LINES_PER_PAGE,
  PAGE_ABSENT,
  PAGE_BYTES,
  PAGE_DIRTY,
  PAGE_HASH,
  PARKED,
  RAM,
  RAM_BASE,
  RAM_BYTES,
  RAM_BYTES_MAX,
  REGIONS_STEP,
  ROM,
  ROM_BYTES,
  SCRATCH,
  wasmPages,
} from "./layout.ts"
import { type Hit, type Observation, ObservationTables } from "./observation-tables.ts"
import { type PrebuiltModule, prebuilt } from "./prebuilt-module.ts"
import { type ExitReason, exitReason, type FieldName, type StateField, stateFields } from "./state.ts"
import { defaultPolicy, type TranslationPolicy } from "./translator/policy.ts"
import { inlineCompiler, type RegionCompilerMaker } from "./translator/region-compiler.ts"
import type { HelperTypes } from "./translator/region-module.ts"
import { Translator } from "./translator/translator.ts"

let compiled: { module: WebAssembly.Module; csrIndex: Uint8Array; helpers: HelperTypes } | null = null

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => {
  const chars = atob(text)
  const bytes = new Uint8Array(chars.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = chars.charCodeAt(at)
  return bytes
}

const unpack = ({ bytes, csrIndex, helpers }: PrebuiltModule) => ({
  bytes: fromBase64(bytes),
  csrIndex: fromBase64(csrIndex),
  helpers: new Map(helpers),
})

/** The module is the same for every machine: compiled once in a process. */
const compile = () => {
  if (compiled === null) {
    const { bytes, csrIndex, helpers } = prebuilt === null ? buildHartModule() : unpack(prebuilt)
    compiled = { module: new WebAssembly.Module(bytes), csrIndex, helpers }
  }
  return compiled
}

const TWO_32 = 0x1_0000_0000

/** Where fields that are looked at in every turn lie in a hart's state, in words. */
const wordOf = (field: StateField): number => field.offset >>> 2
const TARGET = wordOf(stateFields.target)
const COUNT = wordOf(stateFields.count)
const HELD = wordOf(stateFields.held)
const SKEW = wordOf(stateFields.skew)
const MIP = wordOf(stateFields.mip)
const MIE = wordOf(stateFields.mie)
const RESERVATION = wordOf(stateFields.reservation)

/** Names of the fields a snapshot keeps, in the order they are laid out. */
const savedFields = (Object.entries(stateFields) as [FieldName, StateField][]).filter(
  ([, field]) => field.role !== "derived",
)
/** Bytes of one hart's saved state. */
export const SAVED_HART_BYTES = savedFields.reduce((sum, [, field]) => sum + field.size * field.count, 0)

/** Puts the content of a page into `target`, its 4096 bytes of RAM, which are zero. */
export type BringPage = (page: number, target: Uint8Array) => void

const noInterrupts: readonly { readonly cause: number; readonly executed: number }[] = []

/** Instructions executed, as a saved state has them. */
export const executedIn = (saved: Uint8Array): number => {
  let at = 0
  for (const [name, field] of savedFields) {
    if (name === "target") break
    at += field.size * field.count
  }
  const view = new DataView(saved.buffer, saved.byteOffset)
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * TWO_32
}

export class HartCore {
  readonly hartCount: number
  readonly ramBytes: number
  readonly memory: WebAssembly.Memory
  readonly bytes: Uint8Array<ArrayBuffer>
  private readonly view: DataView
  /** All of memory as words. */
  private readonly words: Uint32Array<ArrayBuffer>
  private readonly pageHash: Int32Array<ArrayBuffer>
  private readonly exports: HartExports
  private readonly translator: Translator | null
  private readonly observation: ObservationTables
  /** Watched memory was written while no hart ran; whoever reads it sets it back. */
  wasHitOutside = false
  /** The hart whose state is in `ACTIVE`. */
  private current = 0
  /** The running hart is inside a device access: an instruction has begun and not ended. */
  private accessing = false
  /** Where the content of absent pages comes from. */
  private source: BringPage | null = null

  /**
   * `ramBytes` is a multiple of 4096 and at most `RAM_BYTES_MAX`. Without a policy there is no translator.
   * @throws RangeError when this computer cannot give that much memory.
   */
  constructor(
    hartCount: number,
    ramBytes: number,
    devices: Pick<HartImports, "deviceLoad" | "deviceStore">,
    policy: TranslationPolicy | null = defaultPolicy,
    compiler: RegionCompilerMaker = inlineCompiler,
  ) {
    if (hartCount < 1 || hartCount > HARTS_MAX) throw new Error(`a machine has 1 to ${HARTS_MAX} harts`)
    if (ramBytes % PAGE_BYTES !== 0 || ramBytes > RAM_BYTES_MAX) throw new Error(`cannot have ${ramBytes} bytes of RAM`)
    this.hartCount = hartCount
    this.ramBytes = ramBytes
    this.memory = new WebAssembly.Memory({ initial: wasmPages(ramBytes), maximum: wasmPages(ramBytes) })
    this.bytes = new Uint8Array(this.memory.buffer)
    this.view = new DataView(this.memory.buffer)
    this.words = new Uint32Array(this.memory.buffer)
    this.pageHash = new Int32Array(this.memory.buffer, PAGE_HASH, 4)
    const { module, csrIndex, helpers } = compile()
    const regions = new WebAssembly.Table({ element: "anyfunc", initial: REGIONS_STEP })
    const imports = {
      memory: this.memory,
      regions,
      deviceLoad: (address: number, bytes: number) => {
        this.accessing = true
        const low = devices.deviceLoad(address, bytes)
        this.accessing = false
        return low
      },
      deviceStore: (address: number, bytes: number, low: number, high: number) => {
        this.accessing = true
        devices.deviceStore(address, bytes, low, high)
        this.accessing = false
      },
      bringPage: (page: number) => this.bringPage(page),
    }
    const { exports } = new WebAssembly.Instance(module, { host: imports })
    this.exports = exports as unknown as HartExports
    const { decodeAt, unlinkRegions, forgetJumps, isPhysical } = this.exports
    this.translator =
      policy &&
      new Translator(
        {
          memory: this.memory,
          ramBytes,
          regions,
          exports,
          compiler: compiler(helpers),
          decodeAt,
          unlinkRegions,
          forgetJumps,
          isPhysical: () => {
            // Regions for physical addresses translate nothing: for them every page has to be there.
            if (isPhysical()) this.needAllPages()
            // And they look at no TLB, where reads of watched memory are found out.
            return this.observation.watchesReads ? 0 : isPhysical()
          },
        },
        policy,
      )
    this.observation = new ObservationTables(this.view)
    this.bytes.set(csrIndex, CSR_INDEX)
    this.view.setBigUint64(RAM_BYTES, BigInt(ramBytes), true)
    this.view.setUint32(HART_COUNT, hartCount, true)
    for (let hart = 0; hart < hartCount; hart++) {
      this.set(hart, "mhartid", hart)
      this.setBig(hart, "reservation", -1n)
    }
    this.flushAll()
  }

  /** Makes `hart` the running one. */
  select(hart: number): void {
    if (hart === this.current) return
    this.bytes.copyWithin(this.parked(this.current), ACTIVE, ACTIVE + HART_BYTES)
    this.bytes.copyWithin(ACTIVE, this.parked(hart), this.parked(hart) + HART_BYTES)
    this.current = hart
    // While it was parked the address spaces may have been numbered anew.
    this.exports.contextChanged()
  }

  get running(): number {
    return this.current
  }

  /** Executes at most `budget` instructions of the running hart, 1 ≤ budget < 2^31. */
  run(budget: number): ExitReason {
    const { translator, exports, observation } = this
    if (observation.isAfterEachInstruction) return exports.runWatching(budget) as ExitReason
    for (let left = budget; ; ) {
      const part = translator === null ? left : Math.min(left, translator.patience)
      const reason = exports.run(part) as ExitReason
      left -= part
      if (reason !== exitReason.budget) return reason
      if (observation.watchesState && exports.stateChanged()) return observation.foundChange()
      translator?.passed(part)
      if (left === 0) return reason
    }
  }

  /** Has runs end where something happens that `observation` is for; null: nowhere. Changes nothing a guest can see. */
  observe(observation: Observation | null): void {
    const hadReads = this.observation.watchesReads
    this.observation.set(observation)
    this.exports.forgetBreakpoints()
    this.flushAll()
    if (this.observation.watchesReads && !hadReads) this.translator?.leaveRegions()
    this.knowState()
  }

  /** Takes the watched fields of all harts as known: only changes from now on are told of. */
  knowState(): void {
    if (!this.observation.watchesState) return
    const before = this.current
    for (let hart = 0; hart < this.hartCount; hart++) {
      this.select(hart)
      this.exports.stateChanged()
    }
    this.select(before)
  }

  /** What is found before this hart's next instruction is not told of: it is known. null: everything is. */
  pass(hart: number | null): void {
    this.observation.pass(hart ?? -1, hart === null ? 0 : this.executed(hart))
  }

  /** What the last run, which ended as `observed`, has met. */
  get hit(): Hit {
    return this.observation.hit
  }

  private parked(hart: number): number {
    return PARKED + hart * HART_BYTES
  }

  /** Where a hart's state lies now. */
  private stateOf(hart: number): number {
    return hart === this.current ? ACTIVE : this.parked(hart)
  }

  /** Where a field of a hart's state lies now. */
  private place(hart: number, name: FieldName, index: number): number {
    const field = stateFields[name]
    return this.stateOf(hart) + field.offset + index * field.size
  }

  /** A field as a number: exact for 32-bit fields and for values below 2^53. */
  get(hart: number, name: FieldName, index = 0): number {
    const at = this.place(hart, name, index)
    const low = this.view.getUint32(at, true)
    return stateFields[name].size === 4 ? low : low + this.view.getUint32(at + 4, true) * TWO_32
  }

  /** The high half of a 64-bit field. */
  getHigh(hart: number, name: FieldName): number {
    return this.view.getUint32(this.place(hart, name, 0) + 4, true)
  }
  /** The low half of a 64-bit field. */
  getLow(hart: number, name: FieldName): number {
    return this.view.getUint32(this.place(hart, name, 0), true)
  }

  /** Sets a field to a non-negative integer below 2^53. */
  set(hart: number, name: FieldName, value: number, index = 0): void {
    const at = this.place(hart, name, index)
    this.view.setUint32(at, value % TWO_32, true)
    if (stateFields[name].size === 8) this.view.setUint32(at + 4, Math.floor(value / TWO_32), true)
  }

  /** A 64-bit field, unsigned. For inspection and rare writes: BigInt stays off every hot path. */
  getBig(hart: number, name: FieldName, index = 0): bigint {
    return this.view.getBigUint64(this.place(hart, name, index), true)
  }
  setBig(hart: number, name: FieldName, value: bigint, index = 0): void {
    this.view.setBigUint64(this.place(hart, name, index), BigInt.asUintN(64, value), true)
  }

  /** Sets or clears bits of the low half of mip. */
  setPending(hart: number, mask: number, level: boolean): void {
    const at = (this.stateOf(hart) >>> 2) + MIP
    const old = this.words[at]!
    this.words[at] = level ? old | mask : old & ~mask
  }

  /** Whether an interrupt is pending and enabled in mip and mie, whatever the hart's privilege. */
  hasInterrupt(hart: number): boolean {
    const at = this.stateOf(hart) >>> 2
    return (this.words[at + MIP]! & this.words[at + MIE]!) !== 0
  }

  /** Instructions the hart has executed; inside a device access, those before the one that makes it. */
  executed(hart: number): number {
    const { words } = this
    const at = this.stateOf(hart) >>> 2
    const running = this.accessing && hart === this.current ? 1 : 0
    return words[at + TARGET]! + words[at + TARGET + 1]! * TWO_32 - words[at + COUNT]! - words[at + HELD]! - running
  }

  /** The hart's virtual time in nanoseconds: one for each instruction, and what passed with none. */
  virtualNs(hart: number): number {
    const at = (this.stateOf(hart) >>> 2) + SKEW
    return this.executed(hart) + this.words[at]! + this.words[at + 1]! * TWO_32
  }

  /** Has virtual time pass at a hart with no instruction. */
  skip(hart: number, ns: number): void {
    const at = (this.stateOf(hart) >>> 2) + SKEW
    const skew = this.words[at]! + this.words[at + 1]! * TWO_32 + ns
    this.words[at] = skew % TWO_32
    this.words[at + 1] = Math.floor(skew / TWO_32)
  }

  /** Recomputes what is derived from a hart's registers after they were changed from outside. */
  registersChanged(hart: number): void {
    const before = this.current
    this.select(hart)
    this.set(hart, "space", 0)
    this.exports.pmpChanged()
    this.exports.contextChanged()
    this.select(before)
  }

  /** Makes all translations of a hart unreachable. */
  forgetTranslations(hart: number): void {
    const before = this.current
    this.select(hart)
    this.exports.forgetSpaces()
    this.select(before)
  }

  /** The instruction a hart will execute next, a 16-bit one in the low half; null when it cannot be fetched. */
  nextInstruction(hart: number): number | null {
    const before = this.current
    this.select(hart)
    const word = this.exports.fetchWord(this.getBig(hart, "pc"))
    this.set(hart, "trapped", 0)
    this.select(before)
    return word < 0n ? null : Number(word)
  }

  /** A CSR as machine mode reads it, null for one that does not exist. For inspection. */
  readCsr(hart: number, number: number): bigint | null {
    const before = this.current
    this.select(hart)
    const level = this.get(hart, "privilege")
    this.set(hart, "privilege", 3)
    const value = this.exports.csrRead(number, 0)
    const isThere = this.get(hart, "trapped") === 0
    this.set(hart, "trapped", 0)
    this.set(hart, "privilege", level)
    this.select(before)
    return isThere ? BigInt.asUintN(64, value) : null
  }

  /** Ends the reservation of a hart's LR. */
  dropReservation(hart: number): void {
    const at = (this.stateOf(hart) >>> 2) + RESERVATION
    this.words[at] = 0xffffffff
    this.words[at + 1] = 0xffffffff
  }

  /** Asks the running hart to stop after the instruction that is accessing a device. */
  set exitAfterInstruction(reason: ExitReason) {
    this.set(this.current, "exitReason", reason)
  }

  /** Has the run end as `observed` after the instruction that is accessing a device, unless it ends for a reason of its own. */
  endAfterAccess(): void {
    if (this.accessing && this.get(this.current, "exitReason") === 0) this.exitAfterInstruction = exitReason.observed
  }

  /** The device access that is going on has nobody to answer it. */
  refuseAccess(): void {
    this.set(this.current, "busFault", 1)
  }

  /** The high half of an 8-byte device load. */
  set loadedHigh(value: number) {
    this.view.setUint32(SCRATCH + 4, value, true)
  }

  /** Interrupts the running hart took since the last call, in order; `executed` counts the instructions before each. */
  takeInterrupts(): readonly { readonly cause: number; readonly executed: number }[] {
    const count = this.words[INTERRUPT_LOG >>> 2]!
    if (count === 0) return noInterrupts
    this.view.setUint32(INTERRUPT_LOG, 0, true)
    return Array.from({ length: count }, (_, position) => {
      const at = INTERRUPT_LOG_ENTRIES + position * INTERRUPT_LOG_ENTRY_BYTES
      const executed = this.view.getUint32(at + 8, true) + this.view.getUint32(at + 12, true) * TWO_32
      return { cause: this.view.getUint32(at, true), executed }
    })
  }

  /** Guest RAM as bytes, from its first one on. */
  get ram(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(RAM, RAM + this.ramBytes)
  }
  get rom(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(ROM, ROM + ROM_BYTES)
  }

  /** Call after writing to RAM from outside: marks pages and lines as written and forgets what was decoded there. */
  ramChanged(physical: number, length: number): void {
    if (length === 0) return
    if (this.observation.watchesMemory && this.observation.watchesWrite(physical, length)) {
      if (this.accessing) this.endAfterAccess()
      else this.wasHitOutside = true
    }
    const first = Math.floor((physical - RAM_BASE) / PAGE_BYTES)
    const last = Math.floor((physical - RAM_BASE + length - 1) / PAGE_BYTES)
    for (let page = first; page <= last; page++) {
      this.bytes[PAGE_DIRTY + page] = 1
      this.exports.dropPageNumber(page)
    }
    const host = physical - RAM_BASE + RAM
    const lastLine = (host + length - 1) >>> LINE_SHIFT
    this.bytes.fill(1, LINE_WRITTEN + (host >>> LINE_SHIFT), LINE_WRITTEN + lastLine + 1)
  }

  /**
   * Which of a page's 64 lines were written since this was last asked: puts two words at `at`, a bit for each line from the lowest one
   * on.
   */
  takeWrittenLines(page: number, lines: Uint32Array, at: number): void {
    const first = (LINE_WRITTEN + ((RAM + page * PAGE_BYTES) >>> LINE_SHIFT)) >>> 2
    const flags = this.words.subarray(first, first + LINES_PER_PAGE / 4)
    for (let half = 0; half < 2; half++) {
      let bits = 0
      // Multiplied, the flags of four lines stand side by side in the highest bits.
      for (let word = 7; word >= 0; word--) bits = (bits << 4) | (Math.imul(flags[half * 8 + word]!, 0x10204080) >>> 28)
      lines[at + half] = bits
    }
    flags.fill(0)
  }

  private get pageFlags(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(PAGE_DIRTY, PAGE_DIRTY + this.ramBytes / PAGE_BYTES)
  }

  /**
   * The pages written since the last call, in order; a new count begins. Write translations go too: a page is marked when one is made.
   * Changes nothing a guest can see.
   */
  takeDirtyPages(): number[] {
    const flags = this.pageFlags
    const pages: number[] = []
    for (let page = flags.indexOf(1); page >= 0; page = flags.indexOf(1, page + 1)) {
      pages.push(page)
      flags[page] = 0
    }
    if (pages.length > 0) this.flushAll()
    return pages
  }

  /** How many pages `takeDirtyPages` would give. */
  countDirtyPages(): number {
    const flags = this.pageFlags
    let count = 0
    for (let page = flags.indexOf(1); page >= 0; page = flags.indexOf(1, page + 1)) count++
    return count
  }

  /** Says which pages of RAM, all zero now, are to be brought in when they are needed first. */
  awaitPages(pages: Iterable<number>, source: BringPage): void {
    this.source = source
    for (const page of pages) this.bytes[PAGE_DIRTY + page] = PAGE_ABSENT
  }

  /** Says which pages of RAM are other ones now, to be brought in by `source` when they are needed first, as are those that were not yet. */
  replacePages(pages: Iterable<number>, source: BringPage): void {
    this.source = source
    this.translator?.leavePhysicalRegions()
    for (const page of pages) {
      this.exports.dropPageNumber(page)
      this.bytes[PAGE_DIRTY + page] = PAGE_ABSENT
    }
  }

  private bringPage(page: number): void {
    const at = RAM + page * PAGE_BYTES
    this.source!(page, this.bytes.subarray(at, at + PAGE_BYTES))
    this.bytes[PAGE_DIRTY + page] = 0
  }

  /** Brings in what is absent of `length` bytes of RAM, before they are read or written from outside. */
  needPages(physical: number, length: number): void {
    if (this.source === null || length === 0) return
    const last = Math.floor((physical - RAM_BASE + length - 1) / PAGE_BYTES)
    for (let page = Math.floor((physical - RAM_BASE) / PAGE_BYTES); page <= last; page++)
      if (this.bytes[PAGE_DIRTY + page] === PAGE_ABSENT) this.bringPage(page)
  }

  /** Brings in all that is absent. */
  needAllPages(): void {
    this.needPages(RAM_BASE, this.ramBytes)
    this.source = null
  }

  /** A hash of a page's number and content as four 32-bit words; all zero for a page of zeros. The words are good until the next call. */
  hashPage(page: number): Int32Array<ArrayBuffer> {
    this.exports.hashPage(page)
    return this.pageHash
  }

  /** Empties all TLBs. Changes nothing a guest can see. */
  flushAll(): void {
    const before = this.current
    for (let hart = 0; hart < this.hartCount; hart++) {
      this.select(hart)
      this.exports.flushTranslations()
      this.registersChanged(hart)
    }
    this.select(before)
  }

  /** A hart's state for a snapshot, `SAVED_HART_BYTES` long. */
  saveHart(hart: number): Uint8Array<ArrayBuffer> {
    const saved = new Uint8Array(SAVED_HART_BYTES)
    let at = 0
    for (const [name, field] of savedFields) {
      const from = this.place(hart, name, 0)
      saved.set(this.bytes.subarray(from, from + field.size * field.count), at)
      at += field.size * field.count
    }
    return saved
  }

  /** Puts a saved state back. */
  restoreHart(hart: number, saved: Uint8Array): void {
    if (saved.length !== SAVED_HART_BYTES) throw new Error("a saved hart has the wrong length")
    let at = 0
    for (const [name, field] of savedFields) {
      this.bytes.set(saved.subarray(at, at + field.size * field.count), this.place(hart, name, 0))
      at += field.size * field.count
    }
    this.registersChanged(hart)
  }
}
