import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readElf } from "../../src/machine/elf.ts"
import { Cli } from "./cli.ts"

const timeout = 60_000
const cli = new Cli()
afterAll(() => cli.remove())

const guests = join(import.meta.dirname, "../../scenarios/guests")
const race = join(guests, "race/race.elf")
const hello = join(guests, "hello/hello.elf")
/** The same program without its symbols: its code alone. */
const raw = join(cli.home, "hello.bin")

const record = async (name: string, ...what: readonly string[]): Promise<void> => {
  const { code, stderr } = await cli.run("run", ...what, "--name", name)
  if (code !== 0) throw new Error(stderr)
}

beforeAll(async () => {
  const result = readElf(new Uint8Array(readFileSync(hello)))
  if (!result.ok) throw new Error(result.problem.sentence)
  writeFileSync(raw, result.file.segments[0]!.data)
  // Until the desk has opened its first jobs.
  await record("race", race, "--firmware", "none", "--cpus", "2", "-m", "16M", "--until", "5050us")
  await record("raw", raw, "--firmware", "none", "-m", "16M")
  await record("firmware", "--firmware", hello, "-m", "16M")
}, timeout)

interface Listed {
  readonly name: string
  readonly address: string
  readonly size: number | null
  readonly kind: string
}

const namesOf = async (...args: readonly string[]): Promise<readonly string[]> =>
  (await cli.json<readonly Listed[]>("symbols", ...args)).map(({ name }) => name)

describe("cv symbols", { timeout }, () => {
  it("lists those of the file that was booted, by address", async () => {
    const { code, stdout } = await cli.run("symbols", "race")
    const lines = stdout.trimEnd().split("\n")
    expect(code).toBe(0)
    expect(lines[0]).toBe("ADDRESS        SIZE  KIND      NAME")
    expect(lines[1]).toBe("0x80000000      118  function  _start")
    expect(lines.filter(line => line.endsWith(" open_lock"))).toEqual(["0x80003058        4  object    open_lock"])
    const addresses = lines.slice(1).map(line => line.split(" ")[0])
    expect(addresses).toEqual(addresses.toSorted())
  })

  it("lists those whose name has a part, or is as a pattern says", async () => {
    expect(await namesOf("race", "open")).toEqual(["job_open", "open_jobs", "jobs_opened", "open_lock"])
    expect(await namesOf("race", "job_*")).toEqual(["job_open", "job_close", "job_withdraw"])
    expect(await namesOf("race", "names.?")).toEqual(["names.0"])
  })

  it("says which line of the source an address belongs to", async () => {
    const [{ address } = { address: "" }] = await cli.json<readonly Listed[]>("symbols", "race", "job_withdraw")
    const found = await cli.json<readonly unknown[]>("symbols", "race", `${address}+0x52`)
    const source = readFileSync(join(guests, "race/jobs.c"), "utf8").split("\n")
    expect(found).toEqual([
      {
        name: "job_withdraw",
        address,
        size: 100,
        kind: "function",
        offset: 0x52,
        line: {
          file: "scenarios/guests/race/jobs.c",
          line: source.findIndex(line => line.includes("else list_remove")) + 1,
        },
      },
    ])
    const { stdout } = await cli.run("symbols", "race", `${address}+0x52`)
    expect(stdout).toContain("job_withdraw+0x52  scenarios/guests/race/jobs.c:")
  })

  it("fails where there is none", async () => {
    expect(await cli.run("symbols", "race", "nobody")).toEqual({
      code: 1,
      signal: null,
      stdout: "",
      stderr: "cv: No symbol of race is called nobody.\n",
    })
    expect(await cli.run("symbols", "race", "0x1000")).toMatchObject({
      code: 1,
      stderr: "cv: No symbol of race is known at 0x1000.\n",
    })
    expect(await cli.run("symbols", "raw")).toMatchObject({
      code: 1,
      stderr: "cv: No symbols are known of raw; name an ELF file that has them with --symbols.\n",
    })
    expect(await cli.run("symbols", "raw", "--json")).toMatchObject({ code: 1, stdout: "[]\n", stderr: "" })
  })

  it("lists those of firmware", async () => {
    expect(await namesOf("firmware")).toEqual(["_start", "next", "wait", "done", "sleep", "message"])
  })
})

describe("--symbols", { timeout }, () => {
  it("names what has no names", async () => {
    expect(await cli.run("trace", "raw", "--at", "done")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no symbols are known of this guest"),
    })
    const { code, stdout } = await cli.run("trace", "raw", "--at", "done", "--symbols", hello)
    expect(code).toBe(0)
    expect(stdout.split("\n")[1]).toMatch(/ done$/)
    const found = await cli.json<readonly { place: string }[]>("when", "raw", "pc == sym:done", "--symbols", hello)
    expect(found.map(({ place }) => place)).toEqual(["done"])
    // Nothing ever writes to the text it prints.
    expect((await cli.run("last-write", "raw", "message", "--symbols", hello)).stderr).toMatch(
      /^cv: Nothing wrote to message in raw/,
    )
  })

  it("may be given again, and may say how far a program has moved", async () => {
    const files = ["--symbols", `${hello}@0x10000`, "--symbols", hello]
    expect(await namesOf("raw", "_start", ...files)).toEqual(["_start", "_start"])
    const found = await cli.json<readonly Listed[]>("symbols", "raw", "_start", ...files)
    expect(found.map(({ address }) => address)).toEqual(["0x80000000", "0x80010000"])
  })

  it("wants programs that have symbols", async () => {
    const none = join(cli.home, "nothing.elf")
    expect(await cli.run("symbols", "raw", "--symbols", none)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(none),
    })
    expect(await cli.run("symbols", "raw", "--symbols", raw)).toMatchObject({
      code: 2,
      stderr: `cv: ${raw}: The file is no ELF program; give a linked RISC-V one.\n`,
    })
  })
})

describe("cv when --print", { timeout }, () => {
  it("shows values of the moment, with names of what is code", async () => {
    const asked = ["when", "race", "pc == sym:list_remove", "--print", "hart", "--print", "ra", "--print", "mem64(0)"]
    const [found] = await cli.json<readonly Record<string, unknown>[]>(...asked)
    const called = await cli.json<readonly Listed[]>("symbols", "race", String(found!.ra))
    expect(called[0]?.name).toMatch(/^job_(close|withdraw)$/)
    // A number, as without --print.
    expect(found).toMatchObject({ "mem64(0)": "?", hart: expect.any(Number) })
    const [heading, first] = (await cli.run(...asked)).stdout.split("\n")
    expect(heading).toMatch(/^POSITION +TIME +HART +PC +hart +ra +mem64\(0\)$/)
    expect(first).toMatch(/ 0x[\da-f]+ <job_(close|withdraw)\+0x[\da-f]+> +\?$/)
  })

  it("marks the place of a mistake", async () => {
    const { code, stderr } = await cli.run("when", "race", "pc == sym:list_remove", "--print", "mem64(")
    expect(code).toBe(2)
    expect(stderr).toContain("^")
  })
})
