/** Expressions of C over the variables of a program in several source files: in watch lists, conditions and data breakpoints. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DebugProtocol } from "@vscode/debugprotocol"
import { afterAll, beforeAll, expect, test } from "vitest"
import { record } from "../../../src/session/session.ts"
import { embedded, run, Watcher } from "../../session/embedded.ts"
import { Editor } from "./editor.ts"

const home = mkdtempSync(join(tmpdir(), "cv-dap-"))
const sources = join(import.meta.dirname, "../../../scenarios/guests/race")

beforeAll(async () => {
  mkdirSync(join(home, "worlds"))
  const kernel = { name: "race.elf", bytes: new Uint8Array(readFileSync(join(sources, "race.elf"))) }
  const options = { until: { kind: "time", virtualNs: 5_300_000 }, script: null } as const
  await run(record(join(home, "worlds", "race.cv"), embedded({ harts: 2, disks: [], kernel }), new Watcher(), options))
}, 60_000)

afterAll(() => rmSync(home, { recursive: true, force: true }))

const lineOf = (file: string, text: string): number =>
  readFileSync(join(sources, file), "utf8")
    .split("\n")
    .findIndex(line => line.includes(text)) + 1

const breakOn = async (editor: Editor, file: string, text: string, condition: string) => {
  const { breakpoints } = await editor.ask<{ breakpoints: DebugProtocol.Breakpoint[] }>("setBreakpoints", {
    source: { path: join(sources, file) },
    breakpoints: [{ line: lineOf(file, text), condition }],
  })
  return breakpoints[0]!
}

/** Evaluates in a frame of a thread as a watch list does; what cannot be evaluated gives the sentence that says so. */
const evaluator = async (editor: Editor, thread: number, level = 0) => {
  const frames = await editor.frames(thread)
  return async (expression: string): Promise<string> => {
    const args = { expression, frameId: frames[level]!.id, context: "watch" }
    try {
      return (await editor.ask<{ result: string }>("evaluate", args)).result
    } catch (cause) {
      return (cause as Error).message
    }
  }
}

test("variables have their values in expressions, conditions and data breakpoints", async () => {
  const editor = await Editor.start(home)
  try {
    await editor.launch({ world: "race", program: join(sources, "race.elf") })
    expect(
      (await breakOn(editor, "jobs.c", "list_append(&open_jobs", "job->number == 7 && jobs_opened > 3")).verified,
    ).toBe(true)
    expect(await breakOn(editor, "jobs.c", "list_append(&open_jobs", "jop->number == 7")).toMatchObject({
      verified: false,
      message: expect.stringContaining("jop"),
    })
    await breakOn(editor, "jobs.c", "list_append(&open_jobs", "job->number == 7 && jobs_opened > 3")
    expect(await editor.go("continue")).toMatchObject({ reason: "breakpoint", threadId: 1 })
    const here = await evaluator(editor, 1)
    expect(await here("job->number")).toBe("7")
    expect(await here("jobs_opened")).toBe("7")
    expect(await here("jobs_opened + 1")).toBe("8")
    expect(await here("jobs_opened*2-job->number")).toBe("7")
    expect(await here("jobs_opened == 7 && job->number != 6")).toBe("1")
    expect(await here("sym:jobs_opened == &jobs_opened")).toBe("1")
    expect(await here("mem64(&jobs_opened) & 0xff")).toBe("7")
    expect(await here("open_jobs.previous->next == &open_jobs")).toBe("1")
    expect(await here("$a0 == a0")).toBe("1")
    expect(await here("*job")).toContain("number = 7")
    // Of another source file.
    expect(await here("pool_taken")).toBe("7")
    expect(await here("pool_taken - jobs_opened")).toBe("0")
    expect(await here("job->nothing")).toMatch(/\.$/)
    // What the list of variables shows is named as an expression names it.
    const locals = await editor.scope("Locals")
    const job = locals.get("job")!
    expect(job.evaluateName).toBe("job")
    for (const { evaluateName, value } of (await editor.list(job.variablesReference)).values()) {
      expect(evaluateName).toMatch(/^job->\w+$/)
      expect(await here(evaluateName!)).toBe(value)
    }
    // Registers of a caller are those that it has, or none.
    const caller = await evaluator(editor, 1, 1)
    expect(await caller("a0")).toMatch(/^a0 is not known in this frame any more/)
    expect(BigInt((await caller("sp")).split(" ")[0]!)).toBeGreaterThan(BigInt((await here("sp")).split(" ")[0]!))
    // Back to who wrote a part of what a pointer points to.
    const frameId = (await editor.frames(1))[0]!.id
    const { dataId } = await editor.ask<{ dataId: string }>("dataBreakpointInfo", { name: "job->number", frameId })
    await editor.ask("setDataBreakpoints", { breakpoints: [{ dataId, accessType: "write" }] })
    expect(await editor.go("reverseContinue")).toMatchObject({ reason: "data breakpoint", threadId: 1 })
    expect((await editor.frames(1))[0]!.line).toBe(lineOf("jobs.c", "job->number = ++jobs_opened"))
  } finally {
    await editor.stop()
  }
}, 120_000)

test("a motion that was typed is told of as one, at the hart that is looked at", async () => {
  const editor = await Editor.start(home)
  try {
    const told: string[] = []
    for (const event of ["continued", "stopped"])
      editor.client.on(event, ({ body }: DebugProtocol.StoppedEvent) => told.push(`${event} ${body.allThreadsStopped}`))
    await editor.launch({ world: "race", program: join(sources, "race.elf"), at: "5200us" })
    const { threadId } = await editor.go("stepIn", { threadId: 2 })
    expect(threadId).toBe(2)
    told.length = 0
    await editor.type("seek 5100us")
    expect(await editor.stopped()).toMatchObject({ reason: "goto", threadId: 2 })
    expect(told).toEqual(["continued undefined", "stopped true"])
    expect((await editor.frames(2)).length).toBeGreaterThan(0)
    expect(await editor.go("stepBack", { threadId: 2 })).toMatchObject({ threadId: 2 })
  } finally {
    await editor.stop()
  }
}, 60_000)
