/**
 * The translator: looks now and then where the running hart is, and has what is often found there translated. When it looks, what it
 * translates and when that is finished changes nothing that a guest can see.
 */

import { operation, regionInfo } from "../code-cache.ts"
import {
  ACTIVE,
  CODE,
  CODE_PAGE_BYTES,
  CODE_PAGE_CLOSED,
  CODE_PAGE_INFO,
  CODE_PAGE_INFO_BYTES,
  CODE_PAGE_REGIONS,
  CODE_PAGES,
  HEAT_MIN,
  HOT_RECORDS,
  JUMP_TARGETS,
  NEXT_CODE_PAGE,
  PAGE_BYTES,
  RECORD_SHIFT,
  REGION_INFO,
  REGION_PAGES,
  REGIONS_MAX,
  REGIONS_STEP,
  TLB,
  TLB_BYTES,
  TLB_ENTRY_BYTES,
  TLB_FETCH,
  TLB_HART_BYTES,
} from "../layout.ts"
import { stateFields } from "../state.ts"
import type { TranslationPolicy } from "./policy.ts"
import {
  type CompiledBatch,
  type CompiledRegion,
  pageKey,
  type RegionCompiler,
  type RegionJob,
} from "./region-compiler.ts"
import { RegionLibrary } from "./region-library.ts"
import { regionName } from "./region-module.ts"

/** A page whose code is written to all the time is not worth more regions than this. */
const PAGE_REGIONS_MAX = 200
/** Instructions followed one by one. */
const FOLLOW_MAX = 100
/** Regions that are being compiled at one time. */
const UNFINISHED_MAX = 256
/** Of the regions' numbers, the part that regions of earlier runs may take. */
const EARLIER_PART = 0.5
/** Batches the compiler is given at one time, and their regions: it shall never wait, and what is ready be taken soon. */
const BATCHES_MAX = 2
const BATCH_REGIONS_MAX = 16

export interface TranslatorHost {
  readonly memory: WebAssembly.Memory
  readonly ramBytes: number
  readonly regions: WebAssembly.Table
  readonly exports: Readonly<Record<string, unknown>>
  readonly compiler: RegionCompiler
  /** Decodes the instruction a record stands for. */
  readonly decodeAt: (record: number) => void
  /** Gives the records of a predecoded page their own operations back. */
  readonly unlinkRegions: (code: number) => void
  /** Forgets where regions went on to. */
  readonly forgetJumps: () => void
  /** Nonzero where the running hart's loads and stores use physical addresses that nothing protects. */
  readonly isPhysical: () => number
}

/** A region that is being compiled. */
interface Unfinished {
  /** The record it was found at, and the place of its predecoded page. */
  readonly record: number
  readonly position: number
}

/** Where REGION_INFO speaks of a record. */
const infoOf = (record: number): number => REGION_INFO + ((record - CODE) >>> 3) * 4
/** The place of the predecoded page that a record lies in, and where the records of a place begin. */
const positionOf = (record: number): number => Math.floor((record - CODE) / CODE_PAGE_BYTES)
const codeAt = (position: number): number => CODE + position * CODE_PAGE_BYTES

export class Translator {
  private readonly host: TranslatorHost
  private readonly policy: TranslationPolicy
  private readonly view: DataView
  private readonly bytes: Uint8Array<ArrayBuffer>
  /** How often a hart was found in each 64 bytes of code. */
  private readonly found = new Map<number, number>()
  private readonly refused = new Set<number>()
  /** Regions that only run while addresses are physical. */
  private readonly physical = new Set<number>()
  /** Places of predecoded pages that such regions were entered in. */
  private readonly physicalPositions = new Set<number>()
  private readonly wide = new Set<number>()
  /** Regions made at each predecoded page's place, and for which guest page. */
  private readonly made = new Map<number, { page: number; count: number }>()
  /** By the number the region will have. */
  private unfinished = new Map<number, Unfinished>()
  /** Jobs to be given to the compiler when it is done with those it has. */
  private waiting: RegionJob[] = []
  /** Batches the compiler is at work on. */
  private compiling = 0
  private readonly library = new RegionLibrary()
  /** The predecoded page after the last one that was looked at for its content. */
  private nextPosition = 0
  /** The number the next region gets; 0 is none. */
  private next = 1
  /** Instructions that are still to be followed, 0 when none is. */
  private following = 0
  private followedPc = 0
  private followsForWide = false
  /** Instructions until it wants to look again. */
  patience: number

