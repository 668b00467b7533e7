import { describe, expect, test } from "vitest"
import { LineWrites, linesNeeded } from "../../src/debugger/search/line-writes.ts"
import { nothingObserved } from "../../src/machine/machine.ts"

const at = (round: number) => ({ round, machine: 0, hart: 0, instret: round * 10 })
const moment = (round: number, nextSeq: number) => ({ position: at(round), nextSeq, virtualNs: 0, executed: [0] })
/** Of lines, by their numbers in all of memory. */
const span = (fromSeq: number, toSeq: number, ...written: number[]) => {
  const pages = Uint32Array.from(new Set(written.map(line => Math.floor(line / 64)))).sort()
  const lines = new Uint32Array(2 * pages.length)
  for (const line of written) lines[2 * pages.indexOf(Math.floor(line / 64)) + ((line % 64) >>> 5)]! |= 1 << (line % 32)
  return { fromSeq, toSeq, pages, lines }
}
const moments = [moment(0, 0), moment(10, 11), moment(20, 21), moment(30, 31)]

describe("a stretch is left alone", () => {
  const spans = [span(20, 30, 7), span(0, 10, 1, 5, 7), span(10, 20, 1, 200, 65)]
  const writes = new LineWrites(moments, spans)
  const from = (begin: number, end: number) => ({ from: at(begin), to: at(end) })
  test.each([
    [from(0, 10), [1], false],
    [from(0, 10), [2, 6, 8], true],
    [from(0, 10), [2, 5], false],
    [from(10, 20), [7], true],
    [from(20, 30), [1], true],
    [from(10, 30), [1], false],
    [from(10, 30), [5], true],
    [from(12, 15), [5], true],
    [from(5, 15), [5], false],
    [from(0, 30), [8], true],
    [from(0, 10), [31, 32, 63], true],
    [from(10, 20), [65], false],
    [from(10, 20), [64, 96], true],
    [from(10, 20), [200], false],
    [from(10, 20), [1000, 127], true],
  ])("%j, lines %j: %s", (stretch, lines, expected) => {
    expect(writes.leaveAlone(stretch, lines)).toBe(expected)
  })

  test("only as far as is known", () => {
    expect(writes.leaveAlone(from(25, 31), [8])).toBe(false)
    const withGap = new LineWrites(moments, [span(0, 10), span(11, 30)])
    expect(withGap.leaveAlone(from(0, 10), [8])).toBe(true)
    expect(withGap.leaveAlone(from(10, 20), [8])).toBe(false)
    expect(new LineWrites(moments, []).leaveAlone(from(0, 10), [8])).toBe(false)
  })

  test("by whichever of several spans says so", () => {
    const twice = new LineWrites(moments, [span(0, 30, 4), span(0, 10, 5), span(5, 20, 6)])
    expect(twice.leaveAlone(from(0, 20), [4])).toBe(true)
    expect(twice.leaveAlone(from(0, 20), [4, 5])).toBe(false)
  })
})

describe("lines that have to be written", () => {
  const memory = (address: bigint, bytes: number, more = {}) => ({
    observation: {
      ...nothingObserved,
      memory: [{ space: "physical" as const, address, bytes, reads: false, writes: true, ...more }],
    },
  })

  test("are those that watched bytes lie in", () => {
    expect(linesNeeded(memory(0x8000_0000n, 8))).toEqual([0])
    expect(linesNeeded(memory(0x8000_1040n, 8))).toEqual([65])
    expect(linesNeeded(memory(0x8000_1ffcn, 8))).toEqual([127, 128])
    expect(linesNeeded(memory(0x8000_1000n, 0x2000))).toEqual(Array.from({ length: 128 }, (_, at) => 64 + at))
  })

  test("are not known of anything else", () => {
    expect(linesNeeded(memory(0x8000_0000n, 8, { reads: true }))).toBeNull()
    expect(linesNeeded(memory(0x8000_0000n, 8, { space: "virtual" }))).toBeNull()
    expect(linesNeeded({ ...memory(0x8000_0000n, 8), output: true })).toBeNull()
    expect(linesNeeded({ ...memory(0x8000_0000n, 8), rounds: true })).toBeNull()
    for (const more of [{ breakpoints: [4n] }, { interrupts: true }, { exceptions: true }]) {
      const { observation } = memory(0x8000_0000n, 8)
      expect(linesNeeded({ observation: { ...observation, ...more } })).toBeNull()
    }
  })
})
