/**
 * The content of memory pages at many moments of one history. Each page's content at a moment has a number, its version: equal numbers
 * mean equal content, so that going from one moment to another touches only the pages that differ. Versions are copies kept here
 * (positive), places in world files (negative), or zeros (0). A copy is kept as long as somebody holds versions it is among.
 */
import type { SnapshotMemory } from "../../events/index.ts"

const PAGE_BYTES = 4096
/** Pages copied are kept in blocks of so many. */
const BLOCK_PAGES = 256
/** Versions in files: the place, and which of at most so many files. The history of a fork of forks lies in up to eleven. */
const FILES_MAX = 16

/** For each page of a memory its version. */
export type Versions = Int32Array

export class PageVersions {
  private readonly blocks: Uint8Array[] = []
  private readonly free: number[] = []
  /** How many hold a copy, by its version. */
  private holders = new Int32Array(BLOCK_PAGES)
  private readonly files: { readonly name: string; memory: SnapshotMemory }[] = []
  private nextVersion = 1

  /** Keeps a copy of a page; gives its version, which is to be among those that somebody holds before anything is released. */
  keep(bytes: Uint8Array): number {
    if (bytes.length === 0) return 0
    const version = this.free.pop() ?? this.nextVersion++
    this.slot(version).set(bytes)
    return version
  }

  private slot(version: number): Uint8Array {
    const [block, page] = [Math.floor((version - 1) / BLOCK_PAGES), (version - 1) % BLOCK_PAGES]
    this.blocks[block] ??= new Uint8Array(BLOCK_PAGES * PAGE_BYTES)
    return this.blocks[block].subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
  }

  /** Puts a version's content into `target`. @throws what reading the file throws */
  read(version: number, target: Uint8Array): void {
    if (version === 0) target.fill(0)
    else if (version > 0) target.set(this.slot(version))
    else target.set(this.files[-version % FILES_MAX]!.memory.readPlace(Math.floor(-version / FILES_MAX)))
  }

  /** The versions of a snapshot's pages. */
  ofSnapshot(memory: SnapshotMemory): Versions {
    let file = this.files.findIndex(({ name }) => name === memory.file)
    if (file < 0) {
      if (this.files.length === FILES_MAX) throw new RangeError(`a history can lie in ${FILES_MAX} files at most`)
      file = this.files.length
      this.files.push({ name: memory.file, memory })
    }
    const versions = new Int32Array(memory.places.length)
    for (let page = 0; page < versions.length; page++) {
      const place = memory.places[page]!
      versions[page] = place === 0 ? 0 : -(place * FILES_MAX + file)
    }
    return versions
  }

  /** Bytes of the copies kept. */
  get bytes(): number {
    return (this.nextVersion - 1 - this.free.length) * PAGE_BYTES
  }

  /** Holds versions: their copies are kept until they are released. */
  hold(versions: Versions): void {
    if (this.holders.length < this.nextVersion) {
      const holders = new Int32Array(this.nextVersion * 2)
      holders.set(this.holders)
      this.holders = holders
    }
    const { holders } = this
    for (const version of versions) if (version > 0) holders[version]!++
  }

  /** Forgets the copies among versions that nobody else holds. */
  release(versions: Versions): void {
    const { holders, free } = this
    for (const version of versions) if (version > 0 && --holders[version]! === 0) free.push(version)
  }
}

/** The pages whose content may differ. */
export const differingPages = (one: Versions, other: Versions): number[] => {
  const pages: number[] = []
  for (let page = 0; page < one.length; page++) if (one[page] !== other[page]) pages.push(page)
  return pages
}
