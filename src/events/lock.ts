/**
 * Exclusive use of a world by one recording process: an exclusive transaction held on the sidecar `NAME.cv.lock`. It ends
 * with the process, however that ends. Readers of the world do not look at it.
 */
import { closeSync, openSync, rmSync, statSync } from "node:fs"
import BetterSqlite, { type Database } from "better-sqlite3"
import { Effect, type Scope } from "effect"
import { attempt } from "./database.ts"
import { type WorldDamaged, WorldInUse, type WorldUnreadable } from "./errors.ts"

/**
 * The locks this process holds. A fiber that waits for nothing that can come is garbage, its scope with it, and a connection that is
 * collected gives up its lock.
 */
const held = new Set<Database>()

const inode = (file: string): number | null => statSync(file, { throwIfNoEntry: false })?.ino ?? null

const tryLock = (path: string, file: string): Database | null => {
  // Opening an existing file directly, and closing it, would drop the locks this process may hold on it.
  if (inode(file) === null) closeSync(openSync(file, "a"))
  const before = inode(file)
  const db = new BetterSqlite(file, { timeout: 0 })
  try {
    db.exec("BEGIN EXCLUSIVE")
  } catch (cause) {
    db.close()
    if (cause instanceof BetterSqlite.SqliteError && cause.code.startsWith("SQLITE_BUSY"))
      throw new WorldInUse({ path })
    throw cause
  }
  // The holder before us removes the file while it has the lock: then we hold a file that has no name any more.
  if (before !== null && before === inode(file)) return db
  db.close()
  return null
}

/** Holds the lock until the scope ends. */
export const lockWorld = (
  path: string,
): Effect.Effect<void, WorldInUse | WorldUnreadable | WorldDamaged, Scope.Scope> => {
  const file = `${path}.lock`
  const acquire = attempt(
    path,
    () => {
      for (let tries = 0; tries < 100; tries++) {
        const db = tryLock(path, file)
        if (db === null) continue
        held.add(db)
        return db
      }
      throw new WorldInUse({ path })
    },
    (cause): cause is WorldInUse => cause instanceof WorldInUse,
  )
  return Effect.asVoid(
    Effect.acquireRelease(acquire, db =>
      Effect.sync(() => {
        rmSync(file, { force: true })
        db.close()
        held.delete(db)
      }),
    ),
  )
}
