/**
 * What a terminal would show of a text, as lines: escape sequences left out, carriage returns, backspaces and tabs carried out within
 * their line (ECMA-48; xterm's control sequences).
 */
import { visibleOnly } from "./visible.ts"

/** Control sequences, strings such as window titles, and the short escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const sequences = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g

const TAB_COLUMNS = 8

/** One line, without its end. */
const shown = (line: string): string => {
  const text = line.replace(sequences, "").replace(/\r+$/, "")
  if (!/[\r\b\t]/.test(text)) return visibleOnly(text)
  const cells: string[] = []
  let column = 0
  for (const character of text) {
    if (character === "\r") column = 0
    else if (character === "\b") column = Math.max(0, column - 1)
    else if (character === "\t") {
      const next = (Math.floor(column / TAB_COLUMNS) + 1) * TAB_COLUMNS
      for (; column < next; column++) cells[column] ??= " "
    } else if (visibleOnly(character) !== "") cells[column++] = character
  }
  return cells.join("")
}

/** The last `count` lines that stand before the last `skip` ones; the newline at the end begins none. */
export const linesAtEnd = (text: string, count: number, skip = 0): readonly string[] => {
  const lines: string[] = []
  let end = text.endsWith("\n") ? text.length - 1 : text.length
  for (let at = 0; at < count + skip && end >= 0 && text !== ""; at++) {
    const start = end === 0 ? 0 : text.lastIndexOf("\n", end - 1) + 1
    if (at >= skip) lines.push(shown(text.slice(start, end)))
    if (start === 0) break
    end = start - 1
  }
  return lines.reverse()
}

/** How many lines a text has. */
export const lineCount = (text: string): number => {
  if (text === "") return 0
  let count = 0
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++
  return text.endsWith("\n") ? count : count + 1
}
