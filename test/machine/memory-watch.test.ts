import { describe, expect, it } from "vitest"
import { HartCore } from "../../src/hart/hart-core.ts"
import { RAM_BASE } from "../../src/hart/layout.ts"
import { MemoryWatch } from "../../src/machine/memory-watch.ts"
import { privilege } from "../../src/riscv/csr.ts"

const RAM_BYTES = 1 << 20
const made = () => {
  const core = new HartCore(1, RAM_BYTES, { deviceLoad: () => 0, deviceStore: () => {} })
  return { core, watch: new MemoryWatch(core) }
}
const write = (core: HartCore, page: number, bytes: Uint8Array) => {
  core.ram.set(bytes, page * 4096)
  core.ramChanged(RAM_BASE + page * 4096, bytes.length)
}

const MASK = (1n << 64n) - 1n
const [P1, P2, P3] = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn, 0x165667b19e3779f9n]
const rotl = (value: bigint, count: bigint) => ((value << count) | (value >> (64n - count))) & MASK
const round = (lane: bigint, word: bigint) => (rotl((lane + word * P2) & MASK, 31n) * P1) & MASK
const avalanche = (value: bigint) => {
  let mixed = ((value ^ (value >> 33n)) * P2) & MASK
  mixed = ((mixed ^ (mixed >> 29n)) * P3) & MASK
  return mixed ^ (mixed >> 32n)
}

/** The hash of a page, computed anew. */
const hashOf = (page: number, bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4096)
  const lanes = [P1, P2, P3, 0n].map(prime => (BigInt(page) * P3 + prime) & MASK)
  for (let at = 0; at < 4096; at += 32)
    for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane]!, view.getBigUint64(at + lane * 8, true))
  let [low, high] = [0n, 0n]
  for (const lane of lanes) {
    low = round(low, lane)
    high = round(high ^ lane, low)
  }
  return [avalanche(low), avalanche(high)].flatMap(half => [Number(half & 0xffffffffn) | 0, Number(half >> 32n) | 0])
}

describe("the hash of a page", () => {
  it("is that of its number and content, and zero for zeros", () => {
    const { core } = made()
    for (const page of [0, 1, 255]) {
      expect([...core.hashPage(page)]).toEqual([0, 0, 0, 0])
      const bytes = Uint8Array.from({ length: 4096 }, (_, at) => (at * 31 + page * 7) >>> (at % 5))
      write(core, page, bytes)
      expect([...core.hashPage(page)]).toEqual(hashOf(page, bytes))
    }
  })
})

describe("a memory watch", () => {
  it("gives the pages written since any mark", () => {
    const { core, watch } = made()
    write(core, 3, Uint8Array.of(1))
    const first = watch.look()
    expect(watch.look()).toBe(first)
    write(core, 5, Uint8Array.of(2))
    write(core, 3, Uint8Array.of(3))
    const second = watch.look()
    write(core, 9, Uint8Array.of(2))
    const third = watch.look()
    expect(watch.writtenSince(0)).toEqual([3, 5, 9])
    expect(watch.writtenSince(first)).toEqual([3, 5, 9])
    expect(watch.writtenSince(second)).toEqual([9])
    expect(watch.writtenSince(third)).toEqual([])
  })

  it("gives the lines written since a mark, each once", () => {
    const { core, watch } = made()
    write(core, 3, Uint8Array.of(1))
    const first = watch.look()
    expect(watch.takeWrittenLines(0)).toEqual({ pages: Uint32Array.of(3), lines: Uint32Array.of(1, 0) })
    write(core, 9, new Uint8Array(65))
    core.ramChanged(RAM_BASE + 3 * 4096 + 33 * 64 + 60, 8)
    const second = watch.look()
    expect(watch.takeWrittenLines(first)).toEqual({
      pages: Uint32Array.of(3, 9),
      lines: Uint32Array.of(0, 6, 3, 0),
    })
    // What was taken is not known any more.
    expect(watch.takeWrittenLines(0)).toEqual({
      pages: Uint32Array.of(3, 9),
      lines: new Uint32Array(4).fill(0xffffffff),
    })
    core.ramChanged(RAM_BASE + 4096 - 64, 2 * 4096 + 64)
    watch.look()
    expect(watch.takeWrittenLines(second)).toEqual({
      pages: Uint32Array.of(0, 1, 2),
      lines: Uint32Array.of(0, 0x80000000, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff),
    })
  })

  it("has the digest of the content, however it came about", () => {
    const { core, watch } = made()
    const other = made()
    for (const page of [7, 8, 200]) {
      write(core, page, Uint8Array.of(page))
      watch.look()
      write(core, page, Uint8Array.of(0, page))
    }
    for (const page of [200, 7, 8]) write(other.core, page, Uint8Array.of(0, page))
    watch.look()
    other.watch.look()
    expect(watch.digest).toEqual(other.watch.digest)
    write(core, 8, Uint8Array.of(0, 9))
    watch.look()
    expect(watch.digest).not.toEqual(other.watch.digest)
  })
})

describe("absent pages", () => {
  it("come in once, when they are needed, and are not written by that", () => {
    const { core } = made()
    const brought: number[] = []
    core.awaitPages([2, 3, 250], (page, target) => {
      brought.push(page)
      target.fill(page)
    })
    core.set(0, "privilege", privilege.machine)
    core.set(0, "pc", RAM_BASE + 3 * 4096)
    core.registersChanged(0)
    expect(core.nextInstruction(0)).not.toBeNull()
    expect(brought).toEqual([3])
    core.needPages(RAM_BASE + 2 * 4096 + 4000, 200)
    expect(brought).toEqual([3, 2])
    core.needAllPages()
    expect(brought).toEqual([3, 2, 250])
    expect(core.ram[250 * 4096 + 4095]).toBe(250)
    expect(core.takeDirtyPages()).toEqual([])
  })
})
