/** The foot of the screen: what is said, typed or under way, and which keys there are. */
import { Box } from "ink"
import { createElement as h } from "react"
import { fitted } from "../fitted.ts"
import { accent, bad, good, type Line, line, quiet, type Span, strong } from "../span.ts"
import { StyledLine } from "../styled-line.ts"
import { type Prompt, promptLabel } from "./prompt.ts"
import type { DebugState, GoingState } from "./state.ts"

export interface FootViewProps {
  /** As `footLines` gives them. */
  readonly lines: readonly Line[]
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

/** How much of a typed line is left out in front so that its cursor is seen. */
const hiddenBefore = ({ kind, line: { at } }: Prompt, columns: number): number =>
  Math.max(0, at - Math.max(8, columns - promptLabel[kind].length - 1))

const promptLine = (prompt: Prompt, columns: number): Line =>
  line(strong(promptLabel[prompt.kind]), prompt.line.text.slice(hiddenBefore(prompt, columns)))

/** The column of the cursor in the first line of the foot, null where nothing is being typed. */
export const footCursor = ({ mode }: DebugState, columns: number): number | null => {
  if (mode.kind !== "prompt") return null
  const { kind, line } = mode.prompt
  return promptLabel[kind].length + [...line.text.slice(hiddenBefore(mode.prompt, columns), line.at)].length
}

const awaited = {
  mark: "mark this place: a letter",
  jump: "go to a mark: its letter",
  hart: "select a hart: its number",
}

const tones = { plain: (text: string): Span => ({ tone: "plain", text }), good, bad }

/** A sentence in as many lines as it needs, broken at blanks. */
const wrapped = (text: string, columns: number, look: (part: string) => Span): readonly Line[] => {
  const lines: string[] = []
  let rest = text
  while (rest.length > columns - 2) {
    const blank = rest.lastIndexOf(" ", columns - 2)
    const end = blank > 0 ? blank : columns - 2
    lines.push(rest.slice(0, end))
    rest = rest.slice(blank > 0 ? end + 1 : end)
  }
  return [...lines, rest].map(part => line(" ", look(part)))
}

const saidLines = ({ mode, going, waiting, message }: DebugState, columns: number): readonly Line[] => {
  if (mode.kind === "prompt") return [promptLine(mode.prompt, columns)]
  if (mode.kind === "await") return [line(" ", strong(awaited[mode.what]))]
  if (going !== null) return [goingLine(going, waiting)]
  return message === null ? [line()] : wrapped(message.text, columns, tones[message.tone])
}

/** Keys and what they do, as many pairs as there is room for; the last one always. */
const hints = (pairs: readonly (readonly [string, string])[], columns: number): Line => {
  const lengths = pairs.map(([key, what]) => key.length + 1 + what.length)
  let used = 1 + lengths.at(-1)!
  const fits = lengths.map(length => {
    used += length + 2
    return used <= columns
  })
  const shown = pairs.filter((_, at) => at === pairs.length - 1 || fits[at])
  return line(" ", ...shown.flatMap(([key, what], at) => [at === 0 ? "" : "  ", accent(key), quiet(` ${what}`)]))
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

const hintLines = ({ mode, going }: DebugState, columns: number): readonly Line[] => {
  if (mode.kind === "help")
    return [
      hints(
        [
          ["j k", "scroll"],
          ["any other key", "leaves the help"],
        ],
        columns,
      ),
    ]
  if (mode.kind === "await") return [hints([["Esc", "leaves"]], columns)]
  if (mode.kind === "prompt") {
    const { problem, candidates, kind } = mode.prompt
    if (problem !== null) return wrapped(problem, columns, bad)
    if (candidates.length > 0) return [line(" ", quiet(fitted(candidates, "  ", columns - 1)))]
    const tab = kind === "command" ? ([["Tab", "completes"]] as const) : []
    return [hints([["Enter", "does it"], ...tab, ["↑ ↓", "earlier lines"], ["Esc", "leaves"]], columns)]
  }
  if (going !== null)
    return [
      hints(
        [
          ["Esc", "cancels"],
          ["?", "help"],
          ["q", "quit"],
        ],
        columns,
      ),
    ]
  return [hints(keyHints, columns)]
}

/** What stands at the foot: two lines, more where a sentence needs them. */
export const footLines = (state: DebugState, columns: number): readonly Line[] => [
  ...saidLines(state, columns),
  ...hintLines(state, columns),
]

export const FootView = ({ lines, columns }: FootViewProps) =>
  h(
    Box,
    { flexDirection: "column", width: columns, height: lines.length, overflow: "hidden" },
    lines.map((content, at) => h(StyledLine, { key: at, line: content, wrap: "truncate" })),
  )
