import { describe, expect, test } from "vitest"
import { CowDisk, decodeState, encodeState, MemoryDisk, RandomGenerator } from "../../../src/devices/index.ts"
import { below } from "../support/bench.ts"

const SECTORS = 37

describe("copy-on-write disk", () => {
  test("reads what was written, over a base that stays as it was, before and after a restore", () => {
    const random = new RandomGenerator(Uint8Array.of(3))
    const content = random.bytes(SECTORS * 512)
    const before = content.slice()
    const base = new MemoryDisk(content, { readOnly: true })
    const expected = content.slice()
    let disk = new CowDisk(base)
    for (let i = 0; i < 200; i += 1) {
      const sector = below(random, SECTORS)
      const count = below(random, SECTORS - sector + 1)
      if (below(random, 4) === 0) {
        const bytes = random.bytes(count * 512)
        disk.write(sector, bytes)
        expected.set(bytes, sector * 512)
      }
      expect(disk.read(sector, count)).toEqual(expected.slice(sector * 512, (sector + count) * 512))
      if (i % 20 === 0) {
        const copy = new CowDisk(base)
        const state = encodeState(disk.save())
        copy.restore(decodeState(state))
        expect(encodeState(copy.save())).toEqual(state)
        disk = copy
      }
    }
    expect(content).toEqual(before)
  })

  test("names the blocks that were written", () => {
    const disk = new CowDisk(new MemoryDisk(new Uint8Array(SECTORS * 512)))
    disk.write(36, new Uint8Array(512).fill(1))
    disk.write(7, new Uint8Array(1024).fill(2))
    expect(disk.dirtyBlocks()).toEqual([0, 1, 4])
    expect(disk.dirtyBlock(4).subarray(2048, 2560)).toEqual(new Uint8Array(512).fill(1))
    disk.clear()
    expect(disk.dirtyBlocks()).toEqual([])
  })

  test("refuses the overlay of another disk", () => {
    const disk = new CowDisk(new MemoryDisk(new Uint8Array(SECTORS * 512)))
    const other = new CowDisk(new MemoryDisk(new Uint8Array(512)))
    expect(() => other.restore(disk.save())).toThrow('"sectors"')
    expect(() => other.restore({ sectors: 1, blocks: [{ index: 1, bytes: new Uint8Array(4096) }] })).toThrow(
      "not on a disk",
    )
    expect(() => other.restore({ sectors: 1, blocks: [{ index: 0, bytes: new Uint8Array(5) }] })).toThrow("4096")
    expect(() => other.read(0, 2)).toThrow("not on a disk")
  })
})
