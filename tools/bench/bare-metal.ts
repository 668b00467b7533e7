/** The bare-metal set: programs of `guests/`, built here, on each engine in turn, timed between what they print. */
import { execFileSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { type Command, type CommandOf, runEngine } from "./engine.ts"
import { type BenchResult, ENGINES, Runs } from "./results.ts"

const guests = new URL("./guests/", import.meta.url).pathname
const compilerOptions = [
  "-O2",
  "-march=rv64gc",
  "-mabi=lp64d",
  "-mcmodel=medany",
  "-nostdlib",
  "-nostartfiles",
  "-ffreestanding",
  "-static",
  "-fno-pic",
  "-no-pie",
  "-fno-math-errno",
  "-ffp-contract=off",
  // A loop that copies must not become a call of itself.
  "-fno-tree-loop-distribute-patterns",
  "-Wl,--build-id=none,--no-warn-rwx-segments",
]

/** Builds a program of `guests` in a directory; gives where it lies. */
export const buildBareProgram = (name: string, directory: string): string => {
  const program = join(directory, `${name}.elf`)
  const sources = [join(guests, "runtime.c"), join(guests, `${name}.c`)]
  execFileSync("riscv64-linux-gnu-gcc", [...compilerOptions, "-T", join(guests, "guest.ld"), ...sources, "-o", program])
  return program
}

const measure = (command: Command): Promise<{ ms: number; checksum: string }> => {
  let beginMs: number | undefined
  return runEngine(command, 120_000, (text, ms) => {
    if (text.includes("bench-begin")) beginMs ??= ms
    const checksum = /bench-end ([0-9a-f]{16})/.exec(text)?.[1]
    return checksum === undefined ? undefined : { ms: ms - beginMs!, checksum }
  })
}

/** Programs that need a second hart. */
export const hartsOf = (name: string): number => (name === "atomics" ? 2 : 1)

/** The names of all programs. */
export const barePrograms: readonly string[] = readdirSync(guests)
  .filter(file => file.endsWith(".c") && file !== "runtime.c")
  .map(file => file.slice(0, -2))
  .sort()

/** Measures programs on each engine; they are built in `directory`. */
export const runBareMetal = async (
  programs: readonly string[],
  commandOf: CommandOf,
  rounds: number,
  directory: string,
): Promise<readonly BenchResult[]> => {
  const runs = new Runs()
  for (const name of programs) {
    const guest = { kernel: buildBareProgram(name, directory), memory: "256M", harts: hartsOf(name) }
    for (let round = 0; round < rounds; round++)
      for (const engine of round % 2 === 0 ? ENGINES : ENGINES.toReversed()) {
        const { ms, checksum } = await measure(commandOf(engine, guest))
        runs.add(name, engine, ms, checksum)
      }
    process.stderr.write(`${name}\n`)
  }
  return runs.results()
}
