import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { Cli, embeddedGuest, mainFile } from "./cli.ts"
import { hasTmux, Tmux } from "./tmux.ts"

if (!hasTmux) console.warn("The live console is not tested: tmux is not installed.")

const cli = new Cli()
const terminal = new Tmux(join(cli.home, "tmux"))
const shows = (pattern: RegExp) => terminal.shows(pattern)
const type = (...keys: readonly string[]) => terminal.type(...keys)

afterAll(() => {
  terminal.stop()
  cli.remove()
})

/** A shell script that starts a live run between two looks at the terminal's settings. */
const startRun = (name: string): void => {
  const script = join(cli.home, `${name}.sh`)
  const run = `'${process.execPath}' '${mainFile}' run '${embeddedGuest}' --firmware none -m 16M --name ${name} --force`
  writeFileSync(
    script,
    [
      `stty -a > '${cli.home}/${name}.before'`,
      `sh -c "echo \\$\\$ > '${cli.home}/${name}.pid'; exec ${run} --home '${cli.home}'"`,
      `code=$?`,
      `stty -a > '${cli.home}/${name}.after'`,
      `echo "exit code $code"`,
      "exec sleep 1000",
      "",
    ].join("\n"),
  )
  terminal.start(`sh '${script}'`, 150, 50)
}

const isRestored = (name: string): void => {
  expect(existsSync(join(cli.home, `${name}.after`))).toBe(true)
  expect(readFileSync(join(cli.home, `${name}.after`), "utf8")).toBe(
    readFileSync(join(cli.home, `${name}.before`), "utf8"),
  )
}

describe.skipIf(!hasTmux)("a run on a terminal", () => {
  it("shows what is typed at once, helps, and ends with Ctrl-A x", { timeout: 60_000, retry: 1 }, async () => {
    startRun("keys")
    await shows(/^journal> *$/m)
    type("st")
    await shows(/^journal> st *$/m)
    type("C-c")
    type("at", "Enter")
    await shows(/time: \d+ microseconds/)
    type("C-a", "h")
    await shows(/Ctrl-A x {7}end the run/)
    type("C-a", "x")
    await shows(/keys: ended by the operator;/)
    await shows(/exit code 0/)
    isRestored("keys")
  })

  it.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("restores the terminal on %s", { timeout: 60_000, retry: 1 }, async (signal, code) => {
    startRun(signal)
    await shows(/^journal> *$/m)
    process.kill(Number(readFileSync(join(cli.home, `${signal}.pid`), "utf8")), signal)
    await shows(new RegExp(`exit code ${code}`))
    isRestored(signal)
    expect((await cli.run("verify", signal)).code).toBe(0)
  })
})
