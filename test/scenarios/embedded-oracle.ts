/**
 * What the embedded guest's self-checks must print, computed a second time from their description and not from the
 * guest: the jobs of `scenarios/guests/embedded` in JavaScript numbers and BigInt.
 */

import { crc32 } from "node:zlib"

/** One kind of job: its name, the result of each job as 64 bits, and the CRC-32 over all of them in order. */
export interface ExpectedCheck {
  readonly name: string
  readonly results: readonly bigint[]
  readonly crc: number
}

const words = 4096

const bytesOf = (numbers: readonly bigint[]): Uint8Array => {
  const view = new DataView(new ArrayBuffer(numbers.length * 8))
  for (const [index, number] of numbers.entries()) view.setBigUint64(index * 8, number, true)
  return new Uint8Array(view.buffer)
}

const randomWords = (seed: number): bigint[] => {
  let state = BigInt(seed)
  return Array.from({ length: words }, () => {
    state = BigInt.asUintN(64, state ^ (state << 13n))
    state ^= state >> 7n
    state = BigInt.asUintN(64, state ^ (state << 17n))
    return state
  })
}

const sort = (index: number): bigint => BigInt(crc32(bytesOf([...BigUint64Array.from(randomWords(index + 1)).sort()])))

const checksum = (index: number): bigint => {
  const bytes = bytesOf(randomWords(index + 1001))
  let crc = 0
  for (let pass = 0; pass < 4; pass++) crc = crc32(bytes, crc)
  return BigInt(crc)
}

const doubleBits = (value: number): bigint => new DataView(Float64Array.of(value).buffer).getBigUint64(0, true)

const orbit = (index: number): bigint => {
  const x = [0.97000436, -0.97000436, 0]
  const y = [-0.24308753, 0.24308753, 0]
  const velocityX = [0.466203685, 0.466203685, -0.93240737]
  const velocityY = [0.43236573, 0.43236573, -0.86473146]
  const steps = 6326 + index * 64
  const step = 6.32591398 / steps
  let forceX: number[] = []
  let forceY: number[] = []
  const attract = () => {
    forceX = [0, 0, 0]
    forceY = [0, 0, 0]
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const dx = x[b]! - x[a]!
      const dy = y[b]! - y[a]!
      const square = dx * dx + dy * dy
      const pull = 1 / (square * Math.sqrt(square))
      forceX[a]! += dx * pull
      forceY[a]! += dy * pull
      forceX[b]! -= dx * pull
      forceY[b]! -= dy * pull
    }
  }
  const kick = (body: number) => {
    velocityX[body]! += forceX[body]! * (step / 2)
    velocityY[body]! += forceY[body]! * (step / 2)
  }
  attract()
  for (let n = 0; n < steps; n++) {
    for (let body = 0; body < 3; body++) {
      kick(body)
      x[body]! += velocityX[body]! * step
      y[body]! += velocityY[body]! * step
    }
    attract()
    for (let body = 0; body < 3; body++) kick(body)
  }
  const missX = x[0]! - 0.97000436
  const missY = y[0]! + 0.24308753
  return doubleBits(Math.sqrt(missX * missX + missY * missY))
}

const integral = (index: number): bigint => {
  const f = Math.fround
  const height = (x: number) => f(4 / f(1 + f(x * x)))
  const width = f((index + 1) / 20000)
  let sum = f(height(0) + height(index + 1))
  for (let n = 1; n < 20000; n++) sum = f(sum + f((n % 2 === 1 ? 4 : 2) * height(f(n * width))))
  const area = f(f(sum * width) / 3)
  return BigInt(new DataView(Float32Array.of(area).buffer).getUint32(0, true))
}

const paging = (index: number): bigint => {
  const data = new BigUint64Array(8 * 512)
  const word = (value: bigint) => BigInt.asUintN(64, value)
  let seed = BigInt(index + 1)
  let sum = 0n
  for (let pass = 0; pass < 12; pass++) {
    for (let n = 0; n < data.length; n++) {
      seed = word(seed * 0x5851f42d4c957f2dn + 1n)
      data[n] = seed
    }
    for (const value of data) sum = word((sum >> 1n) + ((sum & 1n) << 63n) + value)
  }
  return sum
}

const check = (name: string, jobs: number, run: (index: number) => bigint): ExpectedCheck => {
  const results = Array.from({ length: jobs }, (_, index) => run(index))
  return { name, results, crc: crc32(bytesOf(results)) }
}

/** All kinds of jobs, in the order in which the guest reports them. */
export const expectedChecks = (): readonly ExpectedCheck[] => [
  check("sort", 16, sort),
  check("checksum", 8, checksum),
  check("orbit", 8, orbit),
  check("integral", 8, integral),
  check("paging", 8, paging),
]

const hexadecimal = (value: number | bigint, digits: number): string => value.toString(16).padStart(digits, "0")

/** The lines from the first `check:` to `summary:` that the guest must print. */
export const expectedSummary = (): readonly string[] => {
  const checks = expectedChecks()
  const total = Uint32Array.from(checks, each => each.crc)
  return [
    ...checks.map(
      ({ name, results, crc }) =>
        `check: ${name}, ${results.length} jobs, first result ${hexadecimal(results[0]!, 16)}, crc32 ${hexadecimal(crc, 8)} ok`,
    ),
    "rounding: 1/3 = 3fd5555555555555 to even",
    "rounding: 1/3 = 3fd5555555555555 to zero",
    "rounding: 1/3 = 3fd5555555555555 down",
    "rounding: 1/3 = 3fd5555555555556 up",
    "rounding: 1/3 = 3fd5555555555555 to larger",
    "rounding: 3 * (1/3) - 1 = bc90000000000000 in one step",
    "check: rounding ok",
    `summary: 6 of 6 checks ok, checksum ${hexadecimal(crc32(new Uint8Array(total.buffer)), 8)}`,
  ]
}
