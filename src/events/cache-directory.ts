/** Directories of files that can be made again, of which only some are kept. */
import { readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"

/** Removes all files of a directory but those `count` that were used last. */
export const keepNewest = (directory: string, count: number): void => {
  const files = readdirSync(directory).map(name => {
    const path = join(directory, name)
    return { path, usedMs: statSync(path).mtimeMs }
  })
  for (const { path } of files.toSorted((a, b) => b.usedMs - a.usedMs).slice(count)) rmSync(path, { force: true })
}
