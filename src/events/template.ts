/**
 * Templates: world files with contents and no history yet. Compressing a kernel takes longer than copying a file, so the next world
 * of the same contents begins as a copy. They are a cache: whatever goes wrong with one, the world is made without it.
 */
import { createHash } from "node:crypto"
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { formatVersion } from "../../migrations/index.ts"
import { keepNewest } from "./cache-directory.ts"
import type { KnownContent } from "./creation.ts"

/** Smaller contents are stored faster than looked up. */
const contentBytesMin = 1 << 20
/** The newest are kept. */
const templatesMax = 8

const HASH_BYTES = 32
const hashOf = (content: Uint8Array): Buffer => createHash("sha256").update(content).digest()

/** Where the template of these contents is, if there is one; null where it would not be worth it. */
export const templateOf = (directory: string, contents: readonly KnownContent[]): string | null => {
  if (contents.reduce((sum, { bytes }) => sum + bytes.length, 0) < contentBytesMin) return null
  const hash = createHash("sha256").update([formatVersion, ...contents.map(content => content.hash)].join(" "))
  return join(directory, `${hash.digest("hex").slice(0, 32)}.template`)
}

/** Makes `file` a copy of the template; says whether it did. What is not as it was kept is not used. */
export const copyTemplate = (template: string, file: string): boolean => {
  try {
    const kept = readFileSync(template)
    const content = kept.subarray(0, -HASH_BYTES)
    if (!hashOf(content).equals(kept.subarray(-HASH_BYTES))) return false
    writeFileSync(file, content)
    const now = new Date()
    utimesSync(template, now, now)
    return true
  } catch {
    rmSync(file, { force: true })
    return false
  }
}

/** Keeps a copy of `file` as the template, with its hash behind it. */
export const keepTemplate = (template: string, file: string): void => {
  const directory = dirname(template)
  const partial = `${template}.${process.pid}.partial`
  try {
    mkdirSync(directory, { recursive: true })
    const content = readFileSync(file)
    writeFileSync(partial, content)
    appendFileSync(partial, hashOf(content))
    renameSync(partial, template)
    keepNewest(directory, templatesMax)
  } catch {
    rmSync(partial, { force: true })
  }
}
