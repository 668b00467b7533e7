import { describe, expect, it } from "vitest"
import { matchAfter, matchBefore, searchPattern } from "../../../src/tui/debug/console-search.ts"

const text = "one two\nTwo three\ntwo"

describe("searching", () => {
  it("goes on to what ends later", () => {
    const pattern = searchPattern("two")
    expect(matchAfter(text, pattern, 0)).toEqual({ start: 4, end: 7 })
    expect(matchAfter(text, pattern, 7)).toEqual({ start: 8, end: 11 })
    expect(matchAfter(text, pattern, 20)).toEqual({ start: 18, end: 21 })
    expect(matchAfter(text, pattern, 21)).toBeNull()
  })

  it("goes back to what ends earlier", () => {
    const pattern = searchPattern("two")
    expect(matchBefore(text, pattern, 21)).toEqual({ start: 8, end: 11 })
    expect(matchBefore(text, pattern, 7)).toBeNull()
  })

  it("tells capitals apart only where there is one", () => {
    expect(matchAfter(text, searchPattern("Two"), 0)).toEqual({ start: 8, end: 11 })
    expect(matchAfter(text, searchPattern("TWO"), 0)).toBeNull()
  })

  it("knows the beginning and the end of a line", () => {
    expect(matchAfter(text, searchPattern("^two$"), 0)).toEqual({ start: 18, end: 21 })
  })

  it("finds nothing in nothing", () => {
    expect(matchAfter(text, searchPattern("x*"), 0)).toBeNull()
  })
})
