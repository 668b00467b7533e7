/** All harts; `▶` is the selected one, whose registers and code are shown. */
import { createElement as h } from "react"
import { count } from "../../quantity.ts"
import { accent, chosen, type Line, line, quiet } from "../../span.ts"
import type { HartView } from "../scene/harts-view.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowAround } from "./pane-props.ts"

/** From this width on the numbers of instructions are shown too. */
const WIDE_COLUMNS = 76

/** A name of a task has 15 letters at most; few have so many. */
const TASK_COLUMNS = 15

const hartLine = (view: HartView, isSelected: boolean, isChosen: boolean, columns: number, hasTasks: boolean): Line => {
  const { hart, mode, life, place, executed, task } = view
  const look = isSelected ? accent : (part: string) => part
  return line(
    isChosen ? chosen("›") : " ",
    look(`${isSelected ? "▶" : " "}${hart} ${mode.padEnd(10)} ${life.padEnd(7)} `),
    hasTasks ? look(`${(task ?? "").padEnd(TASK_COLUMNS)} `) : "",
    columns >= WIDE_COLUMNS ? quiet(`${count(executed).padStart(15)}  `) : "",
    place,
  )
}

export const HartsPane = ({ scene, state, width, height }: PaneProps) => {
  const isFocused = state.focus === "harts"
  const { start, shown } = windowAround(scene.harts, state.scroll.harts, height - 1)
  const hasTasks = scene.harts.some(({ task }) => task !== null)
  return h(PaneFrame, {
    pane: "harts",
    note: "",
    width,
    height,
    isFocused,
    lines: shown.map((view, at) =>
      hartLine(view, view.hart === scene.hart, isFocused && start + at === state.scroll.harts, width, hasTasks),
    ),
  })
}
