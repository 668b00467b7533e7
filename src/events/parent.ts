/** A fork's record of the world it was forked from, whose file holds the history up to there. */
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { basename, dirname, resolve } from "node:path"
import type { Database } from "better-sqlite3"
import { ContentDamaged } from "./content-damaged.ts"
import type { Position } from "./position.ts"
import { digestBytes, plainBytes } from "./row.ts"
import { type ParentTable, query, run, selectFirst } from "./tables.ts"

/** Where a fork leaves its parent. */
export interface ForkPoint {
  /** The last event they share. */
  readonly seq: number
  /** That of this event, or one on the way to the next. */
  readonly position: Position
}

export interface Parent extends ForkPoint {
  /** Absolute. */
  readonly path: string
  /** Of the last shared event, 32 bytes: it covers all of the shared history. */
  readonly digest: Uint8Array
}

const sealOf = ({ path, seq, round, machine, hart, instret, digest }: Omit<ParentTable, "id" | "seal">): Buffer =>
  createHash("sha256")
    .update(JSON.stringify([path, seq, round, machine, hart, instret]))
    .update(digest)
    .digest()

/** A name where both files lie in one directory, so that they can be moved together. */
const pathFrom = (file: string, parent: string): string =>
  dirname(resolve(file)) === dirname(resolve(parent)) ? basename(parent) : resolve(parent)

/** Notes in the database of the world `file` where its history comes from. */
export const writeParent = (db: Database, file: string, { path, seq, digest, position }: Parent): void => {
  const columns = { path: pathFrom(file, path), seq, digest: Buffer.from(digest), ...position }
  run(db, query.insertInto("parent").values({ id: 0, ...columns, seal: sealOf(columns) }))
}

/** null for a world that is no fork. `file` is where the world is. @throws ContentDamaged */
export const readParent = (db: Database, file: string): Parent | null => {
  const columns = selectFirst(db, query.selectFrom("parent").selectAll())
  if (columns === undefined) return null
  const { path, seq, round, machine, hart, instret, digest, seal } = columns
  const sound =
    typeof path === "string" &&
    [seq, round, machine, hart, instret].every(value => Number.isSafeInteger(value) && value >= 0) &&
    [digest, seal].every(value => value instanceof Uint8Array && value.length === digestBytes)
  if (!sound || Buffer.compare(sealOf(columns), seal) !== 0)
    throw new ContentDamaged("the record of the world it was forked from is not what was stored")
  const position = { round, machine, hart, instret }
  return { path: resolve(dirname(file), path), seq, digest: plainBytes(digest), position }
}
