/** The engines: how each starts a guest, and one run of one, watched on its console from outside. */
import { spawn } from "node:child_process"
import type { EngineName } from "./results.ts"

/** A machine and what it starts, the same for every engine. */
export interface Guest {
  readonly kernel: string
  readonly memory: string
  readonly harts: number
  /** What Linux needs; without it the kernel is the first code that runs, in M-mode. */
  readonly linux?: { readonly initrd: string; readonly append: string }
}

export type Command = readonly [program: string, args: readonly string[]]

/** The command that runs a guest on an engine, its console on standard input and output; worlds go below `home`. */
export type CommandOf = (engine: EngineName, guest: Guest) => Command

const cli = new URL("../../dist/main.js", import.meta.url).pathname
const ownOptions = {
  recording: ["--name", "bench", "--force"],
  "--no-record": ["--no-record"],
}

export const commandsWithin =
  (home: string): CommandOf =>
  (engine, { kernel, memory, harts, linux }) => {
    const boot = linux === undefined ? [] : ["--initrd", linux.initrd, "--append", linux.append]
    if (engine === "recording" || engine === "--no-record") {
      const machine = ["-m", memory, "--cpus", String(harts), ...(linux === undefined ? ["--firmware", "none"] : [])]
      return [process.execPath, [cli, "run", kernel, ...machine, ...boot, "--home", home, ...ownOptions[engine]]]
    }
    const machine = ["-M", "virt", "-m", memory, "-smp", String(harts), "-nographic"]
    const counting = engine === "qemu -icount" ? ["-icount", "shift=0"] : []
    const firmware = linux === undefined ? ["-bios", "none"] : []
    // QEMU takes the same names with one dash as with two.
    return ["qemu-system-riscv64", [...machine, ...counting, ...firmware, "-kernel", kernel, ...boot]]
  }

/** Sees all a guest wrote so far and the milliseconds since the start, and can type. Ends with what it returns first. */
export type Listener<A> = (text: string, ms: number, type: (keys: string) => void) => A | undefined

/** Runs an engine to its end, for as long as there is patience. */
export const runEngine = <A>([program, args]: Command, patienceMs: number, listener: Listener<A>): Promise<A> =>
  new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(program, args, { stdio: "pipe" })
    const patience = setTimeout(() => child.kill("SIGKILL"), patienceMs)
    let text = ""
    let errors = ""
    let result: A | undefined
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString("latin1")
    })
    child.stdout.on("data", (chunk: Buffer) => {
      const ms = performance.now() - start
      text += chunk.toString("latin1")
      result ??= listener(text, ms, keys => child.stdin.write(keys))
    })
    child.on("error", reject)
    child.on("close", () => {
      clearTimeout(patience)
      if (result !== undefined) return resolve(result)
      reject(new Error(`${program} ${args.join(" ")} did not finish: ${errors.slice(-400)}${text.slice(-400)}`))
    })
  })
