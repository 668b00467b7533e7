/** Words on the stack of the selected hart, with the names of what they point to. */
import { createElement as h } from "react"
import { type Line, line, quiet } from "../../span.ts"
import type { StackWord } from "../scene/memory-view.ts"
import { hex16 } from "../scene/number-text.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowOf } from "./pane-props.ts"

const stackLine = ({ address, offset, value, symbol }: StackWord): Line =>
  line(
    quiet(`+${offset.toString(16).padStart(3, "0")} ${hex16(address)}  `),
    value === 0n ? quiet(hex16(value)) : hex16(value),
    symbol === null ? "" : `  ${symbol}`,
  )

export const StackPane = ({ scene, state, width, height }: PaneProps) =>
  h(PaneFrame, {
    pane: "stack",
    note: `hart ${scene.hart}, from sp up`,
    width,
    height,
    isFocused: state.focus === "stack",
    lines:
      scene.stack.length === 0
        ? [line(quiet("no memory at sp"))]
        : windowOf(scene.stack.map(stackLine), state.scroll.stack, height - 1),
  })
