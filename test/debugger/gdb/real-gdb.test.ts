/** The stock gdb-multiarch against `cv gdb`, over the embedded guest's history on two harts. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Cli, embeddedGuest } from "../../cli/cli.ts"

const hasGdb = spawnSync("gdb-multiarch", ["--version"]).status === 0
if (!hasGdb) console.warn("cv gdb is not tested with a real gdb: gdb-multiarch is not installed.")

const timeout = 120_000
const cli = new Cli()
let server: { child: ChildProcess; outcome: ReturnType<Cli["run"]>; place: string }
let place = ""

/** Starts `cv gdb` and waits until it listens. */
const listen = async (world: string, ...args: readonly string[]) => {
  const started = cli.start(["gdb", world, "--listen", "127.0.0.1:0", ...args])
  let text = ""
  while (!text.includes("\n")) text += (await once(started.child.stdout!, "data"))[0]
  expect(text).toMatch(/^Listening on (\S+); connect with: gdb-multiarch -ex "target remote \1"\n$/)
  return { ...started, place: /^Listening on (\S+);/.exec(text)![1]! }
}

/** What gdb says to commands, without how it got there. */
const gdb = async (...commands: readonly string[]): Promise<string> => {
  const script = join(cli.home, "commands.gdb")
  const all = ["set pagination off", "set width 0", `target remote ${place}`, "echo ----\\n", ...commands]
  writeFileSync(script, `${all.join("\n")}\n`)
  const child = spawn("gdb-multiarch", ["-batch", "-nx", "-x", script], { stdio: ["ignore", "pipe", "pipe"] })
  let said = ""
  child.stdout.on("data", piece => (said += piece))
  child.stderr.on("data", piece => (said += piece))
  await once(child, "close")
  return said.replace(/^[\s\S]*?----\n/, "").replace(/\[Inferior 1 \(Remote target\) detached\]\n$/, "")
}

beforeAll(async () => {
  if (!hasGdb) return
  const recorded = await cli.run(
    "run",
    embeddedGuest,
    "--firmware",
    "none",
    "--cpus",
    "2",
    "--append",
    "auto",
    "-m",
    "16M",
    "--name",
    "board",
  )
  expect(recorded.code, recorded.stderr).toBe(0)
  server = await listen("board")
  place = server.place
}, timeout)
afterAll(async () => {
  if (server) {
    server.child.kill("SIGINT")
    expect((await server.outcome).code).toBe(130)
  }
  cli.remove()
})

/** From the beginning: the place stays from one gdb to the next. */
const fromStart = ["monitor seek start", "stepi", "delete"]
const talk = (...commands: readonly string[]) =>
  gdb(...fromStart, "echo ====\\n", ...commands).then(said => said.replace(/^[\s\S]*?====\n/, ""))

