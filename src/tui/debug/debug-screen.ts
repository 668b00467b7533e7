/** The whole screen of the debugger: the timeline, the panes there is room for, the foot. */
import { Box } from "ink"
import { createElement as h, type ReactNode } from "react"
import type { Course } from "./course.ts"
import { FootView, footLines } from "./foot-view.ts"
import { HelpView } from "./help-view.ts"
import { type PaneColumn, TIMELINE_ROWS } from "./layout.ts"
import type { Sight } from "./operator.ts"
import type { PaneName } from "./pane.ts"
import { CodePane } from "./panes/code-pane.ts"
import { ConsolePane } from "./panes/console-pane.ts"
import { CsrsPane } from "./panes/csrs-pane.ts"
import { EventsPane } from "./panes/events-pane.ts"
import { HartsPane } from "./panes/harts-pane.ts"
import { MemoryPane } from "./panes/memory-pane.ts"
import { PagesPane } from "./panes/pages-pane.ts"
import type { PaneProps } from "./panes/pane-props.ts"
import { RegistersPane } from "./panes/registers-pane.ts"
import { StackPane } from "./panes/stack-pane.ts"
import { StopsPane } from "./panes/stops-pane.ts"
import { TimelineView } from "./timeline-view.ts"

export interface DebugScreenProps {
  /** What the world is called. */
  readonly world: string
  /** What there is to see. */
  readonly sight: Sight
  /** What the log tells of the whole history. */
  readonly course: Course
}

const views: Readonly<Record<PaneName, (props: PaneProps) => ReactNode>> = {
  code: CodePane,
  registers: RegistersPane,
  csrs: CsrsPane,
  memory: MemoryPane,
  stack: StackPane,
  pages: PagesPane,
  events: EventsPane,
  console: ConsolePane,
  harts: HartsPane,
  stops: StopsPane,
}

const column = ({ width, panes }: PaneColumn, { scene, state }: Sight) =>
  h(
    Box,
    { key: panes[0]!.name, flexDirection: "column", width, flexShrink: 0 },
    panes.map(({ name, width, height }) => h(views[name], { key: name, scene, state, width, height })),
  )

export const DebugScreen = ({ world, sight, course }: DebugScreenProps) => {
  const { state, scene, layout } = sight
  const { columns } = state.size
  const foot = footLines(state, columns)
  // A long sentence takes its room from the panes.
  const rows = Math.max(0, state.size.rows - TIMELINE_ROWS - foot.length)
  return h(
    Box,
    { flexDirection: "column", width: columns, height: state.size.rows, overflow: "hidden" },
    h(TimelineView, { world, course, scene, state, columns }),
    state.mode.kind === "help"
      ? h(HelpView, { scroll: state.mode.scroll, columns, rows })
      : h(
          Box,
          { height: rows, columnGap: 1, overflow: "hidden" },
          layout.map(each => column(each, sight)),
        ),
    h(FootView, { lines: foot, columns }),
  )
}
