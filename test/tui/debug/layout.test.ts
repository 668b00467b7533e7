import { describe, expect, it } from "vitest"
import { layoutOf, placeOf, type Size } from "../../../src/tui/debug/layout.ts"
import { paneNames } from "../../../src/tui/debug/pane.ts"

const sizes: readonly Size[] = [
  { columns: 80, rows: 24 },
  { columns: 200, rows: 50 },
  { columns: 132, rows: 43 },
  { columns: 80, rows: 60 },
  { columns: 300, rows: 100 },
  { columns: 170, rows: 40 },
  { columns: 40, rows: 12 },
  { columns: 20, rows: 3 },
]
const choices = sizes.flatMap(size =>
  paneNames.flatMap(focus =>
    [1, 2, 8].flatMap(harts => [true, false].map(isZoomed => ({ size, choice: { focus, isZoomed, harts } }))),
  ),
)

describe("the panes", () => {
  it("fill the room there is, and nothing beyond", () => {
    for (const { size, choice } of choices) {
      const columns = layoutOf(size, choice)
      const width = columns.reduce((sum, column) => sum + column.width, 0) + columns.length - 1
      expect(width).toBe(size.columns)
      for (const { panes } of columns) {
        expect(panes.reduce((sum, { height }) => sum + height, 0)).toBe(Math.max(1, size.rows - 6))
        for (const { height } of panes) expect(height, JSON.stringify({ size, choice })).toBeGreaterThanOrEqual(1)
      }
    }
  })

  it("always have the focused one among them, none twice", () => {
    for (const { size, choice } of choices) {
      const names = layoutOf(size, choice).flatMap(({ panes }) => panes.map(({ name }) => name))
      expect(names).toContain(choice.focus)
      expect(new Set(names).size).toBe(names.length)
    }
  })

  it("are all there on a large terminal", () => {
    const columns = layoutOf({ columns: 200, rows: 50 }, { focus: "code", isZoomed: false, harts: 8 })
    expect(columns.flatMap(({ panes }) => panes.map(({ name }) => name)).toSorted()).toEqual([...paneNames].sort())
  })

  it("are the code and another on a small one", () => {
    const on = (focus: (typeof paneNames)[number]) =>
      layoutOf({ columns: 80, rows: 24 }, { focus, isZoomed: false, harts: 2 })[0]!.panes.map(({ name }) => name)
    expect(on("code")).toEqual(["code", "registers"])
    expect(on("console")).toEqual(["code", "console"])
  })

  it("show every integer register on a small one", () => {
    const layout = layoutOf({ columns: 80, rows: 24 }, { focus: "registers", isZoomed: false, harts: 2 })
    expect(placeOf(layout, "registers")!.height - 1).toBe(Math.ceil(32 / 3))
  })
})
