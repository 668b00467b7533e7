import { describe, expect, test } from "vitest"
import { Plic } from "../../src/devices/index.ts"
import { below, Wire } from "./support/bench.ts"
import { deviceLaws } from "./support/device-law.ts"

const priority = (source: number): number => 4 * source
const enable = (context: number, word = 0): number => 0x2000 + 0x80 * context + 4 * word
const threshold = (context: number): number => 0x20_0000 + 0x1000 * context
const claim = (context: number): number => threshold(context) + 4

function bench() {
  const contexts = Array.from({ length: 4 }, () => new Wire())
  const plic = new Plic({ contexts })
  const load = (offset: number): number => plic.load(offset, 4)
  const store = (offset: number, value: number): void => plic.store(offset, 4, value)
  return { contexts, plic, load, store }
}

describe("plic", () => {
  test("a source interrupts the contexts that enable it, until it is claimed", () => {
    const { contexts, plic, load, store } = bench()
    store(priority(10), 1)
    store(enable(1), 1 << 10)
    const line = plic.source(10)
    line.set(true)
    expect(contexts.map(context => context.level)).toEqual([false, true, false, false])
    expect(load(0x1000)).toBe(1 << 10)
    expect(load(claim(1))).toBe(10)
    expect(contexts[1]!.level).toBe(false)
    expect(load(claim(1))).toBe(0)
  })

  test("a source that is still high at completion interrupts again, one that fell does not", () => {
    const { contexts, plic, load, store } = bench()
    store(priority(10), 1)
    store(enable(0), 1 << 10)
    const line = plic.source(10)
    line.set(true)
    load(claim(0))
    store(claim(0), 10)
    expect(contexts[0]!.level).toBe(true)
    load(claim(0))
    line.set(false)
    store(claim(0), 10)
    expect(contexts[0]!.level).toBe(false)
  })

  test("a request stays pending when its source falls before the claim", () => {
    const { plic, load, store } = bench()
    store(priority(10), 1)
    store(enable(0), 1 << 10)
    plic.source(10).set(true)
    plic.source(10).set(false)
    expect(load(claim(0))).toBe(10)
  })

  test("the highest priority comes first, the lowest number among equals, and only above the threshold", () => {
    const { contexts, plic, load, store } = bench()
    for (const [source, value] of [
      [31, 3],
      [32, 3],
      [95, 7],
      [1, 2],
    ] as const) {
      store(priority(source), value)
      plic.source(source).set(true)
    }
    for (let word = 0; word < 3; word += 1) store(enable(0, word), 0xffff_ffff)
    store(threshold(0), 2)
    expect([load(claim(0)), load(claim(0)), load(claim(0)), load(claim(0))]).toEqual([95, 31, 32, 0])
    expect(contexts[0]!.level).toBe(false)
    store(threshold(0), 1)
    expect(contexts[0]!.level).toBe(true)
  })

  test("priorities and thresholds have three bits, enables those of the sources there are", () => {
    const { load, store } = bench()
    store(priority(95), 0xff)
    store(priority(96), 7)
    store(threshold(3), 9)
    store(enable(0, 0), 0xffff_ffff)
    store(enable(0, 3), 0xffff_ffff)
    store(threshold(4), 1)
    expect([load(priority(95)), load(priority(96)), load(threshold(3)), load(enable(0, 0))]).toEqual([
      7, 0, 1, 0xffff_fffe,
    ])
    expect([load(enable(0, 3)), load(threshold(4)), load(priority(0))]).toEqual([0, 0, 0])
  })

  const words = [0, 1, 2, 3]
  deviceLaws("plic", {
    offsets: [
      ...words.flatMap(context => [threshold(context), claim(context), ...words.map(word => enable(context, word))]),
      ...[0, 1, 2, 10, 33, 95, 96].map(priority),
      ...words.map(word => 0x1000 + 4 * word),
    ],
    values: [10, 33, 95],
    makeRig: () => {
      const { contexts, plic } = bench()
      return {
        device: plic,
        observe: () => contexts,
        stimulate: random => plic.source(1 + below(random, 95)).set(below(random, 2) === 0),
      }
    },
  })
})
