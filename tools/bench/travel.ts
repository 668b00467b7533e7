/**
 * What going about in a history takes: a session of Debian with two harts and more than three thousand million instructions is recorded;
 * stock gdb steps back from random positions of it, and questions are put to all of it, in turns with plain replays that give the
 * measure. `node tools/bench/travel.ts` runs it by itself. Needs gdb-multiarch and the image `debian`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { chanceOf } from "../chance.ts"
import { cv } from "../cv.ts"
import { openGdb } from "../gdb-client.ts"
import { ms, quantile } from "../quantile.ts"

const WORLD = "bench-travel"

const SESSION = `i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo counted
i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; echo forked
dd if=/dev/urandom of=/tmp/r bs=1M count=1; gzip -c /tmp/r | sha256sum
i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo counted
poweroff -f
`

const record = (): { readonly instructions: number; readonly virtualNs: number; readonly seconds: number } => {
  cv("rm", WORLD)
  const directory = mkdtempSync(join(tmpdir(), "cv-travel-"))
  const script = join(directory, "session")
  writeFileSync(script, SESSION)
  const { text, seconds } = cv("run", "debian", "--cpus", "2", "--name", WORLD, "--stdin", script, "--json")
  rmSync(directory, { recursive: true, force: true })
  const document = JSON.parse(text) as { instructions: number; virtualNs: number }
  return { ...document, seconds }
}

export interface TravelFigures {
  readonly instructions: number
  readonly recordSeconds: number
  /** Of plain replays, one before each question about a predicate. */
  readonly replaySeconds: readonly number[]
  readonly seekSeconds: readonly number[]
  readonly stepBackSeconds: readonly number[]
  readonly lastWrites: readonly { readonly symbol: string; readonly seconds: number }[]
  readonly predicates: readonly { readonly predicate: string; readonly seconds: number; readonly replays: number }[]
}

/** Written at every tick; when a process ends; at the boot and never again, on a page that is left alone; and on one that is not. */
const SYMBOLS = ["jiffies_64", "init_task", "saved_command_line", "nr_cpu_ids"]
/** What never holds has to be looked for everywhere. */
const PREDICATES = ["mem64(sym:jiffies_64) > 0xffffffffffffff00", "mem32(sym:nr_threads) > 1000"]

/** Has gdb step back from places drawn over the whole of virtual time. */
const stepBackFrom = async (count: number, virtualNs: number) => {
  const gdb = await openGdb(WORLD)
  const seekSeconds: number[] = []
  const stepBackSeconds: number[] = []
  const draw = chanceOf(1)
  for (let step = 0; step < count; step++) {
    const at = draw(virtualNs) / 1e9
    seekSeconds.push((await gdb.ask(`monitor seek ${at.toFixed(6)}s`)).seconds)
    // gdb learns of the place with this one, and steps with the next.
    await gdb.ask("stepi")
    stepBackSeconds.push((await gdb.ask("reverse-stepi")).seconds)
  }
  gdb.close()
  return { seekSeconds, stepBackSeconds }
}

/** Puts a question, right after a replay. */
const timePredicate = (predicate: string) => {
  const replaySeconds = cv("replay", WORLD, "--json").seconds
  const { seconds } = cv("when", WORLD, predicate, "--first")
  return { predicate, seconds, replaySeconds, replays: seconds / replaySeconds }
}

/** Measures and prints. */
export const benchTravel = async (
  positions = Number(process.env.BENCH_TRAVEL_POSITIONS ?? 100),
): Promise<TravelFigures> => {
  const { instructions, virtualNs, seconds: recordSeconds } = record()
  console.log(
    `a session of ${(instructions / 1e9).toFixed(2)} G instructions, recorded in ${recordSeconds.toFixed(1)} s`,
  )
  const { seekSeconds, stepBackSeconds } = await stepBackFrom(positions, virtualNs)
  const spread = (seconds: readonly number[]) => `p50 ${ms(quantile(seconds, 0.5))}, p99 ${ms(quantile(seconds, 0.99))}`
  console.log(`gdb goes to ${positions} random positions: ${spread(seekSeconds)}`)
  console.log(`reverse-stepi there: ${spread(stepBackSeconds)}`)
  const lastWrites = SYMBOLS.map(symbol => ({ symbol, seconds: cv("last-write", WORLD, symbol).seconds }))
  for (const { symbol, seconds } of lastWrites) console.log(`cv last-write ${symbol}: ${seconds.toFixed(1)} s`)
  const asked = [...PREDICATES, ...PREDICATES].map(timePredicate)
  for (const { predicate, seconds, replaySeconds, replays } of asked)
    console.log(
      `cv when '${predicate}' --first: ${seconds.toFixed(1)} s, ${replays.toFixed(2)} of a replay (${replaySeconds.toFixed(1)} s)`,
    )
  cv("rm", WORLD)
  return {
    instructions,
    recordSeconds,
    replaySeconds: asked.map(({ replaySeconds }) => replaySeconds),
    seekSeconds,
    stepBackSeconds,
    lastWrites,
    predicates: asked.map(({ predicate, seconds, replays }) => ({ predicate, seconds, replays })),
  }
}

if (import.meta.main) await benchTravel()
