import { describe, expect, test } from "vitest"
import { RandomGenerator } from "../../../src/devices/index.ts"

describe("random generator", () => {
  test("follows the algorithm from a known state", () => {
    const generator = new RandomGenerator(new Uint8Array(0))
    generator.restore({ words: [1, 2, 3, 4] })
    // Reference: s[1] * 5 rotated left by 7, times 9, with the state stepped in big integers.
    const state = [1n, 2n, 3n, 4n]
    const mask = 0xffff_ffffn
    const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask
    for (let i = 0; i < 100; i += 1) {
      const expected = (rotate((state[1]! * 5n) & mask, 7n) * 9n) & mask
      const shifted = (state[1]! << 9n) & mask
      state[2]! ^= state[0]!
      state[3]! ^= state[1]!
      state[1]! ^= state[2]!
      state[0]! ^= state[3]!
      state[2]! ^= shifted
      state[3] = rotate(state[3]!, 11n)
      expect(BigInt(generator.next())).toBe(expected)
    }
  })

  test("depends on every byte of its seed and goes on from a saved state", () => {
    const a = new RandomGenerator(Uint8Array.of(1, 2, 3))
    const b = new RandomGenerator(Uint8Array.of(1, 2, 4))
    const c = new RandomGenerator(Uint8Array.of(1, 2, 3))
    expect(a.bytes(33)).toEqual(c.bytes(33))
    expect(a.bytes(32)).not.toEqual(b.bytes(32))
    c.restore(a.save())
    expect(a.bytes(7)).toEqual(c.bytes(7))
    expect(() => c.restore({ words: [0, 0, 0, 0] })).toThrow("zeroes")
  })
})
