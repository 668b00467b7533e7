/** The head of the screen: where in history it stands, and all of that history across the width, with what happened when. */
import { Box } from "ink"
import { createElement as h } from "react"
import { formatPosition } from "../../events/index.ts"
import { accent, bad, good, type Line, line, quiet, type Span, strong } from "../span.ts"
import { StyledLine } from "../styled-line.ts"
import { chart } from "./chart.ts"
import type { Course } from "./course.ts"
import { FOOT_ROWS, TIMELINE_ROWS } from "./layout.ts"
import { exactSeconds, percent } from "./scene/number-text.ts"
import type { Scene } from "./scene/scene.ts"
import type { DebugState } from "./state.ts"

export interface TimelineViewProps {
  /** What the world is called. */
  readonly world: string
  readonly course: Course
  /** The machine where it stands. */
  readonly scene: Scene
  readonly state: DebugState
  readonly columns: number
}

/** In front of the charts. */
const LABEL_COLUMNS = 12
const NAME_COLUMNS_MAX = 24

const placeLine = ({ world, course, scene }: TimelineViewProps): Line => {
  const hart = scene.harts[scene.hart]!
  const name = world.length > NAME_COLUMNS_MAX ? `${world.slice(0, NAME_COLUMNS_MAX - 1)}…` : world
  return line(
    " ",
    strong(name),
    "  ",
    accent(formatPosition(scene.position)),
    `  ${exactSeconds(scene.nowNs)}  `,
    course.isWhole ? percent(course.share(scene.executed)) : quiet("reading the log"),
    quiet(`  hart ${scene.hart} ${hart.mode[0]!.toUpperCase()}${hart.task === null ? "" : `  ${hart.task}`}`),
  )
}

/** The axis: `━` where a moment can be gone to at once, `↓` input, `◆` a snapshot, letters of marks, `▲` the place, `△` a goal. */
export const axisSpans = ({ course, scene, state }: TimelineViewProps, columns: number): readonly Span[] => {
  const columnOf = (executed: number) => Math.min(columns - 1, Math.floor(course.share(executed) * columns))
  const cells: Span[] = Array.from({ length: columns }, () => quiet("─"))
  for (const executed of scene.moments) cells[columnOf(executed)] = quiet("━")
  const { typed, snapshots } = course.activity(columns)
  for (let column = 0; column < columns; column++) {
    if (typed[column]) cells[column] = good("↓")
    if (snapshots[column]) cells[column] = good("◆")
  }
  for (const [letter, { executed }] of Object.entries(state.marks)) cells[columnOf(executed)] = strong(letter)
  cells[columnOf(scene.executed)] = accent("▲")
  const goal = state.going?.goal ?? null
  if (goal !== null) cells[columnOf(goal)] = bad("△")
  return cells
}

/** Neighbours of one tone as one span: a line of few pieces is drawn faster. */
const merged = (spans: readonly Span[]): Line => {
  const list: { tone: Span["tone"]; text: string }[] = []
  for (const { tone, text } of spans) {
    const last = list.at(-1)
    if (last?.tone === tone) last.text += text
    else list.push({ tone, text })
  }
  return list
}

const label = (text: string): Span => quiet(` ${text}`.padEnd(LABEL_COLUMNS))

export const TimelineView = (props: TimelineViewProps) => {
  const { course, columns, state } = props
  // Where it stands is shown in whatever there is.
  const rows = Math.max(1, Math.min(TIMELINE_ROWS, state.size.rows - FOOT_ROWS))
  const width = Math.max(1, columns - LABEL_COLUMNS - 1)
  const { printed, interrupts } = course.activity(width)
  const lines = [
    placeLine(props),
    line(label("printed"), chart(printed)),
    line(label("interrupts"), chart(interrupts)),
    [label("history"), ...merged(axisSpans(props, width))],
  ]
  return h(
    Box,
    { flexDirection: "column", width: columns, height: rows, flexShrink: 0, overflow: "hidden" },
    lines.slice(0, rows).map((content, at) => h(StyledLine, { key: at, line: content, wrap: "truncate" })),
  )
}
