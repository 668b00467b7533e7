/** The board: QEMU's `virt`, its devices at their places, wired to the harts. */
import {
  Bus,
  Clint,
  type Clock,
  type ConsoleSink,
  CowDisk,
  type Device,
  GoldfishRtc,
  type GuestMemory,
  type InterruptLine,
  Plic,
  type PowerSwitch,
  TestFinisher,
  Uart,
  VirtioBlock,
  VirtioConsole,
  type VirtioDevice,
  VirtioEntropy,
  VirtioMmio,
} from "../devices/index.ts"
import type { PlacedDevice } from "./device-tree/board-device-tree.ts"
import type { MachineConfig } from "./machine-config.ts"

/** Where devices stand and which PLIC source each is wired to. */
export const memoryMap = {
  finisher: { base: 0x100000 },
  rtc: { base: 0x101000, interrupt: 11 },
  clint: { base: 0x2000000 },
  plic: { base: 0xc000000 },
  uart: { base: 0x10000000, interrupt: 10 },
  /** Eight slots, a page each, sources 1 to 8. */
  virtio: { base: 0x10001000, interrupt: 1, slots: 8, stride: 0x1000 },
} as const

/** What the board is wired to. */
export interface Wiring {
  readonly clock: Clock
  readonly memory: GuestMemory
  /** What the guest prints on its serial port and on its virtio console. */
  readonly serial: ConsoleSink
  readonly virtioConsole: ConsoleSink
  readonly power: PowerSwitch
  /** Interrupt lines into the harts. */
  readonly softwareInterrupt: (hart: number) => InterruptLine
  readonly externalInterrupt: (hart: number, mode: "machine" | "supervisor") => InterruptLine
}

export class Board {
  readonly bus = new Bus()
  readonly clint: Clint
  readonly plic: Plic
  readonly uart: Uart
  readonly rtc: GoldfishRtc
  readonly virtioConsole: VirtioConsole
  readonly disks: readonly CowDisk[]
  readonly placed: readonly PlacedDevice[]

  constructor(config: MachineConfig, wiring: Wiring) {
    const harts = Array.from({ length: config.harts }, (_, hart) => hart)
    const placed: PlacedDevice[] = []
    const place = <D extends Device>(device: D, placement: { base: number; interrupt?: number }): D => {
      this.bus.map(placement.base, device)
      placed.push({ device, ...placement })
      return device
    }
    this.plic = new Plic({
      contexts: harts.flatMap(hart => [
        wiring.externalInterrupt(hart, "machine"),
        wiring.externalInterrupt(hart, "supervisor"),
      ]),
    })
    const source = (number: number) => this.plic.source(number)
    // Timer interrupts are the machine's own affair: it knows each hart's time.
    const unconnected: InterruptLine = { set: () => {} }
    this.clint = new Clint({
      clock: wiring.clock,
      softwareInterrupts: harts.map(wiring.softwareInterrupt),
      timerInterrupts: harts.map(() => unconnected),
    })
    this.uart = new Uart({ interrupt: source(memoryMap.uart.interrupt), sink: wiring.serial })
    this.rtc = new GoldfishRtc({
      clock: wiring.clock,
      interrupt: source(memoryMap.rtc.interrupt),
      epoch: config.startTime,
    })
    place(new TestFinisher({ power: wiring.power }), memoryMap.finisher)
    place(this.rtc, memoryMap.rtc)
    place(this.clint, memoryMap.clint)
    place(this.plic, memoryMap.plic)
    place(this.uart, memoryMap.uart)

    this.disks = config.disks.map(base => new CowDisk(base))
    this.virtioConsole = new VirtioConsole({ sink: wiring.virtioConsole })
    const cards: VirtioDevice[] = [
      new VirtioEntropy({ seed: config.seed }),
      this.virtioConsole,
      ...this.disks.map((backend, position) => new VirtioBlock({ backend, serial: `chronovisor-${position}` })),
    ]
    const { base, interrupt, slots, stride } = memoryMap.virtio
    if (cards.length > slots) throw new Error(`the board has ${slots} virtio slots`)
    for (let slot = 0; slot < slots; slot++) {
      const card = cards[slot]
      place(
        new VirtioMmio({
          id: `virtio${slot}`,
          memory: wiring.memory,
          interrupt: source(interrupt + slot),
          ...(card ? { device: card } : {}),
        }),
        { base: base + slot * stride, interrupt: interrupt + slot },
      )
    }
    this.placed = placed
  }

  reset(): void {
    for (const { device } of this.placed) device.reset()
  }
}
