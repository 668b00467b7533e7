/**
 * The translator: looks now and then where the running hart is, and has what is often found there translated. When it looks and what
 * it translates changes nothing that a guest can see.
 */

import type { Instruction } from "../../riscv/instruction.ts"
import { decode, instructionLength } from "../../riscv/table.ts"
import { operation, regionInfo } from "../code-cache.ts"
import {
  ACTIVE,
  CODE,
  CODE_PAGE_BYTES,
  CODE_PAGE_INFO,
  CODE_PAGE_INFO_BYTES,
  CODE_PAGE_REGIONS,
  CODE_PAGES,
  JUMP_TARGETS,
  PAGE_BYTES,
  RECORD_SHIFT,
  REGION_INFO,
  REGIONS_MAX,
  TLB,
  TLB_BYTES,
  TLB_ENTRY_BYTES,
  TLB_FETCH,
  TLB_HART_BYTES,
} from "../layout.ts"
import { stateFields } from "../state.ts"
import { findRegion, type PageCode } from "./control-flow.ts"
import type { TranslationPolicy } from "./policy.ts"
import { buildRegionModule, type HelperTypes, REGION_NAME } from "./region-module.ts"

/** A page whose code is written to all the time is not worth more regions than this. */
const PAGE_REGIONS_MAX = 200
/** Instructions followed one by one. */
const FOLLOW_MAX = 100

export interface TranslatorHost {
  readonly memory: WebAssembly.Memory
  readonly regions: WebAssembly.Table
  readonly exports: Readonly<Record<string, unknown>>
  readonly helpers: HelperTypes
  /** Decodes the instruction a record stands for. */
  readonly decodeAt: (record: number) => void
  /** Gives the records of a predecoded page their own operations back. */
  readonly unlinkRegions: (code: number) => void
  /** Nonzero where the running hart's loads and stores use physical addresses that nothing protects. */
  readonly isPhysical: () => number
  readonly ramBytes: number
}

/** Instruction words remembered with what they mean. */
const WORDS_MAX = 100_000
const words = new Map<number, Instruction | null>()
const decodeOnce = (word: number): Instruction | null => {
  const found = words.get(word)
  if (found !== undefined) return found
  const instruction = decode(word)
  if (words.size >= WORDS_MAX) words.clear()
  words.set(word, instruction)
  return instruction
}

export class Translator {
  private readonly host: TranslatorHost
  private readonly policy: TranslationPolicy
  private readonly view: DataView
  /** How often a hart was found in each 64 bytes of code. */
  private readonly found = new Map<number, number>()
  private readonly refused = new Set<number>()
  /** Regions that only run while addresses are physical. */
  private readonly physical = new Set<number>()
  /** Regions made for each predecoded page. */
  private readonly made = new Map<number, number>()
  /** The number the next region gets; 0 is none. */
  private next = 1
  /** Instructions that are still to be followed, 0 when none is. */
  private following = 0
  private followedPc = 0
  /** Instructions until it wants to look again. */
  patience: number

  constructor(host: TranslatorHost, policy: TranslationPolicy) {
    this.host = host
    this.policy = policy
    this.patience = policy.eager ? 1 : policy.patience()
    this.view = new DataView(host.memory.buffer)
  }

