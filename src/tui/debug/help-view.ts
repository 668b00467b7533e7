/** All keys and commands. */
import { Box } from "ink"
import { createElement as h } from "react"
import { accent, type Line, line, quiet, strong } from "../span.ts"
import { StyledLine } from "../styled-line.ts"
import { keyHelp } from "./bindings.ts"
import { commands } from "./commands.ts"
import { windowOf } from "./panes/pane-props.ts"

export interface HelpViewProps {
  /** Lines left out at the top. */
  readonly scroll: number
  readonly columns: number
  readonly rows: number
}

const KEY_COLUMNS = 10
const USAGE_COLUMNS = 42

const legend: readonly (readonly [string, string])[] = [
  ["━", "on the axis: a moment that can be gone to at once"],
  ["▲ △", "the place, and where scrubbing leads"],
  ["↓ ◆", "something was typed, a snapshot was taken; letters are marks"],
  ["*", "a register that changed since the last stop"],
  ["▶ ›", "what comes next, and the cursor"],
  ["● ○", "a stop point, and one that is switched off"],
]

const pair = (left: string, right: string, width: number): Line => line("   ", accent(left.padEnd(width)), right)

export const helpLines: readonly Line[] = [
  ...keyHelp.flatMap(({ title, keys }) => [
    line(" ", strong(title)),
    ...keys.map(([key, what]) => pair(key, what, KEY_COLUMNS)),
    line(),
  ]),
  line(
    " ",
    strong("Commands"),
    quiet("  names can be cut short; addresses are sums of numbers, registers and symbols"),
  ),
  ...commands.map(({ name, aliases, usage, help }) => {
    const short = aliases.find(alias => alias.length <= 3)
    const left = `:${name} ${usage}`
    return line("   ", accent(left.padEnd(USAGE_COLUMNS)), help, short === undefined ? "" : quiet(`  (${short})`))
  }),
  line(),
  line(" ", strong("Signs")),
  ...legend.map(([sign, what]) => pair(sign, what, KEY_COLUMNS)),
]

export const HelpView = ({ scroll, columns, rows }: HelpViewProps) =>
  h(
    Box,
    { flexDirection: "column", width: columns, height: rows, overflow: "hidden" },
    windowOf(helpLines, scroll, rows).map((content, at) => h(StyledLine, { key: at, line: content, wrap: "truncate" })),
  )
