/** The program that tests step through by lines, compiled where there is a compiler. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const compiler = "riscv64-linux-gnu-gcc"
const source = new URL("./program.c", import.meta.url).pathname
const script = new URL("./link.ld", import.meta.url).pathname

export interface Compiled {
  readonly bytes: Uint8Array
  /** The full path of its source. */
  readonly source: string
  /** The number of the only line that has this text. */
  readonly line: (text: string) => number
}

export interface Compilation {
  readonly optimization: "-O0" | "-O1" | "-O2"
  /** Ticks of the clock between two interrupts: 100 instructions each. */
  readonly period: number
  /** How often the longest loop goes round. */
  readonly busy: number
  /** Where it is linked; what is meant to run is at the beginning of RAM. */
  readonly base: number
  /** Without symbols and debug information. */
  readonly isStripped: boolean
}

const usual: Compilation = {
  optimization: "-O0",
  period: 1_000_000_000,
  busy: 10,
  base: 0x8000_0000,
  isStripped: false,
}

/** Why tests that need the compiler cannot run, or null. */
export const cannotCompile: string | null =
  spawnSync(compiler, ["--version"]).status === 0 ? null : `there is no ${compiler} (apt install gcc-riscv64-linux-gnu)`

export const compileProgram = (changes: Partial<Compilation> = {}): Compiled => {
  const { optimization, period, busy, base, isStripped } = { ...usual, ...changes }
  const directory = mkdtempSync(join(tmpdir(), "cv-lines-"))
  try {
    const output = join(directory, "program.elf")
    const options = [
      ...["-march=rv64imafdc_zicsr_zifencei", "-mabi=lp64d", "-mcmodel=medany", "-mno-relax", "-msmall-data-limit=0"],
      ...["-g", optimization, "-std=gnu17", "-ffreestanding", "-fno-pie", "-fno-stack-protector", "-fno-inline"],
      ...["-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-T", script],
      ...[`-Wl,--defsym=BASE=${base}`, ...(isStripped ? ["-s"] : [])],
      ...[`-DPERIOD=${period}`, `-DBUSY=${busy}`, source, "-o", output],
    ]
    const { status, stderr } = spawnSync(compiler, options, { encoding: "utf8" })
    if (status !== 0) throw new Error(`the program cannot be compiled:\n${stderr}`)
    const lines = readFileSync(source, "utf8").split("\n")
    const line = (text: string): number => {
      const numbers = lines.flatMap((each, at) => (each.includes(text) ? [at + 1] : []))
      if (numbers.length !== 1) throw new Error(`${numbers.length} lines have ${text}`)
      return numbers[0]!
    }
    return { bytes: new Uint8Array(readFileSync(output)), source, line }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
