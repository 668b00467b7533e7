/** One step of the demonstration: a mark, its name, and what there is to say. */
import { Box } from "ink"
import { createElement as h } from "react"
import { bad, good, type Line, line, quiet, type Span, strong } from "../span.ts"
import { StyledLine } from "../styled-line.ts"
import type { Step } from "./demo-state.ts"
import { purposes } from "./story.ts"

/** Columns in front of what is said. */
export const LABEL_COLUMNS = 12

const marks: Readonly<Record<Step["status"], Span>> = {
  waiting: quiet("·"),
  running: strong("›"),
  proved: good("✓"),
  failed: bad("✗"),
}

const said = ({ name, status, lines }: Step): readonly Line[] => {
  if (status === "waiting") return [line(quiet(purposes[name]))]
  return lines.length > 0 ? lines : [line(purposes[name])]
}

export interface StepViewProps {
  readonly step: Step
}

export const StepView = ({ step }: StepViewProps) =>
  h(
    Box,
    {},
    h(
      Box,
      { width: LABEL_COLUMNS, flexShrink: 0 },
      h(StyledLine, {
        line: line(" ", marks[step.status], " ", step.status === "waiting" ? quiet(step.name) : strong(step.name)),
      }),
    ),
    h(
      Box,
      { flexDirection: "column", flexGrow: 1 },
      said(step).map((content, at) => h(StyledLine, { key: at, line: content })),
    ),
  )
