/** What cannot be done is said in one sentence each, and nothing ends the adapter. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import BetterSqlite from "better-sqlite3"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import type { Outside } from "../../../src/session/outside.ts"
import { record } from "../../../src/session/session.ts"
import { embedded, run, script, Watcher } from "../../session/embedded.ts"
import { Editor } from "./editor.ts"

const home = mkdtempSync(join(tmpdir(), "cv-dap-"))
const world = join(home, "worlds", "notes.cv")

beforeAll(async () => {
  mkdirSync(join(home, "worlds"))
  writeFileSync(join(home, "text.elf"), "no ELF file")
  await run(record(world, embedded({ harts: 1 }), new Watcher(), script("quit\n")))
}, 60_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

const edit = (name: string, body: (editor: Editor) => Promise<void>) =>
  test(name, async () => {
    const editor = await Editor.start(home)
    try {
      await body(editor)
    } finally {
      await editor.stop()
    }
  }, 60_000)

/** One sentence: it begins large and ends with one full stop or question mark. */
const sentence = /^["A-Z0-9/-](?:[^.?]|[.](?=\S))*[.?]$/

edit("before there is a world", async editor => {
  for (const command of ["threads", "continue", "stackTrace", "setBreakpoints", "evaluate", "pause", "nothing"])
    expect(await editor.refusal(command)).toMatch(/send launch or attach first\.$/)
  expect(await editor.refusal("initialize", { pathFormat: "uri" })).toMatch(sentence)
  await editor.ask("initialize", { adapterID: "chronovisor" })
  const launch = (args: Record<string, unknown>) => editor.refusal("launch", args)
  expect(await launch({})).toContain('put "world"')
  expect(await launch({ world: 3 })).toContain('put "world"')
  expect(await launch({ world: "nots" })).toBe("There is no world named nots; did you mean notes?")
  expect(await launch({ world: "../notes" })).toMatch(sentence)
  expect(await launch({ world: "/nowhere.cv" })).toContain("There is no world file /nowhere.cv")
  expect(await launch({ world: join(home, "text.elf.cv") })).toMatch(sentence)
  expect(await launch({ world: "notes", program: join(home, "text.elf") })).toContain("is no ELF program")
  expect(await launch({ world: "notes", program: join(home, "none.elf") })).toContain("none.elf")
  expect(await launch({ world: "notes", programs: "a" })).toContain('"programs"')
  expect(await launch({ world: "notes", at: "yesterday" })).toContain('"yesterday"')
  expect(await launch({ world: "notes", at: 5 })).toContain('"at"')
  expect(await launch({ world: "notes", at: "r999999999.m0.h0.i1" })).toContain("r999999999.m0.h0.i1")
  expect(await launch({ world: "notes", stopOnEntry: "yes" })).toContain("stopOnEntry")
  expect(await launch({ world: "notes", sourceRoot: 1 })).toContain("sourceRoot")
  expect(await launch({ world: "notes", sourceMap: { "/a": 1 } })).toContain("sourceMap")
  // After all of that a launch is done as ever.
  expect(await editor.launch({ world: "notes" })).toMatchObject({ reason: "entry" })
  expect(await launch({ world: "notes" })).toContain("already")
})

edit("of what is not there, or not any more", async editor => {
  await editor.launch({ world: "notes" })
  const refused = async (command: string, args: Record<string, unknown>) => {
    const said = await editor.refusal(command, args)
    expect(said).toMatch(sentence)
    return said
  }
  expect(await refused("stackTrace", { threadId: 9 })).toContain("There is no thread 9")
  expect(await refused("continue", {})).toContain("threadId")
  expect(await refused("next", { threadId: "one" })).toContain("threadId")
  expect(await refused("scopes", { frameId: 77 })).toContain("There is no frame 77")
  expect(await refused("variables", { variablesReference: 77 })).toContain("77")
  expect(await refused("readMemory", { memoryReference: "here", count: 4 })).toContain('"here"')
  expect(await refused("readMemory", { memoryReference: "h7:0x80000000", count: 4 })).toContain("h7")
  expect(await refused("readMemory", { memoryReference: "0xffffffffffffffff", offset: 2, count: 4 })).toContain(
    "64 bits",
  )
  expect(await refused("readMemory", { memoryReference: "0x80000000", count: -1 })).toContain("-1")
  expect(await refused("disassemble", { memoryReference: "0x80000000", instructionCount: 1e9 })).toContain("too many")
  expect(await refused("exceptionInfo", { threadId: 1 })).toContain("exception")
  expect(await refused("evaluate", {})).toContain("expression")
  expect(await refused("evaluate", { expression: "a0 ==", context: "watch" })).toContain("value is expected")
  expect(await refused("evaluate", { expression: "mainn", context: "hover" })).toMatch(/mainn/)
  expect(await refused("evaluate", { expression: "mem64(0)", context: "repl" })).toContain("There is no value")
  expect(await refused("evaluate", { expression: "x/4gx 0x10", context: "repl" })).toContain("no memory")
  expect(await refused("evaluate", { expression: "x/zz 0x10", context: "repl" })).toContain("x/8gx")
  expect(await refused("setBreakpoints", {})).toContain("source")
  expect(await refused("stepOut", { threadId: 1 })).toMatch(/^The caller of _start is not known/)
  for (const command of ["goto", "constructor", "toString", "__proto__"])
    expect(await refused(command, { threadId: 1 })).toContain(command)
  // A way that cannot be gone leaves everything as it is.
  const [same] = await editor.frames()
  expect(await refused("evaluate", { expression: "seek yesterday", context: "repl" })).toContain("yesterday")
  expect(await refused("evaluate", { expression: "seek r99999999.m0.h0.i1", context: "repl" })).toContain("r99999999")
  expect(await refused("evaluate", { expression: "seek", context: "repl" })).toMatch(sentence)
  await editor.ask("scopes", { frameId: same!.id })
  expect(await refused("setVariable", { name: "a0", value: "1" })).toContain("setVariable")
  // A frame from before a motion is none any more.
  const [frame] = await editor.frames()
  await editor.go("stepIn", { granularity: "instruction" })
  expect(await refused("scopes", { frameId: frame!.id })).toContain("any more")

  const { breakpoints } = await editor.ask<{ breakpoints: { verified: boolean; message: string }[] }>(
    "setFunctionBreakpoints",
    { breakpoints: [{ name: "console_prnt" }, {}, { name: "main", condition: "a0 ==" }] },
  )
  expect(breakpoints.map(({ verified }) => verified)).toEqual([false, false, false])
  expect(breakpoints[0]!.message).toContain("console_print")
  for (const { message } of breakpoints) expect(message).toMatch(sentence)
  const exceptions = await editor.ask<{ breakpoints: { verified: boolean; message?: string }[] }>(
    "setExceptionBreakpoints",
    {
      filters: ["interrupts", "weather"],
      filterOptions: [
        { filterId: "exceptions", condition: "pageFault, 2" },
        { filterId: "syscalls", condition: "opn" },
      ],
    },
  )
  expect(exceptions.breakpoints.map(({ verified }) => verified)).toEqual([true, false, true, false])
  const data = await editor.ask<{ breakpoints: { verified: boolean }[] }>("setDataBreakpoints", {
    breakpoints: [{ dataId: "everything" }, { dataId: "virtual:0x80005000:8" }, { dataId: "register:mcause" }],
  })
  expect(data.breakpoints.map(({ verified }) => verified)).toEqual([false, true, true])
  const many = Array.from({ length: 40 }, (_, order) => ({
    dataId: `virtual:0x${(0x8000_5000 + order * 64).toString(16)}:8`,
  }))
  const room = await editor.ask<{ breakpoints: { verified: boolean }[] }>("setDataBreakpoints", { breakpoints: many })
  expect(room.breakpoints.filter(({ verified }) => verified)).toHaveLength(32)
  expect(await editor.ask("dataBreakpointInfo", { name: "nothing_like_it" })).toMatchObject({ dataId: null })
})

test("of a world that is damaged, where the damage is come to", async () => {
  const path = join(home, "worlds", "damaged.cv")
  await run(record(path, embedded({ harts: 1 }), new Watcher(), script("quit\n")))
  const database = new BetterSqlite(path)
  const { seq } = database
    .prepare("select seq from event where kind = 'batch' order by seq limit 1 offset 20")
    .get() as { seq: number }
  database.prepare("update event set payload = zeroblob(length(payload)) where seq = ?").run(seq)
  database.close()
  const editor = await Editor.start(home)
  try {
    await editor.launch({ world: "damaged" })
    const stop = await editor.go("continue")
    expect(stop.text).toMatch(/find the damage\.$/)
    expect(editor.remarks.join("")).toContain("find the damage")
    expect(await editor.position()).toBe("r0.m0.h0.i0")
    expect(await editor.frames()).toHaveLength(1)
  } finally {
    await editor.stop()
  }
}, 60_000)

/** A server at a free port. */
const serve = (): Promise<{ server: ChildProcess; port: number }> =>
  new Promise((resolve, reject) => {
    const main = new URL("../../../src/cli/main.ts", import.meta.url).pathname
    const server = spawn(process.execPath, [main, "dap", "--listen", "127.0.0.1:0"], {
      env: { ...process.env, CHRONOVISOR_HOME: home },
    })
    let said = ""
    server.stderr.on("data", bytes => {
      said += bytes
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]
      if (port) resolve({ server, port: Number(port) })
    })
    server.once("exit", () => reject(new Error(said)))
  })

