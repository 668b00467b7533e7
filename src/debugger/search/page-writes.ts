/** Where in a history pages of memory were left alone, so that nobody needs to look there for writes to them. */
import { comparePositions, type WrittenSpan } from "../../events/index.ts"
import { PAGE_BYTES, RAM_BASE } from "../../machine/machine-config.ts"
import type { Moment, Sought } from "../../session/timeline/timeline.ts"
import type { Stretch } from "./question.ts"

/** The pages that have to be written for anything sought to be met; null where other things are sought than writes to physical memory. */
export const pagesNeeded = ({ observation, output, rounds }: Sought): readonly number[] | null => {
  const { breakpoints, memory, state, interrupts, exceptions } = observation
  const isOfMemory = breakpoints.length + state.length === 0 && !(interrupts || exceptions || output || rounds)
  if (!isOfMemory || memory.some(({ space, reads }) => space !== "physical" || reads)) return null
  const pages = memory.flatMap(({ address, bytes }) => {
    const first = pageOf(address)
    return Array.from({ length: pageOf(address + BigInt(bytes) - 1n) - first + 1 }, (_, order) => first + order)
  })
  return [...new Set(pages)]
}

const pageOf = (address: bigint): number => Math.floor((Number(address) - RAM_BASE) / PAGE_BYTES)

export class PageWrites {
  private readonly moments: readonly Moment[]
  private readonly spans: readonly WrittenSpan[]

  /** `moments` are those with a span from each to the next, in order. */
  constructor(moments: readonly Moment[], spans: readonly WrittenSpan[]) {
    this.moments = moments
    this.spans = spans.toSorted((a, b) => a.fromSeq - b.fromSeq)
  }

  /** Whether it is known that no page of `pages` was written in a stretch. */
  leaveAlone({ from, to }: Stretch, pages: readonly number[]): boolean {
    const before = this.moments.findLast(({ position }) => comparePositions(position, from) <= 0)
    const after = this.moments.find(({ position }) => comparePositions(position, to) >= 0)
    if (before === undefined || after === undefined) return false
    return this.knownQuietFrom(lastSeq(before), pages) >= lastSeq(after)
  }

  /** Up to which event it is known that none of the pages was written, from another on. */
  private knownQuietFrom(seq: number, pages: readonly number[]): number {
    let reached = seq
    for (const { fromSeq, toSeq, pages: written } of this.spans) {
      if (fromSeq > reached) break
      if (toSeq > reached && !pages.some(page => includes(written, page))) reached = toSeq
    }
    return reached
  }
}

/** The last event that had happened at a moment. */
const lastSeq = ({ nextSeq }: Moment): number => Math.max(0, nextSeq - 1)

/** Whether an ordered list has a number. */
const includes = (ordered: Uint32Array, wanted: number): boolean => {
  let low = 0
  let high = ordered.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ordered[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return ordered[low] === wanted
}
