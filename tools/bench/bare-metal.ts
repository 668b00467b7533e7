/** The bare-metal set: programs of `guests/`, built here, on each engine in turn, timed between what they print. */
import { execFileSync, spawn } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"

/** An engine by the command that starts a program with a number of harts. */
export interface BareEngine {
  readonly name: string
  readonly command: (program: string, harts: number) => readonly [string, readonly string[]]
}

export interface BareResult {
  readonly program: string
  /** Milliseconds by engine, the median. */
  readonly ms: Readonly<Record<string, number>>
}

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

const build = (name: string, directory: string): string => {
  const program = join(directory, `${name}.elf`)
  const sources = [join(guests, "runtime.c"), join(guests, `${name}.c`)]
  execFileSync("riscv64-linux-gnu-gcc", [...compilerOptions, "-T", join(guests, "guest.ld"), ...sources, "-o", program])
  return program
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

const measure = ([command, args]: readonly [string, readonly string[]]): Promise<{ ms: number; checksum: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] })
    const patience = setTimeout(() => child.kill("SIGKILL"), 120_000)
    let text = ""
    let beginMs = 0
    let result: { ms: number; checksum: string } | null = null
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1")
      const now = performance.now()
      if (beginMs === 0 && text.includes("bench-begin")) beginMs = now
      const checksum = /bench-end ([0-9a-f]{16})/.exec(text)?.[1]
      if (checksum !== undefined) result ??= { ms: now - beginMs, checksum }
    })
    child.on("error", reject)
    child.on("close", () => {
      clearTimeout(patience)
      if (result === null) reject(new Error(`${command} ${args.join(" ")} did not finish: ${text.slice(-200)}`))
      else resolve(result)
    })
  })

/** Programs that need a second hart. */
const hartsOf = (name: string): number => (name === "atomics" ? 2 : 1)

export const runBareMetal = async (
  engines: readonly BareEngine[],
  rounds: number,
  directory: string,
): Promise<readonly BareResult[]> => {
  const names = readdirSync(guests)
    .filter(file => file.endsWith(".c") && file !== "runtime.c")
    .map(file => file.slice(0, -2))
    .sort()
  const results: BareResult[] = []
  for (const name of names) {
    const program = build(name, directory)
    const times = new Map<string, number[]>(engines.map(engine => [engine.name, []]))
    const checksums = new Set<string>()
    for (let round = 0; round < rounds; round++)
      for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
        const { ms, checksum } = await measure(engine.command(program, hartsOf(name)))
        times.get(engine.name)!.push(ms)
        checksums.add(checksum)
      }
    if (checksums.size > 1) throw new Error(`${name} has several results: ${[...checksums].join(", ")}`)
    results.push({ program: name, ms: Object.fromEntries([...times].map(([engine, all]) => [engine, median(all)])) })
    process.stderr.write(`${name}\n`)
  }
  return results
}
