import { describe, expect, test } from "vitest"
import { MemoryDisk, VirtioBlock, VirtioMmio } from "../../../src/devices/index.ts"
import { Wire } from "../support/bench.ts"
import { ByteMemory } from "../support/byte-memory.ts"
import { INDIRECT, NEXT, QueueDriver, readRegister, startDriver, WRITE, writeRegister } from "./driver.ts"

const RAM = 0x8000_0000
const RAM_BYTES = 0x1_0000
const HEADER = RAM + 0x4000
const DATA = RAM + 0x5000
const STATUS = RAM + 0x4100
const TABLE = RAM + 0x4200
const SECTORS = 64

const FEATURE_INDIRECT = 2 ** 28
const FEATURE_EVENT_INDEX = 2 ** 29
const NEEDS_RESET = 0x40

function bench(options: { readOnly?: boolean; features?: number } = {}) {
  const memory = new ByteMemory(RAM, new Uint8Array(RAM_BYTES))
  const content = new Uint8Array(SECTORS * 512).map((_, i) => (i * 7 + (i >> 9)) & 0xff)
  const backend = new MemoryDisk(content, { readOnly: options.readOnly ?? false })
  const wire = new Wire()
  const device = new VirtioBlock({ backend, serial: "disk-0" })
  const mmio = new VirtioMmio({ id: "virtio0", memory, interrupt: wire, device })
  const queue = new QueueDriver(memory, RAM + 0x1000, 16)
  expect(startDriver(mmio, [queue], options.features)).toBe(15)
  const header = (type: number, sector: number): void => {
    memory.store32(HEADER, type)
    memory.store32(HEADER + 4, 0)
    memory.store32(HEADER + 8, sector >>> 0)
    memory.store32(HEADER + 12, Math.floor(sector / 2 ** 32))
    memory.bytes[STATUS - RAM] = 0xee
  }
  const headerBuffer = { address: HEADER, length: 16 }
  const statusBuffer = { address: STATUS, length: 1, flags: WRITE }
  const notify = (): void => writeRegister(mmio, "queueNotify", 0)
  /** One request with one data buffer; its status, or 0xee when it was not done. */
  const request = (type: number, sector: number, bytes: number, flags = type === 1 ? 0 : WRITE): number => {
    header(type, sector)
    const data = bytes > 0 ? [{ address: DATA, length: bytes, flags }] : []
    queue.offer(0, [headerBuffer, ...data, statusBuffer])
    notify()
    return memory.bytes[STATUS - RAM]!
  }
  return { memory, content, wire, mmio, queue, header, headerBuffer, statusBuffer, notify, request }
}

