/**
 * What going about in a history takes: `node tools/bench/travel.ts`. A session of Debian with two harts and more than three thousand
 * million instructions is recorded; stock gdb steps back from random positions of it, questions are put to all of it, and a plain replay
 * gives the measure. Needs gdb-multiarch and the image `debian`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"

const program = new URL("../../dist/main.js", import.meta.url).pathname
const WORLD = "bench-travel"
const POSITIONS = Number(process.env.BENCH_TRAVEL_POSITIONS ?? 100)
const MARK = "@@ answered @@"

const SESSION = `i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo counted
i=0; while [ $i -lt 100 ]; do /bin/true; i=$((i+1)); done; echo forked
dd if=/dev/urandom of=/tmp/r bs=1M count=1; gzip -c /tmp/r | sha256sum
i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo counted
poweroff -f
`

/** Runs a command to its end: what it printed, and how long it took, in seconds. */
const cv = (...words: readonly string[]): { readonly text: string; readonly seconds: number } => {
  const begin = process.hrtime.bigint()
  const done = spawnSync(process.execPath, [program, ...words], { encoding: "utf8", input: "" })
  if (done.status === null || done.status > 2) throw new Error(`cv ${words.join(" ")}: ${done.stderr}`)
  return { text: done.stdout, seconds: Number(process.hrtime.bigint() - begin) / 1e9 }
}

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

/** A gdb at the other end of a server, asked one command after the other. */
const openGdb = async (): Promise<{
  readonly ask: (command: string) => Promise<{ readonly answer: string; readonly seconds: number }>
  readonly close: () => void
}> => {
  const server: ChildProcess = spawn(process.execPath, [program, "gdb", WORLD, "--listen", "127.0.0.1:0", "--once"])
  const port = await new Promise<string>(resolve => {
    createInterface(server.stdout!).on("line", line => {
      const found = /127\.0\.0\.1:(\d+)/.exec(line)
      if (found) resolve(found[1]!)
    })
  })
  const gdb = spawn("gdb-multiarch", ["-nx", "-q"])
  let answer = ""
  let answered: (() => void) | null = null
  gdb.stderr.on("data", text => {
    answer += text
  })
  createInterface(gdb.stdout).on("line", line => {
    if (line.includes(MARK)) answered?.()
    else answer += `${line}\n`
  })
  const ask = async (command: string) => {
    answer = ""
    const begin = process.hrtime.bigint()
    const done = new Promise<void>(resolve => {
      answered = resolve
    })
    gdb.stdin.write(`${command}\necho \\n${MARK}\\n\n`)
    await done
    return { answer, seconds: Number(process.hrtime.bigint() - begin) / 1e9 }
  }
  for (const setting of ["pagination off", "confirm off"]) await ask(`set ${setting}`)
  await ask(`target remote 127.0.0.1:${port}`)
  return {
    ask,
    close: () => {
      gdb.kill()
      server.kill()
    },
  }
}

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!
const ms = (seconds: number): string => `${(seconds * 1000).toFixed(0)} ms`

const recorded = record()
const say = (line: string) => process.stdout.write(`${line}\n`)
say(
  `${WORLD}: ${(recorded.instructions / 1e9).toFixed(2)} G instructions, recorded in ${recorded.seconds.toFixed(1)} s`,
)
const replayed = cv("replay", WORLD, "--json").seconds
say(`plain replay: ${replayed.toFixed(1)} s`)

const gdb = await openGdb()
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
