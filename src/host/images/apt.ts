/**
 * Debian's package archive, through the apt of this machine but apart from it: lists, cache and package state are in a private
 * directory and the architecture is riscv64. What is taken from the machine: its mirrors, keys, passwords and the way to the network
 * (proxies, certificates). Nothing is installed. See apt.conf(5), apt-get(8), apt-secure(8).
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { Effect } from "effect"
import { debianSources, readAptSources } from "./apt-sources.ts"
import {
  type AptMissing,
  type BuildError,
  ChecksumMismatch,
  DebianSourcesMissing,
  DiskFull,
  type HostFileError,
  MirrorUnreachable,
  PackageNotFound,
  ProgramFailed,
  SignatureRejected,
} from "./errors.ts"
import { hashFile, storage } from "./files.ts"
import { type ProgramRun, runProgram } from "./program.ts"

/** A package as the archive's signed index describes it. `size` is that of the .deb file. */
export type DebianPackage = {
  readonly name: string
  readonly version: string
  readonly architecture: string
  readonly size: number
  readonly sha256: string
  readonly depends: readonly string[]
}

/** A private apt that is set up for one suite and whose lists are up to date. */
export type Apt = {
  readonly suite: string
  /** The newest version of a package. */
  readonly find: (name: string) => Effect.Effect<DebianPackage, BuildError>
  /** Path of the package's .deb with the checksum of the index; `onBytes` hears how many bytes are there so far. */
  readonly download: (wanted: DebianPackage, onBytes: (done: number) => void) => Effect.Effect<string, BuildError>
  /** Unpacks a .deb into a directory; runs none of its scripts. */
  readonly unpack: (deb: string, directory: string) => Effect.Effect<void, BuildError>
  /** Content of a file that may be compressed in any way that apt knows. */
  readonly readCompressed: (path: string) => Effect.Effect<Uint8Array, BuildError>
}

const DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring"
const APT_HELPER = "/usr/lib/apt/apt-helper"

/** Sets up `directory` as a private apt for `suite` and fetches the lists. The directory can be used again. */
export const openApt = Effect.fnUntraced(function* (
  directory: string,
  suite: string,
): Effect.fn.Return<Apt, BuildError> {
  if (!/^[a-z0-9][a-z0-9.+/-]*$/i.test(suite)) {
    return yield* new MirrorUnreachable({ suite, problem: "this is not a suite's name" })
  }
  const run = (program: ProgramRun) =>
    runProgram(program).pipe(Effect.mapError(error => classify(error, directory, suite)))
  const machine = yield* run({ program: "apt-config", args: ["dump"] })
  yield* run({ program: "dpkg-deb", args: ["--version"] })
  const settings = machine.toString().split("\n")
  const sources = yield* storage(directory, () => readMachineSources(settings))
  const keyring = yield* storage(directory, findDebianKeyring)
  const text = debianSources(sources, suite, keyring)
  if (text === undefined) return yield* new DebianSourcesMissing({})

  const archives = join(directory, "archives")
  const configuration = join(directory, "apt.conf")
  yield* storage(directory, async () => {
    for (const name of ["state/lists/partial", "cache/archives/partial", "sources", "archives"]) {
      await mkdir(join(directory, name), { recursive: true })
    }
    await writeFile(join(directory, "state", "status"), "")
    await writeFile(join(directory, "sources", "debian.sources"), text)
    await writeFile(configuration, privateConfiguration(directory, settings))
  })
  const environment = { APT_CONFIG: configuration }
  yield* run({ program: "apt-get", args: ["--quiet", "--error-on=any", "update"], environment })

  const find: Apt["find"] = Effect.fnUntraced(function* (name) {
    const show = yield* run({ program: "apt-cache", args: ["show", "--no-all-versions", name], environment }).pipe(
      Effect.catchTag("ProgramFailed", error =>
        error.problem.includes("No packages found") ? Effect.succeed(Buffer.alloc(0)) : Effect.fail(error),
      ),
    )
    const found = readPackage(show.toString())
    if (found === undefined) return yield* new PackageNotFound({ packageName: name, suite })
    return found
  })

  const download: Apt["download"] = Effect.fnUntraced(function* (wanted, onBytes) {
    const path = join(archives, archiveName(wanted))
    const isThere = yield* storage(archives, () => readdir(archives))
    if (isThere.includes(basename(path))) {
      const present = yield* storage(path, () => hashFile(path))
      if (present.sha256 === wanted.sha256) {
        onBytes(wanted.size)
        return path
      }
      yield* storage(path, () => rm(path))
    }
    yield* run({
      program: "apt-get",
      args: ["--quiet", "-o", "APT::Status-Fd=3", "download", `${wanted.name}=${wanted.version}`],
      directory: archives,
      environment,
      onStatus: line => {
        const percent = /^dlstatus:[^:]*:([0-9.]+):/.exec(line)?.[1]
        if (percent !== undefined) onBytes(Math.min(wanted.size, Math.floor((Number(percent) / 100) * wanted.size)))
      },
    })
    const { sha256 } = yield* storage(path, () => hashFile(path))
    if (sha256 !== wanted.sha256) {
      yield* storage(path, () => rm(path))
      return yield* new ChecksumMismatch({ path, expected: wanted.sha256, actual: sha256 })
    }
    onBytes(wanted.size)
    return path
  })

  const unpack: Apt["unpack"] = (deb, target) =>
    run({ program: "dpkg-deb", args: ["--extract", deb, target] }).pipe(Effect.asVoid)

  const readCompressed: Apt["readCompressed"] = path =>
    /\.(?:xz|zst|gz|bz2|lz4)$/.test(path)
      ? run({ program: APT_HELPER, args: ["cat-file", path], environment })
      : storage(path, () => readFile(path))

  return { suite, find, download, unpack, readCompressed }
})

