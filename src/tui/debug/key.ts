/**
 * Keys as the debugger's screen names them: a character is itself; others have names, with `S-` for Shift and `C-` for Ctrl in front
 * (`left`, `S-left`, `C-c`, `enter`).
 */
import type { Key as InkKey } from "ink"

export type Key = string

/** What Ink tells of a key without a character. */
export type SpecialKey = Partial<InkKey>

const named: readonly (readonly [keyof InkKey, string])[] = [
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["pageUp", "pageup"],
  ["pageDown", "pagedown"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["escape", "escape"],
  ["tab", "tab"],
  ["backspace", "backspace"],
  ["delete", "delete"],
]

const ofControl: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\x7f": "backspace",
  "\x1b": "escape",
}

const ofCharacter = (character: string): Key => {
  const code = character.codePointAt(0)!
  if (ofControl[character] !== undefined) return ofControl[character]
  return code < 0x20 ? `C-${String.fromCharCode(code + 0x60)}` : character
}

/** The keys behind one report of Ink's `useInput`: what was typed faster than it was read comes in one piece. */
export const keysOf = (input: string, special: SpecialKey): readonly Key[] => {
  const found = named.find(([property]) => special[property])
  if (found && input === "") return [`${special.shift ? "S-" : ""}${special.ctrl ? "C-" : ""}${found[1]}`]
  if (special.ctrl && input !== "") return [`C-${input}`]
  const keys = [...input].map(ofCharacter)
  // Escape and a key typed right after it arrive as one key with Alt.
  return special.meta && input !== "" ? ["escape", ...keys] : found ? [`${special.shift ? "S-" : ""}${found[1]}`] : keys
}

/** Whether a key is a character that can stand in a line. */
export const isCharacter = (key: Key): boolean => [...key].length === 1
