/** The stop points there are; those that are switched off have an empty circle. */
import { createElement as h } from "react"
import type { StopPoint } from "../../../debugger/stop-point.ts"
import { bad, chosen, type Line, line, quiet } from "../../span.ts"
import { stopKind, stopPlace } from "../stop-text.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowAround } from "./pane-props.ts"

const stopLine = (point: StopPoint, isChosen: boolean): Line =>
  line(
    isChosen ? chosen("›") : " ",
    point.isEnabled ? bad("●") : quiet("○"),
    ` ${String(point.id).padStart(2)} ${stopKind(point).padEnd(15)} `,
    point.isEnabled ? stopPlace(point) : quiet(stopPlace(point)),
  )

export const StopsPane = ({ scene, state, width, height }: PaneProps) => {
  const isFocused = state.focus === "stops"
  const at = Math.min(state.scroll.stops, scene.stopPoints.length - 1)
  const { start, shown } = windowAround(scene.stopPoints, at, height - 1)
  const none = line(quiet("none; b sets a breakpoint, :watch and :catch others"))
  return h(PaneFrame, {
    pane: "stops",
    note: "",
    width,
    height,
    isFocused,
    lines:
      shown.length === 0 ? [none] : shown.map((point, index) => stopLine(point, isFocused && start + index === at)),
  })
}
