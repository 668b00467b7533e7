import { once } from "node:events"
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Cli, embedded, embeddedGuest } from "./cli.ts"

const timeout = 60_000
const cli = new Cli()
afterAll(() => cli.remove())

const file = (name: string) => join(cli.home, name)
const world = (name: string) => file(`worlds/${name}.cv`)

/** A command that is to fail with one sentence. */
const fails = async (args: readonly string[], code: number, sentence: RegExp) => {
  const outcome = await cli.run(...args)
  expect(outcome.stderr).toMatch(sentence)
  expect(outcome.stderr).toMatch(/^cv: [^\n]+\n$/)
  expect(outcome.stdout).toBe("")
  expect(outcome.code).toBe(code)
}

/** The header of a Linux image of 32 MiB with nothing behind it. */
const linuxHeader = (): Buffer => {
  const header = Buffer.alloc(4096)
  header.writeBigUInt64LE(0x200000n, 8)
  header.writeBigUInt64LE(32n << 20n, 16)
  header.writeUInt32LE(2, 32)
  header.write("RISCV\0\0\0", 48, "latin1")
  header.write("RSC\x05", 56, "latin1")
  return header
}

beforeAll(async () => {
  const { code, stderr } = await cli.run("run", ...embedded, "--name", "good")
  expect(code, stderr).toBe(0)
  writeFileSync(file("empty"), "")
  writeFileSync(file("truncated.elf"), readFileSync(embeddedGuest).subarray(0, 3000))
  writeFileSync(file("large"), linuxHeader())
  const foreign = Buffer.from(readFileSync(embeddedGuest))
  foreign.writeUInt16LE(62, 18)
  writeFileSync(file("foreign.elf"), foreign)
}, timeout)

