import { describe, expect, it } from "vitest"
import type { WordLists } from "../../../src/tui/debug/completion.ts"
import { complete } from "../../../src/tui/debug/completion.ts"
import { lineOf } from "../../../src/tui/debug/line-editor.ts"

const words: WordLists = source =>
  ({
    address: ["start_kernel", "start_thread", "sp", "s1", "schedule"],
    pane: ["code", "console"],
    destination: ["start", "end"],
    caught: ["interrupt", "exception", "syscall"],
    event: ["input", "interrupt"],
    register: ["sp"],
    stop: ["1", "12"],
  })[source]

const completed = (text: string) => {
  const { line, candidates } = complete(lineOf(text), words)
  return [line.text, candidates]
}

describe("completing", () => {
  it.each([
    ["brea", "break ", []],
    ["re", "reverse-", ["reverse-next", "reverse-step", "reverse-stepi", "reverse-finish", "reverse-continue"]],
    ["zz", "zz", []],
    ["break sta", "break start_", ["start_kernel", "start_thread"]],
    ["break start_k", "break start_kernel ", []],
    ["break nothing", "break nothing", []],
    ["x/8gx $s", "x/8gx $s", ["s1", "sp", "schedule", "start_kernel", "start_thread"]],
    ["x/8gx $sp", "x/8gx $sp ", []],
    ["p a0-sche", "p a0-schedule ", []],
    ["p a0+(sche", "p a0+(schedule ", []],
    ["info co", "info co", ["code", "console"]],
    ["seek e", "seek end ", []],
    ["catch s", "catch syscall ", []],
    ["delete 1", "delete 1", ["1", "12"]],
    ["hart 1", "hart 1", []],
    ["break ", "break ", []],
  ])("%j", (text, line, candidates) => {
    expect(completed(text)).toEqual([line, candidates])
  })

  it("keeps what stands behind the cursor", () => {
    const { line } = complete({ text: "break sched if a0", at: "break sched".length }, words)
    expect(line).toEqual({ text: "break schedule  if a0", at: "break schedule ".length })
  })
})
