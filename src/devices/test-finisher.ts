// SiFive's test finisher: one register through which the guest turns its machine off or resets it.
// Device trees call it `sifive,test0`; the generic syscon drivers of operating systems drive it.

import type { AccessSize } from "./access.ts"
import type { Device } from "./device.ts"
import { type DevicePlacement, type DeviceTreeNode, strings, TEST_LABEL, u64, unitName } from "./device-tree-node.ts"
import type { PowerSwitch } from "./power-switch.ts"
import { StateFields } from "./state-fields.ts"
import type { StateValue } from "./state-value.ts"

/** Low half of the word to write; a failure carries its exit code in the high half. */
export const TEST_FINISHER = { fail: 0x3333, pass: 0x5555, reset: 0x7777 } as const

export interface TestFinisherOptions {
  readonly id?: string
  readonly power: PowerSwitch
}

export class TestFinisher implements Device {
  readonly id: string
  readonly size = 0x1000
  readonly accessSizes = 2 | 4
  readonly #power: PowerSwitch

  constructor(options: TestFinisherOptions) {
    this.id = options.id ?? "test"
    this.#power = options.power
  }

  load(_offset: number, _size: AccessSize): number {
    return 0
  }

  store(offset: number, _size: AccessSize, value: number): void {
    if (offset !== 0) return
    const command = value & 0xffff
    if (command === TEST_FINISHER.pass) this.#power.off(0)
    else if (command === TEST_FINISHER.fail) this.#power.off(value >>> 16)
    else if (command === TEST_FINISHER.reset) this.#power.reset()
  }

  save(): StateValue {
    return {}
  }

  restore(state: StateValue): void {
    new StateFields(this.id, state, [])
  }

  reset(): void {}

  deviceTreeNode(placement: DevicePlacement): DeviceTreeNode {
    return {
      name: unitName("test", placement.base),
      label: TEST_LABEL,
      properties: {
        compatible: strings("sifive,test1", "sifive,test0", "syscon"),
        reg: u64(placement.base, this.size),
      },
    }
  }
}
