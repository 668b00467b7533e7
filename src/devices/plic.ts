// The platform-level interrupt controller, with the register layout of SiFive's and level-sensitive gateways
// (RISC-V Platform-Level Interrupt Controller Specification 1.0.0). Contexts: 2 * hart is M-mode, 2 * hart + 1 is S-mode.

import type { AccessSize } from "./access.ts"
import type { Device } from "./device.ts"
import {
  cells,
  type DevicePlacement,
  type DeviceTreeNode,
  empty,
  hartInterruptControllerLabel,
  PLIC_LABEL,
  reference,
  strings,
  u64,
  unitName,
} from "./device-tree-node.ts"
import type { InterruptLine } from "./interrupt-line.ts"
import { StateFields } from "./state-fields.ts"
import type { StateValue } from "./state-value.ts"

const PENDING = 0x1000
const ENABLE = 0x2000
const ENABLE_STRIDE = 0x80
const CONTEXT = 0x20_0000
const CONTEXT_STRIDE = 0x1000
const THRESHOLD = 0
const CLAIM = 4

const PRIORITY_MAX = 7
const MACHINE_EXTERNAL = 11
const SUPERVISOR_EXTERNAL = 9

export interface PlicOptions {
  readonly id?: string
  /** Highest source number; source 0 does not exist. 95 unless told otherwise. */
  readonly sources?: number
  /** The external interrupt line of each context. */
  readonly contexts: readonly InterruptLine[]
}

/**
 * A gateway passes one request to the core while its source is high and waits for the completion; if the source is still high
 * then, it passes the next one. A request stays pending until it is claimed even if its source falls. A completion counts
 * whether or not the source is enabled for the context that completes, as on QEMU.
 */
export class Plic implements Device {
  readonly id: string
  readonly size = 0x60_0000
  readonly accessSizes = 4
  readonly #sources: number
  readonly #words: number
  readonly #contexts: readonly InterruptLine[]
  readonly #priority: Uint8Array
  readonly #threshold: Uint8Array
  // Bit sets over sources, 32 to a word.
  readonly #level: Uint32Array
  readonly #pending: Uint32Array
  readonly #claimed: Uint32Array
  readonly #existing: Uint32Array
  /** Enable bits, `#words` words for each context. */
  readonly #enable: Uint32Array

  constructor(options: PlicOptions) {
    const sources = options.sources ?? 95
    if (sources < 1 || sources > 1023) throw new Error(`A PLIC has 1 to 1023 sources, not ${sources}.`)
    const contexts = options.contexts.length
    if (contexts < 1 || contexts > 1024) throw new Error(`This PLIC has room for 1 to 1024 contexts, not ${contexts}.`)
    this.id = options.id ?? "plic"
    this.#sources = sources
    this.#words = (sources >> 5) + 1
    this.#contexts = options.contexts
    this.#priority = new Uint8Array(sources + 1)
    this.#threshold = new Uint8Array(contexts)
    this.#level = new Uint32Array(this.#words)
    this.#pending = new Uint32Array(this.#words)
    this.#claimed = new Uint32Array(this.#words)
    this.#enable = new Uint32Array(this.#words * contexts)
    this.#existing = new Uint32Array(this.#words)
    for (let source = 1; source <= sources; source += 1) this.#existing[source >> 5]! |= 1 << (source & 31)
  }

