/** Runs the command line as its users do: in a process of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "../..")
export const mainFile = join(root, "src/cli/main.ts")
export const embeddedGuest = join(root, "scenarios/guests/embedded/embedded.elf")
/** A run of the embedded guest that ends by itself. */
export const embedded = [embeddedGuest, "--firmware", "none", "--cpus", "4", "--append", "auto", "-m", "16M"]

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export class Cli {
  readonly home: string = mkdtempSync(join(tmpdir(), "chronovisor-cli-"))

  start(
    args: readonly string[],
    stdin: "ignore" | "pipe" = "ignore",
  ): { child: ChildProcess; outcome: Promise<Outcome> } {
    const child = spawn(process.execPath, [mainFile, ...args], {
      env: { ...process.env, CHRONOVISOR_HOME: this.home, CHRONOVISOR_DEBUG: "" },
      stdio: [stdin, "pipe", "pipe"],
    })
    const text = { stdout: "", stderr: "" }
    for (const name of ["stdout", "stderr"] as const)
      child[name]!.setEncoding("utf8").on("data", (piece: string) => {
        text[name] += piece
      })
    const outcome = new Promise<Outcome>((resolve, reject) => {
      child.on("error", reject)
      child.on("close", (code, signal) => resolve({ code, signal, ...text }))
    })
    return { child, outcome }
  }

  run(...args: readonly string[]): Promise<Outcome> {
    return this.start(args).outcome
  }

  /** The document that a successful command prints. */
  async json<A>(...args: readonly string[]): Promise<A> {
    const { code, stdout, stderr } = await this.run(...args, "--json")
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
    return JSON.parse(stdout) as A
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** The document of a run, a resumption or a replay. */
export interface Result {
  readonly world: string | null
  readonly instructions: number
  readonly virtualNs: number
  readonly wallMs: number
  readonly mips: number
  readonly events: number
  readonly digest: string
  readonly exit: number
  readonly reason: string
}
