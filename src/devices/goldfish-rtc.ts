// The Goldfish real-time clock: nanoseconds since 1970 and one alarm
// (Android emulator, docs/GOLDFISH-VIRTUAL-HARDWARE.TXT, section "Goldfish real-time clock").

import type { AccessSize } from "./access.ts"
import type { Clock } from "./clock.ts"
import type { Device } from "./device.ts"
import { type DevicePlacement, type DeviceTreeNode, placedProperties, strings, unitName } from "./device-tree-node.ts"
import type { InterruptLine } from "./interrupt-line.ts"
import { StateFields } from "./state-fields.ts"
import type { StateValue } from "./state-value.ts"
import {
  addUint64,
  isLessUint64,
  nanosecondsUint64,
  subtractUint64,
  UINT64_ZERO,
  type Uint64,
  uint64FromNumber,
  uint64ToNumber,
} from "./uint64.ts"

const TIME_LOW = 0x00
const TIME_HIGH = 0x04
const ALARM_LOW = 0x08
const ALARM_HIGH = 0x0c
const INTERRUPT_ENABLED = 0x10
const CLEAR_ALARM = 0x14
const ALARM_STATUS = 0x18
const CLEAR_INTERRUPT = 0x1c

export interface GoldfishRtcOptions {
  readonly id?: string
  readonly clock: Clock
  readonly interrupt: InterruptLine
  /** The date at virtual time zero, since 1970 began: whole seconds below 2^33, and nanoseconds below 10^9. */
  readonly epoch: { readonly seconds: number; readonly nanoseconds: number }
}

/** Time is the clock's plus an offset that the guest may change. The owner calls `update` when the alarm's deadline has come. */
export class GoldfishRtc implements Device {
  readonly id: string
  readonly size = 0x1000
  readonly accessSizes = 4
  readonly #clock: Clock
  readonly #interrupt: InterruptLine
  #offset: Uint64
  /** The high half that goes with the low half read last. */
  #latchedHigh = 0
  #alarm: Uint64 = UINT64_ZERO
  #alarmRunning = false
  #interruptPending = false
  #interruptEnabled = false

  constructor(options: GoldfishRtcOptions) {
    const { seconds, nanoseconds } = options.epoch
    if (!Number.isInteger(seconds) || seconds < 0 || seconds >= 2 ** 33) {
      throw new Error(`The epoch needs whole seconds from 0 to 2^33 - 1, not ${seconds}.`)
    }
    if (!Number.isInteger(nanoseconds) || nanoseconds < 0 || nanoseconds >= 1e9) {
      throw new Error(`The epoch needs whole nanoseconds from 0 to 999999999, not ${nanoseconds}.`)
    }
    this.id = options.id ?? "rtc"
    this.#clock = options.clock
    this.#interrupt = options.interrupt
    this.#offset = nanosecondsUint64(seconds, nanoseconds)
  }

  /** Virtual time at which the alarm goes off; Infinity when none is set or it is beyond 2^53 ns. */
  alarmDeadlineNs(): number {
    if (!this.#alarmRunning) return Number.POSITIVE_INFINITY
    const time = this.#time()
    if (!isLessUint64(time, this.#alarm)) return this.#clock.nowNs()
    const deadlineNs = this.#clock.nowNs() + uint64ToNumber(subtractUint64(this.#alarm, time))
    return deadlineNs <= Number.MAX_SAFE_INTEGER ? deadlineNs : Number.POSITIVE_INFINITY
  }

  /** Sets off the alarm if its time has come. */
  update(): void {
    if (this.#alarmRunning && !isLessUint64(this.#time(), this.#alarm)) {
      this.#alarmRunning = false
      this.#interruptPending = true
    }
    this.#interrupt.set(this.#interruptPending && this.#interruptEnabled)
  }

  load(offset: number, _size: AccessSize): number {
    switch (offset) {
      case TIME_LOW: {
        const time = this.#time()
        this.#latchedHigh = time.high
        return time.low
      }
      case TIME_HIGH:
        return this.#latchedHigh
      case ALARM_LOW:
        return this.#alarm.low
      case ALARM_HIGH:
        return this.#alarm.high
      case INTERRUPT_ENABLED:
        return this.#interruptEnabled ? 1 : 0
      case ALARM_STATUS:
        return this.#alarmRunning ? 1 : 0
      default:
        return 0
    }
  }

  store(offset: number, _size: AccessSize, value: number): void {
    switch (offset) {
      case TIME_LOW:
        this.#setTime({ high: this.#time().high, low: value })
        break
      case TIME_HIGH:
        this.#setTime({ high: value, low: this.#time().low })
        break
      case ALARM_LOW:
        // The driver writes the high half first; the low half arms the alarm.
        this.#alarm = { high: this.#alarm.high, low: value }
        this.#alarmRunning = true
        this.update()
        break
      case ALARM_HIGH:
        this.#alarm = { high: value, low: this.#alarm.low }
        break
      case INTERRUPT_ENABLED:
        this.#interruptEnabled = (value & 1) === 1
        this.update()
        break
      case CLEAR_ALARM:
        this.#alarmRunning = false
        break
      case CLEAR_INTERRUPT:
        this.#interruptPending = false
        this.update()
        break
    }
  }

  save(): StateValue {
    return {
      offset: { ...this.#offset },
      latchedHigh: this.#latchedHigh,
      alarm: { ...this.#alarm },
      alarmRunning: this.#alarmRunning,
      interruptPending: this.#interruptPending,
      interruptEnabled: this.#interruptEnabled,
    }
  }

  restore(state: StateValue): void {
    const fields = new StateFields(this.id, state, [
      "offset",
      "latchedHigh",
      "alarm",
      "alarmRunning",
      "interruptPending",
      "interruptEnabled",
    ])
    this.#offset = fields.uint64("offset")
    this.#latchedHigh = fields.uint32("latchedHigh")
    this.#alarm = fields.uint64("alarm")
    this.#alarmRunning = fields.boolean("alarmRunning")
    this.#interruptPending = fields.boolean("interruptPending")
    this.#interruptEnabled = fields.boolean("interruptEnabled")
    this.update()
  }

  /** The time a guest has set survives, as in a clock with a battery. */
  reset(): void {
    this.#latchedHigh = 0
    this.#alarm = UINT64_ZERO
    this.#alarmRunning = false
    this.#interruptPending = false
    this.#interruptEnabled = false
    this.update()
  }

  deviceTreeNode(placement: DevicePlacement): DeviceTreeNode {
    return {
      name: unitName("rtc", placement.base),
      properties: { compatible: strings("google,goldfish-rtc"), ...placedProperties(placement, this.size) },
    }
  }

  #time(): Uint64 {
    return addUint64(uint64FromNumber(this.#clock.nowNs()), this.#offset)
  }

  #setTime(time: Uint64): void {
    this.#offset = subtractUint64(time, uint64FromNumber(this.#clock.nowNs()))
    this.update()
  }
}
