/**
 * Which lines of memory were written between two events of a history. A span is stored with each snapshot and checkpoint, and stays when
 * that goes: who looks for a write to a line passes over the spans that do not have it.
 */
import { createHash } from "node:crypto"
import type { Database } from "better-sqlite3"
import type { Selectable } from "kysely"
import type { WrittenLines } from "../machine/memory-watch.ts"
import { ContentDamaged } from "./content-damaged.ts"
import { inChapter, type Lineage } from "./lineage.ts"
import { pack, unpack } from "./pack.ts"
import { query, run, selectAll, type WrittenTable } from "./tables.ts"
import { WireReader, WireWriter } from "./wire.ts"

const bytesMax = 1 << 26

/** A part of a history, from after one event to after another, and the lines that may have been written in it. */
export interface WrittenSpan extends WrittenLines {
  readonly fromSeq: number
  readonly toSeq: number
}

const sealOf = (fromSeq: number, toSeq: number, lines: Uint8Array): Buffer =>
  createHash("sha256").update(`${fromSeq} ${toSeq} `).update(lines).digest()

/** Run within a transaction. */
export const storeWritten = (db: Database, { fromSeq, toSeq, pages, lines }: WrittenSpan): void => {
  const writer = new WireWriter()
  writer.natural(pages.length)
  let next = 0
  for (const page of pages) {
    writer.natural(page - next)
    next = page + 1
  }
  const bits = Buffer.alloc(4 * lines.length)
  for (const [at, word] of lines.entries()) bits.writeUInt32LE(word, 4 * at)
  writer.raw(bits)
  const packed = pack(writer.take())
  const seal = sealOf(fromSeq, toSeq, packed)
  run(db, query.insertInto("written").values({ from_seq: fromSeq, to_seq: toSeq, lines: packed, seal }))
}

/** @throws ContentDamaged */
const spanOf = ({
  id,
  from_seq: fromSeq,
  to_seq: toSeq,
  lines: packed,
  seal,
}: Selectable<WrittenTable>): WrittenSpan => {
  const what = `the list ${id} of written lines`
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
  const bits = Buffer.from(reader.raw(8 * pages.length))
  const lines = Uint32Array.from({ length: 2 * pages.length }, (_, at) => bits.readUInt32LE(4 * at))
  return { fromSeq, toSeq, pages, lines }
}

const rowsOf = (db: Database) => selectAll(db, query.selectFrom("written").selectAll())

/** What is known of a history, in no order. A span that is damaged says nothing: then there is more to look at. */
export const writtenSpans = (lineage: Lineage): ReadonlyArray<WrittenSpan> =>
  lineage.flatMap(chapter =>
    inChapter(chapter, () =>
      rowsOf(chapter.db).flatMap(row => {
        try {
          const span = spanOf(row)
          // What the file's own world did after the history left it is no part of it.
          return span.fromSeq < chapter.lastSeq ? [{ ...span, toSeq: Math.min(span.toSeq, chapter.lastSeq) }] : []
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
