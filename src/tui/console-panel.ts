/** The last lines a guest printed. */
import { Box } from "ink"
import { createElement as h } from "react"
import { line, quiet } from "./span.ts"
import { StyledLine } from "./styled-line.ts"

export interface ConsolePanelProps {
  /** All that the guest printed. */
  readonly text: string
  /** How many lines there is room for. */
  readonly rows: number
}

/** The last `rows` lines of a console's text, the newline at its end not counted, control characters left out. */
export const lastLines = (text: string, rows: number): readonly string[] => {
  if (text === "" || rows <= 0) return []
  const lines = text.replace(/\r/g, "").replace(/\n$/, "").split("\n").slice(-rows)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach the terminal
  return lines.map(content => content.replace(/\t/g, " ").replace(/[\x00-\x1f\x7f-\x9f]/g, ""))
}

export const ConsolePanel = ({ text, rows }: ConsolePanelProps) =>
  h(
    Box,
    { flexDirection: "column" },
    lastLines(text, rows).map((content, at) =>
      h(StyledLine, { key: at, line: line(quiet(" │ "), content), wrap: "truncate" }),
    ),
  )
