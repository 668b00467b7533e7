/**
 * Builds the guests in `scenarios/guests`, checks that the committed programs are what their sources give, and runs them
 * on QEMU.
 *
 *     node tools/guests.ts build [GUEST...]
 *     node tools/guests.ts check [GUEST...]
 *     node tools/guests.ts qemu GUEST [--harts N] [--disk FILE] [--append TEXT]
 */

import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"

const compiler = "riscv64-linux-gnu-gcc"
const linker = "riscv64-linux-gnu-ld"
const qemu = "qemu-system-riscv64"

const folder = join(import.meta.dirname, "..", "scenarios", "guests")

/** The guests, each a folder of `scenarios/guests` with its sources, `link.ld` and the built `NAME.elf`. */
export const guests = ["embedded", "hello", "race"] as const
export type Guest = (typeof guests)[number]

const target = ["-march=rv64imafdc_zicsr_zifencei_zba_zbb_zbs", "-mabi=lp64d"]

const compilerFlags = [
  ...target,
  "-mcmodel=medany", // code finds its data relative to the pc, since 0x80000000 is out of reach of absolute addressing
  "-std=gnu17",
  "-O2",
  "-Wall",
  "-Wextra",
  "-ffreestanding",
  "-fno-pie",
  "-fno-common",
  "-fno-stack-protector",
  "-fno-asynchronous-unwind-tables",
  "-fno-tree-loop-distribute-patterns", // or memset would be compiled into a call of memset
  "-ffp-contract=off", // floating point exactly as written
  "-msmall-data-limit=0", // nothing is addressed through gp, so nobody has to set it up
  "-mno-relax",
  "-fno-ident", // no compiler version in the program
]

const linkerFlags = [
  ...target,
  "-nostdlib",
  "-static",
  "-no-pie",
  "-Wl,--no-relax",
  "-Wl,--build-id=none",
  "-Wl,-z,max-page-size=4096",
]

/** The guests that are there to be debugged keep what a debugger wants to know of their sources, the others only symbols. */
const isDebugged = (guest: Guest): boolean => guest === "race"

/** Debug information names the sources by their folder in the project, and the compiler's own headers, wherever those lie. */
const debugFlags = (guest: Guest): readonly string[] => {
  if (!isDebugged(guest)) return []
  const headers = spawnSync(compiler, ["-print-file-name=include"], { encoding: "utf8" }).stdout.trim()
  return [
    "-g",
    `-ffile-prefix-map=${join(folder, guest)}=scenarios/guests/${guest}`,
    `-ffile-prefix-map=${headers}=gcc`,
  ]
}

/** What stands in `NAME.json` beside a built guest. */
export interface BuildRecord {
  /** First lines of what the compiler and the linker say of their version. */
  readonly compiler: string
  readonly linker: string
  readonly bytes: number
  readonly sha256: string
}

/** The built program of a guest, as committed. */
export const programPath = (guest: Guest): string => join(folder, guest, `${guest}.elf`)

const recordPath = (guest: Guest): string => join(folder, guest, `${guest}.json`)

export const readBuildRecord = (guest: Guest): BuildRecord => JSON.parse(readFileSync(recordPath(guest), "utf8"))

const versionOf = (program: string): string | undefined => {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" })
  return status === 0 ? stdout.split("\n", 1)[0] : undefined
}

/** The installed cross tools, or undefined where one is missing. */
export const installedTools = (): { compiler: string; linker: string } | undefined => {
  const tools = { compiler: versionOf(compiler), linker: versionOf(linker) }
  return tools.compiler !== undefined && tools.linker !== undefined
    ? { compiler: tools.compiler, linker: tools.linker }
    : undefined
}

/** First line of QEMU's version, or undefined where it is not installed. */
export const installedQemu = (): string | undefined => versionOf(qemu)

const runCompiler = (guest: Guest, options: readonly string[], cwd: string): void => {
  const { status, stderr } = spawnSync(compiler, options, { cwd, encoding: "utf8" })
  if (status !== 0) throw new Error(`${compiler} could not build the guest ${guest}:\n${stderr}`)
  process.stderr.write(stderr)
}

