import { describe, expect, it } from "vitest"
import { type Action, type DebugState, initialState, reduce } from "../../../src/tui/debug/state.ts"

const begin = initialState({ columns: 80, rows: 24 })
const after = (...actions: readonly Action[]): DebugState => actions.reduce(reduce, begin)

describe("the state of the screen", () => {
  it("turns from pane to pane, around the end", () => {
    expect(after({ kind: "focus-next", by: 1 }).focus).toBe("registers")
    expect(after({ kind: "focus-next", by: -1 }).focus).toBe("stops")
    expect(after({ kind: "focus", pane: "stops" }, { kind: "focus-next", by: 1 }).focus).toBe("code")
  })

  it("never scrolls above a list's beginning, but memory has none", () => {
    expect(after({ kind: "scroll", pane: "csrs", to: -3 }).scroll.csrs).toBe(0)
    expect(after({ kind: "scroll", pane: "memory", to: -3 }).scroll.memory).toBe(-3)
  })

  it("looks where the machine is after each stop", () => {
    const moved = after({ kind: "cursor", at: 0x80001000n }, { kind: "scroll", pane: "console", to: 5 })
    expect(reduce(moved, { kind: "stopped" })).toMatchObject({ cursor: null, scroll: { console: 0 } })
  })

  it("remembers lines by what they were typed for, doubles and blanks left out", () => {
    const type = (prompt: "command" | "search", text: string): Action => ({ kind: "typed", prompt, text })
    const state = after(type("command", "c"), type("command", "c"), type("command", " "), type("search", "x"))
    expect(state.typed).toMatchObject({ command: ["c"], search: ["x"], go: [], fork: [] })
  })

  it("keeps a line that was refused", () => {
    const asked = after({ kind: "ask", prompt: "command", text: "break x" })
    if (asked.mode.kind !== "prompt") throw new Error("nothing is asked")
    const refused = reduce(asked, { kind: "refused", prompt: asked.mode.prompt, problem: "There is no x." })
    expect(refused.mode).toMatchObject({
      kind: "prompt",
      prompt: { line: { text: "break x" }, problem: "There is no x." },
    })
  })

  it("has nothing to say while something is typed", () => {
    const said = after({ kind: "say", message: { tone: "good", text: "Done." } })
    expect(reduce(said, { kind: "ask", prompt: "command", text: "" }).message).toBeNull()
  })
})
