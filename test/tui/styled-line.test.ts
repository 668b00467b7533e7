import { createElement as h } from "react"
import { beforeAll, describe, expect, it, vi } from "vitest"
import { wantsColor } from "../../src/tui/color-context.ts"
import { bad, good, line, plainText } from "../../src/tui/span.ts"

// Ink decides at its first loading whether there are colours.
const { Box, renderToString, StyledLine, ColorContext } = await vi.hoisted(async () => {
  process.env.FORCE_COLOR = "1"
  const { Box, renderToString } = await import("ink")
  const { StyledLine } = await import("../../src/tui/styled-line.ts")
  const { ColorContext } = await import("../../src/tui/color-context.ts")
  return { Box, renderToString, StyledLine, ColorContext }
})
beforeAll(() => void delete process.env.FORCE_COLOR)

const text = line("expected ", good("1"), ", found ", bad("2"))

describe("a line of spans", () => {
  it("is coloured", () => {
    expect(renderToString(h(StyledLine, { line: text }))).toBe(
      "expected \x1b[32m1\x1b[39m, found \x1b[1m\x1b[31m2\x1b[39m\x1b[22m",
    )
  })

  it("is plain where no colour is wanted", () => {
    const plain = renderToString(h(ColorContext, { value: false }, h(StyledLine, { line: text })))
    expect(plain).toBe("expected 1, found 2")
    expect(plain).toBe(plainText(text))
  })

  it("lets nothing in it act on the terminal", () => {
    const nasty = line("a\x1b[2Jb", good("\x9b1mc\r\n"))
    expect(renderToString(h(StyledLine, { line: nasty }))).toBe("a\ufffd[2Jb\x1b[32m\ufffd1mc\ufffd\ufffd\x1b[39m")
  })

  it("takes its room when empty", () => {
    const lines = [[], text, []].map((content, at) => h(StyledLine, { key: at, line: content }))
    expect(renderToString(h(Box, { flexDirection: "column" }, lines)).split("\n")).toHaveLength(3)
  })
})

it("wants no colour exactly when NO_COLOR says something", () => {
  expect([{}, { NO_COLOR: "" }, { NO_COLOR: "1" }].map(wantsColor)).toEqual([true, true, false])
})