describe("a command line that makes no sense", () => {
  it.each([
    [["frobnicate"], /There is no command frobnicate/],
    [["run", embeddedGuest, "--frob"], /There is no flag --frob in cv run/],
    [["run", embeddedGuest, "more"], /does not take "more"/],
    [["run"], /There is nothing to start/],
    [["replay"], /cv replay needs W/],
    [["sql", "good"], /cv sql needs QUERY/],
    [["run", embeddedGuest, "--cpus", "9"], /1 to 8 harts, not 9/],
    [["run", embeddedGuest, "--cpus", "many"], /--cpus cannot be "many"/],
    [["run", embeddedGuest, "-m", "lots"], /"lots" is no size of memory/],
    [["run", embeddedGuest, "--until", "sometime"], /"sometime" is no condition/],
    [["run", embeddedGuest, "--until", "console:/(/"], /is no condition: Invalid regular expression/],
    [["run", embeddedGuest, "--tier", "fast"], /"fast" is no tier/],
    [["run", embeddedGuest, "--rtc", "yesterday"], /"yesterday" is no date/],
    [["run", embeddedGuest, "--name", "a/b"], /cannot be a world's name/],
    [["run", embeddedGuest, "--name", "../x"], /cannot be a world's name/],
    [["rm", ".."], /cannot be a world's name/],
    [["replay", "good", "--until", "r9"], /is not a position/],
    [["replay", "good", "--flip", "0:zero:3@5"], /names no bit to flip/],
    [["replay", "good", "--flip", "7:a0:3@5"], /has no hart 7/],
    [["replay", "good", "--from", "nowhere"], /has no snapshot nowhere/],
    [["snapshot", "create", "good", "a/b"], /cannot be a snapshot's name/],
    [["events", "good", "--kind", "thing"], /There are no events of kind thing/],
    [["sql", "good", "select 1", "--json", "--csv"], /exclude each other/],
  ])("%j", { timeout }, async (args, sentence) => fails(args, 2, sentence))
})

describe("unusable input", () => {
  it.each([
    ["an unknown image", () => ["run", "nothing-of-the-kind"], /There is no image named nothing-of-the-kind/],
    ["a missing kernel", () => ["run", "./no-such-kernel"], /no-such-kernel cannot be read: there is no such file/],
    ["a directory", () => ["run", "/"], /it is a directory/],
    ["an empty kernel", () => ["run", file("empty")], /is empty/],
    ["a truncated kernel", () => ["run", file("truncated.elf")], /truncated/],
    ["a kernel for x86-64", () => ["run", file("foreign.elf")], /built for x86-64/],
    ["a kernel larger than memory", () => ["run", file("large"), "-m", "16M"], /give the machine more with -m/],
    ["memory of 3 bytes", () => ["run", embeddedGuest, "-m", "3"], /A machine cannot have 3 bytes of RAM/],
    [
      "more memory than there can be",
      () => ["run", embeddedGuest, "-m", "3841M"],
      /cannot have more than 3840 MiB of RAM; give it less/,
    ],
    ["too much memory", () => ["run", embeddedGuest, "-m", "100G"], /cannot have more than/],
    ["a missing initrd", () => ["run", embeddedGuest, "--initrd", "/no/such"], /\/no\/such cannot be read/],
    ["a missing disk", () => ["run", embeddedGuest, "--disk", "/no/such"], /\/no\/such cannot be read/],
    ["missing firmware", () => ["run", embeddedGuest, "--firmware", "/no/such"], /\/no\/such cannot be read/],
    ["a missing script", () => ["run", embeddedGuest, "--stdin", "/no/such"], /\/no\/such cannot be read/],
    ["a disk of no whole sectors", () => ["run", embeddedGuest, "--disk", file("truncated.elf")], /512-byte sectors/],
    ["an unknown world", () => ["replay", "god"], /There is no world named god; did you mean good\?/],
    ["a missing world file", () => ["verify", "/no/such.cv"], /There is no world file/],
    ["a query that writes", () => ["sql", "good", "delete from events"], /cannot modify|refused/],
    ["a query that makes a table", () => ["sql", "good", "create table x (y)"], /refused/],
    ["a query over nothing", () => ["sql", "good", "select missing from events"], /no such column/],
    ["a missing file to import", () => ["import", "/no/such.cv"], /there is no such file/],
    ["an unknown image to remove", () => ["image", "rm", "nothing-of-the-kind"], /There is no image/],
  ])("%s", { timeout }, async (_, args, sentence) => {
    await fails(args(), 2, sentence)
    expect(readdirSync(file("worlds")).filter(name => name.endsWith(".cv"))).toEqual(["good.cv"])
  })
})

describe("a world file that cannot be used", () => {
  const bad = new Cli()
  beforeAll(() => {
    mkdirSync(join(bad.home, "worlds"))
  })
  afterAll(() => bad.remove())
  const badWorld = (name: string) => join(bad.home, `worlds/${name}.cv`)
  const failsOn = async (path: string, code: number, sentence: RegExp) => {
    for (const command of ["verify", "replay", "resume", "logs", "inspect"])
      await fails([command, path], code, sentence)
  }

  it("is of a newer format", { timeout }, async () => {
    copyFileSync(world("good"), badWorld("newer"))
    const db = new BetterSqlite(badWorld("newer"))
    db.pragma("user_version = 99")
    db.close()
    await failsOn(badWorld("newer"), 2, /was written by a newer chronovisor/)
  })

  it("is no world", { timeout }, async () => {
    writeFileSync(badWorld("text"), "not a world\n")
    await failsOn(badWorld("text"), 2, /cannot be opened as a world/)
  })

  it("has a changed event", { timeout }, async () => {
    copyFileSync(world("good"), badWorld("changed"))
    const db = new BetterSqlite(badWorld("changed"))
    db.prepare("update event set instret = instret + 1 where seq = 20").run()
    db.close()
    await fails(["verify", badWorld("changed")], 1, /is damaged at event 20 \(\w+\) at r\d+/)
  })

  it("is in use", { timeout }, async () => {
    const { child, outcome } = cli.start(["run", embeddedGuest, "--firmware", "none", "--name", "busy"], "pipe")
    await once(child.stdout!, "data")
    await fails(["resume", "busy"], 1, /is in use/)
    await fails(["rm", "busy"], 1, /is in use/)
    await fails(["run", ...embedded, "--name", "busy", "--force"], 1, /is in use/)
    expect((await cli.run("logs", "busy")).code).toBe(0)
    child.stdin!.end("quit\n")
    expect((await outcome).code).toBe(0)
    expect((await cli.run("verify", "busy")).code).toBe(0)
    expect((await cli.run("rm", "busy")).code).toBe(0)
  })
})