  /** So many instructions were executed, at most `patience`. */
  passed(instructions: number): void {
    this.patience -= instructions
    if (this.patience > 0) return
    this.look()
    this.patience = this.following > 0 ? 1 : this.policy.patience()
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
      if (this.operationAt(record) !== operation.region) this.translate(record)
      return
    }
    if (record === 0) return
    if (this.operationAt(record) === operation.region) return this.lookAtRegion(record)
    if (this.policy.eager) return this.translate(record)
    const place = record >>> 8
    const times = (this.found.get(place) ?? 0) + 1
    this.found.set(place, times)
    if (times < this.policy.looksMin) return
    this.found.delete(place)
    this.following = FOLLOW_MAX
    this.followedPc = pc
  }

  /** A region for physical addresses has no use where they are translated now: others take the page's regions' places. */
  private lookAtRegion(record: number): void {
    const number = this.view.getUint16(REGION_INFO + ((record - CODE) >>> 3) * 4, true)
    if (!this.physical.has(number) || this.host.isPhysical()) return
    this.host.unlinkRegions(CODE + Math.floor((record - CODE) / CODE_PAGE_BYTES) * CODE_PAGE_BYTES)
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
    for (let position = 0; position < CODE_PAGES; position++)
      if (this.view.getUint32(CODE_PAGE_REGIONS + position * 4, true) > 0)
        this.host.unlinkRegions(CODE + position * CODE_PAGE_BYTES)
    for (let number = 1; number < this.next; number++) this.host.regions.set(number, null)
    this.next = 1
    this.found.clear()
    this.refused.clear()
    this.made.clear()
  }

  private translate(record: number): void {
    const { view, host } = this
    if (this.policy.eager && this.operationAt(record) === operation.decode) host.decodeAt(record)
    const original = this.operationAt(record)
    if (original < operation.first || this.refused.has(record)) return
    if (this.next > Math.min(this.policy.regionsMax, REGIONS_MAX)) this.forgetAll()
    const position = Math.floor((record - CODE) / CODE_PAGE_BYTES)
    const made = this.made.get(position) ?? 0
    if (made >= PAGE_REGIONS_MAX) return
    this.made.set(position, made + 1)
    const code = CODE + position * CODE_PAGE_BYTES
    const page = view.getUint32(CODE_PAGE_INFO + position * CODE_PAGE_INFO_BYTES + 4, true)
    const region = findRegion((record - code) >>> RECORD_SHIFT, this.pageCode(code, page))
    if (region === null) {
      this.refused.add(record)
      return
    }
    const number = this.next++
    const physicalRam = this.host.isPhysical() ? host.ramBytes : null
    const place = { number, info: REGION_INFO + (code - CODE) / 2, physicalRam }
    if (physicalRam === null) this.physical.delete(number)
    else this.physical.add(number)
    const module = new WebAssembly.Module(buildRegionModule(region, place, host.helpers))
    const instance = new WebAssembly.Instance(module, { host: { memory: host.memory }, hart: host.exports })
    if (host.regions.length <= number) host.regions.grow(1024)
    host.regions.set(number, instance.exports[REGION_NAME])
    for (const [entry, { offset }] of region.entries.entries())
      this.link(code + (offset << RECORD_SHIFT), number, entry)
    const regionsAt = CODE_PAGE_REGIONS + position * 4
    view.setUint32(regionsAt, view.getUint32(regionsAt, true) + 1, true)
  }

  /** Has a region entered at a record, unless another is. */
  private link(record: number, number: number, entry: number): void {
    const { view, host } = this
    if (this.operationAt(record) === operation.decode) host.decodeAt(record)
    const original = this.operationAt(record)
    if (original < operation.first) return
    view.setUint32(REGION_INFO + ((record - CODE) >>> 3) * 4, regionInfo.pack(number, original, entry), true)
    view.setUint16(record, operation.region, true)
  }

  /** What is known of the predecoded page at `code`, whose bytes lie at `page`. */
  private pageCode(code: number, page: number): PageCode {
    const { view } = this
    const { eager } = this.policy
    const at: PageCode["at"] = offset => {
      // What was never executed has no record yet, and is not worth translating.
      const known = this.operationAt(code + (offset << RECORD_SHIFT))
      if (known < operation.first && known !== operation.region && !eager) return null
      const low = view.getUint16(page + offset, true)
      const length = instructionLength(low)
      if (offset + length > 4096) return null
      const word = length === 2 ? low : view.getInt32(page + offset, true)
      const instruction = decodeOnce(word)
      return instruction && { instruction, word }
    }
    const marks = new Uint8Array(view.buffer, JUMP_TARGETS + ((code - CODE) >>> 3), PAGE_BYTES / 2)
    const targets = () => [...marks.entries()].filter(([, isTarget]) => isTarget).map(([half]) => half * 2)
    return { at, targets }
  }
}
