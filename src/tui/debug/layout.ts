/** Which panes a terminal of some size shows, and where. Sizes are in columns and rows, titles included. */
import type { PaneName } from "./pane.ts"

export interface PlacedPane {
  readonly name: PaneName
  readonly width: number
  readonly height: number
}

/** Panes one below the other. */
export interface PaneColumn {
  readonly width: number
  readonly panes: readonly PlacedPane[]
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** Rows above the panes: where it stands, two charts, the axis. */
export const TIMELINE_ROWS = 4
/** Rows below: what is said or typed, and the keys. */
export const FOOT_ROWS = 2
/** Between columns. */
const GAP = 1

/** All panes at once from here on. */
const ALL: Size = { columns: 170, rows: 40 }
/** Two columns from here on. */
const TWO: Size = { columns: 130, rows: 20 }
/** With fewer rows there is one pane only. */
const ROWS_OF_TWO = 12

/** Rows that show every integer register in three columns. */
const REGISTERS_ROWS = 12
const CSRS_ROWS = 20
/** Three registers beside each other. */
const REGISTERS_COLUMNS = 64

/** Panes with these shares of the rows, `null` sharing what is left. */
const column = (width: number, height: number, wanted: readonly (readonly [PaneName, number | null])[]): PaneColumn => {
  const free = height - wanted.reduce((sum, [, rows]) => sum + (rows ?? 0), 0)
  const sharers = wanted.filter(([, rows]) => rows === null).length
  let shared = 0
  const panes = wanted.map(([name, rows]): PlacedPane => {
    if (rows !== null) return { name, width, height: rows }
    shared++
    const share = shared === sharers ? free - Math.floor(free / sharers) * (sharers - 1) : Math.floor(free / sharers)
    return { name, width, height: share }
  })
  return { width, panes }
}

export interface LayoutChoice {
  readonly focus: PaneName
  /** The focused pane alone. */
  readonly isZoomed: boolean
  readonly harts: number
}

/** The columns of panes, left to right. The focused pane is always among them. */
export const layoutOf = ({ columns, rows }: Size, { focus, isZoomed, harts }: LayoutChoice): readonly PaneColumn[] => {
  const height = Math.max(1, rows - TIMELINE_ROWS - FOOT_ROWS)
  if (isZoomed || height < ROWS_OF_TWO) return [column(columns, height, [[focus, null]])]
  if (columns >= ALL.columns && rows >= ALL.rows) {
    const right = Math.max(58, Math.floor(columns * 0.29))
    const left = columns - REGISTERS_COLUMNS - right - 2 * GAP
    const code = Math.floor(height * 0.55)
    return [
      column(left, height, [
        ["code", code],
        ["console", null],
      ]),
      column(REGISTERS_COLUMNS, height, [
        ["registers", REGISTERS_ROWS],
        ["csrs", Math.min(CSRS_ROWS, height - REGISTERS_ROWS - 8)],
        ["stack", null],
      ]),
      column(right, height, [
        ["harts", harts + 1],
        ["stops", 6],
        ["memory", 10],
        ["pages", 8],
        ["events", null],
      ]),
    ]
  }
  if (columns >= TWO.columns && rows >= TWO.rows) {
    const left = columns - REGISTERS_COLUMNS - GAP
    const shown: readonly PaneName[] = ["code", "console", "registers"]
    const fourth = shown.includes(focus) ? "stack" : focus
    return [
      column(left, height, [
        ["code", null],
        ["console", null],
      ]),
      column(REGISTERS_COLUMNS, height, [
        ["registers", Math.min(REGISTERS_ROWS, Math.floor(height / 2))],
        [fourth, null],
      ]),
    ]
  }
  if (height < 30)
    return [
      column(columns, height, [
        ["code", Math.max(4, Math.min(height - REGISTERS_ROWS, Math.floor(height / 2)))],
        [focus === "code" ? "registers" : focus, null],
      ]),
    ]
  const third = focus === "code" || focus === "registers" ? "console" : focus
  return [
    column(columns, height, [
      ["code", Math.floor(height * 0.4)],
      ["registers", REGISTERS_ROWS],
      [third, null],
    ]),
  ]
}

/** Where a pane is, null where it is not shown. */
export const placeOf = (layout: readonly PaneColumn[], name: PaneName): PlacedPane | null =>
  layout.flatMap(({ panes }) => panes).find(pane => pane.name === name) ?? null
