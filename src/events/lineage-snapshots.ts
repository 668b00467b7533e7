/** The snapshots of a history: those in its own file, and those that a fork inherits, which lie in the files before. */
import { Buffer } from "node:buffer"
import { type Chapter, eachInChapter, inChapter, type Lineage } from "./lineage.ts"
import { comparePositions } from "./position.ts"
import type { Page, SnapshotInfo, SnapshotMemory } from "./snapshot.ts"
import * as stored from "./snapshot.ts"

/**
 * Each file numbers its snapshots by itself. In a history those of its own file keep their numbers; those of the file before have
 * this much added, those of the one before that twice as much.
 */
export const generation = 2 ** 40

/** Whether a snapshot lies in a file before the world's own: no other is built on it, and it is not removed through this world. */
export const isInherited = ({ id }: Pick<SnapshotInfo, "id">): boolean => id >= generation

/** Whether a snapshot in the file of a chapter is one of this history. */
const belongs = ({ seq, position }: SnapshotInfo, { lastSeq, end }: Chapter): boolean =>
  seq <= lastSeq && (end === null || comparePositions(position, end) <= 0)

/** Those of each file that `list` gives and that belong to the history, oldest file first, numbered as in the history. */
const gather = (lineage: Lineage, list: (chapter: Chapter) => ReadonlyArray<SnapshotInfo>): SnapshotInfo[] =>
  lineage.flatMap((chapter, at) =>
    inChapter(chapter, () => list(chapter))
      .filter(info => belongs(info, chapter))
      .map(info => ({ ...info, id: info.id + (lineage.length - 1 - at) * generation })),
  )

/** In the order of history; of those at one event, the own ones last. */
export const listSnapshots = (lineage: Lineage): ReadonlyArray<SnapshotInfo> =>
  gather(lineage, ({ db }) => stored.listSnapshots(db)).sort((a, b) => a.seq - b.seq)

/** By id, or by name: of several, the one in the youngest file. */
export const findSnapshot = (lineage: Lineage, which: number | string): SnapshotInfo | null => {
  const named = (chapter: Chapter) => {
    const info = stored.findSnapshot(chapter.db, which)
    return info === null ? [] : [info]
  }
  if (typeof which === "string") return gather(lineage, named).at(-1) ?? null
  return inSnapshot(lineage, which, ({ db }, own) => ({ ...stored.findSnapshot(db, own)!, id: which }))
}

/** Reads a snapshot in the file that it lies in, by its number there; null where there is no such snapshot. */
const inSnapshot = <A>(lineage: Lineage, id: number, read: (chapter: Chapter, own: number) => A): A | null => {
  const chapter = lineage.at(-1 - Math.floor(id / generation))
  if (chapter === undefined) return null
  const own = id % generation
  return inChapter(chapter, () => {
    const info = stored.findSnapshot(chapter.db, own)
    return info !== null && belongs(info, chapter) ? read(chapter, own) : null
  })
}

/** The machine's state; null where there is no such snapshot. */
export const readState = (lineage: Lineage, id: number): Buffer | null =>
  inSnapshot(lineage, id, ({ db }, own) => stored.readState(db, own))

/** null where there is no such snapshot. */
export const openMemory = (lineage: Lineage, id: number): SnapshotMemory | null =>
  inSnapshot(lineage, id, (chapter, own) => {
    const memory = stored.openMemory(chapter.db, own)
    return (
      memory && {
        ...memory,
        file: chapter.path,
        read: (index: number) => inChapter(chapter, () => memory.read(index)),
        readPlace: (place: number) => inChapter(chapter, () => memory.readPlace(place)),
      }
    )
  })

/**
 * The pages of a snapshot in address order. Without `since`: those that are not zero. With it: those that differ from that snapshot,
 * zero pages too. A page's bytes are shared: they must not be changed.
 */
export const eachPage = (lineage: Lineage, id: number, since: number | null): Iterable<Page> => {
  const isElsewhere = since !== null && Math.floor(since / generation) !== Math.floor(id / generation)
  if (isElsewhere) return eachOtherPage(lineage, id, since)
  const older = since === null ? null : since % generation
  return (
    inSnapshot(lineage, id, (chapter, own) => eachInChapter(chapter, () => stored.eachPage(chapter.db, own, older))) ??
    []
  )
}

/** The pages that differ between snapshots in two files. */
function* eachOtherPage(lineage: Lineage, id: number, since: number): Generator<Page> {
  const [newer, older] = [openMemory(lineage, id), openMemory(lineage, since)]
  if (newer === null || older === null) return
  const zero = new Uint8Array(stored.pageBytes)
  const reader = ({ indexes, read }: SnapshotMemory) => {
    const present = new Set(indexes)
    return (index: number) => (present.has(index) ? read(index) : zero)
  }
  const [after, before] = [reader(newer), reader(older)]
  for (const index of new Set([...newer.indexes, ...older.indexes].sort((a, b) => a - b))) {
    const bytes = after(index)
    if (Buffer.compare(bytes, before(index)) !== 0) yield { index, bytes }
  }
}

/** Checks every snapshot of every file with all its pages. @throws WorldDamaged */
export const verifySnapshots = (lineage: Lineage): void => {
  for (const chapter of lineage)
    inChapter(chapter, () => stored.verifySnapshots(chapter.db, info => belongs(info, chapter)))
}
