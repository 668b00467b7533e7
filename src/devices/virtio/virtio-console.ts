// The virtio console device with its one port (Virtual I/O Device 1.2, section 5.3).

import type { ConsoleSink } from "../console-sink.ts"
import { InputQueue } from "../input-queue.ts"
import { StateFields } from "../state-fields.ts"
import type { StateValue } from "../state-value.ts"
import type { VirtioDevice, VirtioPort } from "./virtio-device.ts"

const DEVICE_TYPE = 3
const QUEUE_SIZE = 128
const RECEIVE = 0
const TRANSMIT = 1
const CONFIGURATION_BYTES = 12
const INPUT_BYTES_MAX = 65536
const PIECE_BYTES = 65536

export interface VirtioConsoleOptions {
  readonly sink: ConsoleSink
}

/** Input waits in a queue of 64 KiB until the driver has buffers for it. */
export class VirtioConsole implements VirtioDevice {
  readonly deviceType = DEVICE_TYPE
  readonly features = 0
  readonly queueSizes = [QUEUE_SIZE, QUEUE_SIZE]
  readonly configuration = new Uint8Array(CONFIGURATION_BYTES)
  readonly #sink: ConsoleSink
  readonly #input = new InputQueue(INPUT_BYTES_MAX)
  #port!: VirtioPort

  constructor(options: VirtioConsoleOptions) {
    this.#sink = options.sink
  }

  /** Bytes received that the driver has not been given. */
  get unreadBytes(): number {
    return this.#input.length
  }

  /** Whether a driver is there to read. */
  get isDriverReady(): boolean {
    return this.#port.isDriverReady
  }

  /** Bytes that `receive` would take now. */
  get receiveRoom(): number {
    return INPUT_BYTES_MAX - this.#input.length
  }

  /** Bytes arrive from outside. Takes them from the front as far as there is room and says how many it took. */
  receive(bytes: Uint8Array): number {
    const accepted = this.#input.push(bytes)
    if (this.#port.isDriverReady) this.#deliver()
    return accepted
  }

  connect(port: VirtioPort): void {
    this.#port = port
  }

  notify(index: number): void {
    if (index === RECEIVE) this.#deliver()
    else if (index === TRANSMIT) this.#transmit()
  }

  save(): StateValue {
    return { input: this.#input.bytes() }
  }

  restore(state: StateValue): void {
    const input = new StateFields("virtio console device", state, ["input"]).bytes("input", INPUT_BYTES_MAX)
    this.#input.clear()
    this.#input.push(input)
  }

  /** What arrived from outside waits for the next driver. */
  reset(): void {}

  #deliver(): void {
    const queue = this.#port.queue(RECEIVE)
    for (let left = queue.size; left > 0 && this.#input.length > 0; left -= 1) {
      const chain = queue.take()
      if (chain === undefined) break
      const bytes = this.#input.take(chain.writableBytes)
      chain.write(0, bytes)
      queue.give(chain, bytes.length)
    }
    queue.signal()
  }

  #transmit(): void {
    const queue = this.#port.queue(TRANSMIT)
    for (let left = queue.size; left > 0; left -= 1) {
      const chain = queue.take()
      if (chain === undefined) break
      for (let done = 0; done < chain.readableBytes; done += PIECE_BYTES) {
        const piece = chain.read(done, Math.min(PIECE_BYTES, chain.readableBytes - done))
        for (const byte of piece) this.#sink.write(byte)
      }
      queue.give(chain, 0)
    }
    queue.signal()
  }
}
