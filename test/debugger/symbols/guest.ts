/** Compiles programs in C, and stops them in gdb on QEMU to learn what a debugger should see. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"

const source = join(import.meta.dirname, "guest")

const runs = (program: string): boolean => spawnSync(program, ["--version"]).status === 0
export const hasCompiler = runs("riscv64-linux-gnu-gcc")
export const noCompiler = "riscv64-linux-gnu-gcc is not installed; install gcc-riscv64-linux-gnu to read what it makes."
export const hasDebugger = hasCompiler && runs("gdb-multiarch") && runs("qemu-system-riscv64")
export const noDebugger =
  "gdb-multiarch, qemu-system-riscv64 or riscv64-linux-gnu-gcc is not installed; install all three to compare with gdb."

let folder: string | null = null
let made = 0
afterAll(() => {
  if (folder !== null) rmSync(folder, { recursive: true })
  folder = null
})

/** A new path in a folder that is removed when the test file is done. */
export function temporaryPath(name: string): string {
  folder ??= mkdtempSync(join(tmpdir(), "chronovisor-symbols-"))
  return join(folder, `${made++}-${name}`)
}

export const guestFile = (name: string): string => join(source, name)

export interface Program {
  readonly path: string
  readonly bytes: Uint8Array
}

const read = (path: string): Program => ({ path, bytes: new Uint8Array(readFileSync(path)) })

/** The guest of this folder as a bare-metal program at 0x8000_0000. */
export function buildGuest(...options: readonly string[]): Program {
  const path = temporaryPath("guest.elf")
  const fixed = "-ffreestanding -nostdlib -static -march=rv64gc -mabi=lp64d -mcmodel=medany -fno-pic -no-pie".split(" ")
  const inputs = ["-Wl,--build-id=none", "-T", ...["guest.ld", "start.S", "shapes.c", "main.c"].map(guestFile), "-lgcc"]
  execFileSync("riscv64-linux-gnu-gcc", [...fixed, ...options, ...inputs, "-o", path])
  return read(path)
}

/** A program or library for Linux from one text. */
export function buildLinuxProgram(text: string, ...options: readonly string[]): Program {
  const path = temporaryPath("program")
  execFileSync("riscv64-linux-gnu-gcc", ["-g", ...options, "-x", "c", "-", "-o", path], { input: text })
  return read(path)
}

/** A changed copy, as objcopy makes it. */
export function copyOf(program: Program, ...options: readonly string[]): Program {
  const path = temporaryPath("copy")
  execFileSync("riscv64-linux-gnu-objcopy", [...options, program.path, path])
  return read(path)
}

/** What a program of the binutils prints. */
export function printed(tool: string, ...options: readonly string[]): string {
  return execFileSync(`riscv64-linux-gnu-${tool}`, options, { encoding: "utf8", maxBuffer: 1 << 28 })
}

/** Values as gdb has them: a scalar's text, a floating-point number as Python writes it, or parts. */
export type GdbValue =
  | { readonly text: string; readonly target?: GdbValue }
  | { readonly number: string }
  | { readonly members: readonly (readonly [name: string, value: GdbValue])[] }
  | { readonly elements: readonly GdbValue[] }

export interface GdbFrame {
  readonly pc: string
  readonly sp: string
  readonly name: string | null
  readonly isInlined: boolean
  readonly file: string | null
  readonly line: number
  readonly variables: readonly {
    readonly name: string
    readonly isParameter: boolean
    readonly type: string
    readonly value: GdbValue
  }[]
}

export interface GdbState {
  readonly pc: string
  /** x0 to x31, then f0 to f31. */
  readonly registers: readonly string[]
  readonly memory: string
  readonly frames: readonly GdbFrame[]
  /** What the source file of the innermost frame defines. */
  readonly globals: GdbFrame["variables"]
}

export interface GdbDump {
  /** Addresses of breakpoints. */
  readonly lines: Readonly<Record<string, readonly string[]>>
  readonly functions: Readonly<Record<string, readonly string[]>>
  readonly states: readonly GdbState[]
}

export const ramStart = 0x8000_0000n
const ramLength = 0x8000

/** Runs the guest in QEMU under gdb: it stops at the functions named, and a few instructions after each stop. */
export function dumpWithGdb(program: Program, functions: readonly string[], lines: readonly string[]): GdbDump {
  const to = temporaryPath("dump.json")
  const qemu = "qemu-system-riscv64 -machine virt -bios none -display none -monitor none -serial none -S -gdb stdio"
  const target = `target remote | exec ${qemu} -kernel ${program.path}`
  const options = ["-nx", "-batch", "-ex", target, "-x", join(import.meta.dirname, "gdb-dump.py"), "-ex", "kill"]
  const settings = {
    DUMP_TO: to,
    DUMP_BREAKS: JSON.stringify(functions),
    DUMP_LINES: JSON.stringify(lines),
    DUMP_RAM: JSON.stringify([Number(ramStart), ramLength]),
  }
  const { stderr } = spawnSync("gdb-multiarch", [...options, program.path], {
    env: { ...process.env, ...settings },
    encoding: "utf8",
    timeout: 60_000,
  })
  try {
    return JSON.parse(readFileSync(to, "utf8"))
  } catch {
    throw new Error(`gdb wrote nothing: ${stderr}`)
  }
}