describe("virtio block", () => {
  test("shows its capacity and features", () => {
    const { mmio } = bench()
    expect([mmio.load(0, 4), mmio.load(4, 4), mmio.load(8, 4)]).toEqual([0x7472_6976, 2, 2])
    expect([mmio.load(0x100, 4), mmio.load(0x104, 4), mmio.load(0x100, 1), mmio.load(0x114, 2)]).toEqual([
      64, 0, 64, 512,
    ])
    writeRegister(mmio, "deviceFeaturesSelect", 1)
    expect(readRegister(mmio, "deviceFeatures")).toBe(1)
    writeRegister(mmio, "deviceFeaturesSelect", 2)
    expect(readRegister(mmio, "deviceFeatures")).toBe(0)
  })

  test("reads sectors, then the used ring, then the interrupt", () => {
    const { memory, content, wire, mmio, queue, request } = bench()
    expect(request(0, 3, 1024)).toBe(0)
    expect(memory.read(DATA, 1024)).toEqual(content.slice(3 * 512, 5 * 512))
    expect([queue.usedIndex, queue.usedEntry(0)]).toEqual([1, { id: 0, length: 1025 }])
    expect([wire.level, readRegister(mmio, "interruptStatus")]).toEqual([true, 1])
    writeRegister(mmio, "interruptAcknowledge", 1)
    expect(wire.level).toBe(false)
  })

  test("writes sectors cut into any buffers", () => {
    const { memory, content, queue, header, headerBuffer, statusBuffer, notify } = bench()
    header(1, 10)
    memory.write(
      DATA,
      new Uint8Array(512).map((_, i) => 255 - (i & 0xff)),
    )
    const cuts = [
      { address: HEADER, length: 5 },
      { address: HEADER + 5, length: 11 },
      { address: DATA, length: 100 },
      { address: DATA + 100, length: 412 },
    ]
    queue.offer(2, [...cuts, statusBuffer])
    notify()
    expect(content.slice(10 * 512, 11 * 512)).toEqual(memory.read(DATA, 512))
    expect(queue.usedEntry(0)).toEqual({ id: 2, length: 1 })
    expect(headerBuffer.length).toBe(16)
  })

  test("takes indirect descriptors once they are negotiated", () => {
    const { memory, content, mmio, queue, header, headerBuffer, statusBuffer, notify } = bench({
      features: FEATURE_INDIRECT,
    })
    header(0, 0)
    queue.describe(0, { ...headerBuffer, flags: NEXT, next: 1 }, TABLE)
    queue.describe(1, { address: DATA, length: 512, flags: NEXT | WRITE, next: 2 }, TABLE)
    queue.describe(2, statusBuffer, TABLE)
    queue.describe(7, { address: TABLE, length: 48, flags: INDIRECT })
    queue.makeAvailable(7)
    notify()
    expect(memory.read(DATA, 512)).toEqual(content.slice(0, 512))
    expect([queue.usedEntry(0).id, readRegister(mmio, "status")]).toEqual([7, 15])
  })

  test.each([
    ["a sector past the end", 0, 63, 1024, 1],
    ["a sector beyond all numbers", 0, 2 ** 63, 512, 1],
    ["part of a sector", 0, 0, 100, 1],
    ["a write past the end", 1, 64, 512, 1],
    ["a flush", 4, 0, 0, 0],
    ["an unknown request", 99, 0, 512, 2],
    ["no data at all", 0, 0, 0, 0],
  ])("answers %s with a status", (_, type, sector, bytes, status) => {
    const { content, request } = bench()
    const before = content.slice()
    expect(request(type, sector, bytes)).toBe(status)
    expect(content).toEqual(before)
  })

  test("says who it is", () => {
    const { memory, request } = bench()
    expect(request(8, 0, 20)).toBe(0)
    expect(new TextDecoder().decode(memory.read(DATA, 20))).toBe("disk-0".padEnd(20, "\0"))
  })

  test("a read-only disk says so and refuses writes", () => {
    const { mmio, request } = bench({ readOnly: true })
    expect(readRegister(mmio, "deviceFeatures") & (1 << 5)).toBe(1 << 5)
    expect(request(1, 0, 512)).toBe(1)
  })

  test("interrupts as rarely as the driver wants", () => {
    const quiet = bench()
    quiet.memory.store16(quiet.queue.available, 1)
    expect([quiet.request(0, 0, 512), quiet.wire.level]).toEqual([0, false])

    const counted = bench({ features: FEATURE_EVENT_INDEX })
    const usedEvent = counted.queue.available + 4 + 2 * counted.queue.size
    counted.memory.store16(usedEvent, 1)
    expect([counted.request(0, 0, 512), counted.wire.level]).toEqual([0, false])
    expect([counted.request(0, 0, 512), counted.wire.level]).toEqual([0, true])
    expect(counted.memory.load16(counted.queue.used + 4 + 8 * counted.queue.size)).toBe(2)
  })

  test("goes round the ring many times", () => {
    const { queue, request } = bench()
    for (let i = 0; i < 70_000; i += 1) request(4, 0, 0)
    expect(queue.usedIndex).toBe(70_000 & 0xffff)
  })

  test("settles only features it offered, and VERSION_1", () => {
    const { mmio } = bench()
    for (const [low, high] of [
      [0, 0],
      [1, 1],
      [0, 3],
    ] as const) {
      writeRegister(mmio, "status", 0)
      writeRegister(mmio, "status", 3)
      writeRegister(mmio, "driverFeaturesSelect", 0)
      writeRegister(mmio, "driverFeatures", low)
      writeRegister(mmio, "driverFeaturesSelect", 1)
      writeRegister(mmio, "driverFeatures", high)
      writeRegister(mmio, "status", 11)
      expect(readRegister(mmio, "status")).toBe(3)
    }
  })

  type Bench = ReturnType<typeof bench>
  test.each<[string, (bench: Bench) => void]>([
    [
      "a loop of descriptors",
      ({ queue }) => {
        queue.describe(0, { address: DATA, length: 1, flags: NEXT, next: 1 })
        queue.describe(1, { address: DATA, length: 1, flags: NEXT, next: 0 })
        queue.makeAvailable(0)
      },
    ],
    ["a head that is no descriptor", ({ queue }) => queue.makeAvailable(16)],
    [
      "a next that is no descriptor",
      ({ queue }) => {
        queue.describe(0, { address: DATA, length: 1, flags: NEXT, next: 999 })
        queue.makeAvailable(0)
      },
    ],
    ["a buffer outside of memory", ({ queue }) => queue.offer(0, [{ address: RAM + RAM_BYTES - 1, length: 16 }])],
    ["a buffer at an address beyond 2^53", ({ queue }) => queue.offer(0, [{ address: 2 ** 63, length: 16 }])],
    ["an absurd length", ({ queue }) => queue.offer(0, [{ address: DATA, length: 0xffff_ffff }])],
    [
      "a readable buffer after a writable one",
      ({ queue, headerBuffer, statusBuffer }) => queue.offer(0, [statusBuffer, headerBuffer]),
    ],
    [
      "an indirect table that was not negotiated",
      ({ queue }) => queue.offer(0, [{ address: TABLE, length: 16, flags: INDIRECT }]),
    ],
    ["a request without a header", ({ queue, statusBuffer }) => queue.offer(0, [statusBuffer])],
    ["a request without a status", ({ queue, headerBuffer }) => queue.offer(0, [headerBuffer])],
    ["an available index that ran away", ({ memory, queue }) => memory.store16(queue.available + 2, 17)],
  ])("%s makes it need a reset, and a reset helps", (_, spoil) => {
    const made = bench()
    spoil(made)
    made.notify()
    expect(readRegister(made.mmio, "status")).toBe(15 | NEEDS_RESET)
    expect(readRegister(made.mmio, "interruptStatus") & 2).toBe(2)
    expect([made.wire.level, made.queue.usedIndex]).toEqual([true, 0])
    made.notify()
    writeRegister(made.mmio, "status", 15)
    expect(readRegister(made.mmio, "status")).toBe(15 | NEEDS_RESET)
    made.memory.bytes.fill(0)
    const queue = new QueueDriver(made.memory, RAM + 0x1000, 16)
    expect(startDriver(made.mmio, [queue])).toBe(15)
    expect(made.wire.level).toBe(false)
  })

  test.each<[string, (bench: Bench) => void]>([
    [
      "an indirect table inside another",
      ({ queue }) => queue.describe(0, { address: TABLE, length: 16, flags: INDIRECT }, TABLE),
    ],
    [
      "an indirect table that loops",
      ({ queue }) => queue.describe(0, { address: DATA, length: 0, flags: NEXT, next: 0 }, TABLE),
    ],
    [
      "an indirect table of odd size",
      ({ queue }) => queue.describe(3, { address: TABLE, length: 15, flags: INDIRECT }),
    ],
    [
      "an endless indirect table",
      ({ queue }) => queue.describe(3, { address: RAM, length: RAM_BYTES, flags: INDIRECT }),
    ],
  ])("%s makes it need a reset", (_, spoil) => {
    const made = bench({ features: FEATURE_INDIRECT })
    made.queue.describe(3, { address: TABLE, length: 16, flags: INDIRECT })
    spoil(made)
    made.queue.makeAvailable(3)
    made.notify()
    expect(readRegister(made.mmio, "status")).toBe(15 | NEEDS_RESET)
  })

  test.each([
    ["outside of memory", RAM + RAM_BYTES - 16, 16],
    ["not aligned", RAM + 0x1001, 16],
    ["of a size that is no power of two", RAM + 0x1000, 15],
    ["larger than allowed", RAM + 0x1000, 512],
    ["empty", RAM + 0x1000, 0],
  ])("a queue %s is refused when it is made ready", (_, base, size) => {
    const { memory, mmio } = bench()
    expect(startDriver(mmio, [new QueueDriver(memory, base, size)]) & NEEDS_RESET).toBe(NEEDS_RESET)
    writeRegister(mmio, "queueNotify", 0)
  })
})
