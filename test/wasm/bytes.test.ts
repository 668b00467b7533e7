import { describe, expect, it } from "vitest"
import { Bytes } from "../../src/wasm/bytes.ts"

const written = (write: (bytes: Bytes) => void): number[] => {
  const bytes = new Bytes()
  write(bytes)
  return [...bytes.copy()]
}

describe("unsigned LEB128", () => {
  it.each([
    [0, [0x00]],
    [1, [0x01]],
    [0x7f, [0x7f]],
    [0x80, [0x80, 0x01]],
    [0x3fff, [0xff, 0x7f]],
    [0x4000, [0x80, 0x80, 0x01]],
    [624485, [0xe5, 0x8e, 0x26]],
    [0x7fffffff, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [0x80000000, [0x80, 0x80, 0x80, 0x80, 0x08]],
    [0xffffffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])("of %d", (value, expected) => {
    expect(written(bytes => bytes.unsigned(value))).toEqual(expected)
  })
})

describe("signed LEB128", () => {
  const cases: [bigint, number[]][] = [
    [0n, [0x00]],
    [1n, [0x01]],
    [-1n, [0x7f]],
    [63n, [0x3f]],
    [64n, [0xc0, 0x00]],
    [-64n, [0x40]],
    [-65n, [0xbf, 0x7f]],
    [127n, [0xff, 0x00]],
    [128n, [0x80, 0x01]],
    [-128n, [0x80, 0x7f]],
    [-123456n, [0xc0, 0xbb, 0x78]],
    [0x7fffffffn, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [-0x80000000n, [0x80, 0x80, 0x80, 0x80, 0x78]],
  ]
  it.each(cases)("of %d, 32 and 64 bits wide", (value, expected) => {
    expect(written(bytes => bytes.signed32(Number(value)))).toEqual(expected)
    expect(written(bytes => bytes.signed64(value))).toEqual(expected)
  })

  const wide: [bigint, number[]][] = [
    [0x3fffffffn, [0xff, 0xff, 0xff, 0xff, 0x03]],
    [0x40000000n, [0x80, 0x80, 0x80, 0x80, 0x04]],
    [-0x40000000n, [0x80, 0x80, 0x80, 0x80, 0x7c]],
    [-0x40000001n, [0xff, 0xff, 0xff, 0xff, 0x7b]],
    [0x80000000n, [0x80, 0x80, 0x80, 0x80, 0x08]],
    [0xffffffffn, [0xff, 0xff, 0xff, 0xff, 0x0f]],
    [2n ** 63n - 1n, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]],
    [-(2n ** 63n), [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]],
    [2n ** 64n - 1n, [0x7f]],
  ]
  it.each(wide)("of %d, 64 bits wide", (value, expected) => {
    expect(written(bytes => bytes.signed64(value))).toEqual(expected)
  })

  it("wraps a 32-bit number that is written unsigned", () => {
    expect(written(bytes => bytes.signed32(0xffffffff))).toEqual([0x7f])
  })
})

describe("sections and names", () => {
  it("carry their length in bytes before them", () => {
    expect(written(bytes => bytes.name("é"))).toEqual([2, 0xc3, 0xa9])
    expect(written(bytes => bytes.section(7, content => content.raw([1, 2, 3])))).toEqual([7, 3, 1, 2, 3])
  })
  it("grow past any first guess", () => {
    const bytes = new Bytes()
    for (let value = 0; value < 1000; value++) bytes.byte(value & 0xff)
    bytes.raw(new Uint8Array(5000).fill(9))
    expect(bytes.length).toBe(6000)
    expect([bytes.view()[999], bytes.view()[1000], bytes.view()[5999]]).toEqual([999 & 0xff, 9, 9])
  })
})