  /** The input of source `source`, from 1 to the number of sources. */
  source(source: number): InterruptLine {
    if (!Number.isInteger(source) || source < 1 || source > this.#sources) {
      throw new Error(`The PLIC ${this.id} has no source ${source}.`)
    }
    return { set: level => this.#setLevel(source, level) }
  }

  load(offset: number, _size: AccessSize): number {
    if (offset < PENDING) return this.#priority[offset >> 2] ?? 0
    if (offset < ENABLE) return this.#pending[(offset - PENDING) >> 2] ?? 0
    if (offset < CONTEXT) {
      const index = this.#enableIndex(offset)
      return index < 0 ? 0 : this.#enable[index]!
    }
    const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE)
    if (context >= this.#contexts.length) return 0
    const register = offset % CONTEXT_STRIDE
    if (register === THRESHOLD) return this.#threshold[context]!
    return register === CLAIM ? this.#claim(context) : 0
  }

  store(offset: number, _size: AccessSize, value: number): void {
    if (offset < PENDING) {
      const source = offset >> 2
      if (source < 1 || source > this.#sources) return
      this.#priority[source] = value & PRIORITY_MAX
      this.#update()
    } else if (offset < ENABLE) {
      // Pending bits are read-only.
    } else if (offset < CONTEXT) {
      const index = this.#enableIndex(offset)
      if (index < 0) return
      this.#enable[index] = value & this.#existing[index % this.#words]!
      this.#update()
    } else {
      const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE)
      if (context >= this.#contexts.length) return
      const register = offset % CONTEXT_STRIDE
      if (register === THRESHOLD) {
        this.#threshold[context] = value & PRIORITY_MAX
        this.#update()
      } else if (register === CLAIM) this.#complete(value)
    }
  }

  save(): StateValue {
    return {
      priority: [...this.#priority],
      threshold: [...this.#threshold],
      level: [...this.#level],
      pending: [...this.#pending],
      claimed: [...this.#claimed],
      enable: [...this.#enable],
    }
  }

  restore(state: StateValue): void {
    const names = ["priority", "threshold", "level", "pending", "claimed", "enable"]
    const fields = new StateFields(this.id, state, names)
    this.#priority.set(fields.integers("priority", this.#sources + 1, PRIORITY_MAX))
    this.#threshold.set(fields.integers("threshold", this.#contexts.length, PRIORITY_MAX))
    this.#level.set(fields.integers("level", this.#words, 0xffff_ffff))
    this.#pending.set(fields.integers("pending", this.#words, 0xffff_ffff))
    this.#claimed.set(fields.integers("claimed", this.#words, 0xffff_ffff))
    this.#enable.set(fields.integers("enable", this.#words * this.#contexts.length, 0xffff_ffff))
    for (const set of [this.#level, this.#pending, this.#claimed, this.#enable]) {
      if (set.some((word, index) => (word & ~this.#existing[index % this.#words]!) !== 0)) {
        throw new Error(`The state of ${this.id} names a source that does not exist.`)
      }
    }
    this.#update()
  }

  /** The levels of the sources are not the controller's to reset: a source that is high is pending again at once. */
  reset(): void {
    this.#priority.fill(0)
    this.#threshold.fill(0)
    this.#claimed.fill(0)
    this.#enable.fill(0)
    this.#pending.set(this.#level)
    this.#update()
  }

  deviceTreeNode(placement: DevicePlacement): DeviceTreeNode {
    const interrupts = this.#contexts.flatMap((_, context) => [
      reference(hartInterruptControllerLabel(context >> 1)),
      context & 1 ? SUPERVISOR_EXTERNAL : MACHINE_EXTERNAL,
    ])
    return {
      name: unitName("plic", placement.base),
      label: PLIC_LABEL,
      properties: {
        compatible: strings("sifive,plic-1.0.0", "riscv,plic0"),
        "#address-cells": cells(0),
        "#interrupt-cells": cells(1),
        "interrupt-controller": empty(),
        reg: u64(placement.base, this.size),
        "riscv,ndev": cells(this.#sources),
        "interrupts-extended": cells(...interrupts),
      },
    }
  }

  #setLevel(source: number, level: boolean): void {
    const word = source >> 5
    const bit = 1 << (source & 31)
    const isHigh = (this.#level[word]! & bit) !== 0
    if (isHigh === level) return
    if (!level) {
      this.#level[word]! &= ~bit
      return
    }
    this.#level[word]! |= bit
    if ((this.#claimed[word]! & bit) !== 0) return
    this.#pending[word]! |= bit
    this.#update()
  }

  #enableIndex(offset: number): number {
    const context = Math.floor((offset - ENABLE) / ENABLE_STRIDE)
    const word = (offset % ENABLE_STRIDE) >> 2
    return context < this.#contexts.length && word < this.#words ? context * this.#words + word : -1
  }

  /** The pending source of highest priority above the threshold, the lowest number among equals; 0 when there is none. */
  #best(context: number): number {
    let best = 0
    let bestPriority = this.#threshold[context]!
    for (let word = 0; word < this.#words; word += 1) {
      let ready = this.#pending[word]! & this.#enable[context * this.#words + word]!
      while (ready !== 0) {
        const bit = 31 - Math.clz32(ready & -ready)
        ready &= ready - 1
        const source = (word << 5) | bit
        if (this.#priority[source]! > bestPriority) {
          best = source
          bestPriority = this.#priority[source]!
        }
      }
    }
    return best
  }

  #claim(context: number): number {
    const source = this.#best(context)
    if (source === 0) return 0
    const bit = 1 << (source & 31)
    this.#pending[source >> 5]! &= ~bit
    this.#claimed[source >> 5]! |= bit
    this.#update()
    return source
  }

  #complete(source: number): void {
    if (source < 1 || source > this.#sources) return
    const word = source >> 5
    const bit = 1 << (source & 31)
    if ((this.#claimed[word]! & bit) === 0) return
    this.#claimed[word]! &= ~bit
    this.#pending[word]! |= this.#level[word]! & bit
    this.#update()
  }

  #update(): void {
    for (let context = 0; context < this.#contexts.length; context += 1) {
      this.#contexts[context]!.set(this.#best(context) !== 0)
    }
  }
}
