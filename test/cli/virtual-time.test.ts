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
    // To the same end, with what was typed by then and nothing more.
    const again = await cli.json<{ position: string }>("fork", "told", "--at", position, "--name", "again")
    expect(again.position).toBe(position)
    const quit = join(cli.home, "quit")
    writeFileSync(quit, "quit\n")
    const resumed = async (name: string) => cli.json<Result>("resume", name, "--stdin", quit)
    expect((await resumed("forked")).digest).toBe((await resumed("again")).digest)
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
