/**
 * `node tools/bench/history.ts`: what snapshots, the log and a replay cost, on the image `debian` with 512 MiB. Prints tables; needs
 * `npm run build` and `cv image build debian`.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { resolveHome } from "../../src/host/home.ts"
import type { WorldSpec } from "../../src/session/world-spec.ts"
import { median } from "./results.ts"
import { recordWithSnapshots, type SizeFigures, type SnapshotFigures, tableBytes } from "./snapshots.ts"

const cli = new URL("../../dist/main.js", import.meta.url).pathname

/** Writes files, reads them, compresses them: pages of all kinds change. */
const LOAD =
  "n=0; while true; do n=$((n+1)); head -c 2000000 /dev/urandom > /tmp/a$n; gzip -k /tmp/a$n; cat /tmp/a* | md5sum; [ $n -lt 8 ] || n=0; rm -f /tmp/a$((n+1))*; done\n"

const scripts: Readonly<Record<string, string>> = {
  boot: "echo ready\n",
  "loop in the shell": "i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; echo done\n",
  "waiting 60 s": "sleep 4\n".repeat(15),
}

export interface RestoreFigures {
  readonly name: string
  /**
   * From before the world's file is opened until the next instruction is retired and the machine's digest is taken: what the command
   * calls `wallMs`. Median.
   */
  readonly restoreMs: number
  /** From the start of the process to its end. Median. */
  readonly processMs: number
}

export interface ReplayFigures {
  readonly script: string
  readonly instructions: number
  readonly virtualSeconds: number
  /** Of the whole commands, from start to end, medians. */
  readonly recordMs: number
  readonly replayMs: number
  readonly events: number
  /** Bytes of the log in the file a thousand instructions, with and without the payloads. */
  readonly logBytes: number
  readonly logBytesWithoutPayloads: number
}

export interface HistoryFigures {
  readonly snapshots: readonly SnapshotFigures[]
  readonly sizes: SizeFigures
  readonly restores: readonly RestoreFigures[]
  readonly replays: readonly ReplayFigures[]
}

interface Outcome {
  /** From the start of the process to its end. */
  readonly processMs: number
  readonly instructions: number
  readonly virtualNs: number
  readonly wallMs: number
  readonly events: number
  readonly digest: string
}

const runCli = <A = Outcome>(home: string, ...args: readonly string[]): A => {
  const start = performance.now()
  const { stdout, stderr, status } = spawnSync(process.execPath, [cli, ...args, "--home", home, "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: 300_000,
  })
  if (status !== 0) throw new Error(`cv ${args.join(" ")} failed: ${stderr.slice(-400)}`)
  const processMs = performance.now() - start
  const document = JSON.parse(stdout)
  return (Array.isArray(document) ? document : { ...document, processMs }) as A
}

const debian = (image: string): WorldSpec => ({
  harts: 1,
  memoryBytes: 512 << 20,
  firmware: "builtin",
  kernel: { name: "kernel", bytes: readFileSync(join(image, "kernel")) },
  initrd: { name: "initrd", bytes: readFileSync(join(image, "initrd")) },
  disks: [],
  bootargs: "console=ttyS0",
  image: "debian",
  seed: "0",
  startTime: { seconds: 1_767_225_600, nanoseconds: 0 },
})

const benchRestore = (home: string, world: string, name: string, rounds: number): RestoreFigures => {
  const listed = runCli<readonly { readonly name: string; readonly position: string }[]>(home, "snapshot", "ls", world)
  const executed = Number(listed.find(snapshot => snapshot.name === name)!.position.split(".i")[1])
  const restores: number[] = []
  const processes: number[] = []
  for (let round = 0; round < rounds; round++) {
    const { wallMs, processMs } = runCli(home, "snapshot", "restore", world, name, "--until", `instret:${executed + 1}`)
    processes.push(processMs)
    restores.push(wallMs)
  }
  return { name, restoreMs: median(restores), processMs: median(processes) }
}

