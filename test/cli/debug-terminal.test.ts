import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Cli, embeddedGuest, mainFile } from "./cli.ts"
import { hasTmux, Tmux } from "./tmux.ts"

if (!hasTmux) console.warn("The debugger's screen is not tested on a terminal: tmux is not installed.")

const cli = new Cli()
const terminal = new Tmux(join(cli.home, "tmux"))
const typed = join(cli.home, "typed")
/** Names of forks are taken once, also by a test that is tried again. */
let forks = 0
const options = { timeout: 60_000, retry: 1 }

beforeAll(async () => {
  writeFileSync(typed, "quit\n")
  const run = [
    "run",
    embeddedGuest,
    "--firmware",
    "none",
    "--cpus",
    "2",
    "-m",
    "16M",
    "--name",
    "guest",
    "--stdin",
    typed,
  ]
  expect((await cli.run(...run)).code).toBe(0)
}, 60_000)

afterAll(() => {
  terminal.stop()
  cli.remove()
})

/** A shell script that shows the debugger between two looks at the terminal's settings; its standard error goes to a file. */
const debug = (name: string, columns: number, rows: number, environment = "", ...flags: readonly string[]): void => {
  const script = join(cli.home, `${name}.sh`)
  const command = `'${process.execPath}' '${mainFile}' debug guest --home '${cli.home}' ${flags.join(" ")}`
  writeFileSync(
    script,
    [
      "echo before",
      `stty -a > '${cli.home}/${name}.before'`,
      `${environment} sh -c "echo \\$\\$ > '${cli.home}/${name}.pid'; exec ${command}" 2> '${cli.home}/${name}.err'`,
      `code=$?`,
      `stty -a > '${cli.home}/${name}.after'`,
      `echo "exit code $code"`,
      "exec sleep 1000",
      "",
    ].join("\n"),
  )
  terminal.start(`sh '${script}'`, columns, rows)
}

const text = (name: string, what: string): string => readFileSync(join(cli.home, `${name}.${what}`), "utf8")

const isRestored = (name: string): void => {
  expect(existsSync(join(cli.home, `${name}.after`))).toBe(true)
  expect(text(name, "after")).toBe(text(name, "before"))
  expect(terminal.modes).toEqual({ isAlternate: false, hasCursor: true })
  // What was on the terminal before is there again.
  expect(terminal.screen).toMatch(/^before\nexit code/)
}

