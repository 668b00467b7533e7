/** The console as it stood at the place, with what is searched made to stand out. */
import { createElement as h } from "react"
import { countOf } from "../../quantity.ts"
import { accent, type Line, line, type Span } from "../../span.ts"
import { lineCount, linesAtEnd } from "../../terminal-text.ts"
import { PaneFrame } from "./pane-frame.ts"
import type { PaneProps } from "./pane-props.ts"

/** A line with the matches of a pattern between `»` and `«`, so that they are seen without colours too. */
export const withMatches = (text: string, pattern: RegExp | null): Line => {
  if (pattern === null) return line(text)
  const spans: (Span | string)[] = []
  let end = 0
  for (const found of text.matchAll(pattern)) {
    if (found[0] === "") continue
    spans.push(text.slice(end, found.index), accent(`»${found[0]}«`))
    end = found.index + found[0].length
  }
  return line(...spans, text.slice(end))
}

export const ConsolePane = ({ scene, state, width, height }: PaneProps) => {
  const { scroll, search, focus } = state
  const lines = linesAtEnd(scene.printed, height - 1, scroll.console)
  const below = scroll.console > 0 ? `, ${countOf(scroll.console, "line")} below` : ""
  return h(PaneFrame, {
    pane: "console",
    note: `${countOf(lineCount(scene.printed), "line")}${below}`,
    width,
    height,
    isFocused: focus === "console",
    lines: lines.map(text => withMatches(text, search?.pattern ?? null)),
  })
}
