import { expect, it } from "vitest"
import { count, countOf, seconds, size, speed } from "../../src/tui/quantity.ts"

it("groups digits", () => {
  expect([0, 999, 49_391_264].map(count)).toEqual(["0", "999", "49,391,264"])
})

it("counts one thing and many", () => {
  expect([0, 1, 1234].map(value => countOf(value, "event"))).toEqual(["0 events", "1 event", "1,234 events"])
})

it.each([
  [1, "1 byte"],
  [1023, "1,023 bytes"],
  [1536, "1.5 KiB"],
  [188_416, "184 KiB"],
  [64 << 20, "64 MiB"],
])("says %i bytes as %s", (bytes, text) => {
  expect(size(bytes)).toBe(text)
})

it("says durations and speeds", () => {
  expect(seconds(140)).toBe("0.14 s")
  expect(speed(49_391_264, 140)).toBe("353 MIPS")
})

it("knows a speed where the clock saw no time pass", () => {
  expect(speed(1_000_000, 0)).toBe("1,000 MIPS")
})
