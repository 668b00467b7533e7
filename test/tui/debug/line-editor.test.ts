import { expect, it } from "vitest"
import type { Key } from "../../../src/tui/debug/key.ts"
import { type EditedLine, edited, emptyLine } from "../../../src/tui/debug/line-editor.ts"

/** The line after keys, with `|` for the cursor. */
const after = (...keys: readonly Key[]): string => {
  const { text, at } = keys.reduce<EditedLine>((line, key) => edited(line, key) ?? line, emptyLine)
  return `${text.slice(0, at)}|${text.slice(at)}`
}

it.each([
  [[..."abc"], "abc|"],
  [[..."abc", "left", "left", "X"], "aX|bc"],
  [[..."abc", "home", "right", "right", "right", "right"], "abc|"],
  [[..."abc", "home", "left", "delete"], "|bc"],
  [[..."abc", "left", "backspace"], "a|c"],
  [["backspace", "delete"], "|"],
  [[..."a😀b", "left", "backspace"], "a|b"],
  [[..."a😀b", "C-a", "right", "right"], "a😀|b"],
  [[..."break foo bar", "C-w"], "break foo |"],
  [[..."break foo ", "C-w"], "break |"],
  [[..."abcd", "left", "left", "C-k"], "ab|"],
  [[..."abcd", "left", "left", "C-u"], "|cd"],
  [[..."abcd", "C-a", "C-d", "C-e"], "bcd|"],
])("%j", (keys, line) => {
  expect(after(...keys)).toBe(line)
})

it("leaves alone what other keys are for", () => {
  expect(edited(emptyLine, "up")).toBeNull()
  expect(edited(emptyLine, "C-x")).toBeNull()
})
