/** The demonstration's first line: what this is, and how it stands. */
import { createElement as h } from "react"
import { seconds } from "../quantity.ts"
import { bad, good, line, quiet, type Span, strong } from "../span.ts"
import { StyledLine } from "../styled-line.ts"
import type { DemoState } from "./demo-state.ts"

const verdict = ({ status, steps, wallMs }: Pick<DemoState, "status" | "steps" | "wallMs">): Span => {
  if (status === "proved") return good(`all ${steps.length} proved in ${seconds(wallMs)}`)
  if (status === "failed") return bad("failed")
  if (status === "stopped") return bad("stopped")
  return quiet("running")
}

export interface TitleViewProps {
  readonly state: Pick<DemoState, "status" | "steps" | "wallMs">
}

export const TitleView = ({ state }: TitleViewProps) =>
  h(StyledLine, {
    line: line(" ", strong("Chronovisor"), quiet("  a computer whose every run is history  "), verdict(state)),
  })
