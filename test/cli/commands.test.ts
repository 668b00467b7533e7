import { once } from "node:events"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Cli, embedded, embeddedGuest, type Result } from "./cli.ts"

const timeout = 60_000
const cli = new Cli()
afterAll(() => cli.remove())

let recorded: Result
beforeAll(async () => {
  recorded = await cli.json<Result>("run", ...embedded, "--name", "first")
}, timeout)

describe("cv", () => {
  it("prints help and version", { timeout }, async () => {
    const help = await cli.run("--help")
    expect(help.code).toBe(0)
    for (const name of ["run", "replay", "verify", "resume", "snapshot", "ls", "inspect", "logs", "events", "sql"])
      expect(help.stdout).toMatch(new RegExp(`^ +${name} `, "m"))
    const version = await cli.run("--version")
    expect(version.stdout).toMatch(/^chronovisor \d+\.\d+\.\d+\n$/)
  })

  it.each([
    "run",
    "replay",
    "verify",
    "resume",
    "snapshot create",
    "snapshot restore",
    "ls",
    "inspect",
    "logs",
    "events",
    "sql",
    "when",
    "last-write",
    "trace",
    "symbols",
    "gdb",
    "rm",
    "export",
    "import",
    "image build debian",
    "image add",
  ])("has help for %s", { timeout }, async command => {
    const { code, stdout, stderr } = await cli.run(...command.split(" "), "--help")
    expect(stderr).toBe("")
    expect(code).toBe(0)
    expect(stdout).toContain(`cv ${command}`)
    expect(stdout).toContain("DESCRIPTION")
  })
})

describe("cv run", () => {
  it("gives a document with everything in it", () => {
    expect(recorded).toMatchObject({ world: "first", exit: 0, reason: "powered off" })
    expect(recorded.digest).toMatch(/^[0-9a-f]{32}$/)
    for (const field of ["instructions", "virtualNs", "wallMs", "mips", "events"] as const)
      expect(recorded[field]).toBeGreaterThan(0)
  })

  it("gives the same digest when it is run again, recorded or not", { timeout }, async () => {
    const again = await cli.json<Result>("run", ...embedded, "--name", "again")
    const unrecorded = await cli.json<Result>("run", ...embedded, "--no-record")
    expect(again.digest).toBe(recorded.digest)
    expect(again.events).toBe(recorded.events)
    expect(unrecorded).toMatchObject({ world: null, events: 0, digest: recorded.digest })
  })

  it("gives another digest for another seed", { timeout }, async () => {
    const other = await cli.json<Result>("run", ...embedded, "--no-record", "--seed", "1")
    expect(other.digest).not.toBe(recorded.digest)
  })

  it("names the world after the kernel, with a number when that is taken", { timeout }, async () => {
    const one = await cli.run("run", ...embedded, "--until", "instret:1000")
    const two = await cli.run("run", ...embedded, "--until", "instret:1000")
    expect([one.code, two.code]).toEqual([0, 0])
    expect(one.stderr).toMatch(/^recording embedded\n/)
    expect(two.stderr).toMatch(/^recording embedded-2\n/)
  })

  it("shows the console on standard output, with --json on standard error", { timeout }, async () => {
    const plain = await cli.run("run", ...embedded, "--no-record")
    expect(plain.stdout).toContain("summary: 6 of 6 checks ok")
    expect(plain.stderr).toContain("the guest turned itself off")
    const json = await cli.run("run", ...embedded, "--no-record", "--json")
    expect(json.stderr).toContain("summary: 6 of 6 checks ok")
    expect(JSON.parse(json.stdout)).toMatchObject({ exit: 0 })
  })

  it("ends when the condition holds, and fails when it never does", { timeout }, async () => {
    const seen = await cli.run("run", ...embedded, "--no-record", "--until", "console:/checksum, \\d+ jobs/")
    expect(seen.code).toBe(0)
    const never = await cli.run("run", ...embedded, "--no-record", "--until", "console:/no such text/", "--json")
    expect(never.code).toBe(1)
    expect(JSON.parse(never.stdout)).toMatchObject({ exit: 1, reason: "powered off" })
    expect(never.stderr).toContain("The run ended before console:/no such text/ held")
  })

  it("types a file the same way every time", { timeout }, async () => {
    const script = join(cli.home, "script.txt")
    writeFileSync(script, "stat\nquit\n")
    const typed = ["run", embeddedGuest, "--firmware", "none", "-m", "16M", "--stdin", script]
    const first = await cli.json<Result>(...typed, "--name", "typed")
    const second = await cli.json<Result>(...typed, "--no-record")
    expect(first.digest).toBe(second.digest)
    expect((await cli.run("logs", "typed")).stdout).toContain("journal> quit\r\nbye")
    expect((await cli.json<Result>("replay", "typed")).digest).toBe(first.digest)
  })

  it("ends when all is typed and the guest waits, unless it is told to go on", { timeout }, async () => {
    const script = join(cli.home, "unfinished.txt")
    writeFileSync(script, "stat\n")
    const typed = ["run", embeddedGuest, "--firmware", "none", "-m", "16M", "--no-record", "--stdin", script]
    const ended = await cli.run(...typed)
    expect(ended.code).toBe(0)
    expect(ended.stderr).toContain("all was typed and the guest waits, for 5 s of virtual time or longer")
    const { reason, virtualNs } = await cli.json<Result>(...typed, "--until", "30s")
    expect([reason, virtualNs]).toEqual(["condition", 30e9])
    const on = await cli.run(...typed, "--until", "exit")
    expect(on.code).toBe(1)
    expect(on.stderr).toContain("The run ended before exit held: the guest waits for something that never comes.")
  })

  it("passes on what comes through a pipe", { timeout }, async () => {
    const { child, outcome } = cli.start(["run", embeddedGuest, "--firmware", "none", "--name", "piped"], "pipe")
    child.stdin!.write("stat\n")
    setTimeout(() => child.stdin!.end("quit\n"), 1000)
    const { code, stdout } = await outcome
    expect(code).toBe(0)
    expect(stdout).toMatch(/journal> stat\r?\ntime: \d+ microseconds/)
    const replayed = await cli.run("replay", "piped")
    expect(replayed.code).toBe(0)
    expect(replayed.stdout).toBe(stdout)
  })

  it("ends in good order on SIGINT", { timeout }, async () => {
    const { child, outcome } = cli.start(
      ["run", embeddedGuest, "--firmware", "none", "--name", "stopped", "--json"],
      "pipe",
    )
    await once(child.stderr!, "data")
    setTimeout(() => child.kill("SIGINT"), 1000)
    const { code, stdout } = await outcome
    expect(code).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({ exit: 130, reason: "quit" })
    expect((await cli.run("verify", "stopped", "--replay")).code).toBe(0)
  })

  it("replaces a world only with --force", { timeout }, async () => {
    const short = ["run", ...embedded, "--name", "replaced", "--until", "instret:1000"]
    expect((await cli.run(...short)).code).toBe(0)
    const refused = await cli.run(...short)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain("--force")
    expect((await cli.run(...short, "--force")).code).toBe(0)
    expect((await cli.run(...short, "-m", "3", "--force")).code).toBe(2)
    expect((await cli.run("verify", "replaced")).code).toBe(0)
  })
})

