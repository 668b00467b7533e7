import { expect, it } from "vitest"
import { fitted } from "../../src/tui/fitted.ts"

it.each([
  [20, "one two three"],
  [13, "one two three"],
  [12, "one two …"],
  [9, "one two …"],
  [8, "one …"],
  [4, "…"],
])("in %i columns: %s", (columns, text) => {
  expect(fitted(["one", "two", "three"], " ", columns)).toBe(text)
})
