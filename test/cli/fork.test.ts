import { existsSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Cli, embedded, embeddedGuest, type Result } from "./cli.ts"

const timeout = 60_000
const cli = new Cli()
const elsewhere = new Cli()
afterAll(() => {
  cli.remove()
  elsewhere.remove()
})

interface EventDocument {
  readonly seq: number
  readonly position: string
  readonly kind: string
  readonly payload: { readonly [field: string]: unknown }
}

/** A file of lines to type. */
const lines = (...text: readonly string[]): string => {
  const file = join(cli.home, `${text.join("-").replaceAll(" ", "-")}.txt`)
  writeFileSync(file, text.map(line => `${line}\n`).join(""))
  return file
}
const events = (world: string, ...flags: readonly string[]) => cli.json<EventDocument[]>("events", world, ...flags)

let told: Result
/** Where the second line was typed. */
let second: string

beforeAll(async () => {
  const typed = [embeddedGuest, "--firmware", "none", "-m", "16M", "--stdin", lines("add one", "list", "quit")]
  told = await cli.json<Result>("run", ...typed, "--name", "told")
  second = (await events("told", "--kind", "input"))[1]!.position
}, timeout)

describe("cv fork and cv diff", () => {
  it.each(["fork", "diff"])("has help for %s", { timeout }, async command => {
    const { code, stdout, stderr } = await cli.run(command, "--help")
    expect([code, stderr]).toEqual([0, ""])
    expect(stdout).toContain(`cv ${command}`)
    expect(stdout).toContain("EXAMPLES")
  })
})

