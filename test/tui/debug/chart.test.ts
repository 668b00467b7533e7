import { expect, it } from "vitest"
import { chart } from "../../../src/tui/debug/chart.ts"

it("shows what is there, however little it is", () => {
  expect(chart([0, 1, 1_000_000, 0])).toBe(" ▁█ ")
  expect(chart([0.01, 1000])).toBe("▁█")
})

it("grows with the logarithm", () => {
  expect(chart([0, 1, 10, 100, 1000, 10_000])).toBe(" ▁▂▄▆█")
})

it("is empty where there is nothing", () => {
  expect(chart([0, 0])).toBe("  ")
  expect(chart([])).toBe("")
})
