import { describe, expect, it } from "vitest"
import { lineCount, linesAtEnd } from "../../src/tui/terminal-text.ts"
import { visible, visibleOnly } from "../../src/tui/visible.ts"

describe("the lines at a text's end", () => {
  it("are as many as are wanted, the last ones", () => {
    expect(linesAtEnd("a\nb\nc\n", 2)).toEqual(["b", "c"])
    expect(linesAtEnd("a\nb\nc", 9)).toEqual(["a", "b", "c"])
    expect(linesAtEnd("", 3)).toEqual([])
    expect(linesAtEnd("\n\n", 3)).toEqual(["", ""])
  })

  it("can stand before others", () => {
    expect(linesAtEnd("a\nb\nc\nd\n", 2, 1)).toEqual(["b", "c"])
    expect(linesAtEnd("a\nb\n", 5, 1)).toEqual(["a"])
    expect(linesAtEnd("a\n", 5, 1)).toEqual([])
  })

  it("are counted the same way", () => {
    for (const text of ["", "a", "a\n", "a\nb", "\n", "\n\n", "a\n\nb\n"])
      expect(lineCount(text)).toBe(linesAtEnd(text, 100).length)
  })
})

describe("what a terminal would show", () => {
  it.each([
    ["colours", "\x1b[1;31mred\x1b[0m end", "red end"],
    ["a question to the terminal", "a\x1b[6nb", "ab"],
    ["a window title", "\x1b]0;title\x07text", "text"],
    ["a title ended the other way", "\x1b]2;title\x1b\\text", "text"],
    ["a title without an end", "a\x1b]0;title", "a"],
    ["the choice of a character set", "\x1b(Btext\x1b=", "text"],
    ["a carriage return", "12 %\r100 %", "100 %"],
    ["a shorter line over a longer one", "abcdef\rxy", "xycdef"],
    ["carriage returns at the end", "text\r\r", "text"],
    ["a backspace", "abc\b\bX", "aXc"],
    ["a backspace at the beginning", "\b\bX", "X"],
    ["tabs", "a\tb\tc", "a       b       c"],
    ["a tab over text", "abcdefghij\r\tX", "abcdefghXj"],
    ["other controls", "a\x00b\x07c\x7fd\x9be", "abcde"],
    ["characters that turn directions", "a\u202eb\u2066c", "abc"],
    ["the beginning of a sequence", "text\x1b[", "text"],
    ["Unicode", "naïve ✓ 日本", "naïve ✓ 日本"],
  ])("of %s", (_, text, shown) => {
    expect(linesAtEnd(text, 1)).toEqual([shown])
  })
})

it("leaves nothing that acts on a terminal", () => {
  const all = String.fromCodePoint(...Array.from({ length: 0x180 }, (_, code) => code), 0x202e, 0x2066, 0x61c)
  for (const text of [visible(all), visibleOnly(all), ...linesAtEnd(all, 9)])
    expect([...text].filter(character => /[\p{Cc}\p{Bidi_Control}]/u.test(character))).toEqual([])
  expect(visible("a\x1bb")).toBe("a\ufffdb")
})
