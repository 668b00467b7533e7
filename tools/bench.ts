/**
 * `npm run bench`: this machine beside QEMU, with and without its deterministic mode, in one run, interleaved. Prints how many times
 * as fast it is and writes bench.json. Needs qemu-system-riscv64, riscv64-linux-gnu-gcc, the image `debian` (`cv image build debian`),
 * gdb-multiarch, and the first time apt and a network.
 *
 * BENCH_ROUNDS, BENCH_BARE_ROUNDS and BENCH_HISTORY_ROUNDS say how often, BENCH_TRAVEL_POSITIONS from how many places of a history gdb
 * steps back, BENCH_LINUX and BENCH_PROGRAMS (`gzip,sort`; 0 for none) what is measured.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { resolveHome } from "../src/host/home.ts"
import { barePrograms, runBareMetal } from "./bench/bare-metal.ts"
import { benchPrograms, debianPrograms } from "./bench/debian-programs.ts"
import { commandsWithin } from "./bench/engine.ts"
import { benchHistory } from "./bench/history.ts"
import { BOOT, linuxPieces, runInLinux } from "./bench/in-linux.ts"
import { printResults } from "./bench/results.ts"
import { benchTravel } from "./bench/travel.ts"

const rounds = (variable: string, otherwise: number): number => Number(process.env[variable] ?? otherwise)

/** Those of `all` that a variable names, in their own order. */
const chosen = (variable: string, all: readonly string[]): readonly string[] => {
  const wanted = process.env[variable]?.split(",")
  if (wanted === undefined) return all
  const unknown = wanted.find(name => name !== "0" && !all.includes(name))
  if (unknown !== undefined) throw new Error(`${variable} names ${unknown}; there are ${all.join(", ")}`)
  return all.filter(name => wanted.includes(name))
}

const home = resolveHome(undefined)
const directory = mkdtempSync(join(tmpdir(), "chronovisor-bench-"))
const commandOf = commandsWithin(join(directory, "home"))

const benchBareMetal = async () => {
  const bareRounds = rounds("BENCH_BARE_ROUNDS", 3)
  const programs = chosen("BENCH_PROGRAMS", barePrograms)
  if (bareRounds === 0 || programs.length === 0) return undefined
  const results = await runBareMetal(programs, commandOf, bareRounds, directory)
  console.log(`bare metal, medians of ${bareRounds}; above 1 is faster than QEMU`)
  printResults([], results)
  return { rounds: bareRounds, results }
}

const benchLinux = async () => {
  const linuxRounds = rounds("BENCH_ROUNDS", 4)
  const pieces = chosen("BENCH_LINUX", linuxPieces)
  if (linuxRounds === 0 || pieces.length === 0) return undefined
  const { archive, packages } = await Effect.runPromise(debianPrograms(home, benchPrograms))
  const image = join(home, "images", "debian")
  const results = await runInLinux(pieces, commandOf, linuxRounds, { image, programs: archive, directory })
  console.log(`inside Linux, medians of ${linuxRounds}; above 1 is faster than QEMU; the mean is that of the programs`)
  printResults(
    results.filter(({ program }) => program === BOOT),
    results.filter(({ program }) => program !== BOOT),
  )
  return { rounds: linuxRounds, packages, results }
}

try {
  const bareMetal = await benchBareMetal()
  const linux = await benchLinux()
  const historyRounds = rounds("BENCH_HISTORY_ROUNDS", 3)
  const history = historyRounds === 0 ? undefined : await benchHistory(historyRounds)
  const positions = rounds("BENCH_TRAVEL_POSITIONS", 100)
  const travel = positions === 0 ? undefined : await benchTravel(positions)
  writeFileSync("bench.json", `${JSON.stringify({ bareMetal, linux, history, travel }, null, 2)}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
