import { expect, test } from "vitest"
import { RandomGenerator, VirtioEntropy, VirtioMmio } from "../../../src/devices/index.ts"
import { Wire } from "../support/bench.ts"
import { ByteMemory } from "../support/byte-memory.ts"
import { QueueDriver, startDriver, WRITE, writeRegister } from "./driver.ts"

const RAM = 0x8000_0000

test("fills buffers with the bytes of its seed", () => {
  const seed = Uint8Array.of(1, 2, 3, 4)
  const memory = new ByteMemory(RAM, new Uint8Array(0x8000))
  const mmio = new VirtioMmio({ id: "virtio2", memory, interrupt: new Wire(), device: new VirtioEntropy({ seed }) })
  const queue = new QueueDriver(memory, RAM + 0x1000, 8)
  startDriver(mmio, [queue])
  queue.offer(0, [{ address: RAM + 0x4000, length: 64, flags: WRITE }])
  queue.offer(1, [{ address: RAM + 0x5000, length: 0x2000, flags: WRITE }])
  writeRegister(mmio, "queueNotify", 0)
  const expected = new RandomGenerator(seed)
  expect(memory.read(RAM + 0x4000, 64)).toEqual(expected.bytes(64))
  expect(memory.read(RAM + 0x5000, 4096)).toEqual(expected.bytes(4096))
  expect([queue.usedEntry(0).length, queue.usedEntry(1).length]).toEqual([64, 4096])
})
