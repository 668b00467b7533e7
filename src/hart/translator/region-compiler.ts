/**
 * Compiling regions: from the bytes of pages to a WebAssembly module. It needs nothing of the machine but these bytes, so that another
 * thread can do it while the interpreter goes on.
 */
import type { Instruction } from "../../riscv/instruction.ts"
import { decode, instructionLength } from "../../riscv/table.ts"
import { COMPUTED_TARGET, PAGE_BYTES } from "../layout.ts"
import { type Block, findRegion, type PageCode } from "./control-flow.ts"
import type { RegionPlace } from "./region-function.ts"
import { buildRegionModule, type HelperTypes } from "./region-module.ts"

/** A region to be compiled. */
export interface RegionJob {
  readonly place: RegionPlace
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

/** What a job led to. */
export interface CompiledRegion {
  /** The job's `place.number`. */
  readonly number: number
  /** Offsets it can be entered at, by the entry's number; none: no region begins there. */
  readonly entries: readonly number[]
  /** First offset and end of each piece of the page that it was made from. */
  readonly pieces: readonly (readonly [from: number, end: number])[]
}

/** Regions in one module, which exports them by `regionName` in this order; those that are none come last. */
export interface CompiledBatch {
  readonly module: WebAssembly.Module
  readonly regions: readonly CompiledRegion[]
}

/** Compiles regions, at once or in time. */
export interface RegionCompiler {
  readonly compile: (jobs: readonly RegionJob[]) => void
  /** What was finished since it was last asked. */
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

/** Compiles a batch of regions. */
export const compileRegions = (jobs: readonly RegionJob[], helpers: HelperTypes): CompiledBatch => {
  const results = jobs.map(job => ({ place: job.place, region: findRegion(job.entry, pageCode(job), job.isWide) }))
  const found = results.flatMap(({ place, region }) => (region === null ? [] : [{ place, region }]))
  const none = results.filter(({ region }) => region === null)
  return {
    module: new WebAssembly.Module(buildRegionModule(found, helpers)),
    regions: [
      ...found.map(({ place, region }) => ({
        number: place.number,
        entries: region.entries.map(({ offset }) => offset),
        pieces: [...region.blocks.values()].map(pieceOf),
      })),
      ...none.map(({ place }) => ({ number: place.number, entries: [], pieces: [] })),
    ],
  }
}

const pieceOf = ({ offset, instructions }: Block): readonly [from: number, end: number] => {
  const last = instructions.at(-1)!
  return [offset, last.offset + last.instruction.length]
}

/** Compiles at once, in the machine's own thread. */
export const inlineCompiler: RegionCompilerMaker = helpers => {
  let done: CompiledBatch[] = []
  return {
    compile: jobs => {
      done.push(compileRegions(jobs, helpers))
    },
    finished: () => {
      const finished = done
      if (finished.length > 0) done = []
      return finished
    },
  }
}
