/**
 * Pages of memory that hold what a content does: a kernel as it was loaded. They are not stored again; their places say where in the
 * contents of the file they are.
 */
import type { Database } from "better-sqlite3"
import { chunkBytes, findBlob, readPiece } from "./blob.ts"
import { ContentDamaged } from "./content-damaged.ts"
import { query, selectFirst } from "./tables.ts"

const pagesPerPiece = chunkBytes / 4096

/** A run of pages of a memory, and of which content's pages they are. */
export interface LoadedPages {
  readonly page: number
  readonly count: number
  readonly hash: string
  readonly contentPage: number
}

/** Places from here on are in contents, those before in packs. */
const contentPlaces = 2 ** 26
/** Each content has so many places, 4 GiB, and a file places in so many contents. */
const placesPerContent = 2 ** 20
const contentsMax = 64

export const isInContent = (place: number): boolean => place >= contentPlaces

/** The place of a content's page. @throws ContentDamaged where there is no such content */
export const placeInContent = (db: Database, hash: string, page: number): number => {
  const found = findBlob(db, hash)
  if (found === undefined) throw new ContentDamaged(`the content ${hash} is missing`)
  if (found.id >= contentsMax || page >= placesPerContent) throw new RangeError(`there are no places for ${hash}`)
  return contentPlaces + found.id * placesPerContent + page
}

/** The piece of a content that a place lies in: where it lies there, and its number among all pieces of the file. */
export const pieceOf = (place: number) => {
  const at = place - contentPlaces
  const blob = Math.floor(at / placesPerContent)
  const chunk = Math.floor((at % placesPerContent) / pagesPerPiece)
  return { blob, chunk, slot: at % pagesPerPiece, number: Math.floor(at / pagesPerPiece) }
}

/** A piece, 64 KiB but at the content's end. @throws ContentDamaged, naming the piece, or `what` where there is none */
export const readPieceOf = (db: Database, blob: number, chunk: number, what: string): Buffer => {
  const found = selectFirst(db, query.selectFrom("blob").select(["hash", "size"]).where("id", "=", blob))
  if (!found?.hash || chunk * chunkBytes >= found.size) throw new ContentDamaged(`${what} is missing`)
  return readPiece(db, Buffer.from(found.hash).toString("hex"), { id: blob, size: found.size }, chunk)
}
