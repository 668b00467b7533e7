import { describe, expect, it } from "vitest"
import { Answerless } from "../../../src/host/terminal/answerless.ts"

const filtered = (...pieces: readonly string[]) => {
  const filter = new Answerless()
  return pieces.map(piece => Buffer.from(filter.take(Buffer.from(piece, "latin1"))).toString("latin1")).join("")
}

describe("Answerless", () => {
  it.each([
    ["a question for the cursor's place", "# \x1b[6nls", "# ls"],
    ["a question for the terminal's kind", "a\x1b[cb\x1b[>0cd\x1bZe", "abde"],
  ])("leaves out %s", (_, text, expected) => {
    expect(filtered(text)).toBe(expected)
    expect(filtered(...text)).toBe(expected)
  })

  it.each([["\x1b[31mred\x1b[0m"], ["\x1b[2J\x1b[H"], ["\xff\x00\xc3\xa4"], ["\x1b[6;1Hx"]])("keeps %j", text => {
    expect(filtered(text)).toBe(text)
    expect(filtered(...text)).toBe(text)
  })
})
