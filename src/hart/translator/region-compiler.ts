/**
 * Compiling regions: from the bytes of pages to a WebAssembly module. It needs nothing of the machine but these bytes, so that another
 * thread can do it while the interpreter goes on.
 */
import type { Instruction } from "../../riscv/instruction.ts"
import { decode, instructionLength } from "../../riscv/table.ts"
import { COMPUTED_TARGET, PAGE_BYTES } from "../layout.ts"
import { type Block, findRegion, type PageCode } from "./control-flow.ts"
import { buildRegionModule, type HelperTypes } from "./region-module.ts"

/** A region to be compiled. */
export interface RegionJob {
  /** By which it is known until it is compiled. */
  readonly number: number
  /** Bytes of RAM, where the region is for physical addresses without protection; null: every access goes through the TLB. */
  readonly physicalRam: number | null
  /** Offset in the page at which it begins. */
  readonly entry: number
  /** It goes on where calls in its page come back to, and where computed jumps go: dearer, and worth it where it is hot. */
  readonly isWide: boolean
  /** The page. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** For each halfword of the page, 1 where an instruction was decoded: what was never executed is not worth translating. */
  readonly known: Uint8Array<ArrayBuffer>
  /** For each halfword, `COMPUTED_TARGET` is set where a computed jump or call from this page was seen to go. */
  readonly targets: Uint16Array<ArrayBuffer>
}

/** A region that was compiled, for every page that holds what it was made from. */
export interface CompiledRegion {
  /** The job's. */
  readonly number: number
  readonly physicalRam: number | null
  readonly isWide: boolean
  /** Offsets it can be entered at, by the entry's number. */
  readonly entries: readonly number[]
  /** First offset and end of each piece of the page that it was made from, and their bytes, one piece after the other. */
  readonly pieces: readonly (readonly [from: number, end: number])[]
  readonly code: Uint8Array<ArrayBuffer>
  /** The whole page's `pageKey`. */
  readonly page: number
}

/** Regions in one module, which exports them by `regionName` in this order. */
export interface CompiledBatch {
  readonly module: WebAssembly.Module
  readonly regions: readonly CompiledRegion[]
  /** The numbers of jobs that led to no region. */
  readonly refused: readonly number[]
  /** Compiled for an earlier run, and for no job of this one. */
  readonly isEarlier: boolean
}

/** Compiles regions, at once or in time. */
export interface RegionCompiler {
  readonly compile: (jobs: readonly RegionJob[]) => void
  /** Pages were met, by their `pageKey`: what there is of earlier runs for them is wanted. */
  readonly met?: (pages: readonly number[]) => void
  /** What was finished since it was last asked, and what of earlier runs is for pages that were met. */
  readonly finished: () => readonly CompiledBatch[]
}

/** Makes a machine's compiler, given the types of the hart's functions that regions call. */
export type RegionCompilerMaker = (helpers: HelperTypes) => RegionCompiler

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

const marked = (marks: Uint16Array): readonly number[] => {
  const offsets: number[] = []
  for (const [half, mark] of marks.entries()) if (mark & COMPUTED_TARGET) offsets.push(half * 2)
  return offsets
}

const pageCode = ({ bytes, known, targets, isWide }: RegionJob): PageCode => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return {
    at: offset => {
      if (known[offset >> 1] === 0) return null
      const low = view.getUint16(offset, true)
      const length = instructionLength(low)
      if (offset + length > PAGE_BYTES) return null
      const word = length === 2 ? low : view.getInt32(offset, true)
      const instruction = decodeOnce(word)
      return instruction && { instruction, word }
    },
    targets: isWide ? marked(targets) : [],
  }
}

/** By what a page's content is looked up: pages that differ may have the same. */
export const pageKey = (bytes: Uint8Array): number => {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, PAGE_BYTES / 4)
  let key = 0
  for (const word of words) key = Math.imul(key ^ word ^ (key >>> 15), 0x9e3779b1)
  return key
}

/** A batch of regions as the bytes of their module, and what they are. */
export const buildRegions = (
  jobs: readonly RegionJob[],
  helpers: HelperTypes,
): Pick<CompiledBatch, "regions" | "refused"> & { readonly bytes: Uint8Array<ArrayBuffer> } => {
  const results = jobs.map(job => ({ job, region: findRegion(job.entry, pageCode(job), job.isWide) }))
  const found = results.flatMap(({ job, region }) =>
    region === null ? [] : [{ job, region, physicalRam: job.physicalRam }],
  )
  return {
    bytes: buildRegionModule(found, helpers),
    regions: found.map(({ job: { number, physicalRam, isWide, bytes }, region }) => {
      const pieces = [...region.blocks.values()].map(pieceOf)
      const code = joined(pieces.map(([from, end]) => bytes.subarray(from, end)))
      const entries = region.entries.map(({ offset }) => offset)
      return { number, physicalRam, isWide, entries, pieces, code, page: pageKey(bytes) }
    }),
    refused: results.filter(({ region }) => region === null).map(({ job }) => job.number),
  }
}

const pieceOf = ({ offset, instructions }: Block): readonly [from: number, end: number] => {
  const last = instructions.at(-1)!
  return [offset, last.offset + last.instruction.length]
}

const joined = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Compiles at once, in the machine's own thread. */
export const inlineCompiler: RegionCompilerMaker = helpers => {
  let done: CompiledBatch[] = []
  return {
    compile: jobs => {
      const { bytes, ...batch } = buildRegions(jobs, helpers)
      done.push({ ...batch, module: new WebAssembly.Module(bytes), isEarlier: false })
    },
    finished: () => {
      const finished = done
      if (finished.length > 0) done = []
      return finished
    },
  }
}
