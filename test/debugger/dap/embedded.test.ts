/** An editor on a recorded guest with symbols and no lines: every place it comes to is compared with a plain run. */
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import { afterAll, beforeAll, expect, test } from "vitest"
import { comparePositions, formatPosition, parsePosition, WorldStore } from "../../../src/events/index.ts"
import { record } from "../../../src/session/session.ts"
import { embedded, run, script, Watcher } from "../../session/embedded.ts"
import { Editor, type Shown } from "./editor.ts"
import { arrivalsAt, differencesOf } from "./plain-run.ts"

const program = new URL("../../../scenarios/guests/embedded/embedded.elf", import.meta.url).pathname
const harts = 2
const home = mkdtempSync(join(tmpdir(), "cv-dap-"))
const world = join(home, "worlds", "w.cv")
let printed = ""

beforeAll(async () => {
  mkdirSync(join(home, "worlds"))
  const watcher = new Watcher()
  await run(record(world, embedded({ harts }), watcher, script("list\nadd a note\nstat\nlist\nquit\n")))
  printed = watcher.console
}, 60_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

/** A test with an editor of its own. */
const edit = (name: string, body: (editor: Editor) => Promise<void>) =>
  test(name, async () => {
    const editor = await Editor.start(home)
    try {
      await body(editor)
    } finally {
      await editor.stop()
    }
  }, 120_000)

const addressOf = (symbol: string): bigint => {
  const text = execFileSync("riscv64-linux-gnu-nm", [program], { encoding: "utf8" })
  return BigInt(`0x${new RegExp(`^([\\da-f]+) . ${symbol}$`, "m").exec(text)![1]}`)
}
const hasBinutils = spawnSync("riscv64-linux-gnu-nm", ["--version"]).status === 0

/** The interrupts of the history, as the log has them: hart, cause, instructions before. */
const loggedInterrupts = () =>
  run(
    Effect.gen(function* () {
      const opened = yield* (yield* WorldStore).openReadOnly(world)
      const events = yield* opened.readEvents({ kinds: ["interrupt"] }, 10_000)
      return events.flatMap(event => (event.kind === "interrupt" ? event.payload.interrupts : []))
    }),
  )

edit("begins where it is told to", async editor => {
  const stop = await editor.launch({ world: "w" })
  expect(stop).toMatchObject({ reason: "entry", threadId: 1, allThreadsStopped: true })
  expect(await editor.position()).toBe("r0.m0.h0.i0")
  expect(await editor.ask("threads")).toEqual({
    threads: [
      { id: 1, name: "hart 0" },
      { id: 2, name: "hart 1" },
    ],
  })
  await editor.stop()

  const later = await Editor.start(home)
  await later.launch({ world, at: "0.1s" })
  const { position } = await later.look()
  expect(position.round).toBeGreaterThan(1000)
  await later.stop()
  const again = await Editor.start(home)
  await again.launch({ world, at: formatPosition(position), stopOnEntry: true })
  const shown = [await again.look(1), await again.look(2)]
  expect(shown[0]!.position).toEqual(position)
  expect(await differencesOf(world, shown)).toEqual([])
  await again.stop()
})

edit("stops at a function both ways, wherever a plain run comes by", async editor => {
  await editor.launch({ world: "w" })
  const count = 600_000
  const [known] = (
    await editor.ask<{ breakpoints: { verified: boolean; instructionReference: string; id: number }[] }>(
      "setFunctionBreakpoints",
      { breakpoints: [{ name: "console_print" }] },
    )
  ).breakpoints
  expect(known!.verified).toBe(true)
  const expected = await arrivalsAt(world, BigInt(known!.instructionReference), count)
  expect(expected.length).toBeGreaterThan(5)
  const shown: Shown[] = []
  const there: string[] = []
  for (const _ of expected) {
    const stop = await editor.go("continue")
    expect(stop).toMatchObject({ reason: "function breakpoint", hitBreakpointIds: [known!.id] })
    there.push(await editor.position())
    shown.push(await editor.look(stop.threadId))
  }
  expect(there).toEqual(expected)
  const back: string[] = []
  for (let order = 1; order < expected.length; order++) {
    await editor.go("reverseContinue")
    back.push(await editor.position())
  }
  expect(back).toEqual(expected.toReversed().slice(1))
  expect(await differencesOf(world, shown)).toEqual([])

  await editor.ask("setFunctionBreakpoints", { breakpoints: [] })
  await editor.ask("setInstructionBreakpoints", {
    breakpoints: [{ instructionReference: known!.instructionReference, condition: `instret > 3000` }],
  })
  const instretOf = (text: string) => parsePosition(text).instret
  const next = expected.find(text => instretOf(text) > 3000 && text > back.at(-1)!)!
  expect(await editor.go("continue")).toMatchObject({ reason: "instruction breakpoint" })
  expect(instretOf(await editor.position())).toBeGreaterThan(3000)
  expect(expected).toContain(await editor.position())
  expect(next).toBeDefined()
})

edit("stops at every interrupt of the log, in order, and at the same going back", async editor => {
  await editor.launch({ world: "w" })
  const logged = await loggedInterrupts()
  expect(logged.length).toBeGreaterThan(3)
  await editor.ask("setExceptionBreakpoints", { filters: ["interrupts"] })
  const found: { hart: number; cause: number; instret: number }[] = []
  const shown: Shown[] = []
  for (;;) {
    const stop = await editor.go("continue")
    if (stop.description === "end of history") break
    expect(stop.reason).toBe("exception")
    const { exceptionId } = await editor.ask<{ exceptionId: string }>("exceptionInfo", { threadId: 1 })
    const { position } = await editor.look(stop.threadId)
    const hart = stop.threadId! - 1
    found.push({ hart, cause: Number(/^interrupt (\d+)$/.exec(exceptionId)![1]), instret: position.instret })
    expect(position.hart).toBe(hart)
    shown.push(await editor.look(stop.threadId))
  }
  expect(found).toEqual(logged.map(({ hart, cause, instret }) => ({ hart, cause, instret })))
  for (const { position } of shown.toReversed()) {
    await editor.go("reverseContinue")
    expect(await editor.position()).toBe(formatPosition(position))
  }
  expect(await editor.go("reverseContinue")).toMatchObject({ description: "beginning of history" })
  expect(await differencesOf(world, shown)).toEqual([])
})

edit("steps back over each instruction that it stepped over", async editor => {
  await editor.launch({ world: "w", at: "0.05s" })
  const shown: Shown[] = []
  for (const hart of [1, 2, 1, 2]) {
    for (let step = 0; step < 4; step++) {
      await editor.go("stepIn", { threadId: hart, granularity: "instruction" })
      shown.push(await editor.look(hart))
    }
  }
  const last = shown.slice(-4)
  for (const { position } of last.toReversed().slice(1)) {
    await editor.go("stepBack", { threadId: 2, granularity: "instruction" })
    expect(await editor.position()).toBe(formatPosition(position))
  }
  // Calls are stepped over, and what they do is done.
  await editor.ask("setFunctionBreakpoints", { breakpoints: [{ name: "console_print" }] })
  await editor.go("reverseContinue")
  await editor.ask("setFunctionBreakpoints", { breakpoints: [] })
  await editor.go("stepBack", { granularity: "instruction" })
  const call = await editor.look()
  await editor.go("next", { granularity: "instruction" })
  const behind = await editor.look()
  expect(behind.registers.get("sp")).toBe(call.registers.get("sp"))
  expect(behind.registers.get("pc")! - call.registers.get("pc")!).toBeLessThan(5n)
  expect(await differencesOf(world, [...shown, call, behind])).toEqual([])
})

edit("goes out of a function, from its first instruction and from within, to where the call goes on", async editor => {
  await editor.launch({ world: "w" })
  await editor.ask("setFunctionBreakpoints", { breakpoints: [{ name: "console_print" }] })
  const shown: Shown[] = []
  for (const steps of [0, 1, 5, 20, 40]) {
    await editor.ask("setFunctionBreakpoints", { breakpoints: [{ name: "console_print" }] })
    const { threadId } = await editor.go("continue")
    await editor.ask("setFunctionBreakpoints", { breakpoints: [] })
    const entry = await editor.look(threadId)
    for (let step = 0; step < steps; step++) await editor.go("next", { threadId, granularity: "instruction" })
    expect((await editor.frames(threadId))[0]!.name).toBe("console_print")
    await editor.go("stepOut", { threadId })
    const outside = await editor.look(threadId)
    expect(outside.registers.get("pc")).toBe(entry.registers.get("ra"))
    expect(outside.registers.get("sp")).toBe(entry.registers.get("sp"))
    shown.push(entry, outside)
  }
  expect(await differencesOf(world, shown)).toEqual([])
})

edit("finds who wrote to memory last, by going back to it", async editor => {
  await editor.launch({ world: "w", at: "end" })
  const { dataId, accessTypes } = await editor.ask<{ dataId: string; accessTypes: string[] }>("dataBreakpointInfo", {
    name: "notes",
  })
  expect(accessTypes).toContain("write")
  const { breakpoints } = await editor.ask<{ breakpoints: { id: number; verified: boolean }[] }>("setDataBreakpoints", {
    breakpoints: [{ dataId, accessType: "write" }],
  })
  const reference = /0x[\da-f]+/.exec(dataId)![0]
  const read = async () =>
    Buffer.from(
      (await editor.ask<{ data: string }>("readMemory", { memoryReference: reference, count: 8 })).data,
      "base64",
    ).readBigUInt64LE()
  const last = await read()
  expect(last).toBe(1n)
  const stop = await editor.go("reverseContinue")
  expect(stop).toMatchObject({ reason: "data breakpoint", hitBreakpointIds: [breakpoints[0]!.id] })
  // It stands before the instruction: one step later the value is there.
  expect(await read()).toBe(0n)
  const before = await editor.look()
  await editor.ask("setDataBreakpoints", { breakpoints: [] })
  await editor.go("stepIn", { granularity: "instruction" })
  expect(await read()).toBe(last)
  const after = await editor.look()
  expect(comparePositions(before.position, after.position)).toBeLessThan(0)
  expect(await differencesOf(world, [before, after])).toEqual([])
  const [{ instruction }] = (
    await editor.ask<{ instructions: { instruction: string }[] }>("disassemble", {
      memoryReference: `0x${before.registers.get("pc")!.toString(16)}`,
      instructionCount: 1,
    })
  ).instructions as [{ instruction: string }]
  expect(instruction).toMatch(/^(?:c\.)?s[dw] /)
})

edit("is paused in a long way, and stands there", async editor => {
  await editor.launch({ world: "w" }, { supportsProgressReporting: true })
  await editor.ask("setDataBreakpoints", {
    breakpoints: [{ dataId: "virtual:0x80026000:8", accessType: "readWrite", condition: "0" }],
  })
  await editor.ask("continue", { threadId: 1 })
  expect(await editor.refusal("stackTrace", { threadId: 1 })).toContain("pause it first")
  expect((await editor.ask<{ threads: unknown[] }>("threads")).threads).toHaveLength(2)
  await editor.ask("pause", { threadId: 1 })
  const stop = await editor.stopped()
  expect(stop).toMatchObject({ reason: "pause", description: expect.stringMatching(/^Paused at r/) })
  const shown = await editor.look(stop.threadId)
  expect(shown.position.round).toBeGreaterThan(0)
  expect(await differencesOf(world, [shown])).toEqual([])
  // Going back it stands where it was.
  await editor.type("seek end")
  await editor.stopped()
  const end = await editor.position()
  await editor.ask("reverseContinue", { threadId: 1 })
  await editor.ask("pause", { threadId: 1 })
  expect((await editor.stopped()).description).toBe(`Paused at ${end}`)
  expect(await editor.position()).toBe(end)
})

edit("breakpoints that are set on the way count", async editor => {
  await editor.launch({ world: "w" })
  await editor.ask("setDataBreakpoints", {
    breakpoints: [{ dataId: "virtual:0x80026000:8", accessType: "readWrite", condition: "0" }],
  })
  await editor.ask("continue", { threadId: 1 })
  await editor.ask("setFunctionBreakpoints", { breakpoints: [{ name: "power_off" }] })
  expect(await editor.stopped()).toMatchObject({ reason: "function breakpoint" })
  expect((await editor.frames())[0]!.name).toBe("power_off")
})

edit("shows both ends of history, and the console on the way there", async editor => {
  await editor.launch({ world: "w" })
  expect(await editor.go("reverseContinue")).toMatchObject({ description: "beginning of history" })
  expect(await editor.go("stepBack", { granularity: "instruction" })).toMatchObject({
    description: "beginning of history",
  })
  expect(await editor.go("continue")).toMatchObject({ description: "end of history" })
  expect(editor.printed).toBe(printed)
  expect(await editor.go("stepIn")).toMatchObject({ description: "end of history" })
  expect((await editor.type("console 1")).trim()).toBe(printed.trimEnd().split("\n").at(-1)!.trim())
  expect(await editor.go("reverseContinue")).toMatchObject({ description: "beginning of history" })
  expect(editor.printed).toBe(printed)
})

edit("shows registers, what they were, and what CSRs mean", async editor => {
  await editor.launch({ world: "w", at: "0.02s" })
  const csrs = await editor.scope("CSRs")
  expect(csrs.get("mstatus")!.value).toMatch(/^0x[\da-f]+ .*MPP=[USM].* FS=(?:off|initial|clean|dirty)/)
  expect(csrs.get("mie")!.value).toMatch(/MSIE/)
  const before = (await editor.look()).registers
  await editor.go("stepIn", { granularity: "instruction" })
  const registers = await editor.scope("Registers")
  expect(registers.get("pc")!.value).toContain(`(was 0x${before.get("pc")!.toString(16)})`)
  const unchanged = [...registers.values()].filter(({ value }) => !value.includes("(was "))
  expect(unchanged.length).toBeGreaterThan(25)
  expect((await editor.scope("Floating-point registers")).size).toBe(32)
  expect(await editor.type("pc")).toMatch(/^0x[\da-f]+ <\w+/)
  expect(await editor.type("console_print + 4")).toMatch(/<console_print\+0x4>/)
  expect(await editor.type("mem8(0x80000000)")).toMatch(/^0x73 \(115\)$/)
  expect(await editor.type("x/2xw 0x80000000")).toBe(
    `0x80000000 <_start>: ${[0, 4]
      .map(
        at =>
          `0x${readFileSync(program)
            .readUInt32LE(0x1000 + at)
            .toString(16)
            .padStart(8, "0")}`,
      )
      .join(" ")}`,
  )
  expect(await editor.type("x/2i 0x80000000")).toMatch(
    /<_start>: csrrw zero, mstatus, zero|<_start>: csrw mstatus, zero/,
  )
})

test.skipIf(!hasBinutils)(
  `lists instructions as objdump does, in front of an address too${hasBinutils ? "" : ": there is no riscv64-linux-gnu-objdump"}`,
  async () => {
    const text = execFileSync("riscv64-linux-gnu-objdump", ["-d", "-j", ".text", program], { encoding: "utf8" })
    const addresses = [...text.matchAll(/^ *([\da-f]+):\t/gm)].map(([, address]) => BigInt(`0x${address}`))
    const editor = await Editor.start(home)
    try {
      await editor.launch({ world: "w" })
      for (const [symbol, offset, count] of [
        ["main", -60, 200],
        ["trap_handle", 10, 30],
        ["checks_run", -150, 100],
        ["main", -3, 2],
      ] as const) {
        const at = addressOf(symbol) + 8n
        const order = addresses.indexOf(at)
        const { instructions } = await editor.ask<{ instructions: { address: string; symbol?: string }[] }>(
          "disassemble",
          { memoryReference: `0x${at.toString(16)}`, instructionOffset: offset, instructionCount: count },
        )
        expect(instructions.map(({ address }) => BigInt(address))).toEqual(
          addresses.slice(order + offset, order + offset + count),
        )
      }
      // No memory lies before the first instruction.
      const { instructions } = await editor.ask<{ instructions: { address: string; presentationHint?: string }[] }>(
        "disassemble",
        { memoryReference: "0x80000000", instructionOffset: -3, instructionCount: 5 },
      )
      expect(instructions.map(({ presentationHint }) => presentationHint ?? "")).toEqual([
        ...["invalid", "invalid", "invalid"],
        ...["", ""],
      ])
      expect(instructions[3]!.address).toBe("0x80000000")
    } finally {
      await editor.stop()
    }
  },
  60_000,
)

edit("shows below a trap's handler what was interrupted, and goes out to there", async editor => {
  await editor.launch({ world: "w" })
  const register = async (threadId: number, name: string) =>
    (await editor.scope("Registers", threadId)).get(name)!.value.replace(/ \(was.*/, "")
  for (let times = 0; times < 4; times++) {
    await editor.ask("setFunctionBreakpoints", { breakpoints: [{ name: "machine_trap" }] })
    const { threadId, reason } = await editor.go("continue")
    expect(reason).toBe("function breakpoint")
    const [handler, interrupted] = await editor.frames(threadId)
    expect(handler!.name).toBe("machine_trap")
    const known = [await register(threadId!, "sp"), await register(threadId!, "a0"), await register(threadId!, "t0")]
    await editor.ask("setFunctionBreakpoints", { breakpoints: [] })
    expect(await editor.go("stepOut", { threadId })).toMatchObject({ reason: "step", threadId })
    expect((await editor.frames(threadId))[0]!.instructionPointerReference).toBe(
      interrupted!.instructionPointerReference,
    )
    // All registers are those that the handler found.
    expect([await register(threadId!, "sp"), await register(threadId!, "a0"), await register(threadId!, "t0")]).toEqual(
      known,
    )
  }
})
