/**
 * `npm run bench`: this machine beside QEMU's deterministic mode, in one run, interleaved. Prints ratios and writes bench.json.
 * Needs qemu-system-riscv64, riscv64-linux-gnu-gcc and the image `debian` (`cv image build debian`).
 */
import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync, zstdDecompressSync } from "node:zlib"
import { resolveHome } from "../src/host/home.ts"
import { writeCpio } from "../src/host/images/cpio.ts"
import { type BareEngine, median, runBareMetal } from "./bench/bare-metal.ts"

const PROMPT = "debian:/# "
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 6)
const BARE_ROUNDS = Number(process.env.BENCH_BARE_ROUNDS ?? 3)

/** What is measured in one session of one engine, in milliseconds. */
interface Session {
  readonly bootMs: number
  readonly integerMs: number
}

interface Engine {
  readonly name: string
  readonly command: (initrd: string) => readonly [string, readonly string[]]
}

const home = resolveHome(undefined)
const image = join(home, "images", "debian")
const kernel = join(image, "kernel")
const directory = mkdtempSync(join(tmpdir(), "chronovisor-bench-"))

const cli = new URL("../dist/main.js", import.meta.url).pathname
const engine = (name: string, ...options: string[]): Engine => ({
  name,
  command: initrd => [
    process.execPath,
    [cli, "run", kernel, "--initrd", initrd, "--home", join(directory, "home"), ...options],
  ],
})
const engines: readonly Engine[] = [
  {
    name: "qemu -icount shift=0",
    command: initrd => [
      "qemu-system-riscv64",
      [
        "-M",
        "virt",
        "-m",
        "512M",
        "-icount",
        "shift=0",
        "-nographic",
        "-kernel",
        kernel,
        "-initrd",
        initrd,
        "-append",
        "console=ttyS0",
      ],
    ],
  },
  engine("chronovisor, recording", "--name", "bench", "--force"),
  engine("chronovisor, --no-record", "--no-record"),
]

const qemuBare = (name: string, ...options: string[]): BareEngine => ({
  name,
  command: (program, harts) => [
    "qemu-system-riscv64",
    ["-M", "virt", "-m", "256M", "-smp", String(harts), ...options, "-bios", "none", "-kernel", program, "-nographic"],
  ],
})
const cvBare = (name: string, ...options: string[]): BareEngine => ({
  name,
  command: (program, harts) => [
    process.execPath,
    [
      cli,
      "run",
      program,
      "--firmware",
      "none",
      "-m",
      "256M",
      "--cpus",
      String(harts),
      "--home",
      join(directory, "home"),
      ...options,
    ],
  ],
})
const bareEngines = [
  qemuBare("qemu -icount", "-icount", "shift=0"),
  qemuBare("qemu"),
  cvBare("recording", "--name", "bare", "--force"),
  cvBare("--no-record", "--no-record"),
] as const

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

/** How many times faster than QEMU, both ways of running it. */
const benchBareMetal = async () => {
  const results = await runBareMetal(bareEngines, BARE_ROUNDS, directory)
  const faster = (peer: string, own: string) => results.map(({ ms }) => ms[peer]! / ms[own]!)
  console.table(
    Object.fromEntries(
      results.map(({ program, ms }) => [
        program,
        {
          "qemu -icount, s": (ms["qemu -icount"]! / 1000).toFixed(2),
          "recording, times as fast": (ms["qemu -icount"]! / ms.recording!).toFixed(2),
          "--no-record, times as fast": (ms["qemu -icount"]! / ms["--no-record"]!).toFixed(2),
          "as fast as plain qemu": (ms.qemu! / ms["--no-record"]!).toFixed(2),
        },
      ]),
    ),
  )
  console.log(
    `geometric means: ${geometricMean(faster("qemu -icount", "--no-record")).toFixed(2)} times as fast as -icount, ${geometricMean(faster("qemu", "--no-record")).toFixed(2)} times as fast as plain QEMU; recording costs ${((geometricMean(faster("--no-record", "recording")) ** -1 - 1) * 100).toFixed(1)} %`,
  )
  return results
}

