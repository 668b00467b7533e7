import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Cli, embeddedGuest, type Result } from "./cli.ts"

const timeout = 60_000
const cli = new Cli()
afterAll(() => cli.remove())

let told: Result
/** Half of the history. */
let middle: string

beforeAll(async () => {
  const typed = join(cli.home, "typed")
  writeFileSync(typed, "add one\nlist\nquit\n")
  told = await cli.json<Result>(
    "run",
    embeddedGuest,
    "--firmware",
    "none",
    "-m",
    "16M",
    "--stdin",
    typed,
    "--name",
    "told",
  )
  middle = `${Math.floor(told.virtualNs / 2)}ns`
}, timeout)

describe("a virtual time in place of a position", () => {
  it("is where a fork leaves its parent", { timeout }, async () => {
    const { position } = await cli.json<{ position: string }>("fork", "told", "--at", middle, "--name", "forked")
    expect(position).toMatch(/^r\d+\.m0\.h0\.i\d+$/)
    // To the same end again.
    const again = await cli.json<{ position: string }>("fork", "told", "--at", middle, "--name", "again")
    expect(again.position).toBe(position)
    const quit = join(cli.home, "quit")
    writeFileSync(quit, "quit\n")
    const resumed = async (name: string) => cli.json<Result>("resume", name, "--stdin", quit)
    expect((await resumed("forked")).digest).toBe((await resumed("again")).digest)
  })

  it("comes before what is typed later, however long the guest waits for that", { timeout }, async () => {
    const query = "select virtual_ns as ns from inputs order by seq"
    const typed = await cli.json<{ ns: number }[]>("sql", "told", query)
    expect(typed).toHaveLength(3)
    for (const [order, { ns }] of typed.entries())
      for (const [late, at] of [ns - 1, ns].entries()) {
        const name = `before-${order}-${late}`
        await cli.json("fork", "told", "--at", `${at}ns`, "--name", name)
        expect(await cli.json("sql", name, query)).toEqual(typed.slice(0, order + late))
        const snapshot = await cli.json<{ virtualNs: number }>("snapshot", "create", "told", name, "--at", `${at}ns`)
        expect(snapshot.virtualNs).toBeLessThanOrEqual(at)
      }
    // Something else is typed in place of what was.
    const other = join(cli.home, "other")
    writeFileSync(other, "stat\nquit\n")
    expect((await cli.json<{ exit: number }>("resume", "before-1-0", "--stdin", other)).exit).toBe(0)
    const texts = await cli.json("sql", "before-1-0", "select text from inputs order by seq")
    expect(texts).toEqual(["add one\n", "stat\n", "quit\n"].map(text => ({ text })))
    expect((await cli.run("replay", "before-1-0")).code).toBe(0)
  })

  it("may be start or end", { timeout }, async () => {
    const { position } = await cli.json<{ position: string }>("fork", "told", "--at", "start", "--name", "from-start")
    expect(position).toBe("r0.m0.h0.i0")
  })

  it("gives way to a snapshot of that name", { timeout }, async () => {
    const { position } = await cli.json<{ position: string }>("snapshot", "create", "told", "1s", "--at", middle)
    expect(await cli.json("fork", "told", "--at", "1s", "--name", "named")).toMatchObject({ position })
  })

  it("is where the last write before is looked for", { timeout }, async () => {
    // The line that is typed: two of them before the third.
    const written = async (before: string) =>
      cli.json<{ virtualNs: number }>("last-write", "told", "line.0", "--before", before)
    const [early, late] = [await written(middle), await written("end")]
    expect(early.virtualNs).toBeLessThanOrEqual(Number.parseInt(middle, 10))
    expect(late.virtualNs).toBeGreaterThan(early.virtualNs)
    // Of more than a few bytes, those that were written and where they lie.
    const { stdout } = await cli.run("last-write", "told", "line.0", "--bytes", "80", "--before", "end")
    expect(stdout).toMatch(/ sb \S+, [^\n]* {2}\+0x[\da-f]+: 0x[\da-f]{1,2} -> 0x[\da-f]{1,2}\n$/)
  })

  it.each([
    ["last-write", "phys:0x80000000", "--before"],
    ["snapshot", "create", "told", "new", "--at"],
  ])("is named among what there is where a text is neither: %s", { timeout }, async (command, ...words) => {
    const world = command === "last-write" ? ["told"] : []
    const { code, stdout, stderr } = await cli.run(command, ...world, ...words, "tomorrow")
    expect([code, stdout]).toEqual([2, ""])
    expect(stderr).toMatch(
      /^cv: "tomorrow" is not a position; .* or give a virtual time such as 1\.5s, start or end\.\n$/,
    )
  })
})
