/** A line that is being typed: its text, and where in it the next character goes. */
import { isCharacter, type Key } from "./key.ts"

export interface EditedLine {
  readonly text: string
  /** In UTF-16 code units, between characters. */
  readonly at: number
}

export const emptyLine: EditedLine = { text: "", at: 0 }

/** A line with the cursor behind it. */
export const lineOf = (text: string): EditedLine => ({ text, at: text.length })

const before = ({ text, at }: EditedLine): string => text.slice(0, at)
const after = ({ text, at }: EditedLine): string => text.slice(at)

/** The length of the character on one side of the cursor, 0 where there is none. */
const lastLength = (text: string): number => [...text].at(-1)?.length ?? 0
const firstLength = (text: string): number => [...text][0]?.length ?? 0

const edits: Readonly<Record<Key, (line: EditedLine) => EditedLine>> = {
  left: line => ({ ...line, at: line.at - lastLength(before(line)) }),
  right: line => ({ ...line, at: line.at + firstLength(after(line)) }),
  home: line => ({ ...line, at: 0 }),
  end: line => lineOf(line.text),
  backspace: line => {
    const kept = before(line).slice(0, line.at - lastLength(before(line)))
    return { text: kept + after(line), at: kept.length }
  },
  delete: line => ({ ...line, text: before(line) + after(line).slice(firstLength(after(line))) }),
  "C-u": line => ({ text: after(line), at: 0 }),
  "C-k": line => lineOf(before(line)),
  "C-w": line => {
    const kept = before(line).replace(/\S*\s*$/, "")
    return { text: kept + after(line), at: kept.length }
  },
}
const synonyms: Readonly<Record<Key, Key>> = {
  "C-a": "home",
  "C-e": "end",
  "C-b": "left",
  "C-f": "right",
  "C-d": "delete",
}

/** The line after a key; null for one that does nothing to a line. */
export const edited = (line: EditedLine, key: Key): EditedLine | null => {
  const edit = edits[synonyms[key] ?? key]
  if (edit !== undefined) return edit(line)
  if (!isCharacter(key)) return null
  return { text: before(line) + key + after(line), at: line.at + key.length }
}