/** Of the events alone: contents are stored once, whatever is recorded. */
const logSizes = (path: string, instructions: number) => {
  const db = new BetterSqlite(path, { readonly: true })
  const payloads = db.prepare<[], { bytes: number }>("SELECT sum(length(payload)) AS bytes FROM event").get()!.bytes
  db.close()
  const bytes = tableBytes(path, ["event", "event_kind"])
  const perThousand = (of: number) => of / (instructions / 1000)
  return { logBytes: perThousand(bytes), logBytesWithoutPayloads: perThousand(bytes - payloads) }
}

const benchReplay = (home: string, image: string, script: string, rounds: number): ReplayFigures => {
  const file = join(home, "script")
  writeFileSync(file, scripts[script]!)
  const records: number[] = []
  const replays: number[] = []
  let last: Outcome | null = null
  for (let round = 0; round < rounds; round++) {
    const kernel = [join(image, "kernel"), "--initrd", join(image, "initrd")]
    const recorded = runCli(home, "run", ...kernel, "--name", "replayed", "--force", "--stdin", file)
    const replayed = runCli(home, "replay", "replayed")
    if (replayed.digest !== recorded.digest || (last !== null && last.digest !== recorded.digest))
      throw new Error(`${script}: two runs have different digests`)
    records.push(recorded.processMs)
    replays.push(replayed.processMs)
    last = recorded
  }
  const { instructions, virtualNs, events } = last!
  return {
    script,
    instructions,
    virtualSeconds: virtualNs / 1e9,
    recordMs: median(records),
    replayMs: median(replays),
    events,
    ...logSizes(join(home, "worlds", "replayed.cv"), instructions),
  }
}

const print = ({ snapshots, sizes, restores, replays }: HistoryFigures): void => {
  console.table(
    snapshots.map(({ name, dirtyPages, stopMs }) => ({
      snapshot: name,
      "pages written": dirtyPages,
      "guest stops, ms": stopMs.toFixed(2),
      "ms a thousand pages": ((stopMs / dirtyPages) * 1000).toFixed(2),
    })),
  )
  const mebibytes = (bytes: number) => (bytes / (1 << 20)).toFixed(2)
  console.log(
    `all of them: ${mebibytes(sizes.fileBytes)} MiB in the file for ${sizes.pages} changed pages of ${mebibytes(sizes.compressedBytes)} MiB compressed: ${(sizes.fileBytes / sizes.compressedBytes).toFixed(2)} times`,
  )
  console.table(
    restores.map(({ name, restoreMs, processMs }) => ({
      snapshot: name,
      "to the next instruction, ms": restoreMs.toFixed(0),
      "whole process, ms": processMs.toFixed(0),
    })),
  )
  console.table(
    replays.map(of => ({
      script: of.script,
      "million instructions": (of.instructions / 1e6).toFixed(0),
      "virtual, s": of.virtualSeconds.toFixed(1),
      "recording, s": (of.recordMs / 1000).toFixed(2),
      "replay, s": (of.replayMs / 1000).toFixed(2),
      "replay, times recording": (of.replayMs / of.recordMs).toFixed(2),
      events: of.events,
      "log, B a thousand instructions": of.logBytes.toFixed(3),
      "without payloads": of.logBytesWithoutPayloads.toFixed(3),
    })),
  )
}

/** Measures and prints. */
export const benchHistory = async (rounds = Number(process.env.BENCH_HISTORY_ROUNDS ?? 3)): Promise<HistoryFigures> => {
  const image = join(resolveHome(undefined), "images", "debian")
  const home = mkdtempSync(join(tmpdir(), "chronovisor-history-"))
  try {
    // A world's directory is made with its first world.
    runCli(home, "run", join(image, "kernel"), "--name", "first", "--until", "instret:1000")
    const path = join(home, "worlds", "snapshots.cv")
    const { snapshots, sizes } = await recordWithSnapshots(path, debian(image), LOAD, 20)
    const restores = [0, 10, snapshots.length - 1].map(at =>
      benchRestore(home, "snapshots", snapshots[at]!.name, rounds * 3),
    )
    const replays = Object.keys(scripts).map(script => benchReplay(home, image, script, rounds))
    const figures = { snapshots, sizes, restores, replays }
    print(figures)
    return figures
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

if (import.meta.main) await benchHistory()
