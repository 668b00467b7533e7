/** Where the log ends: recorded with every group of events, so that rows lost at the end are noticed. */
import { Buffer } from "node:buffer"
import type { Database } from "better-sqlite3"
import { ContentDamaged } from "./content-damaged.ts"
import { digestBytes, plainBytes, zeroDigest } from "./row.ts"
import { prepareOnce, query, selectFirst } from "./tables.ts"

export interface Head {
  /** The last event. */
  readonly seq: number
  /** Its digest, 32 bytes. */
  readonly digest: Uint8Array
}

/** @throws ContentDamaged where there is no such record. */
export const readHead = (db: Database): Head => {
  const head = selectFirst(db, query.selectFrom("head").select(["seq", "digest"]))
  const sound = head !== undefined && Number.isSafeInteger(head.seq) && head.seq >= 0 && Buffer.isBuffer(head.digest)
  if (!sound || head.digest.length !== digestBytes) throw new ContentDamaged("it does not say where its log ends")
  return { seq: head.seq, digest: plainBytes(head.digest) }
}

const replaceHead = query.replaceInto("head").values({ id: 0, seq: 0, digest: zeroDigest }).compile().sql

export const writeHead = (db: Database, head: Head): void => {
  prepareOnce(db, replaceHead).run(0, head.seq, head.digest)
}
