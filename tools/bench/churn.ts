/**
 * Process churn: a booted Debian that starts short programs for as many minutes as it is told, recorded; the memory the engine takes and
 * the processes it gets through, every two minutes. `node tools/bench/churn.ts [MINUTES]`, 30 where absent.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { resolveHome } from "../../src/host/home.ts"
import { benchPrograms, debianPrograms } from "./debian-programs.ts"
import { buildInitrd } from "./in-linux.ts"

const INTERVAL_MINUTES = 2
const PROMPT = "debian:/# "
/** Processes of one turn of the guest's loop. */
const TURN_PROCESSES = 24
const GUEST_LOOP = [
  "export PATH=/bench/bin:/bin LC_ALL=C PYTHONHOME=/bench",
  "turn=0",
  "while :; do i=0",
  "while [ $i -lt 10 ]; do /bench/bin/true; /bench/bin/dash -c : ; i=$((i+1)); done",
  "gzip -n </bench/run >/tmp/a; sha256sum /tmp/a >/tmp/b; sort /bench/run >/tmp/c; python3.13 -S -c 'print(1)' >/tmp/d",
  "turn=$((turn+1)); echo churn-turn $turn",
  "done",
].join("; ")

const minutes = Number(process.argv[2] ?? 30)
const home = resolveHome(undefined)
const image = join(home, "images", "debian")
const directory = mkdtempSync(join(tmpdir(), "chronovisor-churn-"))
const world = join(directory, "home", "worlds", "churn.cv")

const { archive } = await Effect.runPromise(debianPrograms(home, benchPrograms))
const initrd = buildInitrd(image, archive, directory)
const cli = new URL("../../dist/main.js", import.meta.url).pathname
const options = ["--initrd", initrd, "--home", join(directory, "home"), "--name", "churn"]
const guest = spawn(process.execPath, [cli, "run", join(image, "kernel"), ...options], {
  stdio: ["pipe", "pipe", "inherit"],
})

let text = ""
let turns = 0
let isStarted = false
guest.stdout.on("data", (chunk: Buffer) => {
  text = (text + chunk.toString("latin1")).slice(-4096)
  if (!isStarted && text.includes(PROMPT)) {
    isStarted = true
    guest.stdin.write(`${GUEST_LOOP.replaceAll("do; ", "do ")}\n`)
  }
  for (const [, turn] of text.matchAll(/churn-turn (\d+)\r?\n/g)) turns = Math.max(turns, Number(turn))
})

/** Resident memory in MiB. */
const resident = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${guest.pid}/status`, "latin1"))![1]) / 1024
/** Megabytes of the world's file and what is not yet folded into it. */
const fileBytes = (): number =>
  [world, `${world}-wal`].reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0)

const rows: Record<string, string | number>[] = []
let before = 0
for (let minute = INTERVAL_MINUTES; minute <= minutes; minute += INTERVAL_MINUTES) {
  await new Promise(resolve => setTimeout(resolve, INTERVAL_MINUTES * 60_000))
  if (guest.exitCode !== null) throw new Error(`the guest ended with ${guest.exitCode}: ${text.slice(-400)}`)
  rows.push({
    minute,
    "processes a second": (((turns - before) * TURN_PROCESSES) / (INTERVAL_MINUTES * 60)).toFixed(1),
    "resident, MiB": resident().toFixed(0),
    "world file, MB": (fileBytes() / 1e6).toFixed(1),
  })
  before = turns
  console.log(JSON.stringify(rows.at(-1)))
}
console.table(rows)
guest.kill("SIGTERM")
await new Promise(resolve => guest.on("close", resolve))
rmSync(directory, { recursive: true, force: true })
