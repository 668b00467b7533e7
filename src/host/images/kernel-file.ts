/** Reads a kernel or firmware file from disk, unpacks it if it is compressed with gzip, and says what it is. */
import { promisify } from "node:util"
import { gunzip } from "node:zlib"
import { Effect } from "effect"
import { type KernelImage, readKernelImage } from "../../machine/kernel-image.ts"
import { type FileUnreadable, KernelRejected } from "./errors.ts"
import { readContent, reading, reason } from "./files.ts"

const unpack = promisify(gunzip)

/** The kernel in a file. Fails if the file cannot be read, is damaged, or is no kernel for RV64. */
export const readKernelFile = Effect.fnUntraced(function* (
  path: string,
): Effect.fn.Return<KernelImage, FileUnreadable | KernelRejected> {
  const bytes = yield* reading(path, () => readContent(path))
  const outer = readKernelImage(bytes)
  if (!outer.ok) return yield* new KernelRejected({ path, problem: outer.problem.sentence })
  if (outer.image.kind !== "gzip") return outer.image
  const unpacked = yield* Effect.tryPromise({
    try: () => unpack(bytes),
    catch: cause => new KernelRejected({ path, problem: gzipProblem(cause) }),
  })
  const inner = readKernelImage(unpacked)
  if (!inner.ok) return yield* new KernelRejected({ path, problem: inner.problem.sentence })
  if (inner.image.kind === "gzip") {
    return yield* new KernelRejected({ path, problem: "The file is compressed twice; unpack it with `gzip -dk` once." })
  }
  return inner.image
})

function gzipProblem(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException
  const what = code === "Z_BUF_ERROR" ? "truncated" : code === "Z_DATA_ERROR" ? "damaged" : reason(cause)
  return `The compressed file is ${what}; copy or build it again.`
}
