import { describe, expect, test } from "vitest"
import {
  MemoryDisk,
  type RandomGenerator,
  VirtioBlock,
  VirtioConsole,
  type VirtioDevice,
  VirtioEntropy,
  VirtioMmio,
} from "../../../src/devices/index.ts"
import { below, pick, Recorder, Wire } from "../support/bench.ts"
import { ByteMemory } from "../support/byte-memory.ts"
import { deviceLaws, type Rig } from "../support/device-law.ts"
import { QueueDriver, REGISTERS, startDriver } from "./driver.ts"

const RAM = 0x8000_0000
const RAM_BYTES = 0x8000

describe("an empty slot", () => {
  const mmio = new VirtioMmio({ id: "virtio7", memory: new ByteMemory(RAM, new Uint8Array(0)), interrupt: new Wire() })

  test("shows the device type zero and nothing else", () => {
    expect([mmio.load(0, 4), mmio.load(4, 4), mmio.load(8, 4), mmio.load(0x70, 4)]).toEqual([0x7472_6976, 2, 0, 0])
    mmio.store(0x70, 4, 3)
    expect([mmio.load(0x70, 4), mmio.load(0x100, 1), mmio.load(0, 1)]).toEqual([0, 0, 0])
  })

  test("takes no device's state", () => {
    const device = new VirtioEntropy({ seed: new Uint8Array(1) })
    const full = new VirtioMmio({
      id: "virtio7",
      memory: new ByteMemory(RAM, new Uint8Array(0)),
      interrupt: new Wire(),
      device,
    })
    expect(() => mmio.restore(full.save())).toThrow('"deviceType"')
  })
})

interface Surroundings {
  readonly memory: ByteMemory
  readonly disk: Uint8Array
  readonly sink: Recorder
}

/** A driver that starts properly now and then, and fills its rings and descriptors with likely and unlikely numbers. */
function laws(name: string, makeDevice: (surroundings: Surroundings) => VirtioDevice): void {
  const known = new Map<Rig["device"], Surroundings>()
  deviceLaws(name, {
    offsets: [
      ...Object.values(REGISTERS),
      0x84,
      0x94,
      0xa4,
      0xfc,
      0x100,
      0x114,
      REGISTERS.queueNotify,
      REGISTERS.queueNotify,
    ],
    values: [RAM + 0x1000, RAM + 0x1800, RAM + 0x1c00, 16, 11, 15],
    makeRig: other => {
      const from = other === undefined ? undefined : known.get(other.device)!
      const surroundings = {
        memory: new ByteMemory(RAM, from?.memory.bytes.slice() ?? new Uint8Array(RAM_BYTES)),
        disk: from?.disk.slice() ?? new Uint8Array(64 * 512),
        sink: new Recorder(),
      }
      surroundings.sink.bytes.push(...(from?.sink.bytes ?? []))
      const wire = new Wire()
      const device = makeDevice(surroundings)
      const mmio = new VirtioMmio({ id: "virtio0", memory: surroundings.memory, interrupt: wire, device })
      known.set(mmio, surroundings)
      const queues = device.queueSizes.map((_, i) => new QueueDriver(surroundings.memory, RAM + 0x1000 * (i + 1), 16))
      return {
        device: mmio,
        observe: () => ({ level: wire.level, ...surroundings }),
        stimulate: random => stimulate(random, mmio, device, queues),
      }
    },
  })
}

function stimulate(
  random: RandomGenerator,
  mmio: VirtioMmio,
  device: VirtioDevice,
  queues: readonly QueueDriver[],
): void {
  const queue = pick(random, queues)
  const memory = queue.memory
  const choice = below(random, 8)
  if (choice === 0) {
    for (const each of queues) memory.store16(each.available + 2, 0)
    startDriver(mmio, queues, below(random, 4) * 2 ** 28)
  } else if (choice === 1 && device instanceof VirtioConsole) {
    device.receive(random.bytes(below(random, 100)))
  } else if (choice === 2) {
    memory.store32(RAM + 0x4000 + 4 * below(random, 64), below(random, 10))
  } else {
    for (let i = 0; i < 6; i += 1) {
      const table = below(random, 3) === 0 ? RAM + 0x4400 : queue.base
      const isWild = below(random, 60) === 0
      queue.describe(
        below(random, 16),
        {
          address: isWild ? random.next() * 2 ** below(random, 32) : RAM + 0x4000 + 16 * below(random, 0x180),
          length: isWild ? random.next() : pick(random, [1, 16, 16, 32, 48, 512, 513, 1024]),
          flags: pick(random, [0, 1, 1, 2, 3, 3, 4, isWild ? 7 : 2]),
          next: below(random, isWild ? 20 : 16),
        },
        table,
      )
    }
    const next = memory.load16(queue.available + 2)
    memory.store16(queue.available + 4 + 2 * (next % 16), below(random, 16))
    memory.store16(queue.available + 2, next + 1)
    if (below(random, 20) === 0) memory.store16(queue.available, below(random, 2))
    if (below(random, 5) === 0) memory.store16(queue.available + 4 + 32, next)
    mmio.store(REGISTERS.queueNotify, 4, queues.indexOf(queue))
  }
}

laws("virtio block", ({ disk }) => new VirtioBlock({ backend: new MemoryDisk(disk), serial: "law" }))
laws("virtio console", ({ sink }) => new VirtioConsole({ sink }))
laws("virtio entropy", () => new VirtioEntropy({ seed: Uint8Array.of(9) }))
