/** What was measured, and how it is shown: as how many times as fast as QEMU, so that above 1 is faster. */

/** The engines by the names they have in results. */
export const ENGINES = ["qemu -icount", "qemu", "recording", "--no-record"] as const
export type EngineName = (typeof ENGINES)[number]

type PerEngine<A> = Readonly<Record<EngineName, A>>

/** What one program took on each engine: milliseconds, the median. */
export interface BenchResult {
  readonly program: string
  readonly ms: PerEngine<number>
}

const perEngine = <A>(value: (engine: EngineName) => A): PerEngine<A> =>
  Object.fromEntries(ENGINES.map(engine => [engine, value(engine)])) as PerEngine<A>

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted.length >>> 1
  return sorted.length % 2 === 1 ? sorted[upper]! : (sorted[upper - 1]! + sorted[upper]!) / 2
}

/** Collects the runs of programs; all runs of one must come to the same. */
export class Runs {
  readonly #programs = new Map<string, { readonly checksum: string; readonly ms: PerEngine<number[]> }>()

  add(program: string, engine: EngineName, ms: number, checksum: string): void {
    const known = this.#programs.get(program) ?? { checksum, ms: perEngine(() => []) }
    if (known.checksum !== checksum)
      throw new Error(`${program} came to ${checksum} on ${engine} and to ${known.checksum} before`)
    known.ms[engine].push(ms)
    this.#programs.set(program, known)
  }

  results(): readonly BenchResult[] {
    return [...this.#programs].map(([program, { ms }]) => ({ program, ms: perEngine(engine => median(ms[engine])) }))
  }
}

const geometricMean = (results: readonly BenchResult[]): BenchResult => ({
  program: "geometric mean",
  ms: perEngine(engine => Math.exp(results.reduce((sum, { ms }) => sum + Math.log(ms[engine]), 0) / results.length)),
})

const row = ({ ms }: BenchResult) => ({
  "qemu -icount, s": (ms["qemu -icount"] / 1000).toFixed(2),
  "recording, times as fast": (ms["qemu -icount"] / ms.recording).toFixed(2),
  "--no-record, times as fast": (ms["qemu -icount"] / ms["--no-record"]).toFixed(2),
  "--no-record, times plain qemu": (ms.qemu / ms["--no-record"]).toFixed(2),
})

/** Prints a table: the results, those of programs with their geometric mean and what recording costs in it. */
export const printResults = (others: readonly BenchResult[], programs: readonly BenchResult[]): void => {
  const mean = geometricMean(programs)
  console.table(Object.fromEntries([...others, ...programs, mean].map(result => [result.program, row(result)])))
  console.log(`recording costs the programs ${((mean.ms.recording / mean.ms["--no-record"] - 1) * 100).toFixed(1)} %`)
}
