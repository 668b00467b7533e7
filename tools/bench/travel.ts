/**
 * What going about in a history takes: `node tools/bench/travel.ts`. A session of Debian with two harts and more than three thousand
 * million instructions is recorded; stock gdb steps back from random positions of it, questions are put to all of it, and a plain replay
 * gives the measure. Needs gdb-multiarch and the image `debian`.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cv } from "../cv.ts"
import { openGdb } from "../gdb-client.ts"
import { ms, quantile } from "../quantile.ts"

const WORLD = "bench-travel"
const POSITIONS = Number(process.env.BENCH_TRAVEL_POSITIONS ?? 100)

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

const recorded = record()
const say = (line: string) => process.stdout.write(`${line}\n`)
say(
  `${WORLD}: ${(recorded.instructions / 1e9).toFixed(2)} G instructions, recorded in ${recorded.seconds.toFixed(1)} s`,
)
const replayed = cv("replay", WORLD, "--json").seconds
say(`plain replay: ${replayed.toFixed(1)} s`)

const gdb = await openGdb(WORLD)
const seeks: number[] = []
const steps: number[] = []
let chance = 1
for (let count = 0; count < POSITIONS; count++) {
  chance = (Math.imul(chance, 1_103_515_245) + 12_345) & 0x7fff_ffff
  const at = ((chance / 0x8000_0000) * recorded.virtualNs) / 1e9
  seeks.push((await gdb.ask(`monitor seek ${at.toFixed(6)}s`)).seconds)
  // gdb learns of the place with this one, and steps with the next.
  await gdb.ask("stepi")
  steps.push((await gdb.ask("reverse-stepi")).seconds)
}
gdb.close()
say(`seek to ${POSITIONS} random positions: p50 ${ms(quantile(seeks, 0.5))}, p99 ${ms(quantile(seeks, 0.99))}`)
say(`reverse-stepi there, by gdb: p50 ${ms(quantile(steps, 0.5))}, p99 ${ms(quantile(steps, 0.99))}`)

for (const name of ["jiffies_64", "saved_command_line", "nr_cpu_ids", "init_task"])
  say(`cv last-write ${name}: ${cv("last-write", WORLD, name).seconds.toFixed(1)} s`)
for (const [predicate, ...flags] of [
  ["mem64(sym:jiffies_64) > 0xffffffffffffff00", "--first"],
  ["mem32(sym:nr_threads) > 1000", "--first"],
] as const) {
  const { seconds } = cv("when", WORLD, predicate, ...flags)
  say(
    `cv when '${predicate}' ${flags.join(" ")}: ${seconds.toFixed(1)} s, ${(seconds / replayed).toFixed(2)} of a replay`,
  )
}
cv("rm", WORLD)
