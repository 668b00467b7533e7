// The core-local interruptor: machine software interrupts, machine timers and the time they compare with.
// SiFive CLINT memory map (FU540-C000 manual, chapter 9), which the RISC-V ACLINT specification keeps.

import type { AccessSize } from "./access.ts"
import type { Clock } from "./clock.ts"
import type { Device } from "./device.ts"
import {
  cells,
  type DevicePlacement,
  type DeviceTreeNode,
  hartInterruptControllerLabel,
  reference,
  strings,
  u64,
  unitName,
} from "./device-tree-node.ts"
import type { InterruptLine } from "./interrupt-line.ts"
import { StateFields } from "./state-fields.ts"
import type { StateValue } from "./state-value.ts"
import {
  addUint64,
  isLessUint64,
  subtractUint64,
  UINT64_ZERO,
  type Uint64,
  uint64FromNumber,
  uint64ToNumber,
} from "./uint64.ts"

const MTIMECMP = 0x4000
const MTIME = 0xbff8

/** Machine software and machine timer interrupt, as `mip` numbers them. */
const SOFTWARE_INTERRUPT = 3
const TIMER_INTERRUPT = 7

/** Virtual nanoseconds in one tick of `mtime` (10 MHz). */
export const NANOSECONDS_PER_TICK = 100
const TICK_MAX = Math.floor(Number.MAX_SAFE_INTEGER / NANOSECONDS_PER_TICK)

export interface ClintOptions {
  readonly id?: string
  readonly clock: Clock
  /** MSIP of each hart; the number of lines is the number of harts. */
  readonly softwareInterrupts: readonly InterruptLine[]
  /** MTIP of each hart, as many as there are software lines. */
  readonly timerInterrupts: readonly InterruptLine[]
}

/**
 * `mtime` is the clock's ticks plus an offset that a guest changes by writing `mtime`. A timer line is high exactly while
 * `mtime >= mtimecmp`; as time passes without an access, the owner calls `update` when a deadline has come.
 * At power-on every `mtimecmp` is all ones, so that no timer is pending, and the offset is zero.
 */
export class Clint implements Device {
  readonly id: string
  readonly size = 0x10000
  readonly accessSizes = 4 | 8
  readonly #clock: Clock
  readonly #softwareInterrupts: readonly InterruptLine[]
  readonly #timerInterrupts: readonly InterruptLine[]
  readonly #softwarePending: Uint8Array
  readonly #compareHigh: Uint32Array
  readonly #compareLow: Uint32Array
  #offset: Uint64 = UINT64_ZERO

  constructor(options: ClintOptions) {
    const harts = options.softwareInterrupts.length
    if (options.timerInterrupts.length !== harts) throw new Error("A CLINT needs as many timer as software lines.")
    if (harts < 1 || harts > 4095) throw new Error(`A CLINT serves 1 to 4095 harts, not ${harts}.`)
    this.id = options.id ?? "clint"
    this.#clock = options.clock
    this.#softwareInterrupts = options.softwareInterrupts
    this.#timerInterrupts = options.timerInterrupts
    this.#softwarePending = new Uint8Array(harts)
    this.#compareHigh = new Uint32Array(harts).fill(0xffff_ffff)
    this.#compareLow = new Uint32Array(harts).fill(0xffff_ffff)
  }

