/** The frame of a pane: a title on a rule, and lines below, as many as there is room for. */
import { Box } from "ink"
import { createElement as h } from "react"
import { accent, type Line, line, quiet, strong } from "../../span.ts"
import { StyledLine } from "../../styled-line.ts"
import { visible } from "../../visible.ts"
import { type PaneName, paneNamed } from "../pane.ts"

export interface PaneFrameProps {
  readonly pane: PaneName
  /** Behind the title: what the pane is about at the moment. */
  readonly note: string
  readonly width: number
  /** With the title. */
  readonly height: number
  /** Whether scrolling and choosing happen here: the rule is heavier then, with colours or without. */
  readonly isFocused: boolean
  readonly lines: readonly Line[]
}

/** The title: `── 1 code ── start_kernel+0x1c ─────`. */
export const titleLine = ({ pane, note, width, isFocused }: Omit<PaneFrameProps, "height" | "lines">): Line => {
  const { key, title } = paneNamed(pane)
  const rule = isFocused ? "━" : "─"
  const begin = `${rule}${rule} `
  const name = `${key} ${title}`
  const room = width - begin.length - name.length - 6
  const text = visible(note)
  const shown = text.length <= room ? text : room > 3 ? `${text.slice(0, room - 1)}…` : ""
  const middle = shown === "" ? " " : ` ${rule}${rule} ${shown} `
  const rest = rule.repeat(Math.max(0, width - begin.length - name.length - middle.length))
  const look = isFocused ? accent : quiet
  return line(look(begin), isFocused ? strong(name) : name, look(middle), look(rest))
}

export const PaneFrame = ({ lines, height, width, ...title }: PaneFrameProps) =>
  h(
    Box,
    { flexDirection: "column", width, height, flexShrink: 0, overflow: "hidden" },
    h(StyledLine, { line: titleLine({ ...title, width }), wrap: "truncate" }),
    lines.slice(0, height - 1).map((content, at) => h(StyledLine, { key: at, line: content, wrap: "truncate" })),
  )
