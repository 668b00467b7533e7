import { describe, expect, it } from "vitest"
import { isCharacter, keysOf } from "../../../src/tui/debug/key.ts"

describe("keys", () => {
  it.each([
    ["a", {}, ["a"]],
    ["?", {}, ["?"]],
    ["ß", {}, ["ß"]],
    ["😀", {}, ["😀"]],
    ["", { leftArrow: true }, ["left"]],
    ["", { leftArrow: true, shift: true }, ["S-left"]],
    ["", { tab: true, shift: true }, ["S-tab"]],
    ["", { pageDown: true }, ["pagedown"]],
    ["", { escape: true }, ["escape"]],
    ["\r", { return: true }, ["enter"]],
    ["c", { ctrl: true }, ["C-c"]],
    ["S", { shift: true }, ["S"]],
  ] as const)("%j", (input, special, keys) => {
    expect(keysOf(input, special)).toEqual(keys)
  })

  it("come one by one where they were typed faster than they were read", () => {
    expect(keysOf("break x\r", {})).toEqual([..."break x", "enter"])
    expect(keysOf("a\tb\x7f\x15", {})).toEqual(["a", "tab", "b", "backspace", "C-u"])
  })

  it("are no Alt where Escape was followed by another", () => {
    expect(keysOf("q", { meta: true })).toEqual(["escape", "q"])
  })
})

it("knows characters from names", () => {
  expect(["a", " ", "😀", "left", "C-c", ""].map(isCharacter)).toEqual([true, true, true, false, false, false])
})