describe.skipIf(!hasTmux)("the debugger on a terminal", () => {
  it.each([
    [80, 24],
    [200, 50],
  ] as const)("goes through a history at %i × %i", options, async (columns, rows) => {
    const name = `all-${columns}`
    debug(name, columns, rows)
    await terminal.shows(/ guest {2}r0\.m0\.h0\.i0 {2}0\.000000000 s {2}0\.0 %/)
    expect(terminal.rows).toHaveLength(rows)
    expect(terminal.rows[4]).toMatch(/^━━ 1 code ━━ _start ━/)
    expect(terminal.rows.at(-1)).toMatch(/^ s S step {2}c C continue .*\? help$/)

    terminal.type("Right", "Right")
    await terminal.shows(/ {2}2\.0 % {2}hart \d/)
    terminal.type("/")
    terminal.write("6 of 6")
    terminal.type("Enter")
    await terminal.shows(/"6 of 6" was printed in line \d+ of the console\./)
    terminal.type("8")
    await terminal.shows(/^summary: »6 of 6«(?: |$)/m)

    terminal.type("Home")
    await terminal.shows(/ guest {2}r0\.m0\.h0\.i0 /)
    terminal.write(":break console_pr")
    terminal.type("Tab", "Enter")
    await terminal.shows(/Stop point 1: console_print \(0x8[\da-f]+\)\./)
    terminal.type("c")
    await terminal.shows(/Stop point 1: break console_print\./)
    await terminal.shows(/── 1 code ── console_print ─/)
    const place = / guest {2}(\S+) /.exec(terminal.screen)![1]!
    terminal.type("s")
    await terminal.shows(/── 1 code ── console_print\+0x2 ─/)
    terminal.type("S")
    await terminal.shows(/── 1 code ── console_print ─/)
    expect(/ guest {2}(\S+) /.exec(terminal.screen)![1]).toBe(place)

    const fork = `try-${++forks}`
    terminal.write(`F${fork}`)
    terminal.type("Enter")
    await terminal.shows(new RegExp(` ${fork}: forked from guest at ${place}; go on with cv resume ${fork}`))

    terminal.write(":brak")
    terminal.type("Enter")
    await terminal.shows(/There is no command brak; did you mean break\?/)
    expect(terminal.screen).toMatch(/^:brak$/m)
    terminal.type("Escape")
    await terminal.shows(/^ s S step/m)
    terminal.type("q")
    await terminal.shows(/exit code 0/)
    isRestored(name)
    const resumed = await cli.run("resume", fork, "--stdin", typed)
    expect(resumed.stdout).toMatch(/journal> quit\s+bye\s+$/)
    expect(resumed.code).toBe(0)
  })

  it("follows the terminal's size", options, async () => {
    debug("size", 200, 50)
    await terminal.shows(/━━ 1 code ━━.*── 2 registers ──.*── 9 harts ──/)
    terminal.resize(80, 24)
    await terminal.shows(/^━━ 1 code ━━ _start ━+$/m)
    expect(terminal.rows.at(-1)).toMatch(/^ s S step/)
    terminal.resize(200, 50)
    await terminal.shows(/━━ 1 code ━━.*── 2 registers ──.*── 9 harts ──/)
    expect(terminal.rows.at(-1)).toMatch(/^ s S step/)
    terminal.type("q")
    await terminal.shows(/exit code 0/)
    isRestored("size")
  })

  it("begins where it is told to", options, async () => {
    debug("at", 80, 24, "NO_COLOR=1", "--at", "50%")
    await terminal.shows(/ {2}50\.0 % {2}hart/)
    terminal.type("C-c")
    await terminal.shows(/exit code 130/)
    isRestored("at")
  })

  it.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGINT", 130],
  ] as const)("restores the terminal on %s, also on a way", options, async (signal, code) => {
    debug(signal, 80, 24)
    await terminal.shows(/ guest {2}r0\.m0\.h0\.i0 /)
    terminal.type("End")
    process.kill(Number(text(signal, "pid")), signal)
    await terminal.shows(new RegExp(`exit code ${code}`))
    isRestored(signal)
  })

  it("restores the terminal when it fails, and says so in one sentence", options, async () => {
    const failing = join(cli.home, "failing.mjs")
    writeFileSync(failing, `setTimeout(() => { throw new Error("boom") }, 3000)\n`)
    debug("crash", 80, 24, `NODE_OPTIONS='--import ${failing}'`)
    await terminal.shows(/ guest {2}r0\.m0\.h0\.i0 /)
    await terminal.shows(/exit code 1/)
    isRestored("crash")
    expect(text("crash", "err").replaceAll("\x1b[?25h", "")).toBe(
      "cv: An internal error happened (boom); run it again with CHRONOVISOR_DEBUG=1 and report what that prints.\n",
    )
  })
})

describe("without a terminal", () => {
  it("is one sentence and exit code 2", async () => {
    const { code, stdout, stderr } = await cli.run("debug", "guest")
    expect(code).toBe(2)
    expect(stdout).toBe("")
    expect(stderr).toBe(
      "cv: cv debug needs a terminal for its screen and its keys; run it in one, and without redirections.\n",
    )
  })

  it("names worlds like one that is not there", async () => {
    const { code, stderr } = await cli.run("debug", "gest")
    expect(code).toBe(2)
    expect(stderr).toBe("cv: There is no world named gest; did you mean guest?\n")
  })

  it("has help", async () => {
    const { code, stdout } = await cli.run("debug", "--help")
    expect(code).toBe(0)
    expect(stdout).toContain("--at POS")
  })
})

describe.skipIf(!hasTmux)("a wrong place to begin", () => {
  it.each([
    ["tomorrow", /^cv: "tomorrow" is no place in a history; give --at a position \(.*\.\n$/],
    ["r99999.m0.h0.i0", /^cv: The history ends at r\d+\.m0\.h\d\.i\d+ and does not reach r99999\.m0\.h0\.i0;.*\n$/],
  ])("%s is one sentence and exit code 2", options, async (at, sentence) => {
    debug("wrong", 80, 24, "", "--at", at)
    await terminal.shows(/exit code 2/)
    isRestored("wrong")
    expect(text("wrong", "err")).toMatch(sentence)
  })
})
