/** Finding the forks that need a world's file. */
import { readdirSync } from "node:fs"
import { dirname, extname, join, resolve } from "node:path"
import BetterSqlite from "better-sqlite3"
import { applicationId } from "./creation.ts"
import { readParent } from "./parent.ts"

/** The path of a world's parent; null where it is no fork, or cannot be read. */
const parentOf = (path: string): string | null => {
  let db: BetterSqlite.Database | null = null
  try {
    db = new BetterSqlite(path, { readonly: true, fileMustExist: true })
    return db.pragma("application_id", { simple: true }) === applicationId ? (readParent(db, path)?.path ?? null) : null
  } catch {
    return null
  } finally {
    db?.close()
  }
}

/** Paths of the forks of a world that lie in its directory. Those elsewhere are not known. */
export const forksBeside = (path: string): readonly string[] => {
  const world = resolve(path)
  const directory = dirname(world)
  return readdirSync(directory)
    .filter(name => extname(name) === extname(world))
    .map(name => join(directory, name))
    .filter(file => file !== world && parentOf(file) === world)
    .sort()
}
