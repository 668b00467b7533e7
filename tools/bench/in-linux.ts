/** The Linux set: one boot of an engine to the shell, then programs of Debian one after the other (`linux/run`), and its end. */
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync, gzipSync, zstdDecompressSync } from "node:zlib"
import { writeCpio } from "../../src/host/images/cpio.ts"
import { directoriesOf } from "./debian-programs.ts"
import { type CommandOf, type Guest, type Listener, runEngine } from "./engine.ts"
import { type BenchResult, ENGINES, type EngineName, Runs } from "./results.ts"

/** The names of all pieces, in the order in which they are done. */
export const linuxPieces: readonly string[] = ["integer", "gzip", "sha256sum", "sort", "processes", "python3"]

/** The name of the boot among the results. */
export const BOOT = "boot to the shell"

const PROMPT = "debian:/# "
const sources = new URL("./linux/", import.meta.url).pathname

/** What one boot of an engine showed, in milliseconds. */
export interface Session {
  readonly bootMs: number
  readonly pieces: readonly { readonly piece: string; readonly ms: number; readonly checksum: string }[]
}

/** Starts the pieces at the prompt and takes the time from mark to mark, by when they arrive. */
export const listenTo = (pieces: readonly string[]): Listener<Session> => {
  const arrivals = new Map<string, number>()
  let bootMs: number | undefined
  return (text, ms, type) => {
    if (bootMs === undefined) {
      if (!text.includes(PROMPT)) return undefined
      bootMs = ms
      type(`/bench/run ${pieces.join(" ")}; poweroff -f\n`)
    }
    for (const [mark] of text.matchAll(/bench-(?:begin|end) \w+(?=[\r\n])/g))
      if (!arrivals.has(mark)) arrivals.set(mark, ms)
    const sums = new Map([...text.matchAll(/bench-result (\w+) ([0-9a-f]{64})/g)].map(([, piece, sum]) => [piece, sum]))
    if (sums.size < pieces.length) return undefined
    return {
      bootMs,
      pieces: pieces.map(piece => ({
        piece,
        ms: arrivals.get(`bench-end ${piece}`)! - arrivals.get(`bench-begin ${piece}`)!,
        checksum: sums.get(piece)!,
      })),
    }
  }
}

/**
 * The order of the engines in a round. What ran before leaves its traces in the computer's memory: in as many rounds as there are
 * engines, each comes right after each other one once (a balanced Latin square, for an even number of them).
 */
export const orderOf = (round: number): readonly EngineName[] =>
  ENGINES.map((_, place) => {
    const step = place % 2 === 1 ? (place + 1) / 2 : ENGINES.length - place / 2
    return ENGINES[(round + step) % ENGINES.length]!
  })

/** Lines of words and a few numbers, the same every time. */
const makeLines = (count: number): string => {
  const words = "every page of history is written once and read back word by word until nothing is left".split(" ")
  let seed = 1
  const next = () => {
    seed = (seed * 16807) % 2147483647
    return seed % 7 === 0 ? String(seed) : words[seed % words.length]
  }
  return Array.from({ length: count }, () => `${next()} ${next()} ${next()}\n`).join("")
}

const buildInteger = (directory: string): Uint8Array => {
  const program = join(directory, "integer")
  const options = ["-O2", "-static", "-nostdlib", "-ffreestanding", "-fno-pic", "-no-pie", "-march=rv64gc"]
  execFileSync("riscv64-linux-gnu-gcc", [...options, join(sources, "integer.c"), "-o", program])
  return readFileSync(program)
}

/** What the guest needs besides Debian's programs. */
const ownFiles = (directory: string): Uint8Array => {
  const files = {
    "bench/run": readFileSync(join(sources, "run")),
    "bench/program.py": readFileSync(join(sources, "program.py")),
    "bench/lines.gz": gzipSync(makeLines(250_000)),
    "bench/bin/integer": buildInteger(directory),
  }
  return writeCpio([
    ...directoriesOf(Object.keys(files)),
    ...Object.entries(files).map(([path, data]) => ({ kind: "file", path, mode: 0o755, data }) as const),
  ])
}

/** An image's initrd with archives behind it: Linux unpacks one after the other, each from a multiple of four bytes. */
export const buildInitrd = (image: string, programs: Uint8Array, directory: string): string => {
  const packed = readFileSync(join(image, "initrd"))
  const base = packed[0] === 0x1f ? gunzipSync(packed) : packed[0] === 0x28 ? zstdDecompressSync(packed) : packed
  const padding = Buffer.alloc((4 - (base.length % 4)) % 4)
  const path = join(directory, "initrd")
  writeFileSync(path, Buffer.concat([base, padding, programs, ownFiles(directory)]))
  return path
}

/** Boots `image` with the archive of `programs` on each engine in each round, and measures the boot and the pieces. */
export const runInLinux = async (
  pieces: readonly string[],
  commandOf: CommandOf,
  rounds: number,
  { image, programs, directory }: { image: string; programs: Uint8Array; directory: string },
): Promise<readonly BenchResult[]> => {
  const initrd = buildInitrd(image, programs, directory)
  const guest: Guest = {
    kernel: join(image, "kernel"),
    memory: "512M",
    harts: 1,
    linux: { initrd, append: "console=ttyS0" },
  }
  const runs = new Runs()
  for (let round = 0; round < rounds; round++)
    for (const engine of orderOf(round)) {
      const session = await runEngine(commandOf(engine, guest), 300_000, listenTo(pieces))
      runs.add(BOOT, engine, session.bootMs, "")
      for (const { piece, ms, checksum } of session.pieces) runs.add(piece, engine, ms, checksum)
      process.stderr.write(
        `round ${round + 1} of ${rounds}: ${engine}, ${(session.bootMs / 1000).toFixed(2)} s to boot\n`,
      )
    }
  return runs.results()
}
