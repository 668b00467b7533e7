/**
 * Compiling a region: from a page's bytes to a WebAssembly module. It needs nothing of the machine but these bytes, so that another
 * thread can do it while the interpreter goes on.
 */
import type { Instruction } from "../../riscv/instruction.ts"
import { decode, instructionLength } from "../../riscv/table.ts"
import { COMPUTED_TARGET, PAGE_BYTES } from "../layout.ts"
import { findRegion, type PageCode } from "./control-flow.ts"
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

export interface CompiledRegion {
  /** The job's `place.number`. */
  readonly number: number
  /** Null: no region begins there. */
  readonly region: {
    readonly module: WebAssembly.Module
    /** Offsets it can be entered at, by the entry's number. */
    readonly entries: readonly number[]
    /** First offset and end of each piece of the page that it was made from. */
    readonly pieces: readonly (readonly [from: number, end: number])[]
  } | null
}

/** Compiles regions, at once or in time. */
export interface RegionCompiler {
  readonly compile: (job: RegionJob) => void
  /** What was finished since it was last asked. */
  readonly finished: () => readonly CompiledRegion[]
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

export const compileRegion = (job: RegionJob, helpers: HelperTypes): CompiledRegion => {
  const { number } = job.place
  const region = findRegion(job.entry, pageCode(job), job.isWide)
  if (region === null) return { number, region: null }
  const module = new WebAssembly.Module(buildRegionModule(region, job.place, helpers))
  const pieces = [...region.blocks.values()].map(({ offset, instructions }) => {
    const last = instructions.at(-1)!
    return [offset, last.offset + last.instruction.length] as const
  })
  return { number, region: { module, entries: region.entries.map(({ offset }) => offset), pieces } }
}

/** Compiles at once, in the machine's own thread. */
export const inlineCompiler: RegionCompilerMaker = helpers => {
  let done: CompiledRegion[] = []
  return {
    compile: job => {
      done.push(compileRegion(job, helpers))
    },
    finished: () => {
      const finished = done
      if (finished.length > 0) done = []
      return finished
    },
  }
}