describe("a recorded world", () => {
  it("is replayed to the same digest and console", { timeout }, async () => {
    const replayed = await cli.json<Result>("replay", "first")
    expect(replayed).toMatchObject({ digest: recorded.digest, instructions: recorded.instructions, exit: 0 })
    const [logs, console] = [await cli.run("logs", "first"), await cli.run("replay", "first")]
    expect(console.stdout).toBe(logs.stdout)
    expect(console.stderr).toContain("every event is as recorded")
  })

  it("is replayed to a condition and to a position", { timeout }, async () => {
    const half = await cli.json<Result>("replay", "first", "--until", "console:/harts: 4 awake/")
    expect(half.reason).toBe("condition")
    expect(half.instructions).toBeLessThan(recorded.instructions)
    const { end } = await cli.json<{ end: string }>("verify", "first")
    const whole = await cli.json<Result>("replay", "first", "--until", end)
    expect(whole.digest).toBe(recorded.digest)
  })

  it("shows a flipped bit with its event, instruction and register", { timeout }, async () => {
    const { code, stderr } = await cli.run("replay", "first", "--flip", "0:sp:3@6000000")
    expect(code).toBe(1)
    expect(stderr).toMatch(/differs from the recording at event \d+ \(\w+\) at r\d+\.m0\.h\d\.i\d+/)
    expect(stderr).toMatch(/First difference at r\d+\.m0\.h0\.i6000000, after .+ at pc 0x[0-9a-f]+: hart 0 sp is 0x/)
    expect(stderr.trim().split("\n")).toHaveLength(1)
  })

  it("verifies", { timeout }, async () => {
    const report = await cli.json<{ events: number; replayed: boolean; machineDigest: string }>(
      "verify",
      "first",
      "--replay",
    )
    expect(report).toMatchObject({ events: recorded.events, replayed: true, machineDigest: recorded.digest })
  })

  it("is listed and inspected", { timeout }, async () => {
    const worlds = await cli.json<{ name: string; state: string }[]>("ls")
    expect(worlds).toContainEqual(expect.objectContaining({ name: "first", state: "ended: powered off, exit code 0" }))
    expect((await cli.run("ls")).stdout).toMatch(/^first +[\d,]+ /m)
    const inspected = await cli.json<{ events: number; machines: unknown[] }>("inspect", "first")
    expect(inspected.events).toBe(recorded.events)
    expect(inspected.machines).toHaveLength(1)
    expect((await cli.run("inspect", "first")).stdout).toMatch(/^Harts: +4$/m)
  })

  it("gives its events", { timeout }, async () => {
    const events = await cli.json<{ seq: number; kind: string; position: string }[]>("events", "first")
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: recorded.events }, (_, seq) => seq))
    const lives = await cli.json<{ kind: string }[]>("events", "first", "--kind", "lifecycle")
    expect(lives.map(({ kind }) => kind)).toEqual(["lifecycle", "lifecycle"])
    const from = events[10]!.position
    const later = await cli.json<{ position: string }[]>("events", "first", "--from", from, "--limit", "3")
    expect(later).toHaveLength(3)
    expect(later[0]!.position).toBe(from)
    expect((await cli.run("events", "first", "--limit", "1")).stdout).toMatch(/^ +0 +r0\.m0\.h0\.i0 +genesis /)
  })

  it("answers queries", { timeout }, async () => {
    const query = "select kind, count(*) as n from events where kind in ('genesis', 'lifecycle') group by kind"
    expect(await cli.json("sql", "first", query)).toEqual([
      { kind: "genesis", n: 1 },
      { kind: "lifecycle", n: 2 },
    ])
    expect((await cli.run("sql", "first", query, "--csv")).stdout).toBe("kind,n\r\ngenesis,1\r\nlifecycle,2\r\n")
    expect((await cli.run("sql", "first", query)).stdout).toBe("kind       n\ngenesis    1\nlifecycle  2\n")
  })

  it("has snapshots that are restored in another process", { timeout }, async () => {
    const events = await cli.json<{ position: string }[]>("events", "first", "--kind", "batch")
    const { position } = events[Math.floor(events.length / 2)]!
    expect((await cli.run("snapshot", "create", "first", "middle", "--at", position)).code).toBe(0)
    const [snapshot] = await cli.json<{ name: string; position: string }[]>("snapshot", "ls", "first")
    expect(snapshot).toMatchObject({ name: "middle", position })
    const restored = await cli.json<Result>("snapshot", "restore", "first", "middle")
    expect(restored.digest).toBe(recorded.digest)
    expect(restored.events).toBeLessThan(recorded.events)
    expect((await cli.json<Result>("replay", "first", "--from", "middle")).digest).toBe(recorded.digest)
    expect((await cli.run("snapshot", "create", "first", "middle")).code).toBe(2)
    expect((await cli.run("snapshot", "rm", "first", "middle")).code).toBe(0)
    expect(await cli.json("snapshot", "ls", "first")).toEqual([])
  })

  it("goes on where it was stopped", { timeout }, async () => {
    const stopped = await cli.json<Result>("run", ...embedded, "--name", "stepwise", "--until", "5ms")
    expect(stopped.reason).toBe("condition")
    const rest = await cli.json<Result>("resume", "stepwise")
    expect(rest).toMatchObject({ reason: "powered off", exit: 0, digest: recorded.digest })
    const over = await cli.run("resume", "stepwise")
    expect(over.code).toBe(2)
    expect(over.stderr).toContain("turned itself off")
  })

  it("goes on after its recording was killed", { timeout }, async () => {
    const { child, outcome } = cli.start(["run", embeddedGuest, "--firmware", "none", "--name", "killed"], "pipe")
    await once(child.stdout!, "data")
    await new Promise(resolve => setTimeout(resolve, 300))
    child.kill("SIGKILL")
    expect((await outcome).signal).toBe("SIGKILL")
    expect((await cli.run("verify", "killed", "--replay")).code).toBe(0)
    const script = join(cli.home, "quit.txt")
    writeFileSync(script, "quit\n")
    expect(await cli.json("resume", "killed", "--stdin", script)).toMatchObject({ reason: "powered off", exit: 0 })
  })

  it("is exported, imported and removed", { timeout }, async () => {
    const file = join(cli.home, "exported.cv")
    expect((await cli.run("export", "first", file)).code).toBe(0)
    expect((await cli.run("export", "first", file)).code).toBe(2)
    expect((await cli.run("import", file, "--name", "copy")).code).toBe(0)
    expect((await cli.json<Result>("replay", "copy")).digest).toBe(recorded.digest)
    expect((await cli.json<Result>("replay", file)).digest).toBe(recorded.digest)
    expect((await cli.run("rm", "copy")).code).toBe(0)
    expect(existsSync(join(cli.home, "worlds/copy.cv"))).toBe(false)
  })

  it("ends silently when its reader has enough", { timeout }, async () => {
    for (const command of [["logs"], ["events"], ["replay"]]) {
      const { child, outcome } = cli.start([...command, "first"])
      child.stdout!.destroy()
      const { code, stderr } = await outcome
      expect(code).toBe(0)
      expect(stderr.replace(/^first: .*\n$/, "")).toBe("")
    }
  })
})

describe("cv image", () => {
  it("adds, lists, inspects, starts and removes", { timeout }, async () => {
    expect((await cli.run("image", "add", "guest", embeddedGuest, "--append", "auto")).code).toBe(0)
    expect(await cli.json("image", "ls")).toMatchObject([{ name: "guest", kernelFormat: "elf" }])
    expect((await cli.run("image", "inspect", "guest")).stdout).toMatch(/^Command line: +auto$/m)
    const result = await cli.json<Result>("run", "guest", "--firmware", "none", "--cpus", "4", "-m", "16M")
    expect(result).toMatchObject({ world: "guest", exit: 0, instructions: recorded.instructions })
    expect((await cli.run("image", "rm", "guest")).code).toBe(0)
    expect(await cli.json("image", "ls")).toEqual([])
  })
})
