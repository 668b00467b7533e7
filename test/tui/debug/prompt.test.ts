import { describe, expect, it } from "vitest"
import type { Key } from "../../../src/tui/debug/key.ts"
import type { PromptKind } from "../../../src/tui/debug/order.ts"
import { type Prompt, promptAfter, promptFor } from "../../../src/tui/debug/prompt.ts"

const history = ["break main", "continue"]
const words = () => ["main", "maintain"]

const typed = (kind: PromptKind, ...keys: readonly Key[]): Prompt =>
  keys.reduce(
    (prompt, key) => {
      const outcome = promptAfter(prompt, key, history, words)
      if (outcome.kind !== "typing") throw new Error(`${key} ended the line`)
      return outcome.prompt
    },
    promptFor(kind, ""),
  )

const textAfter = (...keys: readonly Key[]): string => typed("command", ...keys).line.text

describe("earlier lines", () => {
  it("come back, the last one first, and go again to what was being typed", () => {
    expect(textAfter(..."se", "up")).toBe("continue")
    expect(textAfter(..."se", "up", "up")).toBe("break main")
    expect(textAfter(..."se", "up", "up", "up")).toBe("break main")
    expect(textAfter(..."se", "up", "up", "down")).toBe("continue")
    expect(textAfter(..."se", "up", "down")).toBe("se")
    expect(textAfter(..."se", "down")).toBe("se")
  })

  it("can be changed", () => {
    expect(textAfter("up", "up", "C-w", ..."exit")).toBe("break exit")
  })
})

describe("a line", () => {
  it("ends with Enter, as it stands", () => {
    const prompt = typed("command", ..."stepi", "left", "left")
    expect(promptAfter(prompt, "enter", history, words)).toEqual({ kind: "done", text: "stepi" })
  })

  it("is left with Escape, and with Backspace when it is empty", () => {
    expect(promptAfter(promptFor("search", "x"), "escape", [], words)).toEqual({ kind: "left" })
    expect(promptAfter(promptFor("search", ""), "backspace", [], words)).toEqual({ kind: "left" })
    expect(promptAfter(promptFor("search", "x"), "backspace", [], words)).toMatchObject({ kind: "typing" })
  })

  it("is completed with Tab, commands only", () => {
    expect(typed("command", ..."break mai", "tab")).toMatchObject({
      line: { text: "break main" },
      candidates: ["main", "maintain"],
    })
    expect(typed("command", ..."break mai", "tab", "t").candidates).toEqual([])
    expect(typed("search", ..."mai", "tab").line.text).toBe("mai")
  })

  it("loses what was wrong with it when it is changed, and not before", () => {
    const refused = { ...typed("command", ..."b x"), problem: "There is no x." }
    expect(promptAfter(refused, "y", history, words)).toMatchObject({
      prompt: { line: { text: "b xy" }, problem: null },
    })
    expect(refused.line.text).toBe("b x")
  })
})
