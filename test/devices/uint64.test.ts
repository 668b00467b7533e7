import { expect, test } from "vitest"
import { RandomGenerator } from "../../src/devices/index.ts"
import {
  addUint64,
  isLessUint64,
  nanosecondsUint64,
  subtractUint64,
  type Uint64,
  uint64FromNumber,
  uint64ToNumber,
} from "../../src/devices/uint64.ts"

const big = (value: Uint64): bigint => (BigInt(value.high) << 32n) | BigInt(value.low)
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)

test("agrees with big integers", () => {
  const random = new RandomGenerator(Uint8Array.of(64))
  const edges = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
  const half = (): number => (random.next() & 1 ? random.next() : edges[random.next() % edges.length]!)
  for (let i = 0; i < 5000; i += 1) {
    const a = { high: half(), low: half() }
    const b = { high: half(), low: half() }
    expect(big(addUint64(a, b))).toBe(wrap(big(a) + big(b)))
    expect(big(subtractUint64(a, b))).toBe(wrap(big(a) - big(b)))
    expect(isLessUint64(a, b)).toBe(big(a) < big(b))
    const number = (a.high % 2 ** 21) * 2 ** 32 + a.low
    expect(big(uint64FromNumber(number))).toBe(BigInt(number))
    expect(uint64ToNumber(uint64FromNumber(number))).toBe(number)
    const seconds = (a.high % 2) * 2 ** 32 + a.low
    const nanoseconds = b.low % 1e9
    expect(big(nanosecondsUint64(seconds, nanoseconds))).toBe(BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds))
  }
})
