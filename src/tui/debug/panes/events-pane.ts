/** The events around the place; those before the first mark have happened. */
import { createElement as h } from "react"
import { formatPosition } from "../../../events/index.ts"
import { chosen, type Line, line, quiet, strong } from "../../span.ts"
import { defaultFilter, type EventLine } from "../scene/event-list.ts"
import type { EventsState } from "../state.ts"
import { PaneFrame } from "./pane-frame.ts"
import { type PaneProps, windowAround } from "./pane-props.ts"

/** From this width on positions are shown too. */
const POSITION_COLUMNS = 76

const eventLine = (event: EventLine, isChosen: boolean, hasHappened: boolean, columns: number): Line => {
  const { seq, position, kind, text } = event
  const place = columns >= POSITION_COLUMNS ? ` ${formatPosition(position).padEnd(26)}` : ""
  const look = isChosen ? strong : hasHappened ? (part: string) => part : quiet
  return line(
    isChosen ? chosen("›") : hasHappened ? quiet("·") : " ",
    quiet(String(seq).padStart(6)),
    quiet(place),
    look(` ${kind.padEnd(9)} ${text}`),
  )
}

const filterNote = ({ filter, isLoading }: EventsState): string => {
  const named = filter.kinds === defaultFilter.kinds ? "all but batches and turns" : filter.kinds.join(" ")
  const kinds = filter.kinds.length > 0 ? named : "all"
  const text = filter.text === "" ? "" : ` with ${filter.text}`
  return `${kinds}${text}${isLoading ? ", reading" : ""}`
}

export const EventsPane = ({ scene, state, width, height }: PaneProps) => {
  const { events } = state
  const { start, shown } = windowAround(events.lines, events.selected, height - 1)
  const isFocused = state.focus === "events"
  const lines = shown.map((event, at) => eventLine(event, start + at === events.selected, event.seq < scene.seq, width))
  const none = line(quiet(events.isLoading ? "" : "no such events"))
  return h(PaneFrame, {
    pane: "events",
    note: filterNote(events),
    width,
    height,
    isFocused,
    lines: lines.length === 0 ? [none] : lines,
  })
}
