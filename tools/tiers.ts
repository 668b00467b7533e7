/**
 * Runs the bare-metal programs of the bench and a Debian boot on every tier, and compares the digest after every million
 * instructions: interpreter, a thread that compiles meanwhile, the same with what it compiled before, everything translated, thresholds
 * drawn by seeds.
 *
 *     npm run tiers -- [--seeds N] [NAME...]
 *
 * 20 seeds where not told; names are programs of tools/bench/guests, and `debian`; all where none is given. Needs
 * riscv64-linux-gnu-gcc, and for `debian` the image (`cv image build debian`). Exit code 0: all agree, 1: some differ, 2: nothing to run.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { resolveHome } from "../src/host/home.ts"
import { keptFile, threadCompiler } from "../src/host/region-compilers.ts"
import { hex } from "../src/machine/digest.ts"
import { type KernelImage, readKernelImage } from "../src/machine/kernel-image.ts"
import { Machine } from "../src/machine/machine.ts"
import { inlineCompiler, type MachineConfig, policyNamed } from "../src/machine/machine-config.ts"
import { barePrograms, buildBareProgram, hartsOf } from "./bench/bare-metal.ts"

const BATCH_INSTRUCTIONS = 1_000_000
const PROMPT = "debian:/#"

interface Guest {
  readonly name: string
  readonly config: Pick<MachineConfig, "harts" | "ramBytes" | "firmware" | "kernel" | "initrd" | "bootArguments">
  /** What the console says when it is done; null: it turns itself off. */
  readonly until: string | null
}

/** The digest of the registers after every batch, and of everything at the end. */
const historyOf = ({ config, until }: Guest, tier: string, compiler = inlineCompiler): readonly string[] => {
  const translation = policyNamed(tier)
  if (translation === undefined) throw new Error(`${tier} is no tier`)
  const machine = new Machine({
    ...config,
    disks: [],
    startTime: { seconds: 1, nanoseconds: 0 },
    seed: new Uint8Array(32).fill(7),
    translation,
    compiler,
  })
  const digests: string[] = []
  let console = ""
  for (;;) {
    const exit = machine.run(BATCH_INSTRUCTIONS)
    machine.takeTrace()
    console = (console + new TextDecoder("latin1").decode(machine.takeConsole())).slice(-4096)
    digests.push(`${machine.executed} ${hex(machine.registerDigest())}`)
    if (exit.kind === "off" || (until !== null && console.includes(until)))
      return [...digests, `end ${hex(machine.digest())}`]
    if (exit.kind === "idle") machine.skipTo(exit.deadlineNs)
  }
}

const kernelOf = (path: string): KernelImage => {
  const read = readKernelImage(readFileSync(path))
  if (!read.ok) throw new Error(`${path}: ${read.problem.sentence}`)
  return read.image as KernelImage
}

const bareGuest = (name: string, directory: string): Guest => ({
  name,
  config: {
    harts: hartsOf(name),
    ramBytes: 256 << 20,
    firmware: { kind: "none" },
    kernel: kernelOf(buildBareProgram(name, directory)),
    initrd: null,
    bootArguments: "",
  },
  until: null,
})

const debianGuest = (): Guest => {
  const image = join(resolveHome(undefined), "images", "debian")
  return {
    name: "debian",
    config: {
      harts: 1,
      ramBytes: 512 << 20,
      firmware: { kind: "builtin" },
      kernel: kernelOf(join(image, "kernel")),
      initrd: readFileSync(join(image, "initrd")),
      bootArguments: "console=ttyS0",
    },
    until: PROMPT,
  }
}

const { values, positionals } = parseArgs({ options: { seeds: { type: "string" } }, allowPositionals: true })
const fail = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
const seedCount = Number(values.seeds ?? 20)
if (!Number.isInteger(seedCount) || seedCount < 0)
  fail(`--seeds ${values.seeds} is no number of seeds; give --seeds 20.`)
const seeds = Array.from({ length: seedCount }, (_, at) => String(at + 1))
const guests = [...barePrograms, "debian"]
const unknown = positionals.find(name => !guests.includes(name))
if (unknown !== undefined) fail(`There is no guest ${unknown}; there are ${guests.join(", ")}.`)
const names = positionals.length > 0 ? positionals : guests
const directory = mkdtempSync(join(tmpdir(), "chronovisor-tiers-"))
let differences = 0
try {
  for (const name of names) {
    const guest = name === "debian" ? debianGuest() : bareGuest(name, directory)
    const interpreted = historyOf(guest, "interpreter")
    const compare = (tier: string, history: readonly string[]): void => {
      const at = interpreted.findIndex((digest, batch) => history[batch] !== digest)
      if (at < 0 && history.length === interpreted.length) return
      differences++
      console.log(`${name}, ${tier}: differs at batch ${at}: ${interpreted[at]}, here ${history[at]}`)
    }
    const kept = keptFile(directory, name)
    compare("auto, compiled by a thread", historyOf(guest, "auto", threadCompiler(kept)))
    compare("auto, with regions of the run before", historyOf(guest, "auto", threadCompiler(kept)))
    for (const tier of ["auto", "translator", ...seeds]) compare(tier, historyOf(guest, tier))
    console.log(`${name}: ${interpreted.length - 1} batches on ${seeds.length + 5} tiers (${performance.now() | 0} ms)`)
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
console.log(differences === 0 ? "all agree" : `${differences} differ`)
process.exit(differences === 0 ? 0 : 1)