describe("cv fork", () => {
  it("makes a small world that goes on from a position in another way", { timeout }, async () => {
    const { code, stdout } = await cli.run("fork", "told", "--at", second, "--name", "other")
    expect(stdout).toBe(`other: forked from told at ${second}; go on with cv resume other\n`)
    expect(code).toBe(0)
    expect(statSync(join(cli.home, "worlds/other.cv")).size).toBeLessThan(32 << 10)
    expect((await cli.run("logs", "other")).stdout).toMatch(/journal> add one\r\n[\s\S]*journal> $/)
    expect(await cli.json("ls")).toContainEqual(
      expect.objectContaining({
        name: "other",
        state: "fork, not resumed yet",
        parent: expect.objectContaining({ name: "told", position: second }),
      }),
    )
    expect((await cli.run("ls")).stdout).toContain(`told at ${second}\n`)
    expect((await cli.run("inspect", "other")).stdout).toContain(`Forked from:   told at ${second} (`)

    const result = await cli.json<Result>("resume", "other", "--stdin", lines("stat", "quit"))
    expect(result).toMatchObject({ reason: "powered off", exit: 0 })
    expect(result.digest).not.toBe(told.digest)
    const replayed = await cli.run("replay", "other")
    expect(replayed.code).toBe(0)
    expect(replayed.stdout).toMatch(/journal> add one\r\n[\s\S]*journal> stat\r\n[\s\S]*bye/)
    expect(replayed.stdout).toBe((await cli.run("logs", "other")).stdout)
    expect(await cli.json("verify", "other", "--replay")).toMatchObject({
      events: result.events,
      machineDigest: result.digest,
    })
    expect((await events("other")).map(({ seq }) => seq)).toEqual(
      Array.from({ length: result.events }, (_, seq) => seq),
    )
    const query = "select count(*) as n, max(seq) as last from events"
    expect(await cli.json("sql", "other", query)).toEqual([{ n: result.events, last: result.events - 1 }])
    expect((await cli.json<Result>("replay", "told")).digest).toBe(told.digest)
    expect((await cli.run("resume", "other")).stderr).toMatch(/turned itself off, so there is nothing to resume/)
  })

  it("goes on from the middle of a batch as the world did", { timeout }, async () => {
    const recorded = await cli.json<Result>("run", ...embedded, "--name", "auto")
    const [batch] = (await events("auto", "--kind", "batch")).slice(40)
    expect(await cli.json("run", ...embedded, "--name", "stopped", "--until", "instret:5123457")).toMatchObject({
      reason: "condition",
    })
    const { position } = (await events("stopped")).at(-1)!
    expect((await events("auto")).some(event => event.position === position)).toBe(false)
    for (const [name, at] of Object.entries({ middle: position, border: batch!.position })) {
      const made = await cli.json<{ position: string; event: number; bytes: number }>(
        "fork",
        "auto",
        "--at",
        at,
        "--name",
        name,
      )
      expect(made).toMatchObject({ world: name, position: at, parent: { name: "auto" } })
      expect(made.bytes).toBeLessThan(32 << 10)
      expect(await cli.json("resume", name)).toMatchObject({ digest: recorded.digest, reason: "powered off" })
    }
    const [first] = await events("middle", "--from", position, "--kind", "lifecycle")
    expect(first).toMatchObject({ position, payload: { change: "forked" } })
  })

  it("takes a snapshot's name, makes snapshots of its own, and names itself", { timeout }, async () => {
    expect((await cli.run("snapshot", "create", "told", "typed", "--at", second)).code).toBe(0)
    const made = await cli.json<{ world: string; position: string }>("fork", "told", "--at", "typed")
    expect(made).toMatchObject({ world: "told-2", position: second })
    expect((await cli.run("snapshot", "create", "told-2", "own")).code).toBe(0)
    expect(await cli.json("snapshot", "ls", "told-2")).toMatchObject([
      { name: "typed" },
      { name: "own", position: second },
    ])
    expect((await cli.run("snapshot", "rm", "told-2", "typed")).stderr).toMatch(/is not in \S+ but in a world that/)
    const end = await cli.json<Result>("resume", "told-2", "--stdin", lines("quit"))
    for (const name of ["typed", "own"])
      expect(await cli.json("snapshot", "restore", "told-2", name)).toMatchObject({ digest: end.digest })
    expect((await cli.run("snapshot", "rm", "told-2", "own")).code).toBe(0)
  })

  it("is exported for another computer", { timeout }, async () => {
    const file = join(cli.home, "exported.cv")
    expect((await cli.run("export", "other", file)).code).toBe(0)
    expect((await elsewhere.run("import", file, "--name", "other")).code).toBe(0)
    const [here, there] = [await cli.json<Result>("replay", "other"), await elsewhere.json<Result>("replay", "other")]
    expect(there.digest).toBe(here.digest)
    expect((await cli.run("diff", "other", join(elsewhere.home, "worlds/other.cv"))).code).toBe(0)
  })

  it("keeps its parent, unless that goes by force", { timeout }, async () => {
    await cli.json("run", ...embedded, "--name", "root", "--until", "3ms")
    await cli.json("fork", "root", "--name", "leaf")
    for (const args of [
      ["rm", "root"],
      ["run", ...embedded, "--name", "root", "--force"],
    ]) {
      const { code, stderr } = await cli.run(...args)
      expect(code).toBe(2)
      expect(stderr).toMatch(/^cv: \S+root\.cv stays, as these forks cannot be read without it: \S+leaf\.cv; [^\n]*\n$/)
    }
    expect((await cli.run("rm", "root", "--force")).code).toBe(0)
    const { code, stderr } = await cli.run("resume", "leaf")
    expect(code).toBe(2)
    expect(stderr).toMatch(/^cv: \S+leaf\.cv is a fork, and its parent world \S+root\.cv is not there; [^\n]*\n$/)
    expect(await cli.json("ls")).toContainEqual(
      expect.objectContaining({ name: "leaf", state: "without its parent", parent: null }),
    )
    expect((await cli.run("rm", "leaf")).code).toBe(0)
  })

  it.each([
    ["told", [], /turned itself off at r\d\S+, so a fork could not go on from there/],
    ["told", ["--at", "r9"], /"r9" is not a position/],
    ["told", ["--at", "r999999.m0.h0.i0"], /The history ends at r\d\S+ and does not reach r999999/],
    [
      "told",
      ["--at", "r1.m0.h7.i1"],
      /There is no r1\.m0\.h7\.i1 in this world, which has one machine, m0, with one hart, h0;/,
    ],
    ["told", ["--at", "nowhere"], /has no snapshot nowhere, and that is neither a position .* nor a virtual time/],
    ["told", ["--at=-1s"], /has no snapshot -1s, and that is neither/],
    ["told", ["--at", "r1.m0.h0.i1", "--name", "a/b"], /cannot be a world's name/],
    ["told", ["--at", "r1.m0.h0.i1", "--name", "other"], /exists already/],
    ["nothing", [], /There is no world named nothing/],
  ])("%s %j fails with a sentence and leaves nothing", { timeout }, async (world, flags, sentence) => {
    const before = await cli.json<{ name: string }[]>("ls")
    const { code, stdout, stderr } = await cli.run("fork", world, ...flags)
    expect(stderr).toMatch(sentence)
    expect(stderr).toMatch(/^cv: [^\n]+\n$/)
    expect([code, stdout]).toEqual([2, ""])
    expect(await cli.json("ls")).toEqual(before)
  })

  it("says at its resumption that the guest is never at its position", { timeout }, async () => {
    await cli.json("fork", "told", "--at", "r3.m0.h0.i1", "--name", "never")
    const { code, stderr } = await cli.run("resume", "never")
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^cv: The guest is never at r3\.m0\.h0\.i1: it went past it to r\d\S+; fork it there, at another/,
    )
    expect((await cli.run("rm", "never")).code).toBe(0)
    expect(existsSync(join(cli.home, "worlds/never.cv"))).toBe(false)
  })
})

