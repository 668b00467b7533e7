/** A history that lies in several files, as one that needs none of the others. */
import { Buffer } from "node:buffer"
import type { Database } from "better-sqlite3"
import { addTables, change, makeWhole } from "./creation.ts"
import { type Head, writeHead } from "./head.ts"
import { type Chapter, inChapter, type Lineage } from "./lineage.ts"
import { eachPage, generation, listSnapshots, readState } from "./lineage-snapshots.ts"
import { PageIndex } from "./page-index.ts"
import { SnapshotWriter, type StoredSnapshot } from "./snapshot-writer.ts"
import { insertRow, prepare, query, selectAll, selectFirst } from "./tables.ts"
import { storeWritten, writtenSpans } from "./written-lines.ts"

const nothing = Buffer.alloc(0)

const copyBlobs = (to: Database, { db }: Chapter): void => {
  const insertChunk = prepare(to, query.insertInto("blob_chunk").values({ blob: 0, chunk: 0, data: nothing }))
  for (const { id, hash, size } of selectAll(db, query.selectFrom("blob").selectAll().where("hash", "is not", null))) {
    if (selectFirst(to, query.selectFrom("blob").select("id").where("hash", "=", hash)) !== undefined) continue
    const blob = insertRow(to, query.insertInto("blob").values({ hash, size }))
    const chunks = query.selectFrom("blob_chunk").select(["chunk", "data"]).where("blob", "=", 0).compile()
    for (const { chunk, data } of db.prepare<[number], { chunk: number; data: Buffer }>(chunks.sql).iterate(id))
      insertChunk.run(blob, chunk, data)
  }
}

const copyEvents = (to: Database, { db, firstSeq, lastSeq }: Chapter, end: number): void => {
  const names = ["seq", "round", "machine", "hart", "instret", "kind", "version", "payload", "digest"]
  const insert = to.prepare(`INSERT INTO event (${names.join()}) VALUES (${names.map(() => "?").join()})`)
  const select = db.prepare<[number, number], unknown[]>(
    `SELECT ${names.join()} FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq`,
  )
  for (const row of select.raw().iterate(firstSeq, Math.min(lastSeq, end))) insert.run(...row)
}

/** Each snapshot on top of the one before, as far as that lies in the same file. */
const copySnapshots = (to: Database, lineage: Lineage, end: number): void => {
  const index = new PageIndex(to)
  const last = new Map<number, { readonly id: number; readonly stored: StoredSnapshot }>()
  for (const info of listSnapshots(lineage)) {
    if (info.seq > end) continue
    const { id, pageCount, ...head } = info
    const fileNumber = Math.floor(id / generation)
    const before = last.get(fileNumber) ?? null
    const writer = new SnapshotWriter(to, pageCount, before?.stored.map ?? null, index)
    for (const { index, bytes } of eachPage(lineage, id, before?.id ?? null))
      writer.pages(Uint32Array.of(index), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    last.set(fileNumber, { id, stored: writer.finish({ ...head, state: readState(lineage, id)! }) })
  }
}

/**
 * Writes a history up to `head` into one file, which appears complete or not at all.
 * @throws WorldDamaged, WorldUnreadable, database errors
 */
export const flatten = (lineage: Lineage, head: Head, file: string): Promise<void> =>
  makeWhole(file, partial =>
    change(partial, async db => {
      await addTables(db)
      db.transaction(() => {
        for (const chapter of lineage)
          inChapter(chapter, () => {
            copyBlobs(db, chapter)
            copyEvents(db, chapter, head.seq)
          })
        copySnapshots(db, lineage, head.seq)
        for (const span of writtenSpans(lineage)) storeWritten(db, span)
        writeHead(db, head)
      })()
    }),
  )
