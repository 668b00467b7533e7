/**
 * What is known of RAM without reading it again: which pages were written since any earlier look, which of their lines, and a digest of
 * all of it, kept as the sum of the hashes of its pages. A look costs about the pages written since the last one.
 */
import type { HartCore } from "../hart/hart-core.ts"
import { PAGE_BYTES } from "../hart/layout.ts"

const WORDS = 4

/** Lines of 64 bytes that were written. */
export interface WrittenLines {
  /** The numbers of the pages they lie in, in order. */
  readonly pages: Uint32Array
  /** Two words for each of those pages, a bit for each of its 64 lines from the lowest on. */
  readonly lines: Uint32Array
}

export class MemoryWatch {
  private readonly core: HartCore
  /** For each page the number of the look that found it written last; 0: never written. */
  private readonly foundBy: Uint32Array
  /** The hash of each page as the last look found it. */
  private readonly hashes: Int32Array
  private readonly sum = new Int32Array(WORDS)
  /** For each page the number of the last look before its written lines were taken. */
  private readonly linesTakenAt: Uint32Array
  private looks = 0
  /** What the last look found, in order. */
  private lastFound: readonly number[] = []

  /** All of RAM is zero, or was reported as written. */
  constructor(core: HartCore) {
    const pages = core.ramBytes / PAGE_BYTES
    this.core = core
    this.foundBy = new Uint32Array(pages)
    this.hashes = new Int32Array(pages * WORDS)
    this.linesTakenAt = new Uint32Array(pages)
  }

  /** Takes note of what was written. Gives a mark for `writtenSince`. Changes nothing a guest can see. */
  look(): number {
    const written = this.core.takeDirtyPages()
    if (written.length === 0) return this.looks
    this.looks++
    this.lastFound = written
    for (const page of written) {
      this.foundBy[page] = this.looks
      const hash = this.core.hashPage(page)
      for (let word = 0; word < WORDS; word++) {
        const at = page * WORDS + word
        this.sum[word]! += hash[word]! - this.hashes[at]!
        this.hashes[at] = hash[word]!
      }
    }
    return this.looks
  }

  /** The pages that were written after a mark and before the last look, in order; after 0: since the beginning. */
  writtenSince(mark: number): readonly number[] {
    if (mark === this.looks) return []
    if (mark === this.looks - 1) return this.lastFound
    const pages: number[] = []
    for (let page = 0; page < this.foundBy.length; page++) if (this.foundBy[page]! > mark) pages.push(page)
    return pages
  }

  /**
   * The lines that were written after a mark and before the last look, and perhaps some that were written earlier. Who takes them again
   * from an earlier mark is given whole pages.
   */
  takeWrittenLines(mark: number): WrittenLines {
    const pages = Uint32Array.from(this.writtenSince(mark))
    const lines = new Uint32Array(2 * pages.length)
    for (const [order, page] of pages.entries()) {
      this.core.takeWrittenLines(page, lines, 2 * order)
      if (this.linesTakenAt[page]! > mark) lines.fill(0xffffffff, 2 * order, 2 * order + 2)
      this.linesTakenAt[page] = this.looks
    }
    return { pages, lines }
  }

  /** Whether a page was all zero at the last look. */
  isZero(page: number): boolean {
    for (let word = 0; word < WORDS; word++) if (this.hashes[page * WORDS + word] !== 0) return false
    return true
  }

  /** A digest of all of RAM at the last look, 16 bytes. */
  get digest(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.sum.slice().buffer)
  }

  /** A page's content came in that the digest of an earlier machine counted already. */
  broughtIn(page: number): void {
    this.hashes.set(this.core.hashPage(page), page * WORDS)
  }

  /** RAM is now what it was in another machine, whose digest is given; its pages are brought in as they are needed. */
  takeOver(digest: Uint8Array): void {
    if (digest.length !== this.sum.byteLength) throw new Error("a digest of memory has the wrong length")
    new Uint8Array(this.sum.buffer).set(digest)
  }

  /** Every page is reported as written from now on: what was known of them is void. */
  forget(): void {
    this.hashes.fill(0)
    this.sum.fill(0)
  }
}
