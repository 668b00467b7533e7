// A 16550A serial port (National Semiconductor PC16550D data sheet, sections 8.0 to 8.6), registers one byte apart.
// The line is infinitely fast: a byte written is out at once, and the receiver's time-out has always elapsed.

import type { AccessSize } from "./access.ts"
import type { ConsoleSink } from "./console-sink.ts"
import type { Device } from "./device.ts"
import {
  cells,
  type DevicePlacement,
  type DeviceTreeNode,
  placedProperties,
  strings,
  unitName,
} from "./device-tree-node.ts"
import { InputQueue } from "./input-queue.ts"
import type { InterruptLine } from "./interrupt-line.ts"
import { StateFields } from "./state-fields.ts"
import type { StateValue } from "./state-value.ts"

const RBR_THR = 0
const IER = 1
const IIR_FCR = 2
const LCR = 3
const MCR = 4
const LSR = 5
const MSR = 6
const SCR = 7

const IER_RECEIVE = 0x01
const IER_TRANSMIT = 0x02
const IER_LINE_STATUS = 0x04

const IIR_NONE = 0x01
const IIR_TRANSMIT = 0x02
const IIR_RECEIVE = 0x04
const IIR_LINE_STATUS = 0x06
const IIR_TIMEOUT = 0x0c
const IIR_FIFO = 0xc0

const FCR_ENABLE = 0x01
const FCR_RESET_RECEIVER = 0x02
const FCR_RESET_TRANSMITTER = 0x04
/** The bits that stay: enable, DMA mode, trigger level. */
const FCR_KEPT = 0xc9

const LCR_DIVISOR_LATCH = 0x80
const MCR_LOOPBACK = 0x10

const LSR_DATA_READY = 0x01
const LSR_OVERRUN = 0x02
const LSR_TRANSMITTER_EMPTY = 0x60

/** Carrier, data set ready, clear to send: a terminal that is always there. */
const MSR_CONNECTED = 0xb0

const FIFO_SIZE = 16
const TRIGGER_LEVELS = [1, 4, 8, 14]
const INPUT_BYTES_MAX = 65536
/** What the divisor latch divides. */
const CLOCK_HZ = 3_686_400
const DIVISOR_AT_RESET = 12

export interface UartOptions {
  readonly id?: string
  readonly interrupt: InterruptLine
  readonly sink: ConsoleSink
}

/** Input waits in a queue of 64 KiB behind the receiver FIFO, so the guest never loses a byte to an overrun. */
export class Uart implements Device {
  readonly id: string
  readonly size = 0x100
  readonly accessSizes = 1 | 2 | 4 | 8
  readonly #interrupt: InterruptLine
  readonly #sink: ConsoleSink
  readonly #queue = new InputQueue(INPUT_BYTES_MAX)
  readonly #fifo = new InputQueue(FIFO_SIZE)
  #interruptEnable = 0
  #fifoControl = 0
  #lineControl = 0
  #modemControl = 0
  #scratch = 0
  #divisor = DIVISOR_AT_RESET
  #overrun = false
  /** The transmitter became empty and the guest has not yet been told. */
  #transmitPending = false

  constructor(options: UartOptions) {
    this.id = options.id ?? "uart0"
    this.#interrupt = options.interrupt
    this.#sink = options.sink
  }

