import { renderToString } from "ink"
import { createElement as h } from "react"
import { describe, expect, it } from "vitest"
import { ConsolePanel, lastLines } from "../../src/tui/console-panel.ts"

describe("the last lines of a console", () => {
  it("are as many as there is room for", () => {
    expect(lastLines("a\nb\nc\n", 2)).toEqual(["b", "c"])
    expect(lastLines("a\nb", 5)).toEqual(["a", "b"])
  })

  it("are none without output or room", () => {
    expect(lastLines("", 5)).toEqual([])
    expect(lastLines("a\n", 0)).toEqual([])
    expect(lastLines("a\n", -1)).toEqual([])
  })

  it("end with what is being printed, and keep blank lines", () => {
    expect(lastLines("a\n\njournal> ", 9)).toEqual(["a", "", "journal> "])
  })

  it("bring no control character to the terminal", () => {
    expect(lastLines("a\r\n\x1b[31mred\x9b\tx\x07\n", 9)).toEqual(["a", "[31mred x"])
  })
})

it("cuts a long line off instead of wrapping it", () => {
  const text = renderToString(h(ConsolePanel, { text: `${"x".repeat(100)}\nend\n`, rows: 4 }), { columns: 40 })
  expect(text.split("\n").map(line => line.length)).toEqual([40, 6])
})
