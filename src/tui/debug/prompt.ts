/** A line that is asked for at the foot of the screen: what it is for, what has been typed, what was typed before. */
import { complete, type WordLists } from "./completion.ts"
import type { Key } from "./key.ts"
import { type EditedLine, edited, lineOf } from "./line-editor.ts"
import type { PromptKind } from "./order.ts"

export interface Prompt {
  readonly kind: PromptKind
  readonly line: EditedLine
  /** Which of the earlier lines is shown, counted from the last; null: the one that is being typed. */
  readonly recalled: number | null
  /** What was being typed before an earlier line was brought back. */
  readonly draft: string
  /** What the word could become. */
  readonly candidates: readonly string[]
  /** Why the line could not be carried out. */
  readonly problem: string | null
}

export const promptFor = (kind: PromptKind, text: string): Prompt => ({
  kind,
  line: lineOf(text),
  recalled: null,
  draft: "",
  candidates: [],
  problem: null,
})

/** What stands before the typed text. */
export const promptLabel: Readonly<Record<PromptKind, string>> = {
  command: ":",
  search: "/",
  go: "go to: ",
  fork: "name of the fork: ",
}

export type PromptOutcome =
  | { readonly kind: "typing"; readonly prompt: Prompt }
  | { readonly kind: "done"; readonly text: string }
  | { readonly kind: "left" }

const recall = (prompt: Prompt, history: readonly string[], by: 1 | -1): Prompt => {
  const { recalled, line, draft } = prompt
  const next = (recalled ?? -1) + by
  if (next >= history.length) return prompt
  if (next < 0) return recalled === null ? prompt : { ...prompt, recalled: null, line: lineOf(draft) }
  return {
    ...prompt,
    recalled: next,
    line: lineOf(history.at(-1 - next)!),
    draft: recalled === null ? line.text : draft,
  }
}

/** What a key does to a prompt. `history` are earlier lines of its kind, the last one last. */
export const promptAfter = (prompt: Prompt, key: Key, history: readonly string[], words: WordLists): PromptOutcome => {
  const typing = (next: Prompt): PromptOutcome => ({ kind: "typing", prompt: { ...next, problem: null } })
  const clear = { ...prompt, candidates: [] }
  switch (key) {
    case "escape":
      return { kind: "left" }
    case "enter":
      return { kind: "done", text: prompt.line.text }
    case "up":
      return typing(recall(clear, history, 1))
    case "down":
      return typing(recall(clear, history, -1))
    case "tab":
      return prompt.kind === "command" ? typing({ ...prompt, ...complete(prompt.line, words) }) : typing(prompt)
    case "backspace":
      if (prompt.line.text === "") return { kind: "left" }
  }
  const line = edited(prompt.line, key)
  return typing(line === null ? clear : { ...clear, line })
}
