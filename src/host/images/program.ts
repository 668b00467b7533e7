/** Runs a program of the host to its end. An interrupted run ends the program before it returns. */
import { spawn } from "node:child_process"
import { Effect } from "effect"
import { AptMissing, ProgramFailed } from "./errors.ts"

export type ProgramRun = {
  readonly program: string
  readonly args: readonly string[]
  readonly directory?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Called with each whole line the program writes to file descriptor 3. */
  readonly onStatus?: (line: string) => void
}

/** What the program wrote to its standard output. Fails with all it wrote to both outputs if its exit code is not 0. */
export function runProgram(run: ProgramRun): Effect.Effect<Buffer<ArrayBuffer>, AptMissing | ProgramFailed> {
  return Effect.callback(resume => {
    const child = spawn(run.program, run.args, {
      cwd: run.directory,
      env: { ...process.env, LC_ALL: "C", ...run.environment },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    })
    const output: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout!.on("data", (chunk: Buffer) => output.push(chunk))
    child.stderr!.on("data", (chunk: Buffer) => errors.push(chunk))
    let status = ""
    child.stdio[3]!.on("data", (chunk: Buffer) => {
      const lines = (status + chunk.toString()).split("\n")
      status = lines.pop()!
      for (const line of lines) run.onStatus?.(line)
    })
    child.on("error", (error: NodeJS.ErrnoException) => {
      const missing = error.code === "ENOENT"
      const { program } = run
      resume(
        Effect.fail(missing ? new AptMissing({ program }) : new ProgramFailed({ program, problem: error.message })),
      )
    })
    child.on("close", (code, signal) => {
      if (code === 0) return resume(Effect.succeed(Buffer.concat(output)))
      const said = Buffer.concat([...errors, ...output])
        .toString()
        .trim()
      const problem = said === "" ? (signal === null ? `exit code ${code}` : `ended by ${signal}`) : said
      resume(Effect.fail(new ProgramFailed({ program: run.program, problem })))
    })
    return Effect.callback<void>(ended => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return ended(Effect.void)
      child.once("close", () => ended(Effect.void))
      child.kill("SIGTERM")
    })
  })
}