/** Compiles a guest and returns the program's bytes. Throws with the compiler's messages where it fails. */
export const compile = (guest: Guest): Buffer => {
  const sources = join(folder, guest)
  const directory = mkdtempSync(join(tmpdir(), "guest-"))
  try {
    const all = readdirSync(sources).sort()
    const objects: string[] = []
    const flags = [...compilerFlags, ...debugFlags(guest)]
    // One by one and under names of our own: the compiler would invent names for the objects, by chance, and they
    // would show in the program's symbols. So do their order and, were they not cut off, their folders.
    for (const source of [...all.filter(name => name.endsWith(".S")), ...all.filter(name => name.endsWith(".c"))]) {
      const object = `${source}.o`
      runCompiler(guest, [...flags, "-c", source, "-o", join(directory, object)], sources)
      objects.push(object)
    }
    const strip = isDebugged(guest) ? [] : ["-Wl,--strip-debug"]
    const linking = [...linkerFlags, ...strip, "-T", join(sources, "link.ld"), ...objects, "-o", "out.elf"]
    runCompiler(guest, linking, directory)
    return readFileSync(join(directory, "out.elf"))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const build = (guest: Guest, tools: { compiler: string; linker: string }): void => {
  const program = compile(guest)
  const record: BuildRecord = { ...tools, bytes: program.length, sha256: sha256(program) }
  writeFileSync(programPath(guest), program)
  writeFileSync(recordPath(guest), `${JSON.stringify(record, null, 2)}\n`)
  console.log(`${guest}: built, ${program.length} bytes, sha256 ${record.sha256}`)
}

/** How a rebuilt guest compares with the committed one. */
export type CheckResult =
  | { readonly kind: "same" }
  | { readonly kind: "skipped"; readonly why: string }
  /** The bytes differ, and so do the tools: that alone may explain it. */
  | { readonly kind: "other-tools"; readonly why: string }
  | { readonly kind: "different"; readonly why: string }

/** Builds a guest again and compares. Writes nothing into the checkout. */
export const check = (guest: Guest): CheckResult => {
  const committed = readFileSync(programPath(guest))
  const record = readBuildRecord(guest)
  if (sha256(committed) !== record.sha256) {
    return { kind: "different", why: `${guest}.elf is not the program that ${guest}.json describes; build it again` }
  }
  const tools = installedTools()
  if (tools === undefined) return { kind: "skipped", why: `no ${compiler}` }
  const rebuilt = compile(guest)
  if (rebuilt.equals(committed)) return { kind: "same" }
  if (tools.compiler !== record.compiler || tools.linker !== record.linker) {
    const why = `other bytes, but also other tools: committed with ${record.compiler} and ${record.linker}, here are ${tools.compiler} and ${tools.linker}`
    return { kind: "other-tools", why }
  }
  const length = Math.min(rebuilt.length, committed.length)
  let first = 0
  while (first < length && rebuilt[first] === committed[first]) first++
  const why = `the sources give other bytes, from offset ${first} on, with the same tools; run "node tools/guests.ts build ${guest}"`
  return { kind: "different", why }
}

/** How to run a guest on QEMU. */
export interface QemuOptions {
  /** 1 to 8; 4 unless told. */
  readonly harts?: number
  /** A raw disk image, which the guest may write. */
  readonly disk?: string
  /** Boot arguments. */
  readonly append?: string
  /** A program to run in place of the committed one. */
  readonly program?: string
  /** Whether there is an entropy device. */
  readonly entropy?: boolean
}

/** The command that runs a guest on QEMU, its serial port on standard input and output. */
export const qemuCommand = (guest: Guest, options: QemuOptions = {}): readonly [string, ...string[]] => [
  qemu,
  ...["-M", "virt", "-m", "64M", "-smp", String(options.harts ?? 4)],
  ...["-bios", "none", "-kernel", options.program ?? programPath(guest)],
  ...["-display", "none", "-monitor", "none", "-serial", "stdio"],
  ...["-global", "virtio-mmio.force-legacy=false"],
  ...(options.append === undefined ? [] : ["-append", options.append]),
  ...(options.entropy === true ? ["-device", "virtio-rng-device"] : []),
  ...(options.disk === undefined
    ? []
    : ["-drive", `file=${options.disk},format=raw,if=none,id=disk`, "-device", "virtio-blk-device,drive=disk"]),
]

const isGuest = (name: string): name is Guest => (guests as readonly string[]).includes(name)

const usage = `Usage: node tools/guests.ts build [GUEST...]
       node tools/guests.ts check [GUEST...]
       node tools/guests.ts qemu GUEST [--harts N] [--disk FILE] [--append TEXT]
Guests: ${guests.join(", ")}`

const runQemu = (guest: Guest, options: QemuOptions): number => {
  const [program, ...arguments_] = qemuCommand(guest, options)
  const { status, error } = spawnSync(program, arguments_, { stdio: "inherit" })
  if (error !== undefined)
    console.error(`Cannot run ${qemu}: ${error.message}. On Debian: apt install qemu-system-misc`)
  return status ?? 1
}

const checkAll = (chosen: readonly Guest[]): number => {
  let failures = 0
  for (const guest of chosen) {
    const result = check(guest)
    if (result.kind === "different") failures++
    console.log(`${guest}: ${result.kind === "same" ? "same bytes" : `${result.kind}: ${result.why}`}`)
  }
  return failures === 0 ? 0 : 1
}

const main = (): number => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { harts: { type: "string" }, disk: { type: "string" }, append: { type: "string" } },
  })
  const [command, ...names] = positionals
  const chosen = names.filter(isGuest)
  const wanted = chosen.length > 0 ? chosen : guests
  if (chosen.length < names.length) {
    console.error(usage)
    return 2
  }
  if (command === "build") {
    const tools = installedTools()
    if (tools === undefined) {
      console.error(`Cannot build: no ${compiler}. On Debian: apt install gcc-riscv64-linux-gnu`)
      return 1
    }
    for (const guest of wanted) build(guest, tools)
    return 0
  }
  if (command === "check") return checkAll(wanted)
  if (command === "qemu" && chosen.length === 1) {
    return runQemu(chosen[0]!, {
      harts: Number(values.harts ?? 4),
      entropy: true,
      ...(values.disk === undefined ? {} : { disk: values.disk }),
      ...(values.append === undefined ? {} : { append: values.append }),
    })
  }
  console.error(usage)
  return 2
}

if (import.meta.main) process.exitCode = main()
