import { describe, expect, test } from "vitest"
import { TestFinisher } from "../../src/devices/index.ts"
import { deviceLaws } from "./support/device-law.ts"

function bench() {
  const log: unknown[] = []
  const finisher = new TestFinisher({ power: { off: code => log.push(["off", code]), reset: () => log.push("reset") } })
  return { log, finisher }
}

describe("test finisher", () => {
  test("passes, fails with a code, resets, and ignores the rest", () => {
    const { log, finisher } = bench()
    finisher.store(0, 4, 0x5555)
    finisher.store(0, 4, 0x0007_3333)
    finisher.store(0, 2, 0x7777)
    finisher.store(0, 4, 0x1234)
    finisher.store(4, 4, 0x5555)
    expect(log).toEqual([["off", 0], ["off", 7], "reset"])
  })

  deviceLaws("test finisher", {
    offsets: [0, 0, 4],
    values: [0x5555, 0x3333, 0x7777],
    makeRig: () => {
      const { finisher } = bench()
      return { device: finisher, observe: () => null }
    },
  })
})