  constructor(host: TranslatorHost, policy: TranslationPolicy) {
    this.host = host
    this.policy = policy
    this.patience = policy.eager ? 1 : policy.patience()
    this.view = new DataView(host.memory.buffer)
    this.bytes = new Uint8Array(host.memory.buffer)
    this.view.setUint32(HEAT_MIN, policy.heatMin, true)
  }

  /** So many instructions were executed, at most `patience`. */
  passed(instructions: number): void {
    this.patience -= instructions
    if (this.patience > 0) return
    this.finish()
    this.enterNewPages()
    this.translateHot()
    this.look()
    this.tellOfPages()
    this.patience = this.following > 0 ? 1 : this.policy.patience()
  }

  /** Asks for regions where the interpreter often came by a jump. */
  private translateHot(): void {
    const count = this.view.getUint32(HOT_RECORDS, true)
    if (count === 0) return
    this.view.setUint32(HOT_RECORDS, 0, true)
    for (let hot = 0; hot < count; hot++) this.translate(this.view.getUint32(HOT_RECORDS + 4 + hot * 4, true), false)
  }

  /** Looks where the running hart is. */
  private look(): void {
    const record = this.recordAtPc()
    const pc = this.view.getUint32(ACTIVE + stateFields.pc.offset, true)
    if (this.following > 0) {
      this.following--
      const step = pc - this.followedPc
      this.followedPc = pc
      if (step === 2 || step === 4 || record === 0) return
      if (step > 0 && this.following > FOLLOW_MAX / 2) return
      this.following = 0
      if (this.followsForWide || this.operationAt(record) !== operation.region)
        this.translate(record, this.followsForWide)
      return
    }
    if (record === 0) return
    if (this.operationAt(record) === operation.region) this.lookAtRegion(record)
    else if (this.policy.eager) return this.translate(record, true)
    const place = record >>> 8
    const times = (this.found.get(place) ?? 0) + 1
    this.found.set(place, times)
    this.followsForWide = times % this.policy.looksForWide === 0
    if (times !== this.policy.looksMin && !this.followsForWide) return
    this.following = FOLLOW_MAX
    this.followedPc = pc
  }

  /** A region for physical addresses has no use where they are translated now: others take the page's regions' places. */
  private lookAtRegion(record: number): void {
    const number = this.regionAt(record)
    if (!this.physical.has(number) || this.host.isPhysical()) return
    this.host.unlinkRegions(codeAt(positionOf(record)))
  }

  /** The number of the region that is entered at a record. */
  private regionAt(record: number): number {
    return this.view.getUint16(infoOf(record), true)
  }

  private operationAt(record: number): number {
    return this.view.getUint16(record, true)
  }

  /** The record of the running hart's pc, 0 where the fetch TLB knows none. */
  private recordAtPc(): number {
    const { view } = this
    const state = (field: keyof typeof stateFields) => ACTIVE + stateFields[field].offset
    const pc = view.getUint32(state("pc"), true)
    const hart = view.getUint32(state("mhartid"), true)
    const index = (((pc >>> 8) | (view.getUint32(state("pc") + 4, true) << 24)) & (TLB_BYTES - TLB_ENTRY_BYTES)) >>> 0
    const entry = TLB + hart * TLB_HART_BYTES + TLB_FETCH + index
    const low = ((pc & ~0xfff) | view.getUint32(state("fetchContext"), true)) >>> 0
    if (
      view.getUint32(entry, true) !== low ||
      view.getUint32(entry + 4, true) !== view.getUint32(state("pc") + 4, true)
    )
      return 0
    const code = view.getUint32(entry + 8, true)
    if (code < CODE || code >= CODE + CODE_PAGES * CODE_PAGE_BYTES) return 0
    return code + ((pc & 0xffe) << RECORD_SHIFT)
  }

  /** Gives every record its own operation back, and the regions to the garbage collector. */
  private forgetAll(): void {
    this.leaveRegions()
    // The table ends with the last region that was entered; numbers after it were given and not used.
    const { regions } = this.host
    for (let number = 1; number < Math.min(this.next, regions.length); number++) regions.set(number, null)
    this.next = 1
    this.found.clear()
    this.refused.clear()
    this.physical.clear()
    this.physicalPositions.clear()
    this.wide.clear()
    this.made.clear()
    this.library.clear()
  }

