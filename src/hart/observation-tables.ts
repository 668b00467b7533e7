/** The tables that `observation.ts` looks at, filled from outside. */
import {
  BREAKPOINTS,
  BREAKPOINTS_MAX,
  HIT,
  OBSERVES,
  PASSED_AT,
  PASSED_HART,
  STATE_WATCHES,
  STATE_WATCHES_MAX,
  WATCH_BYTES,
  WATCHES,
  WATCHES_MAX,
} from "./layout.ts"
import { hitKind, observes } from "./observation.ts"
import { access } from "./pmp.ts"
import { exitReason, type FieldName, stateFields } from "./state.ts"

/** A stretch of memory, by virtual addresses as harts use them, or by physical ones. */
export interface WatchedMemory {
  readonly space: "virtual" | "physical"
  readonly address: bigint
  readonly bytes: number
  readonly reads: boolean
  readonly writes: boolean
}

export interface WatchedField {
  readonly field: FieldName
  readonly index: number
}

export interface Observation {
  /** Virtual addresses of instructions before which to stop. At most `BREAKPOINTS_MAX`. */
  readonly breakpoints: readonly bigint[]
  /** At most `WATCHES_MAX`. */
  readonly memory: readonly WatchedMemory[]
  /** Registers of every hart, at most `STATE_WATCHES_MAX`: a stop comes after what changes one. */
  readonly state: readonly WatchedField[]
  /** Stops before an interrupt is taken. */
  readonly interrupts: boolean
  /** Stops after an exception was raised, before its handler. */
  readonly exceptions: boolean
}

export { BREAKPOINTS_MAX, STATE_WATCHES_MAX, WATCHES_MAX }

export const nothingObserved: Observation = {
  breakpoints: [],
  memory: [],
  state: [],
  interrupts: false,
  exceptions: false,
}

export type Hit =
  | { readonly kind: "breakpoint" }
  | {
      readonly kind: "read" | "write"
      readonly virtual: bigint
      readonly physical: bigint
      readonly bytes: number
    }
  /** `cause` as in mcause, without the interrupt bit. */
  | { readonly kind: "interrupt" | "exception"; readonly cause: number }
  | { readonly kind: "state" }

const LAST_ADDRESS = (1n << 64n) - 1n

/** Registers that change without anybody looking: only traps, CSR instructions and devices change the others. */
const changeAnywhere: ReadonlySet<FieldName> = new Set(["x", "f", "pc", "fflags", "reservation", "reservedValue"])

export class ObservationTables {
  private readonly view: DataView
  watchesMemory = false
  watchesReads = false
  watchesState = false
  /** Watched registers may change with any instruction. */
  isAfterEachInstruction = false

  constructor(view: DataView) {
    this.view = view
    this.pass(-1, 0)
  }

  /** @throws RangeError where there is more than there is room for. */
  set(observation: Observation | null): void {
    const { breakpoints, memory, state, interrupts, exceptions } = observation ?? nothingObserved
    const { view } = this
    const isTooMuch =
      breakpoints.length > BREAKPOINTS_MAX || memory.length > WATCHES_MAX || state.length > STATE_WATCHES_MAX
    if (isTooMuch) throw new RangeError("more is to be observed than there is room for")
    this.watchesMemory = memory.length > 0
    this.watchesReads = memory.some(({ reads }) => reads)
    this.watchesState = state.length > 0
    this.isAfterEachInstruction = state.some(({ field }) => changeAnywhere.has(field))
    view.setUint32(BREAKPOINTS, breakpoints.length, true)
    for (const [order, address] of breakpoints.entries()) view.setBigUint64(BREAKPOINTS + 8 + order * 8, address, true)
    view.setUint32(WATCHES, memory.length, true)
    for (const [order, { space, address, bytes, reads, writes }] of memory.entries()) {
      const at = WATCHES + 8 + order * WATCH_BYTES
      const last = address + BigInt(bytes) - 1n
      view.setBigUint64(at, address, true)
      view.setBigUint64(at + 8, last > LAST_ADDRESS ? LAST_ADDRESS : last, true)
      view.setUint32(at + 16, (reads ? access.read : 0) | (writes ? access.write : 0), true)
      view.setUint32(at + 20, space === "virtual" ? 1 : 0, true)
    }
    view.setUint32(STATE_WATCHES, state.length, true)
    for (const [order, { field, index }] of state.entries()) {
      const { offset, size } = stateFields[field]
      // Compared eight bytes at a time: of a short field its neighbour is looked at too.
      view.setUint32(STATE_WATCHES + 8 + order * 4, (offset + index * size) & ~7, true)
    }
    const flags =
      (breakpoints.length > 0 ? observes.breakpoints : 0) |
      (memory.length > 0 ? observes.memory : 0) |
      (state.length > 0 ? observes.state : 0) |
      (interrupts ? observes.interrupts : 0) |
      (exceptions ? observes.exceptions : 0)
    view.setUint32(OBSERVES, flags, true)
  }

  pass(hart: number, executed: number): void {
    this.view.setUint32(PASSED_HART, hart >>> 0, true)
    this.view.setBigUint64(PASSED_AT, BigInt(executed), true)
  }

  foundChange(): typeof exitReason.observed {
    this.view.setUint32(HIT, hitKind.state, true)
    return exitReason.observed
  }

  get hit(): Hit {
    const { view } = this
    const kind = view.getUint32(HIT, true)
    switch (kind) {
      case hitKind.breakpoint:
        return { kind: "breakpoint" }
      case hitKind.read:
      case hitKind.write:
        return {
          kind: kind === hitKind.read ? "read" : "write",
          virtual: view.getBigUint64(HIT + 8, true),
          physical: view.getBigUint64(HIT + 16, true),
          bytes: view.getUint32(HIT + 4, true),
        }
      case hitKind.interrupt:
      case hitKind.exception:
        return { kind: kind === hitKind.interrupt ? "interrupt" : "exception", cause: view.getUint32(HIT + 24, true) }
      default:
        return { kind: "state" }
    }
  }

  /** Memory that a device is about to have written: whether it is watched. */
  watchesWrite(physical: number, bytes: number): boolean {
    const { view } = this
    const first = BigInt(physical)
    const last = first + BigInt(bytes) - 1n
    for (let order = 0; order < view.getUint32(WATCHES, true); order++) {
      const at = WATCHES + 8 + order * WATCH_BYTES
      const isFor = (view.getUint32(at + 16, true) & access.write) !== 0 && view.getUint32(at + 20, true) === 0
      if (!isFor || view.getBigUint64(at, true) > last || view.getBigUint64(at + 8, true) < first) continue
      view.setUint32(HIT, hitKind.write, true)
      view.setUint32(HIT + 4, bytes, true)
      view.setBigUint64(HIT + 8, first, true)
      view.setBigUint64(HIT + 16, first, true)
      return true
    }
    return false
  }
}