describe("cv diff", () => {
  it("shows where two histories part, and what they were told", { timeout }, async () => {
    const { code, stdout } = await cli.run("diff", "told", "other")
    expect(code).toBe(1)
    expect(stdout).toMatch(/^told and other part after \d+ events, at r\d\S+\n/)
    expect(stdout).toMatch(/\nThe console until there:\n {2}\| [\s\S]*\| journal> add one\n[\s\S]*\| journal>\n/)
    expect(stdout).toMatch(/\nThe first events that differ:\ntold +\d+ [^\n]*\nother +\d+ [^\n]*"forked"/)
    expect(stdout).toMatch(
      /\nThe first inputs that differ:\ntold +\d+ [^\n]* quit\\x0a\nother +\d+ [^\n]* stat\\x0a\n$/,
    )
    interface Diff {
      readonly common: number
      readonly events: readonly EventDocument[]
      readonly inputs: readonly EventDocument[]
    }
    const outcome = await cli.run("diff", "other", "told", "--json")
    expect(outcome.code).toBe(1)
    const document = JSON.parse(outcome.stdout) as Diff
    expect(document).toMatchObject({ worlds: ["other", "told"], equal: false, beginning: null })
    expect(document.events.map(({ seq }) => seq)).toEqual([document.common, document.common])
    const [own, theirs] = [await events("other"), await events("told")]
    expect(own.slice(0, document.common)).toEqual(theirs.slice(0, document.common))
    expect(own[document.common]).toEqual(document.events[0])
    expect(document.inputs.map(({ payload }) => Buffer.from(String(payload.bytes), "base64").toString())).toEqual([
      "stat\n",
      "quit\n",
    ])
  })

  it("says when they are the same, or one is the beginning of the other", { timeout }, async () => {
    const again = [embeddedGuest, "--firmware", "none", "-m", "16M", "--stdin", lines("add one", "list", "quit")]
    await cli.json("run", ...again, "--name", "again")
    const same = await cli.run("diff", "told", "again")
    expect([same.code, same.stdout]).toEqual([
      0,
      expect.stringMatching(/^told and again are the same: \d+ events up to r/),
    ])
    await cli.json("fork", "told", "--at", second, "--name", "part")
    for (const pair of [
      ["part", "told"],
      ["told", "part"],
    ]) {
      const { code, stdout } = await cli.run("diff", ...pair)
      expect([code, stdout]).toEqual([
        0,
        expect.stringMatching(/^part is the beginning of told, which has \d+ more events/),
      ])
    }
    expect(await cli.json("diff", "part", "told")).toMatchObject({
      equal: false,
      beginning: "part",
      inputs: [null, {}],
    })
  })

  it("compares worlds that have nothing in common", { timeout }, async () => {
    const { code, stdout } = await cli.run("diff", "told", "auto")
    expect(code).toBe(1)
    expect(stdout).toMatch(/^told and auto part from their beginning\nThe first events that differ:\ntold +0 /)
  })
})