describe.skipIf(!hasGdb)("gdb", () => {
  it("knows functions and variables by name with no file on its side, and stops at them", { timeout }, async () => {
    const said = await talk(
      "info symbol main",
      "p sizeof(long)",
      "p &hart_count",
      "break journal_open",
      "continue",
      "backtrace",
      "finish",
    )
    expect(said).toContain("main in section .text\n")
    expect(said).toContain("= 8")
    expect(said).toMatch(/0x80004800 <hart_count>/)
    expect(said).toMatch(/Thread 1 hit Breakpoint 1, 0x[0-9a-f]+ in journal_open \(\)/)
    expect(said).toMatch(/#0 .* in journal_open \(\)\n#1 .* in checks_run \(\)\n#2 .* in main \(\)\n/)
    expect(said).toMatch(/in main \(\)\n0x[0-9a-f]+ in checks_run \(\)\n$/)
  })

  it("steps on and back to the same place", { timeout }, async () => {
    const said = await talk(
      "break crc32",
      "continue",
      "delete",
      "p/x $pc",
      ...Array(5).fill("stepi"),
      "p/x $pc",
      ...Array(5).fill("reverse-stepi"),
      "p/x $pc",
      "x/2i $pc",
    )
    const [first, middle, last] = [...said.matchAll(/^\$\d+ = (0x\w+)$/gm)].map(([, value]) => value)
    expect(last).toBe(first)
    expect(middle).not.toBe(first)
    expect(said).toMatch(/=> 0x[0-9a-f]+ <crc32\+?\d*>:/)
  })

  it("watches a variable to its writes, on after them and back before them", { timeout }, async () => {
    const said = await talk(
      "watch *(unsigned *)&finished",
      "continue",
      "continue",
      "x/i $pc-4",
      "reverse-continue",
      "x/i $pc",
      "p *(unsigned *)&finished",
      "reverse-continue",
      "p *(unsigned *)&finished",
    )
    // gdb passes over the write that leaves 0 what it was.
    expect(said).toMatch(/Hardware watchpoint \d+: \*\(unsigned \*\)&finished\n\nOld value = 0\nNew value = 1/)
    expect(said).toMatch(/Old value = 1\nNew value = 2/)
    expect(said).toMatch(/amoadd\.w/)
    expect(said).toMatch(/Old value = 2\nNew value = 1\n/)
    expect(said).toMatch(/=> 0x[0-9a-f]+ <[\w.]+\+\d+>:\tamoadd\.w/)
    expect(said).toMatch(/Old value = 1\nNew value = 0\n/)
    expect([...said.matchAll(/^\$\d+ = (\d)$/gm)].map(([, value]) => value)).toEqual(["1", "0"])
  })

  it("tells of a write that a step makes", { timeout }, async () => {
    const said = await talk(
      "watch *(unsigned *)&finished",
      "continue",
      "continue",
      "reverse-continue",
      "stepi",
      "reverse-stepi",
    )
    const changes = [...said.matchAll(/Old value = (\d)\nNew value = (\d)/g)].map(([, from, to]) => `${from}${to}`)
    expect(changes).toEqual(["01", "12", "21", "12", "21"])
  })

  it("shows harts as threads, each with registers and steps of its own", { timeout }, async () => {
    const said = await talk(
      "break work_push",
      "continue",
      "info threads",
      "thread 2",
      "info registers pc mhartid priv",
      "reverse-stepi",
      "thread 1",
      "info registers mhartid fcsr",
      "info threads",
      "reverse-stepi",
      "p $_thread",
    )
    expect(said).toMatch(/\* 1 +Thread 1 \(hart 0, M-mode, running\) 0x[0-9a-f]+ in work_push \(\)/)
    expect(said).toMatch(/ {2}2 +Thread 2 \(hart 1, M-mode, \w+\)/)
    expect(said).toMatch(/\[Switching to thread 2 \(Thread 2\)\]/)
    expect(said).toMatch(/pc +0x\w+\s+0x\w+ <\w+/)
    expect(said).toMatch(/mhartid +0x1\s+1/)
    expect(said).toMatch(/priv +0x3\s+prv:3 \[Machine\]/)
    expect(said).toMatch(/mhartid +0x0\s+0/)
    expect(said).toMatch(/fcsr +0x0\s+NV:0/)
    expect(said).toMatch(/\$1 = 1\n$/)
    expect(said).not.toContain("SIGTRAP")
  })

  it("reads every register there is", { timeout }, async () => {
    const said = await talk("info all-registers")
    expect(said).not.toMatch(/unavailable|error/i)
    for (const name of ["zero", "pc", "ft11", "fcsr", "satp", "mhpmcounter31", "pmpaddr15", "priv"])
      expect(said).toMatch(new RegExp(`^${name} `, "m"))
  })

  it("comes to both ends of history", { timeout }, async () => {
    const said = await talk("continue", "p $pc", "continue", "reverse-continue", "p $pc", "reverse-stepi")
    expect(said.match(/No more reverse-execution history/g)).toHaveLength(4)
    expect(said).toMatch(/= \(void \(\*\)\(\)\) 0x80001cbc <power_off\+12>/)
    expect(said).toMatch(/= \(void \(\*\)\(\)\) 0x80000000 <_start>/)
  })

  it("goes where a monitor command says, and shows it after a step that moves nothing", { timeout }, async () => {
    const said = await talk(
      "monitor seek end",
      "stepi",
      "monitor position",
      "monitor seek 5ms",
      "stepi",
      "monitor when",
      "monitor seek nowhere",
      "monitor console 1",
    )
    expect(said).toMatch(/Type stepi to have gdb look.*\n0x0000000080001cbc in power_off \(\)\nr\d+\.m0\.h0\.i\d+\n/)
    expect(said).toMatch(/virtual time {2}0\.005000000 s/)
    expect(said).toMatch(/"nowhere" is not a position/)
    expect(said).toMatch(/entropy|disk: none/)
  })

  it("looks again after a monitor command where it is told to", { timeout }, async () => {
    const said = await talk(
      "define hookpost-monitor\nmaintenance flush register-cache\nmaintenance flush dcache\nend",
      "monitor seek end",
      "p $pc",
      "reverse-stepi",
    )
    expect(said).toMatch(/0x80001cbc <power_off\+12>\n0x0+80001cba in power_off \(\)\n$/)
  })

  it("says which hart it means where scheduler-locking has it say so", { timeout }, async () => {
    const looks = ["thread 2", "thread 1", "thread apply 2 p 1"]
    const said = await talk(
      "break work_push",
      "continue",
      "set scheduler-locking step",
      ...looks,
      "p $_thread",
      "reverse-stepi",
      "p $_thread",
    )
    expect([...said.matchAll(/^\$\d+ = (\d)$/gm)].map(([, value]) => value)).toEqual(["1", "1", "1"])
    expect(said).not.toContain("SIGTRAP")
  })

  it("cannot change anything, and is told what can be done", { timeout }, async () => {
    expect(await talk("p $a0 = 5")).toMatch(
      /Could not write register "a0"; remote failure reply 'E\.History cannot be changed; .*cv fork/,
    )
    const said = await talk(
      "python\ntry: gdb.execute('set var *(char *)0x80004000 = 1')\nexcept gdb.MemoryError as e: print(e)\nend",
      "stepi",
    )
    expect(said).toMatch(/Cannot access memory at address 0x80004000\nHistory cannot be changed; .*cv fork/)
  })

  it("is interrupted by Ctrl-C", { timeout }, async () => {
    // A watchpoint in software has gdb step through all of it.
    const interrupt =
      "python import os, signal, threading; threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()"
    const said = await talk(
      "set can-use-hw-watchpoints 0",
      "watch *(int *)&bss_end",
      interrupt,
      "continue",
      "info registers pc",
    )
    expect(said).toMatch(/received signal SIGINT, Interrupt\./)
    expect(said).toMatch(/^pc +0x\w+/m)
  })

  it("steps back in a tenth of a second at most", { timeout }, async () => {
    const measure = [
      "python",
      "import time",
      "times = []",
      "for i in range(41):",
      "  start = time.time()",
      "  gdb.execute('reverse-stepi', to_string=True)",
      "  times.append(time.time() - start)",
      "print('p50', sorted(times)[20] * 1000)",
      "end",
    ].join("\n")
    const said = await talk("break shell_run", "break power_off", "continue", "delete", measure)
    expect(Number(/^p50 (\S+)$/m.exec(said)![1])).toBeLessThan(100)
  })

  it("hears that another one is there already, and goes on afterwards where that one was", { timeout }, async () => {
    const waiting = join(cli.home, "waiting.gdb")
    writeFileSync(
      waiting,
      `target remote ${place}\nmonitor seek 1ms\necho ready\\n\npython import sys; sys.stdout.flush(); sys.stdin.read()\n`,
    )
    const first = spawn("gdb-multiarch", ["-batch", "-nx", "-x", waiting], { stdio: ["pipe", "pipe", "ignore"] })
    let text = ""
    while (!text.includes("ready")) text += (await once(first.stdout, "data"))[0]
    const refused = await gdb("monitor position")
    expect(refused).toMatch(/Remote failure reply: E\.Another gdb is debugging board; end that one first/)
    expect(refused).toMatch(/Remote connection closed/)
    first.stdin.end()
    await once(first, "close")
    expect(await gdb("monitor when")).toMatch(/virtual time {2}0\.001000000 s/)
  })
})

describe.skipIf(!hasGdb)("cv gdb", () => {
  it("outlives clients that talk nonsense or fall silent", { timeout }, async () => {
    const [host, port] = place.split(":")
    for (const words of [
      "GET / HTTP/1.1\r\n\r\n",
      "$m80000000,",
      "+$vCont;c#a8",
      "$g#67".repeat(2000),
      "\x03\x03",
      "",
    ]) {
      const socket = connect(Number(port), host)
      socket.on("error", () => {})
      await once(socket, "connect")
      socket.write(words)
      await new Promise(resolve => setTimeout(resolve, 50))
      socket.destroy()
    }
    expect(await gdb("monitor seek start", "stepi", "p $pc")).toMatch(/0x80000000 <_start>/)
  })

  it("begins at a position and ends with the first gdb where that is asked for", { timeout }, async () => {
    const once = await listen("board", "--once", "--at", "r20.m0.h0.i400000")
    const before = place
    place = once.place
    expect(await gdb("monitor position")).toBe("r20.m0.h0.i400000\n")
    place = before
    expect(await once.outcome).toMatchObject({ code: 0, stderr: "" })
  })

  it.each([
    [["--listen", "nowhere"], 2, /"nowhere" is no place to listen at; use ADDRESS:PORT/],
    [["--listen", "127.0.0.1:99999"], 2, /is no place to listen at/],
    [["--listen", "192.0.2.1:0"], 1, /192\.0\.2\.1 is no address of this computer/],
    [["--at", "r9"], 2, /is not a position/],
    [["--at", "tomorrow"], 2, /is not a position; .* or give a virtual time such as 1\.5s/],
    [["--at", "r99999999.m0.h0.i0"], 2, /The history ends at/],
    [["--symbols", embeddedGuest.replace(".elf", ".json")], 2, /is no ELF program/],
    [["--symbols", "/no/such"], 2, /cannot be read/],
  ] as const)("says what is wrong with %j", { timeout }, async (args, code, sentence) => {
    const outcome = await cli.run("gdb", "board", ...args)
    expect(outcome).toMatchObject({ code, stdout: "" })
    expect(outcome.stderr).toMatch(sentence)
    expect(outcome.stderr).toMatch(/^cv: [^\n]+\n$/)
  })

  it("says that its port is taken", { timeout }, async () => {
    const { code, stderr } = await cli.run("gdb", "board", "--listen", place)
    expect(code).toBe(1)
    expect(stderr).toBe(`cv: ${place} is in use by another program; choose another port, or 0 for a free one.\n`)
  })

  it("debugs what is durable of a recording under way, and more when there is more", { timeout }, async () => {
    const recording = cli.start(["run", embeddedGuest, "--firmware", "none", "--name", "live"], "pipe")
    let text = ""
    recording.child.stdout!.on("data", piece => (text += piece))
    const printed = async (what: string) => {
      while (!text.includes(what)) await once(recording.child.stdout!, "data")
    }
    await printed("journal>")
    const before = place
    const live = await listen("live")
    place = live.place
    const positionIn = (said: string) => /^r\d+\.m0\.h\d\.i\d+$/m.exec(said)?.[0]
    const first = await gdb("continue", "monitor position", "monitor console 1")
    expect(first).toMatch(/No more reverse-execution history/)
    expect(first).toMatch(/^journal> $/m)
    recording.child.stdin!.end("quit\n")
    expect((await recording.outcome).code).toBe(0)
    const second = await gdb("continue", "monitor position", "monitor console 1")
    expect(second).toMatch(/^bye$/m)
    expect(positionIn(second)).not.toBe(positionIn(first))
    place = before
    live.child.kill("SIGINT")
    expect((await live.outcome).stderr).toMatch(
      /^cv: live is still being recorded, or was cut off; what is durable up to r\d+\S+ is there to debug\.\n$/,
    )
  })
})
