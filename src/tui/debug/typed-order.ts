/** What a line asks for that was typed into one of the prompts. */
import { type Problem, readCommand } from "./commands.ts"
import { readDestination } from "./destination.ts"
import type { Order, PromptKind } from "./order.ts"
import type { DebugState } from "./state.ts"

/** Behind `g`: a place in history, or an address to look at in the pane that looks at addresses. */
const readPlace = (text: string, { focus, memory }: DebugState): Order => {
  const to = readDestination(text)
  if (to !== null) return { kind: "seek", to }
  if (focus === "memory") return { kind: "memory", address: text, format: memory.format }
  return focus === "pages" ? { kind: "pages", address: text } : { kind: "code", address: text }
}

/** null where a line asks for nothing. */
export const typedOrder = (kind: PromptKind, text: string, state: DebugState): Order | Problem | null => {
  if (kind === "command") return readCommand(text)
  // As in less, nothing searches the same again.
  if (text.trim() === "") return kind === "search" && state.search ? { kind: "next-match", isBack: false } : null
  switch (kind) {
    case "search":
      return { kind: "search", text }
    case "fork":
      return { kind: "fork", name: text.trim() }
    case "go":
      return readPlace(text, state)
  }
}
