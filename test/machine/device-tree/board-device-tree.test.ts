import { describe, expect, test } from "vitest"
import {
  Clint,
  GoldfishRtc,
  type InterruptLine,
  Plic,
  TestFinisher,
  Uart,
  VirtioMmio,
} from "../../../src/devices/index.ts"
import { type BoardSpec, boardDeviceTree, encodeDeviceTree } from "../../../src/machine/device-tree/index.ts"
import { ManualClock, Recorder, Wire } from "../../devices/support/bench.ts"
import { ByteMemory } from "../../devices/support/byte-memory.ts"
import { type DecodedNode, decodeDeviceTree } from "./blob-reader.ts"

function spec(harts: number): BoardSpec {
  const lines = (count: number): InterruptLine[] => Array.from({ length: count }, () => new Wire())
  const clock = new ManualClock()
  const plic = new Plic({ contexts: lines(2 * harts) })
  const memory = new ByteMemory(0, new Uint8Array(0))
  const slots = Array.from({ length: 8 }, (_, i) => ({
    device: new VirtioMmio({ id: `virtio${i}`, memory, interrupt: plic.source(1 + i) }),
    base: 0x1000_1000 + 0x1000 * i,
    interrupt: 1 + i,
  }))
  const epoch = { seconds: 0, nanoseconds: 0 }
  return {
    harts,
    memoryBytes: 2 ** 33,
    bootArguments: "console=ttyS0",
    initrd: { start: 0x8400_0000, end: 0x8400_1234 },
    rngSeed: new Uint8Array(32).fill(0xab),
    devices: [
      { device: new Uart({ interrupt: plic.source(10), sink: new Recorder() }), base: 0x1000_0000, interrupt: 10 },
      { device: new GoldfishRtc({ clock, interrupt: plic.source(11), epoch }), base: 0x10_1000, interrupt: 11 },
      { device: new TestFinisher({ power: { off: () => {}, reset: () => {} } }), base: 0x10_0000 },
      {
        device: new Clint({ clock, softwareInterrupts: lines(harts), timerInterrupts: lines(harts) }),
        base: 0x200_0000,
      },
      { device: plic, base: 0xc00_0000 },
      ...slots,
    ],
  }
}

function find(root: DecodedNode, path: string): DecodedNode {
  return path.split("/").reduce((node, name) => {
    const child = node.children.find(each => each.name === name)
    if (child === undefined) throw new Error(`${path}: no ${name} among ${node.children.map(each => each.name)}`)
    return child
  }, root)
}

const text = (value: number[] | undefined): string[] =>
  String.fromCharCode(...value!)
    .split("\0")
    .slice(0, -1)
const words = (value: number[] | undefined): number[] => {
  const view = new DataView(Uint8Array.from(value!).buffer)
  return Array.from({ length: value!.length / 4 }, (_, i) => view.getUint32(4 * i))
}

describe("board device tree", () => {
  const root = decodeDeviceTree(encodeDeviceTree(boardDeviceTree(spec(4))))
  const phandle = (path: string): number => words(find(root, path).properties.phandle)[0]!

  test("tells the kernel what it was started with", () => {
    const { properties } = find(root, "chosen")
    expect(text(properties.bootargs)).toEqual(["console=ttyS0"])
    expect(text(properties["stdout-path"])).toEqual(["/soc/serial@10000000"])
    expect(words(properties["linux,initrd-start"])).toEqual([0, 0x8400_0000])
    expect(words(properties["linux,initrd-end"])).toEqual([0, 0x8400_1234])
    expect(properties["rng-seed"]).toEqual(Array(32).fill(0xab))
    expect(words(find(root, "memory@80000000").properties.reg)).toEqual([0, 0x8000_0000, 2, 0])
  })

  test("describes every hart and its interrupt controller", () => {
    for (let hart = 0; hart < 4; hart += 1) {
      const { properties } = find(root, `cpus/cpu@${hart}`)
      expect(words(properties.reg)).toEqual([hart])
      expect(text(properties["riscv,isa"])).toEqual(["rv64imafdc_zicsr_zifencei_zicntr_zba_zbb_zbs_sstc"])
      expect(text(properties["riscv,isa-extensions"])).toContain("sstc")
      expect(text(properties["mmu-type"])).toEqual(["riscv,sv48"])
      const core = find(root, `cpus/cpu-map/cluster0/core${hart}`)
      expect(words(core.properties.cpu)).toEqual([phandle(`cpus/cpu@${hart}`)])
    }
    expect(words(find(root, "cpus").properties["timebase-frequency"])).toEqual([10_000_000])
  })

  test("wires interrupts to controllers and devices to sources", () => {
    const controllers = [0, 1, 2, 3].map(hart => phandle(`cpus/cpu@${hart}/interrupt-controller`))
    expect(words(find(root, "soc/clint@2000000").properties["interrupts-extended"])).toEqual(
      controllers.flatMap(controller => [controller, 3, controller, 7]),
    )
    const plic = find(root, "soc/plic@c000000").properties
    expect(words(plic["interrupts-extended"])).toEqual(controllers.flatMap(each => [each, 11, each, 9]))
    expect([words(plic["riscv,ndev"]), words(plic.reg)]).toEqual([[95], [0, 0xc00_0000, 0, 0x60_0000]])
    for (const [path, source] of [
      ["soc/serial@10000000", 10],
      ["soc/rtc@101000", 11],
      ["soc/virtio_mmio@10001000", 1],
      ["soc/virtio_mmio@10008000", 8],
    ] as const) {
      const { properties } = find(root, path)
      expect([words(properties.interrupts), words(properties["interrupt-parent"])]).toEqual([
        [source],
        [phandle("soc/plic@c000000")],
      ])
    }
  })

  test("tells how to turn it off and on again", () => {
    for (const [name, value] of [
      ["poweroff", 0x5555],
      ["reboot", 0x7777],
    ] as const) {
      const { properties } = find(root, name)
      expect(text(properties.compatible)).toEqual([`syscon-${name}`])
      expect([words(properties.regmap), words(properties.value)]).toEqual([[phandle("soc/test@100000")], [value]])
    }
  })

  test("leaves out what there is not, and refuses what makes no board", () => {
    const { bootArguments: _arguments, initrd: _initrd, ...bare } = spec(1)
    const tree = boardDeviceTree({ ...bare, devices: [], virtualMemory: "sv39" })
    const decoded = decodeDeviceTree(encodeDeviceTree(tree))
    expect(Object.keys(find(decoded, "chosen").properties)).toEqual(["rng-seed"])
    expect(decoded.children.map(child => child.name)).toEqual(["chosen", "memory@80000000", "cpus", "soc"])
    expect(text(find(decoded, "cpus/cpu@0").properties["mmu-type"])).toEqual(["riscv,sv39"])
    expect(() => boardDeviceTree({ ...bare, harts: 0 })).toThrow("0 harts")
    expect(() => boardDeviceTree({ ...bare, rngSeed: new Uint8Array(4) })).toThrow("32 bytes")
  })
})