/** Sends bytes as they are and collects what comes back until it has `count` messages. */
const exchange = (socket: Socket, bytes: string, count: number): Promise<readonly Record<string, unknown>[]> =>
  new Promise((resolve, reject) => {
    let text = ""
    const take = (part: Buffer) => {
      text += part.toString("utf8")
      const messages = text.split(/Content-Length: \d+\r\n\r\n/).filter(message => message !== "")
      if (messages.length < count) return
      socket.off("data", take)
      resolve(messages.map(message => JSON.parse(message)))
    }
    socket.on("data", take)
    socket.once("close", () => reject(new Error(`closed after ${text}`)))
    socket.write(bytes)
  })

const framed = (text: string): string => `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`

test("messages that cannot be read are left out, and clients of one port are served side by side", async () => {
  const { server, port } = await serve()
  try {
    const socket = connect(port, "127.0.0.1")
    const request = (seq: number, command: string) =>
      framed(JSON.stringify({ seq, type: "request", command, arguments: {} }))
    const remarks = await exchange(socket, framed("{ no json"), 1)
    expect(remarks[0]).toMatchObject({ type: "event", event: "output", body: { category: "important" } })
    const garbage = [
      framed("null"),
      framed("[1, 2]"),
      framed(JSON.stringify({ type: "request" })),
      "Content-Length: many\r\n\r\n",
      "Nothing: at all\r\n\r\n",
      framed(JSON.stringify({ seq: 1, type: "request", command: "launch", arguments: "world" })),
      framed(JSON.stringify({ seq: 2, type: "request", command: ["initialize"], arguments: null })),
      framed(JSON.stringify({ seq: 3, type: "response", command: "x", request_seq: 9, success: true })),
    ].join("")
    const answers = await exchange(socket, garbage + request(4, "initialize"), 5)
    expect(answers.find(answer => answer.request_seq === 4)).toMatchObject({ command: "initialize", success: true })
    expect(answers.find(answer => answer.request_seq === 1)).toMatchObject({ success: false })
    const [first, second] = [await Editor.start(home, port), await Editor.start(home, port)]
    await first.launch({ world: "notes" })
    await second.launch({ world: "notes", at: "end" })
    expect(await first.position()).toBe("r0.m0.h0.i0")
    expect(await second.position()).not.toBe("r0.m0.h0.i0")
    await first.stop()
    expect((await second.go("reverseContinue")).description).toBe("beginning of history")
    await second.stop()
    // A client that is gone without a word, in the middle of a motion, is nobody's harm.
    const third = await Editor.start(home, port)
    await third.launch({ world: "notes" })
    await third.ask("continue", { threadId: 1 })
    ;(third.client as unknown as { _socket: Socket })._socket.destroy()
    const fourth = await Editor.start(home, port)
    expect(await fourth.launch({ world: "notes" })).toMatchObject({ reason: "entry" })
    await fourth.stop()
    socket.destroy()
    expect(server.exitCode).toBeNull()
  } finally {
    server.kill()
  }
}, 120_000)