/** The image's initrd with the benchmark program behind it: Linux unpacks archives one after the other. */
const buildInitrd = (): string => {
  const program = join(directory, "integer")
  const source = new URL("./bench/integer.c", import.meta.url).pathname
  execFileSync("riscv64-linux-gnu-gcc", [
    "-O2",
    "-static",
    "-nostdlib",
    "-ffreestanding",
    "-fno-pic",
    "-no-pie",
    "-march=rv64gc",
    source,
    "-o",
    program,
  ])
  const packed = readFileSync(join(image, "initrd"))
  const base = packed[0] === 0x1f ? gunzipSync(packed) : packed[0] === 0x28 ? zstdDecompressSync(packed) : packed
  const extra = writeCpio([{ path: "bench-integer", kind: "file", mode: 0o755, data: readFileSync(program) }])
  const path = join(directory, "initrd")
  const padding = Buffer.alloc((4 - (base.length % 4)) % 4)
  writeFileSync(path, Buffer.concat([base, padding, extra]))
  return path
}

const measure = (which: Engine, initrd: string): Promise<Session> =>
  new Promise((resolve, reject) => {
    const [program, args] = which.command(initrd)
    const start = performance.now()
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] })
    let text = ""
    let errors = ""
    let bootMs = 0
    let beginMs = 0
    let endMs = 0
    const patience = setTimeout(() => child.kill("SIGKILL"), 300_000)
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString("latin1")
    })
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      const now = performance.now()
      if (bootMs === 0 && text.includes(PROMPT)) {
        bootMs = now - start
        child.stdin.write("/bench-integer\n")
      }
      if (beginMs === 0 && text.includes("bench-begin")) beginMs = now
      if (endMs === 0 && /bench-end [0-9a-f]{16}/.test(text)) {
        endMs = now
        child.stdin.write("poweroff\n")
      }
    })
    child.on("error", reject)
    child.on("close", () => {
      clearTimeout(patience)
      if (endMs === 0) reject(new Error(`${which.name} did not finish: ${errors.slice(-400)}${text.slice(-400)}`))
      else resolve({ bootMs, integerMs: endMs - beginMs })
    })
  })

/** Every order of them. What ran before leaves its traces in the computer's memory: each has to follow each equally often. */
const permutations = <A>(items: readonly A[]): readonly (readonly A[])[] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, at) => permutations(items.toSpliced(at, 1)).map(rest => [item, ...rest]))

const main = async (): Promise<void> => {
  const bareMetal = BARE_ROUNDS > 0 ? await benchBareMetal() : []
  const initrd = buildInitrd()
  const orders = permutations(engines)
  if (ROUNDS === 0) return
  const sessions = new Map<string, Session[]>(engines.map(({ name }) => [name, []]))
  for (let round = 0; round < ROUNDS; round++)
    for (const which of orders[round % orders.length]!) {
      sessions.get(which.name)!.push(await measure(which, initrd))
      process.stderr.write(`round ${round + 1} of ${ROUNDS}: ${which.name}\n`)
    }
  for (const { name } of engines)
    process.stderr.write(
      `${name}: ${sessions
        .get(name)!
        .map(s => s.bootMs.toFixed(0))
        .join(" ")}\n`,
    )
  const rows = engines.map(({ name }) => ({
    engine: name,
    bootMs: median(sessions.get(name)!.map(session => session.bootMs)),
    integerMs: median(sessions.get(name)!.map(session => session.integerMs)),
  }))
  const [qemu] = rows
  const table = rows.map(row => ({
    engine: row.engine,
    "boot to shell, s": (row.bootMs / 1000).toFixed(2),
    "integer loop, s": (row.integerMs / 1000).toFixed(2),
    "boot, times QEMU's": (row.bootMs / qemu!.bootMs).toFixed(2),
    "integer, times QEMU's": (row.integerMs / qemu!.integerMs).toFixed(2),
  }))
  console.table(table)
  const [, recording, plain] = rows
  console.log(
    `recording costs ${((recording!.bootMs / plain!.bootMs - 1) * 100).toFixed(1)} % on the boot, ${((recording!.integerMs / plain!.integerMs - 1) * 100).toFixed(1)} % on the loop`,
  )
  writeFileSync(
    "bench.json",
    `${JSON.stringify({ rounds: ROUNDS, rows, bareRounds: BARE_ROUNDS, bareMetal }, null, 2)}\n`,
  )
}

try {
  await main()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
