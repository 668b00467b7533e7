/** What to type next. */
import { Box } from "ink"
import { createElement as h } from "react"
import { accent, line, quiet } from "../span.ts"
import { StyledLine } from "../styled-line.ts"
import type { Suggestion } from "./demo-state.ts"

/** Columns in front of a command: just so many that most commands stay in one row of 80 columns. */
export const COMMAND_INDENT = 8

export interface SuggestionsViewProps {
  readonly suggestions: readonly Suggestion[]
}

export const SuggestionsView = ({ suggestions }: SuggestionsViewProps) =>
  h(
    Box,
    { flexDirection: "column" },
    suggestions.map(({ label, command }) =>
      h(
        Box,
        { key: label },
        h(Box, { width: COMMAND_INDENT, flexShrink: 0 }, h(StyledLine, { line: line(quiet(` ${label}`)) })),
        h(StyledLine, { line: line(accent(command)) }),
      ),
    ),
  )
