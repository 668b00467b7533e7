/** Where in a history lines of memory were left alone, so that nobody needs to look there for writes to them. */
import { comparePositions, type WrittenSpan } from "../../events/index.ts"
import { LINE_BYTES, LINES_PER_PAGE, RAM_BASE } from "../../machine/machine-config.ts"
import type { Moment, Sought } from "../../session/timeline/timeline.ts"
import type { Stretch } from "./question.ts"

/**
 * The lines of RAM, by number, that have to be written for anything sought to be met; null where other things are sought than writes to
 * physical memory.
 */
export const linesNeeded = ({ observation, output, rounds }: Sought): readonly number[] | null => {
  const { breakpoints, memory, state, interrupts, exceptions } = observation
  const isOfMemory = breakpoints.length + state.length === 0 && !(interrupts || exceptions || output || rounds)
  if (!isOfMemory || memory.some(({ space, reads }) => space !== "physical" || reads)) return null
  const lines = memory.flatMap(({ address, bytes }) => {
    const first = lineOf(address)
    return Array.from({ length: lineOf(address + BigInt(bytes) - 1n) - first + 1 }, (_, order) => first + order)
  })
  return [...new Set(lines)]
}

const lineOf = (address: bigint): number => Math.floor((Number(address) - RAM_BASE) / LINE_BYTES)

export class LineWrites {
  private readonly moments: readonly Moment[]
  private readonly spans: readonly WrittenSpan[]

  /** `moments` are those with a span from each to the next, in order. */
  constructor(moments: readonly Moment[], spans: readonly WrittenSpan[]) {
    this.moments = moments
    this.spans = spans.toSorted((a, b) => a.fromSeq - b.fromSeq)
  }

  /** Whether it is known that none of `lines` was written in a stretch. */
  leaveAlone({ from, to }: Stretch, lines: readonly number[]): boolean {
    const before = this.moments.findLast(({ position }) => comparePositions(position, from) <= 0)
    const after = this.moments.find(({ position }) => comparePositions(position, to) >= 0)
    if (before === undefined || after === undefined) return false
    return this.knownQuietFrom(lastSeq(before), lines) >= lastSeq(after)
  }

  /** Up to which event it is known that none of the lines was written, from another on. */
  private knownQuietFrom(seq: number, lines: readonly number[]): number {
    let reached = seq
    for (const span of this.spans) {
      if (span.fromSeq > reached) break
      if (span.toSeq > reached && !lines.some(line => wasWritten(span, line))) reached = span.toSeq
    }
    return reached
  }
}

/** The last event that had happened at a moment. */
const lastSeq = ({ nextSeq }: Moment): number => Math.max(0, nextSeq - 1)

const wasWritten = ({ pages, lines }: WrittenSpan, line: number): boolean => {
  const at = indexOf(pages, Math.floor(line / LINES_PER_PAGE))
  if (at < 0) return false
  const bit = line % LINES_PER_PAGE
  return ((lines[2 * at + (bit >>> 5)]! >>> (bit & 31)) & 1) === 1
}

/** Where an ordered list has a number; -1: nowhere. */
const indexOf = (ordered: Uint32Array, wanted: number): number => {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ordered[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return ordered[low] === wanted ? low : -1
}
