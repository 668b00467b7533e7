import { describe, expect, it } from "vitest"
import { blocksOf, isShown, linesOf, stepsOf } from "../../tools/transcript.ts"

const document = [
  "# A document",
  "```console",
  "$ first 'a b'",
  "one",
  "",
  "two",
  "$ second \\",
  "    --more",
  "```",
  "$ not typed: outside of a block",
  "```gdb",
  "(gdb) continue",
  "```",
  "```console",
  "$ third",
  "```",
].join("\n")

describe("the blocks of a document", () => {
  it("are those of a language, with where they begin", () => {
    expect(blocksOf(document, "gdb")).toEqual([{ line: 12, lines: ["(gdb) continue"] }])
    expect(blocksOf(document, "console").map(({ line }) => line)).toEqual([3, 15])
    expect(blocksOf("```c\n```\n```c\n\n```", "c")).toEqual([
      { line: 2, lines: [] },
      { line: 4, lines: [""] },
    ])
    expect(blocksOf(document, "c")).toEqual([])
  })
})

describe("the steps of a document", () => {
  it("are what stands behind prompts in blocks of their language, with what follows", () => {
    expect(stepsOf(document, "console", "$ ")).toEqual([
      { line: 3, command: "first 'a b'", shown: ["one", "", "two"] },
      { line: 7, command: "second \\\n    --more", shown: [] },
      { line: 15, command: "third", shown: [] },
    ])
    expect(stepsOf(document, "gdb", "(gdb) ")).toEqual([{ line: 12, command: "continue", shown: [] }])
  })

  it("do not begin with what is printed", () => {
    expect(() => stepsOf("```console\nprinted\n```", "console", "$ ")).toThrow("line 2")
  })
})

describe("what was printed", () => {
  it("is cut into lines as a terminal shows them", () => {
    expect(linesOf("one  \r\n\r\n two\n\n")).toEqual(["one", "", " two"])
    expect(linesOf("")).toEqual([])
  })

  it.each([
    { shown: [], printed: [] },
    { shown: ["a.b (c)"], printed: ["a.b (c)"] },
    { shown: ["took … s, … MIPS"], printed: ["took 1.5 s, 40 MIPS"] },
    { shown: ["…", "end"], printed: ["one", "two", "end"] },
    { shown: ["…", "end"], printed: ["end"] },
    { shown: ["begin", "…"], printed: ["begin", "and so on"] },
    { shown: ["line", ""], printed: ["line"] },
  ])("is what is shown: $shown", ({ shown, printed }) => {
    expect(isShown(shown, printed)).toBe(true)
  })

  it.each([
    { shown: [], printed: ["something"] },
    { shown: ["something"], printed: [] },
    { shown: ["a.b"], printed: ["axb"] },
    { shown: ["0x1"], printed: ["0x12"] },
    { shown: ["one", "two"], printed: ["two", "one"] },
    { shown: ["one"], printed: ["one", "two"] },
    { shown: ["took … s"], printed: ["took 1", "2 s"] },
    { shown: ["…", "end"], printed: ["end", "more"] },
  ])("is not what is shown: $shown, $printed", ({ shown, printed }) => {
    expect(isShown(shown, printed)).toBe(false)
  })
})
