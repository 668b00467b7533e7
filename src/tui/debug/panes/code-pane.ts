/** The code around the cursor: what comes next is marked, and where breakpoints are. */
import { createElement as h } from "react"
import { accent, bad, type Line, line, quiet, strong } from "../../span.ts"
import type { CodeLine } from "../scene/code-listing.ts"
import { hex, hex16 } from "../scene/number-text.ts"
import { PaneFrame } from "./pane-frame.ts"
import type { PaneProps } from "./pane-props.ts"

/** `▶` what comes next, `›` the cursor. */
const sign = (isNext: boolean, isCursor: boolean): string => (isNext ? "▶" : isCursor ? "›" : " ")
const points = { on: bad("●"), off: quiet("○") }

const codeLine = (content: CodeLine): Line => {
  if (content.kind === "label") return line("   ", strong(`${content.name}:`))
  if (content.kind === "unmapped") return line(quiet(`   no memory at ${hex(content.address)}`))
  const { instruction, text, source, isNext, isCursor, breakpoint } = content
  const { address, bytes, word } = instruction
  const look = isNext ? accent : isCursor ? strong : (part: string) => part
  const digits = (bytes === 2 ? word & 0xffff : word >>> 0).toString(16).padStart(bytes * 2, "0")
  return line(
    look(sign(isNext, isCursor)),
    breakpoint === null ? " " : points[breakpoint],
    look(hex16(address)),
    quiet(`  ${digits.padEnd(8)}  `),
    look(text),
    source === null ? "" : quiet(`  ${source}`),
  )
}

export const CodePane = ({ scene, state, width, height }: PaneProps) =>
  h(PaneFrame, {
    pane: "code",
    note: scene.code.place,
    width,
    height,
    isFocused: state.focus === "code",
    lines: scene.code.lines.map(codeLine),
  })
