import { describe, expect, test } from "vitest"
import { decodeState, encodeState, type StateValue } from "../../src/devices/index.ts"

describe("state codec", () => {
  test.each<[StateValue]>([
    [null],
    [true],
    [false],
    [0],
    [127],
    [128],
    [2 ** 32],
    [2 ** 53 - 1],
    [2 ** 53],
    [-1],
    [-128],
    [-(2 ** 53)],
    [""],
    ["\ufeffhé\u{1f600}\0"],
    [new Uint8Array([1, 2, 3])],
    [[1, [2, "x"], {}]],
    [{ b: 1, a: [null], "": { z: new Uint8Array(300) } }],
  ])("brings %o back", value => {
    expect(decodeState(encodeState(value))).toStrictEqual(value)
  })

  test("gives equal bytes whatever the order of fields", () => {
    expect(encodeState({ a: 1, b: 2 })).toEqual(encodeState({ b: 2, a: 1 }))
    expect(encodeState(-0)).toEqual(encodeState(0))
  })

  test.each<[unknown]>([
    [0.5],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [2 ** 53 + 2],
    [undefined],
    ["\ud800"],
    [new Map()],
  ])("refuses %o", value => {
    expect(() => encodeState(value as StateValue)).toThrow()
  })

  test("refuses every truncation and every leftover", () => {
    const bytes = encodeState({ a: [1, -5, "text", new Uint8Array(3)], b: { c: true } })
    for (let length = 0; length < bytes.length; length += 1) expect(() => decodeState(bytes.slice(0, length))).toThrow()
    expect(() => decodeState(Uint8Array.of(...bytes, 0))).toThrow("left over")
  })

  test.each([
    ["an unknown tag", [9]],
    ["a long form of a short integer", [3, 0x80, 0]],
    ["an integer beyond 2^53", [3, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]],
    ["an endless integer", [3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]],
    ["fields out of order", [8, 2, 1, 0x62, 0, 1, 0x61, 0]],
    ["a field twice", [8, 2, 1, 0x61, 0, 1, 0x61, 0]],
    ["bytes that are not UTF-8", [5, 1, 0xff]],
    ["a count beyond the end", [7, 0xff, 0xff, 0x7f]],
    [
      "endless nesting",
      Array<number>(200)
        .fill(7)
        .flatMap(tag => [tag, 1]),
    ],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeState(Uint8Array.from(bytes))).toThrow("State")
  })

  test("accepts only what it would have written", () => {
    // Every two- and three-byte string that decodes must encode to itself.
    for (let word = 0; word < 2 ** 20; word += 7) {
      const bytes = Uint8Array.of(word & 15, (word >> 4) & 0xff, (word >> 12) & 0xff)
      let value: StateValue
      try {
        value = decodeState(bytes)
      } catch {
        continue
      }
      expect(encodeState(value)).toEqual(bytes)
    }
  })
})