  /** Asks for the region that begins at a record. */
  private translate(record: number, isWide: boolean): void {
    const { host, policy, unfinished } = this
    if (policy.eager && this.operationAt(record) === operation.decode) host.decodeAt(record)
    const here = this.operationAt(record)
    if (here === operation.region ? !isWide || this.wide.has(this.regionAt(record)) : here < operation.first) return
    if (this.refused.has(record)) return
    if (unfinished.size >= UNFINISHED_MAX) return
    for (const other of unfinished.values()) if (other.record === record) return
    if (this.next > Math.min(policy.regionsMax, REGIONS_MAX)) {
      // A number stands for one region at a time.
      if (unfinished.size > 0) return
      this.forgetAll()
    }
    const position = positionOf(record)
    if (this.bytes[CODE_PAGE_CLOSED + position] !== 0) return
    if (!this.isWorthMore(position)) return
    if (this.enterKnown(position, (record - codeAt(position)) >>> RECORD_SHIFT, isWide)) return
    const job = this.jobAt(position, record, this.next++, isWide)
    unfinished.set(job.number, { record, position })
    this.waiting.push(job)
    this.compile()
  }

  /** Whether the page at a place may have one region more. */
  private isWorthMore(position: number): boolean {
    const page = this.view.getUint32(CODE_PAGE_INFO + position * CODE_PAGE_INFO_BYTES, true)
    const made = this.made.get(position)
    if (made?.page !== page) {
      this.made.set(position, { page, count: 1 })
      return true
    }
    made.count++
    return made.count <= PAGE_REGIONS_MAX
  }

  /** Where the bytes of the page at a place lie. */
  private pageAt(position: number): number {
    return this.view.getUint32(CODE_PAGE_INFO + position * CODE_PAGE_INFO_BYTES + 4, true)
  }

  private jobAt(position: number, record: number, number: number, isWide: boolean): RegionJob {
    const code = codeAt(position)
    const page = this.pageAt(position)
    const records = new Uint16Array(this.view.buffer, code, PAGE_BYTES * 2)
    const known = new Uint8Array(PAGE_BYTES / 2)
    const { eager } = this.policy
    for (let half = 0; half < known.length; half++)
      known[half] = eager || records[half * 4]! >= operation.region ? 1 : 0
    const marks = JUMP_TARGETS + ((code - CODE) >>> 3) * 2
    const physicalRam = this.host.isPhysical() ? this.host.ramBytes : null
    return {
      number,
      physicalRam,
      entry: (record - code) >>> RECORD_SHIFT,
      isWide,
      bytes: this.bytes.slice(page, page + PAGE_BYTES),
      known,
      targets: new Uint16Array(this.bytes.slice(marks, marks + PAGE_BYTES).buffer),
    }
  }

  /** Has the waiting jobs compiled, as far as the compiler is not at work. */
  private compile(): void {
    while (this.waiting.length > 0 && this.compiling < BATCHES_MAX) {
      this.compiling++
      this.host.compiler.compile(this.waiting.splice(0, BATCH_REGIONS_MAX))
      this.finish()
    }
  }

  /** Takes what was compiled meanwhile. */
  private finish(): void {
    const batches = this.host.compiler.finished()
    if (batches.length === 0) return
    for (const batch of batches) {
      if (batch.isEarlier) this.takeEarlier(batch)
      else this.take(batch)
    }
    // What went on to a narrower region is to look again.
    this.host.forgetJumps()
    this.compile()
  }

  private instantiate(module: WebAssembly.Module): Readonly<Record<string, unknown>> {
    const { memory, regions, exports } = this.host
    return new WebAssembly.Instance(module, { host: { memory, regions }, hart: exports }).exports
  }

  private take({ module, regions, refused }: CompiledBatch): void {
    this.compiling--
    for (const number of refused) {
      this.refused.add(this.unfinished.get(number)!.record)
      this.unfinished.delete(number)
    }
    const functions = this.instantiate(module)
    for (const [order, region] of regions.entries()) {
      const { position } = this.unfinished.get(region.number)!
      this.unfinished.delete(region.number)
      if (!this.isFor(region, position)) continue
      this.keep(region, functions[regionName(order)])
      this.enter(position, region)
      this.library.add(region)
    }
  }

  /** Takes regions of an earlier run, to be entered where their pages are met. */
  private takeEarlier({ module, regions }: CompiledBatch): void {
    if (this.next + regions.length > Math.min(this.policy.regionsMax, REGIONS_MAX) * EARLIER_PART) return
    const functions = this.instantiate(module)
    for (const [order, made] of regions.entries()) {
      const region = { ...made, number: this.next++ }
      this.keep(region, functions[regionName(order)])
      this.library.add(region)
      const position = this.library.placeOf(region.page)
      if (position !== undefined && this.isFor(region, position)) this.enter(position, region)
    }
  }

