import { expect, test } from "vitest"
import { VirtioConsole, VirtioMmio } from "../../../src/devices/index.ts"
import { Recorder, Wire } from "../support/bench.ts"
import { ByteMemory } from "../support/byte-memory.ts"
import { QueueDriver, startDriver, WRITE, writeRegister } from "./driver.ts"

const RAM = 0x8000_0000
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

test("sends what the driver transmits and delivers input as buffers come", () => {
  const memory = new ByteMemory(RAM, new Uint8Array(0x8000))
  const sink = new Recorder()
  const wire = new Wire()
  const console = new VirtioConsole({ sink })
  const mmio = new VirtioMmio({ id: "virtio1", memory, interrupt: wire, device: console })
  const receive = new QueueDriver(memory, RAM + 0x1000, 4)
  const transmit = new QueueDriver(memory, RAM + 0x2000, 4)

  // Input that arrives before there is a driver waits for it, even through the driver's reset.
  console.receive(text("early "))
  receive.offer(0, [{ address: RAM + 0x4000, length: 4, flags: WRITE }])
  expect(startDriver(mmio, [receive, transmit])).toBe(15)
  expect(memory.read(RAM + 0x4000, 4)).toEqual(text("earl"))
  expect([wire.level, receive.usedEntry(0), console.unreadBytes]).toEqual([true, { id: 0, length: 4 }, 2])

  receive.offer(1, [
    { address: RAM + 0x4100, length: 1, flags: WRITE },
    { address: RAM + 0x4200, length: 100, flags: WRITE },
  ])
  console.receive(text("bird"))
  expect([memory.read(RAM + 0x4100, 1), memory.read(RAM + 0x4200, 5)]).toEqual([text("y"), text(" bird")])
  expect([receive.usedIndex, receive.usedEntry(1), console.unreadBytes]).toEqual([2, { id: 1, length: 6 }, 0])

  memory.write(RAM + 0x5000, text("hello"))
  transmit.offer(0, [
    { address: RAM + 0x5000, length: 2 },
    { address: RAM + 0x5002, length: 3 },
  ])
  writeRegister(mmio, "queueNotify", 1)
  expect(Uint8Array.from(sink.bytes)).toEqual(text("hello"))
  expect(transmit.usedEntry(0)).toEqual({ id: 0, length: 0 })
})

test("takes no more than 64 KiB ahead of the driver", () => {
  const console = new VirtioConsole({ sink: new Recorder() })
  const memory = new ByteMemory(RAM, new Uint8Array(0))
  new VirtioMmio({ id: "virtio1", memory, interrupt: new Wire(), device: console })
  expect(console.receive(new Uint8Array(70_000))).toBe(65536)
  expect(console.receiveRoom).toBe(0)
})
