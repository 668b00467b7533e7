/** File operations of the image store, with the operating system's refusals as errors in sentences. */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { type FileHandle, mkdir, mkdtemp, open, readdir, rm } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Effect } from "effect"
import { DiskFull, FileUnreadable, type HostFileError, StorageFailed } from "./errors.ts"

/** An operation on files below `path`, which belongs to the store. */
export function storage<A>(path: string, operation: () => Promise<A>): Effect.Effect<A, HostFileError> {
  return Effect.tryPromise({ try: operation, catch: cause => storageError(path, cause) })
}

/** Reading a file that the user named. */
export function reading<A>(path: string, operation: () => Promise<A>): Effect.Effect<A, FileUnreadable> {
  return Effect.tryPromise({
    try: operation,
    catch: cause => new FileUnreadable({ path, problem: reason(cause) }),
  })
}

/** The content of a file, in memory that other threads can see without a copy. */
export async function readContent(path: string): Promise<Buffer> {
  const handle = await open(path, "r")
  try {
    return await readAll(handle)
  } finally {
    await handle.close()
  }
}

async function readAll(handle: FileHandle): Promise<Buffer> {
  const status = await handle.stat()
  // A pipe and a file of the kernel's have no size beforehand; a directory is refused here.
  if (!status.isFile() || status.size === 0) return handle.readFile()
  const bytes = Buffer.from(new SharedArrayBuffer(status.size))
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 1 << 30))
    if (bytesRead === 0) break
    at += bytesRead
  }
  return bytes.subarray(0, at)
}

/** The operating system's refusal in the words of the store. */
export function storageError(path: string, cause: unknown): HostFileError {
  const code = (cause as NodeJS.ErrnoException).code
  if (code === "ENOSPC" || code === "EDQUOT") return new DiskFull({ path })
  return new StorageFailed({ path, problem: reason(cause) })
}

/** Why a file operation failed, as the end of a sentence. */
export function reason(cause: unknown): string {
  const error = cause as NodeJS.ErrnoException
  switch (error.code) {
    case "ENOENT":
      return "there is no such file"
    case "EACCES":
    case "EPERM":
      return "permission is denied"
    case "EROFS":
      return "the file system is read-only"
    case "EISDIR":
      return "it is a directory"
    case "ENOTDIR":
      return "a part of its path is not a directory"
    default:
      return error.message
  }
}

/** SHA-256 of a file as lower-case hexadecimal digits, and its size in bytes. */
export async function hashFile(path: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash("sha256")
  let size = 0
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer)
    size += (chunk as Buffer).length
  }
  return { sha256: hash.digest("hex"), size }
}

/** Makes all files directly in a directory durable, and then the directory. */
export async function syncDirectory(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await syncPath(join(directory, name))
  await syncPath(directory)
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Runs `use` with a new empty directory beside `target` (same file system, so that it can be renamed to it) and removes what is
 * left of it afterwards, also after an interruption. Directories left behind by processes that were killed are removed first.
 */
export function withWorkDirectory<A, E, R>(
  target: string,
  use: (directory: string) => Effect.Effect<A, E, R>,
): Effect.Effect<A, E | HostFileError, R> {
  const parent = dirname(target)
  const create = storage(parent, async () => {
    await mkdir(parent, { recursive: true })
    for (const name of await readdir(parent)) {
      const owner = /^\.work-(\d+)-/.exec(name)?.[1]
      if (owner !== undefined && !isAlive(Number(owner))) await rm(join(parent, name), { recursive: true, force: true })
    }
    return mkdtemp(join(parent, `.work-${process.pid}-${basename(target)}-`))
  })
  return Effect.acquireUseRelease(create, use, directory =>
    storage(directory, () => rm(directory, { recursive: true, force: true })).pipe(Effect.ignore),
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM"
  }
}
