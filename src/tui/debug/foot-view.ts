/** The foot of the screen: what is said, typed or under way, and which keys there are. */
import { Box } from "ink"
import { createElement as h } from "react"
import { accent, bad, chosen, good, type Line, line, quiet, type Span, strong } from "../span.ts"
import { StyledLine } from "../styled-line.ts"
import { type Prompt, promptLabel } from "./prompt.ts"
import type { DebugState, GoingState } from "./state.ts"

export interface FootViewProps {
  readonly state: DebugState
  readonly columns: number
}

const BAR_CELLS = 24

const goingLine = ({ what, done }: GoingState, waiting: number): Line => {
  const cells = done === null ? 0 : Math.round(done * BAR_CELLS)
  const bar =
    done === null
      ? []
      : [accent("━".repeat(cells)), quiet("─".repeat(BAR_CELLS - cells)), ` ${Math.floor(done * 100)} %`]
  const queue = waiting === 0 ? "" : `, ${waiting} waiting`
  return line(" ", strong(`${what}${queue} `), ...bar)
}

/** The typed line with its cursor; a long one is cut in front so that the cursor is seen. */
export const promptLine = ({ kind, line: { text, at } }: Prompt, columns: number): Line => {
  const label = promptLabel[kind]
  const room = Math.max(8, columns - label.length - 2)
  const start = Math.max(0, at - room)
  const [under = " "] = [...text.slice(at)]
  return line(strong(label), text.slice(start, at), chosen(under), text.slice(at + under.length))
}

const awaited = {
  mark: "mark this place: a letter",
  jump: "go to a mark: its letter",
  hart: "select a hart: its number",
}

const tones = { plain: (text: string): Span => ({ tone: "plain", text }), good, bad }

const saidLine = ({ mode, going, waiting, message }: DebugState, columns: number): Line => {
  if (mode.kind === "prompt") return promptLine(mode.prompt, columns)
  if (mode.kind === "await") return line(" ", strong(awaited[mode.what]))
  if (going !== null) return goingLine(going, waiting)
  return message === null ? line() : line(" ", tones[message.tone](message.text))
}

/** Keys and what they do, as many pairs as there is room for; the last one always. */
const hints = (pairs: readonly (readonly [string, string])[], columns: number): Line => {
  const texts = pairs.map(([key, what]) => `${key} ${what}`)
  const last = texts.at(-1)!.length + 3
  let used = 1
  const shown = pairs.filter((_, at) => {
    if (at === pairs.length - 1) return true
    if (used + texts[at]!.length + 2 + last > columns) return false
    used += texts[at]!.length + 2
    return true
  })
  return line(" ", ...shown.flatMap(([key, what]) => [accent(key), quiet(` ${what}  `)]))
}

const keyHints = [
  ["s S", "step"],
  ["c C", "continue"],
  ["← →", "scrub"],
  ["/", "search"],
  ["b", "break"],
  [":", "command"],
  ["q", "quit"],
  ["Tab", "pane"],
  ["g", "go to"],
  ["u", "undo"],
  ["m '", "mark"],
  ["h", "hart"],
  ["o", "over"],
  ["f", "finish"],
  ["z", "zoom"],
  ["F", "fork"],
  ["?", "help"],
] as const

const hintLine = ({ mode, going }: DebugState, columns: number): Line => {
  if (mode.kind === "help")
    return hints(
      [
        ["j k", "scroll"],
        ["any other key", "leaves the help"],
      ],
      columns,
    )
  if (mode.kind === "await") return hints([["Esc", "leaves"]], columns)
  if (mode.kind === "prompt") {
    const { problem, candidates, kind } = mode.prompt
    if (problem !== null) return line(" ", bad(problem))
    if (candidates.length > 0) return line(" ", quiet(candidates.join("  ")))
    const tab = kind === "command" ? ([["Tab", "completes"]] as const) : []
    return hints([["Enter", "does it"], ...tab, ["↑ ↓", "earlier lines"], ["Esc", "leaves"]], columns)
  }
  if (going !== null)
    return hints(
      [
        ["Esc", "cancels"],
        ["?", "help"],
        ["q", "quit"],
      ],
      columns,
    )
  return hints(keyHints, columns)
}

export const FootView = ({ state, columns }: FootViewProps) =>
  h(
    Box,
    { flexDirection: "column", width: columns, height: 2, overflow: "hidden" },
    h(StyledLine, { line: saidLine(state, columns), wrap: "truncate" }),
    h(StyledLine, { line: hintLine(state, columns), wrap: "truncate" }),
  )
