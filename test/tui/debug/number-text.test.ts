import { expect, it } from "vitest"
import { exactSeconds, hex16, modeName, percent } from "../../../src/tui/debug/scene/number-text.ts"

it("says numbers as people read them", () => {
  expect(hex16(0x80001234n)).toBe("0000000080001234")
  expect([0, 1, 1_234_567_890, 61e9].map(exactSeconds)).toEqual([
    "0.000000000 s",
    "0.000000001 s",
    "1.234567890 s",
    "61.000000000 s",
  ])
  expect([0, 0.0004, 0.0006, 0.432, 0.99999, 1].map(percent)).toEqual([
    "0.0 %",
    "0.0 %",
    "0.1 %",
    "43.2 %",
    "99.9 %",
    "100.0 %",
  ])
  expect([0n, 1n, 3n].map(modeName)).toEqual(["user", "supervisor", "machine"])
})