/** The name `apt-get download` gives a package's file: a version's epoch has its colon escaped. */
function archiveName(wanted: DebianPackage): string {
  return `${wanted.name}_${wanted.version.replaceAll(":", "%3a")}_${wanted.architecture}.deb`
}

/**
 * The private apt.conf. APT_CONFIG is read before the machine's own configuration files, so these are switched off and the settings
 * about the network are copied from them.
 */
function privateConfiguration(directory: string, machine: readonly string[]): string {
  const network = machine.filter(
    line => /^Acquire(?:::|\s)/.test(line) && !/^Acquire::(?:IndexTargets|Languages)/.test(line),
  )
  const quoted = (name: string) => `"${join(directory, name)}"`
  return [
    `Dir::Etc::main "/dev/null";`,
    `Dir::Etc::parts "/dev/null";`,
    `Dir::Etc::preferences "/dev/null";`,
    `Dir::Etc::preferencesparts "/dev/null";`,
    `Dir::Etc::sourcelist "/dev/null";`,
    `Dir::Etc::sourceparts ${quoted("sources")};`,
    `Dir::State ${quoted("state")};`,
    `Dir::State::status ${quoted("state/status")};`,
    `Dir::Cache ${quoted("cache")};`,
    `APT::Architecture "riscv64";`,
    `APT::Architectures { "riscv64"; };`,
    // As root, apt would fetch as the user _apt, who cannot enter a private directory.
    `APT::Sandbox::User "root";`,
    ...network,
    `Acquire::Languages "none";`,
    "",
  ].join("\n")
}

async function readMachineSources(settings: readonly string[]) {
  const value = (name: string) => settings.find(line => line.startsWith(`${name} "`))?.match(/"(.*)"/)?.[1] ?? ""
  const etc = join(value("Dir") || "/", value("Dir::Etc"))
  const list = join(etc, value("Dir::Etc::sourcelist"))
  const parts = join(etc, value("Dir::Etc::sourceparts"))
  const names = (await readdir(parts).catch(() => [])).filter(name => /\.(?:list|sources)$/.test(name)).sort()
  const paths = [list, ...names.map(name => join(parts, name))]
  const texts = await Promise.all(paths.map(path => readFile(path, "utf8").catch(() => "")))
  return paths.flatMap((path, index) => readAptSources(path, texts[index]!))
}

async function findDebianKeyring(): Promise<string | undefined> {
  for (const suffix of [".pgp", ".gpg"]) {
    const found = await readFile(DEBIAN_KEYRING + suffix).catch(() => undefined)
    if (found !== undefined) return DEBIAN_KEYRING + suffix
  }
  return undefined
}

/** The first stanza of `apt-cache show`. */
function readPackage(text: string): DebianPackage | undefined {
  const fields = new Map<string, string>()
  for (const line of text.split("\n\n")[0]!.split("\n")) {
    const match = /^([A-Za-z0-9-]+): (.*)$/.exec(line)
    if (match !== null) fields.set(match[1]!, match[2]!)
  }
  const name = fields.get("Package")
  const version = fields.get("Version")
  const sha256 = fields.get("SHA256")
  if (name === undefined || version === undefined || sha256 === undefined) return undefined
  return {
    name,
    version,
    architecture: fields.get("Architecture") ?? "riscv64",
    size: Number(fields.get("Size") ?? 0),
    sha256,
    depends: (fields.get("Depends") ?? "").split(/[,|]\s*/).map(clause => clause.trim().split(/[\s(:]/)[0]!),
  }
}

/** What a failure of apt or dpkg means, from what it said. */
function classify(
  error: AptMissing | ProgramFailed,
  directory: string,
  suite: string,
): AptMissing | ProgramFailed | MirrorUnreachable | SignatureRejected | HostFileError {
  if (error._tag === "AptMissing") return error
  const said = error.problem
  if (/No space left on device|don't have enough free space|Disk quota exceeded/i.test(said)) {
    return new DiskFull({ path: directory })
  }
  const problem = mainComplaint(said)
  if (/NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|is not signed|invalid signature|signature verification/i.test(said)) {
    return new SignatureRejected({ suite, problem })
  }
  if (
    /Failed to fetch|Could not resolve|Temporary failure|Could not connect|Unable to connect|does not have a Release file|Hash Sum mismatch|Connection|timed out|404\s+Not Found/i.test(
      said,
    )
  ) {
    return new MirrorUnreachable({ suite, problem })
  }
  return new ProgramFailed({ program: error.program, problem })
}

/** apt's first error line, without its mark and its final full stop. */
function mainComplaint(said: string): string {
  const lines = said.split("\n").map(line => line.trim())
  const line =
    lines.find(text => /^E: /.test(text)) ?? lines.find(text => /^(?:W|Err|dpkg-deb): ?/.test(text)) ?? lines[0]!
  return line
    .replace(/^(?:[EW]: |Err:\d+ )/, "")
    .replaceAll(/\s+/g, " ")
    .replace(/\.$/, "")
}
