/** An editor on a program with debug information: lines, variables, and the same lines backward. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { DebugProtocol } from "@vscode/debugprotocol"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { record } from "../../../src/session/session.ts"
import { embedded, run, script, Watcher } from "../../session/embedded.ts"
import { type Compiled, cannotCompile, compileProgram } from "../lines/compiled.ts"
import { Editor, type Shown } from "./editor.ts"
import { differencesOf } from "./plain-run.ts"

const home = mkdtempSync(join(tmpdir(), "cv-dap-"))
const world = join(home, "worlds", "w.cv")
let program: Compiled

/** Records the program without its debug information: the launch configuration names that, linked elsewhere. */
beforeAll(async () => {
  mkdirSync(join(home, "worlds"))
  if (cannotCompile !== null) return
  const compilation = { period: 3, busy: 3000 }
  program = compileProgram({ ...compilation, base: 0x1000_0000 })
  writeFileSync(join(home, "program.elf"), program.bytes)
  const kernel = { name: "stripped.elf", bytes: compileProgram({ ...compilation, isStripped: true }).bytes }
  await run(record(world, embedded({ harts: 1, disks: [], kernel }), new Watcher(), script("")))
}, 60_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

const edit = (name: string, body: (editor: Editor) => Promise<void>) =>
  test(name, async () => {
    const editor = await Editor.start(home)
    try {
      await editor.launch({ world: "w", program: `${join(home, "program.elf")}@0x70000000` })
      await body(editor)
    } finally {
      await editor.stop()
    }
  }, 120_000)

const at = (text: string): number => program.line(text)

/** Sets breakpoints on lines; gives where they went. */
const breakOn = async (editor: Editor, ...breakpoints: DebugProtocol.SourceBreakpoint[]) =>
  (
    await editor.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>("setBreakpoints", {
      source: { path: program.source },
      breakpoints,
    })
  ).breakpoints

describe.skipIf(cannotCompile !== null)(`lines${cannotCompile === null ? "" : `: ${cannotCompile}`}`, () => {
  edit("are stepped through, and back through the same", async editor => {
    const [point] = await breakOn(editor, { line: at("total = square(5)") })
    expect(point).toMatchObject({ verified: true, line: at("total = square(5)") })
    const stop = await editor.go("continue")
    expect(stop).toMatchObject({ reason: "breakpoint", hitBreakpointIds: [point!.id] })
    expect(editor.printed.replaceAll("\r", "")).toContain("begin\n")
    const shown: Shown[] = [await editor.look()]
    const lines: number[][] = [await editor.lines()]
    for (const command of ["next", "stepIn", "next", "stepOut", "next", "stepIn", "stepIn", "next"]) {
      expect(await editor.go(command)).toMatchObject({ reason: "step" })
      lines.push((await editor.lines()).filter(line => line > 0))
      shown.push(await editor.look())
    }
    const main = (text: string) => [at(text)]
    expect(lines.slice(1)).toEqual([
      main("total += sum(4)"),
      [at("  int result = 0;"), at("total += sum(4)")],
      [at("for (int i = 0; i < count"), at("total += sum(4)")],
      main("total += sum(4)"),
      main("corner.x ="),
      [at("if (n < 2)"), at("corner.x =")],
      [at("int below ="), at("corner.x =")],
      [at("return n * below"), at("corner.x =")],
    ])
    const back: number[] = []
    for (let step = 0; step < 3; step++) {
      await editor.go("stepBack")
      back.push((await editor.lines())[0]!)
    }
    expect(back).toEqual([at("int below ="), at("if (n < 2)"), at("corner.x =")])
    // Into the last line of what was called before, as no key of an editor does it.
    await editor.type("reverse-step")
    await editor.stopped()
    expect((await editor.frames()).map(({ name, line }) => `${name} ${line}`).slice(0, 2)).toEqual([
      `sum ${at("for (int i = 0; i < count") + 5}`,
      `main ${at("total += sum(4)")}`,
    ])
    await editor.type("reverse-finish")
    await editor.stopped()
    expect(await editor.lines()).toEqual([at("total += sum(4)"), 0])
    await editor.type("reverse-next")
    await editor.stopped()
    expect((await editor.lines())[0]).toBe(at("total += sum(4)"))
    expect(await differencesOf(world, shown)).toEqual([])
  })

  edit("have variables, which can be opened, evaluated and watched", async editor => {
    await breakOn(editor, { line: at("return n * below") })
    await editor.go("continue")
    await editor.go("continue")
    const locals = await editor.scope("Locals")
    expect([...locals].map(([name, { value, type }]) => `${type} ${name} = ${value}`)).toEqual([
      "int n = 3",
      "int below = 2",
    ])
    const globals = await editor.scope("Globals")
    expect(globals.get("corner")!.value).toBe("{x = 3, y = 4}")
    const members = await editor.list(globals.get("corner")!.variablesReference)
    expect([...members.keys()]).toEqual(["x", "y"])
    const table = await editor.list(globals.get("table")!.variablesReference)
    expect([...table.values()].map(({ value }) => Number(value))).toEqual([0, 1, 5, 14, 0, 0, 0, 0])
    const frames = await editor.frames()
    const evaluate = async (expression: string, frame: number) =>
      (
        await editor.ask<{ result: string }>("evaluate", {
          expression,
          frameId: frames[frame]!.id,
          context: "watch",
        })
      ).result
    expect(await evaluate("n", 0)).toBe("3")
    expect(await evaluate("n", 1)).toBe("4")
    expect(await evaluate("corner.y", 0)).toBe("4")
    expect(await evaluate("table[3]", 0)).toBe("14")
    expect(await evaluate("below", 0)).toBe("2")
    // A caller's registers are those that are known still.
    const { scopes } = await editor.ask<{ scopes: DebugProtocol.Scope[] }>("scopes", { frameId: frames[1]!.id })
    const registers = await editor.list(scopes.find(({ name }) => name === "Registers")!.variablesReference)
    expect(BigInt(registers.get("sp")!.value.split(" ")[0]!)).toBeGreaterThan(
      BigInt((await editor.scope("Registers")).get("sp")!.value.split(" ")[0]!),
    )
    expect(registers.get("a0")!.value).toBe("unknown")
  })

  edit("are gone back to by who wrote a variable", async editor => {
    await editor.type("seek end")
    await editor.stopped()
    const { dataId } = await editor.ask<{ dataId: string }>("dataBreakpointInfo", { name: "corner" })
    await editor.ask("setDataBreakpoints", { breakpoints: [{ dataId, accessType: "write" }] })
    const written: number[] = []
    for (;;) {
      const stop = await editor.go("reverseContinue")
      if (stop.description === "beginning of history") break
      expect(stop.reason).toBe("data breakpoint")
      written.push((await editor.lines())[0]!)
    }
    expect(written).toEqual([at("corner.y ="), at("corner.x =")])
    for (const line of written.toReversed()) {
      const stop = await editor.go("continue")
      expect(stop.text).toMatch(/0x400000003 → 0x400000078|0x400000078 → 0x1000000078/)
      // Going on it stands behind the instruction, where the next line may begin.
      expect([line, line + 1]).toContain((await editor.lines())[0])
    }
  })

  edit("have breakpoints with conditions, on lines with code, and none elsewhere", async editor => {
    const [conditional, comment, wrong, counted] = await breakOn(
      editor,
      { line: at("int result = n * n"), condition: "a0 == 4 || mem32(s0 - 36) == 4" },
      { line: 1 },
      { line: at("return n * below"), condition: "nowhere ==" },
      { line: at("return n * below"), hitCondition: "2" },
    )
    expect(conditional).toMatchObject({ verified: true })
    expect(comment).toMatchObject({ verified: true, line: at("__attribute__((interrupt") })
    expect(wrong).toMatchObject({ verified: false, message: "A value is expected at the end." })
    expect(counted).toMatchObject({ verified: false, message: expect.stringMatching(/condition/) })
    const elsewhere = await editor.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>("setBreakpoints", {
      source: { path: "/nowhere/other.c" },
      breakpoints: [{ line: 3 }],
    })
    expect(elsewhere.breakpoints[0]).toMatchObject({ verified: false })
    await breakOn(editor, { line: at("int result = n * n"), condition: "mem32(s0 - 36) == 4" })
    await editor.go("continue")
    expect((await editor.scope("Locals")).get("n")!.value).toBe("4")
    expect(await editor.lines()).toEqual([at("int result = n * n"), at("corner.y ="), 0])
  })

  test("of sources that lie elsewhere than where they were compiled", async () => {
    const editor = await Editor.start(home)
    try {
      await editor.launch({
        world: "w",
        program: `${join(home, "program.elf")}@0x70000000`,
        sourceMap: { [dirname(program.source)]: "/elsewhere" },
      })
      const { breakpoints } = await editor.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>("setBreakpoints", {
        source: { path: "/elsewhere/program.c" },
        breakpoints: [{ line: at("int below =") }],
      })
      expect(breakpoints[0]).toMatchObject({ verified: true, source: { path: "/elsewhere/program.c" } })
      await editor.go("continue")
      expect((await editor.frames())[0]).toMatchObject({
        line: at("int below ="),
        source: { path: "/elsewhere/program.c" },
      })
    } finally {
      await editor.stop()
    }
  })

  edit("of the sources there are", async editor => {
    const { sources } = await editor.ask<{ sources: DebugProtocol.Source[] }>("loadedSources")
    expect(sources).toEqual([{ name: "program.c", path: program.source }])
    expect(await editor.refusal("stepOut")).toContain("threadId")
  })
})