  /** Whether the guest has asked to be interrupted for input: a driver is listening. */
  get receiveInterruptEnabled(): boolean {
    return (this.#interruptEnable & IER_RECEIVE) !== 0
  }

  /** Bytes received that the guest has not read. */
  get unreadBytes(): number {
    return this.#fifo.length + this.#queue.length
  }

  /** Bytes that `receive` would take now. */
  get receiveRoom(): number {
    return INPUT_BYTES_MAX - this.#queue.length
  }

  /** Bytes arrive on the line. Takes them from the front as far as there is room and says how many it took. */
  receive(bytes: Uint8Array): number {
    const accepted = this.#queue.push(bytes)
    this.#fillReceiver()
    this.#update()
    return accepted
  }

  load(offset: number, _size: AccessSize): number {
    switch (offset) {
      case RBR_THR:
        return this.#isDivisorLatched() ? this.#divisor & 0xff : this.#readReceiver()
      case IER:
        return this.#isDivisorLatched() ? this.#divisor >> 8 : this.#interruptEnable
      case IIR_FCR:
        return this.#readInterruptIdentification()
      case LCR:
        return this.#lineControl
      case MCR:
        return this.#modemControl
      case LSR:
        return this.#readLineStatus()
      case MSR:
        return this.#modemStatus()
      case SCR:
        return this.#scratch
      default:
        return 0
    }
  }

  store(offset: number, _size: AccessSize, value: number): void {
    const byte = value & 0xff
    switch (offset) {
      case RBR_THR:
        if (this.#isDivisorLatched()) this.#divisor = (this.#divisor & 0xff00) | byte
        else this.#transmit(byte)
        break
      case IER:
        if (this.#isDivisorLatched()) this.#divisor = (this.#divisor & 0x00ff) | (byte << 8)
        else this.#writeInterruptEnable(byte & 0x0f)
        break
      case IIR_FCR:
        this.#writeFifoControl(byte)
        break
      case LCR:
        this.#lineControl = byte
        break
      case MCR:
        this.#modemControl = byte & 0x1f
        this.#fillReceiver()
        this.#update()
        break
      case SCR:
        this.#scratch = byte
        break
    }
  }

  save(): StateValue {
    return {
      interruptEnable: this.#interruptEnable,
      fifoControl: this.#fifoControl,
      lineControl: this.#lineControl,
      modemControl: this.#modemControl,
      scratch: this.#scratch,
      divisor: this.#divisor,
      overrun: this.#overrun,
      transmitPending: this.#transmitPending,
      fifo: this.#fifo.bytes(),
      queue: this.#queue.bytes(),
    }
  }

  restore(state: StateValue): void {
    const fields = new StateFields(this.id, state, [
      "interruptEnable",
      "fifoControl",
      "lineControl",
      "modemControl",
      "scratch",
      "divisor",
      "overrun",
      "transmitPending",
      "fifo",
      "queue",
    ])
    this.#interruptEnable = fields.integer("interruptEnable", 0, 0x0f)
    this.#fifoControl = fields.uint8("fifoControl") & FCR_KEPT
    this.#lineControl = fields.uint8("lineControl")
    this.#modemControl = fields.integer("modemControl", 0, 0x1f)
    this.#scratch = fields.uint8("scratch")
    this.#divisor = fields.uint16("divisor")
    this.#overrun = fields.boolean("overrun")
    this.#transmitPending = fields.boolean("transmitPending")
    this.#fifo.clear()
    this.#fifo.push(fields.bytes("fifo", FIFO_SIZE))
    this.#queue.clear()
    this.#queue.push(fields.bytes("queue", INPUT_BYTES_MAX))
    this.#update()
  }

  reset(): void {
    this.#interruptEnable = 0
    this.#fifoControl = 0
    this.#lineControl = 0
    this.#modemControl = 0
    this.#scratch = 0
    this.#divisor = DIVISOR_AT_RESET
    this.#overrun = false
    this.#transmitPending = false
    this.#fifo.clear()
    this.#fillReceiver()
    this.#update()
  }

  deviceTreeNode(placement: DevicePlacement): DeviceTreeNode {
    return {
      name: unitName("serial", placement.base),
      properties: {
        compatible: strings("ns16550a"),
        ...placedProperties(placement, this.size),
        "clock-frequency": cells(CLOCK_HZ),
      },
    }
  }

  #isDivisorLatched(): boolean {
    return (this.#lineControl & LCR_DIVISOR_LATCH) !== 0
  }

  #isFifoEnabled(): boolean {
    return (this.#fifoControl & FCR_ENABLE) !== 0
  }

  #isLoopedBack(): boolean {
    return (this.#modemControl & MCR_LOOPBACK) !== 0
  }

  #receiverDepth(): number {
    return this.#isFifoEnabled() ? FIFO_SIZE : 1
  }

  /** In loopback the receiver is cut off from the line. */
  #fillReceiver(): void {
    if (this.#isLoopedBack()) return
    const room = this.#receiverDepth() - this.#fifo.length
    for (let count = Math.min(room, this.#queue.length); count > 0; count -= 1) {
      this.#fifo.push(Uint8Array.of(this.#queue.shift()))
    }
  }

  #readReceiver(): number {
    if (this.#fifo.length === 0) return 0
    const byte = this.#fifo.shift()
    this.#fillReceiver()
    this.#update()
    return byte
  }

  #transmit(byte: number): void {
    if (!this.#isLoopedBack()) this.#sink.write(byte)
    else if (this.#fifo.length < this.#receiverDepth()) this.#fifo.push(Uint8Array.of(byte))
    else {
      this.#overrun = true
      // Without FIFO the newcomer replaces the byte that was not read.
      if (!this.#isFifoEnabled()) {
        this.#fifo.clear()
        this.#fifo.push(Uint8Array.of(byte))
      }
    }
    this.#transmitPending = true
    this.#update()
  }

  /** Enabling the transmitter interrupt while the transmitter is empty raises it, even if it was acknowledged before. */
  #writeInterruptEnable(value: number): void {
    const changed = this.#interruptEnable ^ value
    this.#interruptEnable = value
    if (changed & IER_TRANSMIT) this.#transmitPending = (value & IER_TRANSMIT) !== 0
    this.#update()
  }

  #writeFifoControl(value: number): void {
    const toggled = ((value ^ this.#fifoControl) & FCR_ENABLE) !== 0
    this.#fifoControl = value & FCR_KEPT
    if (toggled || value & FCR_RESET_RECEIVER) this.#fifo.clear()
    if (toggled || value & FCR_RESET_TRANSMITTER) this.#transmitPending = true
    this.#fillReceiver()
    this.#update()
  }

  #readInterruptIdentification(): number {
    const identification = this.#interruptIdentification()
    if (identification === IIR_TRANSMIT) {
      this.#transmitPending = false
      this.#update()
    }
    return identification | (this.#isFifoEnabled() ? IIR_FIFO : 0)
  }

  #readLineStatus(): number {
    const status =
      LSR_TRANSMITTER_EMPTY | (this.#fifo.length > 0 ? LSR_DATA_READY : 0) | (this.#overrun ? LSR_OVERRUN : 0)
    if (this.#overrun) {
      this.#overrun = false
      this.#update()
    }
    return status
  }

  /** In loopback the four modem outputs come back as the four modem inputs. */
  #modemStatus(): number {
    if (!this.#isLoopedBack()) return MSR_CONNECTED
    const control = this.#modemControl
    return ((control & 0x0c) << 4) | ((control & 0x02) << 3) | ((control & 0x01) << 5)
  }

  #interruptIdentification(): number {
    const enabled = this.#interruptEnable
    if (enabled & IER_LINE_STATUS && this.#overrun) return IIR_LINE_STATUS
    if (enabled & IER_RECEIVE && this.#fifo.length > 0) {
      const trigger = this.#isFifoEnabled() ? TRIGGER_LEVELS[this.#fifoControl >> 6]! : 1
      return this.#fifo.length >= trigger ? IIR_RECEIVE : IIR_TIMEOUT
    }
    if (enabled & IER_TRANSMIT && this.#transmitPending) return IIR_TRANSMIT
    return IIR_NONE
  }

  #update(): void {
    this.#interrupt.set(this.#interruptIdentification() !== IIR_NONE)
  }
}
