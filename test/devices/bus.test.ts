import { describe, expect, test } from "vitest"
import { ACCESS_FAULT, Bus, type Device } from "../../src/devices/index.ts"

const recording = (id: string, accessSizes: number, log: unknown[]): Device => ({
  id,
  size: 0x100,
  accessSizes,
  load: (offset, size) => {
    log.push(["load", offset, size])
    return offset + 1
  },
  store: (offset, size, value) => {
    log.push(["store", offset, size, value])
  },
  save: () => null,
  restore: () => {},
  reset: () => {},
  deviceTreeNode: () => ({ name: id, properties: {} }),
})

describe("bus", () => {
  test("finds the device and hands it offsets from its base", () => {
    const log: unknown[] = []
    const bus = new Bus()
    bus.map(0x2000, recording("b", 15, log))
    bus.map(0x1000, recording("a", 15, log))
    expect(bus.load(0x2010, 4)).toBe(0x11)
    expect(bus.store(0x10ff, 1, 0x1234)).toBe(true)
    expect(bus.store(0x1000, 4, -1)).toBe(true)
    expect(log).toEqual([
      ["load", 0x10, 4],
      ["store", 0xff, 1, 0x34],
      ["store", 0, 4, 0xffff_ffff],
    ])
  })

  test("splits eight bytes, low half first", () => {
    const log: unknown[] = []
    const bus = new Bus()
    bus.map(0x1000, recording("a", 15, log))
    expect([bus.loadDouble(0x1008), bus.loadedHigh]).toEqual([9, 13])
    expect(bus.storeDouble(0x1008, 1, 2)).toBe(true)
    expect(log).toEqual([
      ["load", 8, 4],
      ["load", 12, 4],
      ["store", 8, 4, 1],
      ["store", 12, 4, 2],
    ])
  })

  test("answers an access fault without reaching a device", () => {
    const log: unknown[] = []
    const bus = new Bus()
    bus.map(0x1000, recording("a", 4, log))
    for (const address of [0, 0xfff, 0x1100, 2 ** 40, 0x1002]) {
      expect(bus.load(address, 4)).toBe(ACCESS_FAULT)
      expect(bus.store(address, 4, 0)).toBe(false)
    }
    expect(bus.load(0x1000, 1)).toBe(ACCESS_FAULT)
    expect(bus.loadDouble(0x1000)).toBe(ACCESS_FAULT)
    expect(bus.storeDouble(0x1000, 0, 0)).toBe(false)
    expect(log).toEqual([])
  })

  test("refuses overlaps and names twice", () => {
    const bus = new Bus()
    bus.map(0x1000, recording("a", 4, []))
    expect(() => bus.map(0x10f8, recording("b", 4, []))).toThrow("overlap")
    expect(() => bus.map(0x4000, recording("a", 4, []))).toThrow("Two devices")
  })
})
