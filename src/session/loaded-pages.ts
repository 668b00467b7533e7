/** Pages of a machine's memory that are those of its contents: they are in the world's file, and need not be saved again. */
import type { BlobReference, Genesis, LoadedPages } from "../events/index.ts"
import type { LoadedFrom } from "../machine/boot.ts"
import type { Machine } from "../machine/machine.ts"
import { PAGE_BYTES, RAM_BASE } from "../machine/machine-config.ts"

/** A page of a content. */
interface ContentPage {
  readonly hash: string
  readonly page: number
}

const contentOf = ({ machines: [spec] }: Genesis, from: LoadedFrom): BlobReference | null => {
  if (from === "firmware") return typeof spec.firmware === "string" ? null : spec.firmware
  return spec[from]
}

/** Runs of pages, in order, that a machine finds in its memory at the beginning as they are in its contents. */
export const loadedPages = (machine: Machine, genesis: Genesis): readonly LoadedPages[] => {
  const pages = new Map<number, ContentPage | null>()
  for (const { address, data, from, offset } of machine.loadedParts) {
    const content = from && contentOf(genesis, from)
    const start = address - RAM_BASE
    const isAligned = (start - offset) % PAGE_BYTES === 0
    // What is put there later counts.
    for (let page = Math.floor(start / PAGE_BYTES); page * PAGE_BYTES < start + data.length; page++) {
      const isWhole = page * PAGE_BYTES >= start && (page + 1) * PAGE_BYTES <= start + data.length
      const of = (page * PAGE_BYTES - start + offset) / PAGE_BYTES
      pages.set(page, content && isAligned && isWhole ? { hash: content.hash, page: of } : null)
    }
  }
  const runs: { page: number; count: number; hash: string; contentPage: number }[] = []
  for (const [page, content] of [...pages].sort(([a], [b]) => a - b)) {
    if (content === null) continue
    const last = runs.at(-1)
    const goesOn =
      last?.hash === content.hash && last.page + last.count === page && last.contentPage + last.count === content.page
    if (last && goesOn) last.count++
    else runs.push({ page, count: 1, hash: content.hash, contentPage: content.page })
  }
  return runs
}