  /** What `mtime` reads now. */
  get mtime(): Uint64 {
    return addUint64(uint64FromNumber(this.#ticks()), this.#offset)
  }

  /** What is added, modulo 2^64, to the clock's ticks to give `mtime`. Zero unless the guest wrote `mtime`. */
  get mtimeOffset(): Uint64 {
    return this.#offset
  }

  /**
   * The earliest virtual time, not before now, at which hart `hart`'s timer is due; Infinity when that is beyond 2^53 ns.
   */
  timerDeadlineNs(hart: number): number {
    return this.deadlineNs({ high: this.#compareHigh[hart]!, low: this.#compareLow[hart]! })
  }

  /** The earliest virtual time, not before now, at which `mtime >= compare`; Infinity when that is beyond 2^53 ns. */
  deadlineNs(compare: Uint64): number {
    if (this.#offset.high === 0 && this.#offset.low === 0) {
      // What a guest leaves as it is, in plain numbers: this is asked in every turn.
      const tick = uint64ToNumber(compare)
      if (tick <= this.#ticks()) return this.#clock.nowNs()
      return tick > TICK_MAX ? Number.POSITIVE_INFINITY : tick * NANOSECONDS_PER_TICK
    }
    const mtime = this.mtime
    if (!isLessUint64(mtime, compare)) return this.#clock.nowNs()
    const tick = this.#ticks() + uint64ToNumber(subtractUint64(compare, mtime))
    return tick > TICK_MAX ? Number.POSITIVE_INFINITY : tick * NANOSECONDS_PER_TICK
  }

  /** Drives the timer lines to the levels that the present time gives. */
  update(): void {
    const mtime = this.mtime
    for (let hart = 0; hart < this.#timerInterrupts.length; hart += 1) {
      const compare = { high: this.#compareHigh[hart]!, low: this.#compareLow[hart]! }
      this.#timerInterrupts[hart]!.set(!isLessUint64(mtime, compare))
    }
  }

  load(offset: number, _size: AccessSize): number {
    const harts = this.#softwarePending.length
    if (offset < 4 * harts) return this.#softwarePending[offset >> 2]!
    if (offset >= MTIMECMP && offset < MTIMECMP + 8 * harts) {
      const hart = (offset - MTIMECMP) >> 3
      return (offset & 4 ? this.#compareHigh : this.#compareLow)[hart]!
    }
    if (offset === MTIME) return this.mtime.low
    if (offset === MTIME + 4) return this.mtime.high
    return 0
  }

  store(offset: number, _size: AccessSize, value: number): void {
    const harts = this.#softwarePending.length
    if (offset < 4 * harts) {
      const hart = offset >> 2
      this.#softwarePending[hart] = value & 1
      this.#softwareInterrupts[hart]!.set((value & 1) === 1)
    } else if (offset >= MTIMECMP && offset < MTIMECMP + 8 * harts) {
      const hart = (offset - MTIMECMP) >> 3
      if (offset & 4) this.#compareHigh[hart] = value
      else this.#compareLow[hart] = value
      this.update()
    } else if (offset === MTIME || offset === MTIME + 4) {
      const mtime = this.mtime
      const wanted = offset === MTIME ? { high: mtime.high, low: value } : { high: value, low: mtime.low }
      this.#offset = subtractUint64(wanted, uint64FromNumber(this.#ticks()))
      this.update()
    }
  }

  save(): StateValue {
    return {
      softwarePending: [...this.#softwarePending],
      compareHigh: [...this.#compareHigh],
      compareLow: [...this.#compareLow],
      offset: { ...this.#offset },
    }
  }

  restore(state: StateValue): void {
    const harts = this.#softwarePending.length
    const fields = new StateFields(this.id, state, ["softwarePending", "compareHigh", "compareLow", "offset"])
    this.#softwarePending.set(fields.integers("softwarePending", harts, 1))
    this.#compareHigh.set(fields.integers("compareHigh", harts, 0xffff_ffff))
    this.#compareLow.set(fields.integers("compareLow", harts, 0xffff_ffff))
    this.#offset = fields.uint64("offset")
    this.#drive()
  }

  reset(): void {
    this.#softwarePending.fill(0)
    this.#compareHigh.fill(0xffff_ffff)
    this.#compareLow.fill(0xffff_ffff)
    this.#offset = UINT64_ZERO
    this.#drive()
  }

  deviceTreeNode(placement: DevicePlacement): DeviceTreeNode {
    const interrupts = this.#softwareInterrupts.flatMap((_, hart) => {
      const controller = reference(hartInterruptControllerLabel(hart))
      return [controller, SOFTWARE_INTERRUPT, controller, TIMER_INTERRUPT]
    })
    return {
      name: unitName("clint", placement.base),
      properties: {
        compatible: strings("sifive,clint0", "riscv,clint0"),
        reg: u64(placement.base, this.size),
        "interrupts-extended": cells(...interrupts),
      },
    }
  }

  #ticks(): number {
    return Math.floor(this.#clock.nowNs() / NANOSECONDS_PER_TICK)
  }

  #drive(): void {
    for (let hart = 0; hart < this.#softwareInterrupts.length; hart += 1) {
      this.#softwareInterrupts[hart]!.set(this.#softwarePending[hart] === 1)
    }
    this.update()
  }
}
