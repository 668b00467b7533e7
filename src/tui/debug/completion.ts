/** Finishing what has been begun to be typed: command names, and the words that follow them. */
import { commands, type WordSource, wordSourcesOf } from "./commands.ts"
import type { EditedLine } from "./line-editor.ts"

/** The words of each kind there are. */
export type WordLists = (source: WordSource, begun: string) => Iterable<string>

export interface Completion {
  readonly line: EditedLine
  /** What it could be, where it is not one thing alone; a few of them. */
  readonly candidates: readonly string[]
}

const CANDIDATES_MAX = 40

const commonStart = (words: readonly string[]): string => {
  let length = words[0]?.length ?? 0
  for (const word of words) while (!word.startsWith(words[0]!.slice(0, length))) length--
  return words[0]?.slice(0, length) ?? ""
}

/** The words that begin so, sorted, without doubles. */
const beginning = (begun: string, words: Iterable<string>): string[] => {
  const found = new Set<string>()
  for (const word of words) if (word.startsWith(begun)) found.add(word)
  return [...found].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
}

/** Completes the word before the cursor as far as it is certain. */
export const complete = (line: EditedLine, words: WordLists): Completion => {
  const typed = line.text.slice(0, line.at)
  const begun = /[\w.$%-]*$/.exec(typed)![0]
  const sources = wordSourcesOf(typed)
  // After an operator a name follows that has no dash in it.
  const word = sources === null ? begun : begun.replace(/^.*-/, "")
  const found =
    sources === null
      ? beginning(
          word,
          commands.map(({ name }) => name),
        )
      : word === "" && sources.includes("address")
        ? []
        : beginning(
            word.replace(/^\$/, ""),
            sources.flatMap(source => [...words(source, word.replace(/^\$/, ""))]),
          )
  if (found.length === 0) return { line, candidates: [] }
  const certain = commonStart(found) + (found.length === 1 ? " " : "")
  const prefix = word.startsWith("$") ? "$" : ""
  const text = typed.slice(0, typed.length - word.length) + prefix + certain
  return {
    line: { text: text + line.text.slice(line.at), at: text.length },
    candidates: found.length === 1 ? [] : found.slice(0, CANDIDATES_MAX),
  }
}