  /** Has known regions entered in the pages that were predecoded since the last time. */
  private enterNewPages(): void {
    const next = this.view.getUint32(NEXT_CODE_PAGE, true)
    for (; this.nextPosition !== next; this.nextPosition = (this.nextPosition + 1) % CODE_PAGES) {
      const key = this.keyAt(this.nextPosition)
      this.library.meet(key, this.nextPosition)
      for (const region of this.library.regionsFor(key))
        if (this.isFor(region, this.nextPosition)) this.enter(this.nextPosition, region)
    }
  }

  /** Has a known region entered in the page at a place, if there is one with this entry that is as wide. */
  private enterKnown(position: number, entry: number, isWide: boolean): boolean {
    const key = this.keyAt(position)
    // Its content may be another than when it was predecoded.
    this.library.meet(key, position)
    const fitting = this.library
      .regionsFor(key)
      .find(region => region.entries.includes(entry) && (region.isWide || !isWide) && this.isFor(region, position))
    if (fitting === undefined) return false
    this.enter(position, fitting)
    return true
  }

  private tellOfPages(): void {
    const pages = this.library.takeNewlyMet()
    if (pages.length > 0) this.host.compiler.met?.(pages)
  }

  /** The `pageKey` of the page at a place. */
  private keyAt(position: number): number {
    const page = this.pageAt(position)
    return pageKey(this.bytes.subarray(page, page + PAGE_BYTES))
  }

  /** Takes regions out that reach all of RAM without asking whether it is there. */
  leavePhysicalRegions(): void {
    for (const position of this.physicalPositions) this.host.unlinkRegions(codeAt(position))
    this.physicalPositions.clear()
  }

  /** Gives every page's records their own operations back: regions are entered anew where they fit. */
  leaveRegions(): void {
    for (let position = 0; position < CODE_PAGES; position++)
      if (this.view.getUint32(CODE_PAGE_REGIONS + position * 4, true) > 0) this.host.unlinkRegions(codeAt(position))
  }

  /** Whether a region is for the page at a place, as it is now. */
  private isFor({ pieces, code, physicalRam }: CompiledRegion, position: number): boolean {
    if (this.bytes[CODE_PAGE_CLOSED + position] !== 0) return false
    if (physicalRam !== null && (physicalRam !== this.host.ramBytes || !this.host.isPhysical())) return false
    const page = this.pageAt(position)
    let at = 0
    for (const [from, end] of pieces)
      for (let offset = from; offset < end; offset++) if (this.bytes[page + offset] !== code[at++]) return false
    return true
  }

  /** Keeps a region's function under its number. */
  private keep({ number, physicalRam, isWide }: CompiledRegion, region: unknown): void {
    const { regions } = this.host
    if (physicalRam !== null) this.physical.add(number)
    if (isWide) this.wide.add(number)
    if (regions.length <= number) regions.grow(number + REGIONS_STEP - regions.length)
    regions.set(number, region)
  }

  /** Has a region entered in the page at a place from now on. */
  private enter(position: number, { number, entries }: CompiledRegion): void {
    const { view } = this
    const code = codeAt(position)
    if (this.physical.has(number)) this.physicalPositions.add(position)
    view.setUint32(REGION_PAGES + number * 4, infoOf(code), true)
    for (const [entry, offset] of entries.entries()) this.link(code + (offset << RECORD_SHIFT), number, entry)
    const regionsAt = CODE_PAGE_REGIONS + position * 4
    view.setUint32(regionsAt, view.getUint32(regionsAt, true) + 1, true)
  }

  /** Has a region entered at a record, unless another one that is as good is. */
  private link(record: number, number: number, entry: number): void {
    const { view, host } = this
    const info = infoOf(record)
    if (this.operationAt(record) === operation.decode) host.decodeAt(record)
    let original = this.operationAt(record)
    if (original === operation.region) {
      if (!this.wide.has(number) || this.wide.has(this.regionAt(record))) return
      original = regionInfo.operationIn(view.getUint32(info, true))
    }
    if (original < operation.first) return
    view.setUint32(info, regionInfo.pack(number, original, entry), true)
    view.setUint16(record, operation.region, true)
  }
}
