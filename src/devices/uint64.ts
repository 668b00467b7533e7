// Unsigned 64-bit arithmetic on pairs of 32-bit halves, modulo 2^64: exact where a number is not, and without BigInt.

const TWO_32 = 2 ** 32

/** Both halves are unsigned 32-bit integers. */
export interface Uint64 {
  readonly high: number
  readonly low: number
}

export const UINT64_ZERO: Uint64 = { high: 0, low: 0 }

/** `value` is an integer from 0 to 2^53. */
export const uint64FromNumber = (value: number): Uint64 => ({ high: Math.floor(value / TWO_32), low: value >>> 0 })

export function addUint64(a: Uint64, b: Uint64): Uint64 {
  const low = a.low + b.low
  return { high: (a.high + b.high + (low >= TWO_32 ? 1 : 0)) >>> 0, low: low >>> 0 }
}

export function subtractUint64(a: Uint64, b: Uint64): Uint64 {
  const low = a.low - b.low
  return { high: (a.high - b.high - (low < 0 ? 1 : 0)) >>> 0, low: low >>> 0 }
}

export const isLessUint64 = (a: Uint64, b: Uint64): boolean => a.high < b.high || (a.high === b.high && a.low < b.low)

/** The value as a number, or Infinity when it is 2^53 or more and might not be exact. */
export const uint64ToNumber = (value: Uint64): number =>
  value.high < 2 ** 21 ? value.high * TWO_32 + value.low : Number.POSITIVE_INFINITY

/** `seconds` * 10^9 + `nanoseconds`, exactly. Precondition: 0 <= seconds < 2^33, 0 <= nanoseconds < 10^9, both integers. */
export function nanosecondsUint64(seconds: number, nanoseconds: number): Uint64 {
  const upper = Math.floor(seconds / 2 ** 20) * 1e9
  const lower = (seconds % 2 ** 20) * 1e9 + nanoseconds
  return addUint64({ high: Math.floor(upper / 2 ** 12), low: (upper % 2 ** 12) * 2 ** 20 }, uint64FromNumber(lower))
}
