/**
 * The files that a history lies in: the world's own and, before it, those of the worlds it was forked from, each up to where the next
 * one leaves it. What is read of one is told of that file when it is wrong.
 */
import type { Database } from "better-sqlite3"
import { toReadError } from "./database.ts"
import type { Position } from "./position.ts"

/** One of the files. */
export interface Chapter {
  readonly path: string
  readonly db: Database
  /** The first event of the history that lies in it. */
  readonly firstSeq: number
  /** The last, Infinity for the world's own file; before the first where the history has none of its events. */
  readonly lastSeq: number
  /** Where the history leaves it; null for the world's own file. */
  readonly end: Position | null
}

/** Oldest first; the last is the world's own file. */
export type Lineage = readonly Chapter[]

/** More cannot be queried together: SQLite attaches no more databases to one. */
export const ancestorsMax = 10

export const ownChapter = (lineage: Lineage): Chapter => lineage[lineage.length - 1]!

/** A world that is no fork. */
export const singleFile = (path: string, db: Database): Lineage => [
  { path, db, firstSeq: 0, lastSeq: Number.POSITIVE_INFINITY, end: null },
]

/** Reads one of the files. @throws WorldDamaged, WorldUnreadable about that file; what else `body` throws stays what it is */
export const inChapter = <A>({ path }: Chapter, body: () => A): A => {
  try {
    return body()
  } catch (cause) {
    throw toReadError(path, cause) ?? cause
  }
}

/** The same for what is read piece by piece. */
export function* eachInChapter<A>(chapter: Chapter, items: () => Iterable<A>): Generator<A> {
  const iterator = inChapter(chapter, () => items()[Symbol.iterator]())
  for (;;) {
    const next = inChapter(chapter, () => iterator.next())
    if (next.done) return
    yield next.value
  }
}

/** The file that an event lies in; undefined where the history has no such event. */
export const chapterOf = (lineage: Lineage, seq: number): Chapter | undefined =>
  lineage.find(({ firstSeq, lastSeq }) => firstSeq <= seq && seq <= lastSeq)

/** What the youngest file that has it gives, with that file; null where none has. */
export const findYoungest = <A>(
  lineage: Lineage,
  look: (db: Database) => A | null,
): { readonly chapter: Chapter; readonly found: A } | null => {
  for (const chapter of lineage.toReversed()) {
    const found = inChapter(chapter, () => look(chapter.db))
    if (found !== null) return { chapter, found }
  }
  return null
}
