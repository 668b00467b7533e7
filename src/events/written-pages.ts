/**
 * Which pages of memory were written between two events of a history. A span is stored with each snapshot and checkpoint, and stays when
 * that goes: who looks for a write to a page passes over the spans that do not have it.
 */
import { createHash } from "node:crypto"
import type { Database } from "better-sqlite3"
import type { Selectable } from "kysely"
import { ContentDamaged } from "./content-damaged.ts"
import { inChapter, type Lineage } from "./lineage.ts"
import { pack, unpack } from "./pack.ts"
import { query, run, selectAll, type WrittenTable } from "./tables.ts"
import { WireReader, WireWriter } from "./wire.ts"

const bytesMax = 1 << 26

/** A part of a history, from after one event to after another, and the pages that may have been written in it. */
export interface WrittenSpan {
  readonly fromSeq: number
  readonly toSeq: number
  /** Their numbers, in order. */
  readonly pages: Uint32Array
}

const sealOf = (fromSeq: number, toSeq: number, pages: Uint8Array): Buffer =>
  createHash("sha256").update(`${fromSeq} ${toSeq} `).update(pages).digest()

/** `pages`: numbers in any order, each perhaps more than once. Run within a transaction. */
export const storeWritten = (db: Database, fromSeq: number, toSeq: number, pages: Iterable<number>): void => {
  const numbers = Uint32Array.from(new Set(pages)).sort()
  const writer = new WireWriter()
  writer.natural(numbers.length)
  let next = 0
  for (const page of numbers) {
    writer.natural(page - next)
    next = page + 1
  }
  const packed = pack(writer.take())
  const seal = sealOf(fromSeq, toSeq, packed)
  run(db, query.insertInto("written").values({ from_seq: fromSeq, to_seq: toSeq, pages: packed, seal }))
}

/** @throws ContentDamaged */
const spanOf = ({
  id,
  from_seq: fromSeq,
  to_seq: toSeq,
  pages: packed,
  seal,
}: Selectable<WrittenTable>): WrittenSpan => {
  const what = `the list ${id} of written pages`
  const isSound = packed instanceof Uint8Array && seal instanceof Uint8Array
  if (!isSound || !sealOf(fromSeq, toSeq, packed).equals(seal))
    throw new ContentDamaged(`${what} is not what was stored`)
  const reader = new WireReader(unpack(packed, bytesMax, what))
  const pages = new Uint32Array(reader.natural())
  let next = 0
  for (let at = 0; at < pages.length; at++) {
    pages[at] = next + reader.natural()
    next = pages[at]! + 1
  }
  return { fromSeq, toSeq, pages }
}

const rowsOf = (db: Database) => selectAll(db, query.selectFrom("written").selectAll())

/** What is known of a history, in no order. A span that is damaged says nothing: then there is more to look at. */
export const writtenSpans = (lineage: Lineage): ReadonlyArray<WrittenSpan> =>
  lineage.flatMap(chapter =>
    inChapter(chapter, () =>
      rowsOf(chapter.db).flatMap(row => {
        try {
          const { fromSeq, toSeq, pages } = spanOf(row)
          // What the file's own world did after the history left it is no part of it.
          return fromSeq < chapter.lastSeq ? [{ fromSeq, toSeq: Math.min(toSeq, chapter.lastSeq), pages }] : []
        } catch (cause) {
          if (cause instanceof ContentDamaged) return []
          throw cause
        }
      }),
    ),
  )

/** Checks them all. @throws ContentDamaged */
export const verifyWritten = (db: Database): void => {
  for (const row of rowsOf(db)) spanOf(row)
}