/** Types its lines one by one when it is told to, and waits as long as it takes. */
class Typist implements Outside {
  readonly pace = "wall"
  console = ""
  private readonly lines: string[] = []
  private isDone = false
  type(line: string): void {
    this.lines.push(`${line}\n`)
  }
  end(): void {
    this.isDone = true
  }
  typed = () => new TextEncoder().encode(this.lines.shift() ?? "")
  quits = () => this.isDone
  show = (bytes: Uint8Array): void => {
    this.console += new TextDecoder("latin1").decode(bytes)
  }
  breathe = Effect.promise<void>(() => new Promise(resolve => setImmediate(resolve)))
  wait = (ns: number) => {
    const ms = Math.min(5, Math.ceil(ns / 1e6))
    return Effect.promise(() => new Promise<number>(resolve => setTimeout(() => resolve(Math.min(ns, ms * 1e6)), ms)))
  }
}

test("a world that is being recorded is there as far as it goes, and goes on later", async () => {
  const path = join(home, "worlds", "live.cv")
  const typist = new Typist()
  const recording = run(record(path, embedded({ harts: 1 }), typist, { until: null, script: null }))
  const shows = async (text: string) => {
    while (!typist.console.includes(text)) await new Promise(resolve => setTimeout(resolve, 20))
  }
  await shows("journal>")
  const editor = await Editor.start(home)
  try {
    await editor.launch({ world: "live" })
    expect(await editor.go("continue")).toMatchObject({ description: "end of history" })
    const first = await editor.look()
    const seen = editor.printed
    expect(typist.console.startsWith(seen)).toBe(true)
    typist.type("add a note")
    await shows("wrote record")
    typist.type("stat")
    await shows("notes")
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(await editor.go("continue")).toMatchObject({ description: "end of history" })
    const second = await editor.look()
    expect(second.position.round).toBeGreaterThan(first.position.round)
    expect(editor.printed.length).toBeGreaterThan(seen.length)
    expect(editor.printed).toContain("add a note")
    expect((await editor.go("reverseContinue")).description).toBe("beginning of history")
  } finally {
    await editor.stop()
    typist.end()
    await recording
  }
}, 120_000)
