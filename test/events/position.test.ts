import { describe, expect, test } from "vitest"
import { comparePositions, formatPosition, parsePosition } from "../../src/events/position.ts"

describe("a position", () => {
  test("is printed and parsed", () => {
    const position = { round: 1204, machine: 0, hart: 1, instret: 123456789 }
    expect(formatPosition(position)).toBe("r1204.m0.h1.i123456789")
    expect(parsePosition("r1204.m0.h1.i123456789")).toEqual(position)
  })

  test.each([
    "",
    "r1",
    "r1.m0.h0",
    "r1.m0.h0.i",
    "r01.m0.h0.i0",
    "r1.m0.h0.i0 ",
    "r-1.m0.h0.i0",
    "r1.m4294967296.h0.i0",
    "r1.m0.h0.i9007199254740993",
  ])("is not %j", text => expect(() => parsePosition(text)).toThrow(/is not a position; write it as/))

  test("orders by round, machine, hart, instret", () => {
    const ordered = ["r0.m0.h0.i9", "r1.m0.h0.i5", "r1.m0.h1.i0", "r1.m1.h0.i0", "r2.m0.h0.i0", "r2.m0.h0.i1"].map(
      parsePosition,
    )
    for (const [i, a] of ordered.entries())
      for (const [j, b] of ordered.entries()) expect(Math.sign(comparePositions(a, b))).toBe(Math.sign(i - j))
  })
})
