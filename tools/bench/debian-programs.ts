/** Programs of Debian for a guest: files of its riscv64 packages as an archive that goes behind an initrd. Fetched once, then kept. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { Effect } from "effect"
import { openApt } from "../../src/host/images/apt.ts"
import { type CpioEntry, writeCpio } from "../../src/host/images/cpio.ts"
import { storage, withWorkDirectory } from "../../src/host/images/files.ts"
import type { BuildError } from "../../src/host/images/index.ts"

/** What to take from Debian. */
export interface Selection {
  readonly suite: string
  readonly packages: readonly string[]
  /** Files by their place in the guest, each with its place in the packages. */
  readonly files: Readonly<Record<string, string>>
}

/** A cpio archive, and the packages its files are from. */
export interface ProgramArchive {
  readonly archive: Uint8Array
  readonly packages: readonly { readonly name: string; readonly version: string }[]
}

const ARCHIVE = "programs.cpio"
const ORIGIN = "origin.json"

const from = (guest: string, packages: string, names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map(name => [`${guest}/${name}`, `${packages}/${name}`]))

/** The programs the pieces of `linux/run` use, with the libraries and modules these load. */
export const benchPrograms: Selection = {
  suite: "trixie",
  packages: [
    "coreutils",
    "dash",
    "gzip",
    "libc6",
    "libexpat1",
    "libpython3.13-minimal",
    "libssl3t64",
    "libzstd1",
    "python3.13-minimal",
    "zlib1g",
  ],
  files: {
    ...from("bench/bin", "usr/bin", ["dash", "gzip", "python3.13", "sha256sum", "sort", "true"]),
    ...from("lib", "usr/lib/riscv64-linux-gnu", ["ld-linux-riscv64-lp64d.so.1"]),
    ...from("lib/riscv64-linux-gnu", "usr/lib/riscv64-linux-gnu", [
      "libc.so.6",
      "libcrypto.so.3",
      "libexpat.so.1",
      "libm.so.6",
      "libz.so.1",
      "libzstd.so.1",
    ]),
    ...from("bench/lib/python3.13", "usr/lib/python3.13", [
      ...["collections/__init__.py", "copyreg.py", "enum.py", "functools.py", "keyword.py", "operator.py", "os.py"],
      ...["reprlib.py", "types.py"],
      ...["__init__", "aliases", "utf_8"].map(name => `encodings/${name}.py`),
      ...["__init__", "decoder", "encoder", "scanner"].map(name => `json/${name}.py`),
      ...["__init__", "_casefix", "_compiler", "_constants", "_parser"].map(name => `re/${name}.py`),
    ]),
  },
}

/** Entries for the directories above the paths. */
export const directoriesOf = (paths: readonly string[]): readonly CpioEntry[] => {
  const directories = new Set<string>()
  for (const path of paths)
    for (let above = dirname(path); above !== "."; above = dirname(above)) directories.add(above)
  return [...directories].map(path => ({ kind: "directory", path, mode: 0o755 }))
}

/** The archive of a selection, from `home`'s cache, or from Debian's mirror and then kept there. */
export const debianPrograms = Effect.fnUntraced(function* (
  home: string,
  selection: Selection,
): Effect.fn.Return<ProgramArchive, BuildError> {
  const cache = join(home, "cache", "bench")
  const kept = join(cache, "programs")
  const found = yield* storage(kept, () => readKept(kept, selection))
  if (found !== undefined) return found
  return yield* withWorkDirectory(kept, work =>
    Effect.gen(function* () {
      const programs = yield* fetchPrograms(join(cache, "apt", selection.suite), selection, work)
      yield* storage(kept, () => keep(kept, selection, programs, work))
      return programs
    }),
  )
})

const fetchPrograms = Effect.fnUntraced(function* (
  aptDirectory: string,
  { suite, packages, files }: Selection,
  work: string,
): Effect.fn.Return<ProgramArchive, BuildError> {
  const apt = yield* openApt(aptDirectory, suite)
  const root = join(work, "root")
  yield* storage(root, () => mkdir(root))
  const fetched: { name: string; version: string }[] = []
  for (const name of packages) {
    const found = yield* apt.find(name)
    yield* apt.unpack(yield* apt.download(found, () => {}), root)
    fetched.push({ name, version: found.version })
  }
  const entries: CpioEntry[] = [...directoriesOf(Object.keys(files))]
  for (const [path, name] of Object.entries(files)) {
    const source = join(root, name)
    entries.push({ kind: "file", path, mode: 0o755, data: yield* storage(source, () => readFile(source)) })
  }
  return { archive: writeCpio(entries), packages: fetched }
})

/** What is kept, if it was made of this selection. */
const readKept = async (directory: string, selection: Selection): Promise<ProgramArchive | undefined> => {
  const text = await readFile(join(directory, ORIGIN), "utf8").catch(() => undefined)
  const origin = text === undefined ? undefined : JSON.parse(text)
  if (!isDeepStrictEqual(origin?.selection, selection)) return undefined
  return { archive: await readFile(join(directory, ARCHIVE)), packages: origin.packages }
}

/** Puts the programs where they are found again, in one step. */
const keep = async (target: string, selection: Selection, { archive, packages }: ProgramArchive, work: string) => {
  const content = join(work, "content")
  await mkdir(content)
  await writeFile(join(content, ARCHIVE), archive)
  await writeFile(join(content, ORIGIN), JSON.stringify({ selection, packages }))
  await rm(target, { recursive: true, force: true })
  await rename(content, target)
}
