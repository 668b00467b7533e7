/** One line of spans, each in the look its tone asks for. Nothing in it acts on the terminal. */
import { Text, type TextProps } from "ink"
import { createElement as h, useContext } from "react"
import { ColorContext } from "./color-context.ts"
import type { Line, Tone } from "./span.ts"
import { visible } from "./visible.ts"

const looks: Readonly<Record<Tone, TextProps>> = {
  plain: {},
  quiet: { dimColor: true },
  strong: { bold: true },
  accent: { color: "cyan" },
  good: { color: "green" },
  bad: { color: "red", bold: true },
  chosen: { inverse: true },
}

export interface StyledLineProps {
  readonly line: Line
  /** What to do when the line is too long: go on in the next, the default, or cut it off. */
  readonly wrap?: "wrap" | "truncate"
}

export const StyledLine = ({ line, wrap = "wrap" }: StyledLineProps) => {
  const colored = useContext(ColorContext)
  return h(
    Text,
    { wrap },
    // An empty text takes no room; a line always does.
    line.length === 0
      ? " "
      : line.map(({ tone, text }, at) => h(Text, { key: at, ...(colored ? looks[tone] : {}) }, visible(text))),
  )
}
