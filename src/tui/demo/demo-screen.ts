/** The whole screen of the demonstration: one column, or, where there is room, the guest's console beside the steps. */
import { Box } from "ink"
import { createElement as h } from "react"
import { ConsolePanel } from "../console-panel.ts"
import { plainText } from "../span.ts"
import type { DemoState, Step } from "./demo-state.ts"
import { LABEL_COLUMNS, StepView } from "./step-view.ts"
import { COMMAND_INDENT, SuggestionsView } from "./suggestions-view.ts"
import { TitleView } from "./title-view.ts"

/** Widest column of steps. */
const STEPS_COLUMNS = 80
/** From this width on the console has its own column. */
const WIDE_COLUMNS = 132
/** Kept free below, for the shell's prompt. */
const PROMPT_ROWS = 2

/** Rows that a text takes in so many columns. */
const rowsOfText = (text: string, columns: number): number => Math.max(1, Math.ceil(text.length / Math.max(1, columns)))

const rowsOfStep = ({ lines }: Step, columns: number): number =>
  Math.max(
    1,
    lines.reduce((sum, content) => sum + rowsOfText(plainText(content), columns - LABEL_COLUMNS), 0),
  )

export interface DemoScreenProps {
  readonly state: DemoState
  /** Of the terminal. */
  readonly columns: number
  readonly rows: number
}

export const DemoScreen = ({ state, columns, rows }: DemoScreenProps) => {
  const wide = columns >= WIDE_COLUMNS
  const stepsColumns = Math.min(columns, STEPS_COLUMNS)
  const stepsRows = state.steps.reduce((sum, step) => sum + rowsOfStep(step, stepsColumns), 0)
  const suggestionsRows = state.suggestions.reduce(
    (sum, { command }) => sum + rowsOfText(command, stepsColumns - COMMAND_INDENT),
    0,
  )
  // Title, steps, suggestions and the blank lines between them.
  const storyRows = 1 + 1 + stepsRows + 1 + suggestionsRows
  const freeRows = rows - PROMPT_ROWS
  const story = [
    h(TitleView, { key: "title", state }),
    h(
      Box,
      { key: "steps", flexDirection: "column", marginTop: 1 },
      state.steps.map(step => h(StepView, { key: step.name, step })),
    ),
  ]
  const suggestions = h(
    Box,
    { key: "suggestions", marginTop: 1 },
    h(SuggestionsView, { suggestions: state.suggestions }),
  )
  if (wide)
    return h(
      Box,
      {},
      h(Box, { flexDirection: "column", width: stepsColumns, flexShrink: 0 }, story, suggestions),
      h(
        Box,
        { flexDirection: "column", flexGrow: 1, marginLeft: 1 },
        h(ConsolePanel, { text: state.console, rows: freeRows }),
      ),
    )
  return h(
    Box,
    { flexDirection: "column", width: stepsColumns },
    story,
    state.console !== "" &&
      h(Box, { marginTop: 1 }, h(ConsolePanel, { text: state.console, rows: Math.max(0, freeRows - storyRows - 1) })),
    suggestions,
  )
}
