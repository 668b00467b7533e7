// The virtio entropy device (Virtual I/O Device 1.2, section 5.4), whose bytes are the world's: same seed, same bytes.

import { RandomGenerator } from "../random/random-generator.ts"
import { StateFields } from "../state-fields.ts"
import type { StateValue } from "../state-value.ts"
import type { VirtioDevice, VirtioPort } from "./virtio-device.ts"

const DEVICE_TYPE = 4
const QUEUE_SIZE = 8
/** Most bytes for one request; the driver asks again for more. */
const REQUEST_BYTES_MAX = 4096

export interface VirtioEntropyOptions {
  readonly seed: Uint8Array
}

export class VirtioEntropy implements VirtioDevice {
  readonly deviceType = DEVICE_TYPE
  readonly features = 0
  readonly queueSizes = [QUEUE_SIZE]
  readonly configuration = new Uint8Array(0)
  readonly #generator: RandomGenerator
  #port!: VirtioPort

  constructor(options: VirtioEntropyOptions) {
    this.#generator = new RandomGenerator(options.seed)
  }

  connect(port: VirtioPort): void {
    this.#port = port
  }

  notify(index: number): void {
    const queue = this.#port.queue(index)
    for (let left = queue.size; left > 0; left -= 1) {
      const chain = queue.take()
      if (chain === undefined) break
      const bytes = this.#generator.bytes(Math.min(chain.writableBytes, REQUEST_BYTES_MAX))
      chain.write(0, bytes)
      queue.give(chain, bytes.length)
    }
    queue.signal()
  }

  save(): StateValue {
    return { generator: this.#generator.save() }
  }

  restore(state: StateValue): void {
    this.#generator.restore(new StateFields("virtio entropy device", state, ["generator"]).value("generator"))
  }

  /** The generator goes on: a guest that starts again gets other bytes. */
  reset(): void {}
}
