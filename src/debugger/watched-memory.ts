/** Memory that a watchpoint is for, and what accesses do to it. */
import type { Sighting } from "../machine/machine.ts"
import { type Inspection, integerOf } from "./inspection.ts"

/** Which accesses to memory a watchpoint is for; `change`: writes that leave another value. */
export type WatchedAccess = "read" | "write" | "access" | "change"

export interface WatchPlace {
  readonly kind: "watchpoint"
  readonly space: "virtual" | "physical"
  readonly address: bigint
  readonly bytes: number
  readonly access: WatchedAccess
}

/** Of memory larger than this, only what was accessed is looked at. */
const WHOLE_BYTES_MAX = 16

/** Some bytes of a watchpoint's memory, by their offset in it. */
export interface MemoryPart {
  readonly offset: number
  readonly bytes: number
}

/** What an access did: values as unsigned integers, null where the memory was not there. */
export interface MemoryChange {
  /** Which bytes these are values of: all of a small memory, else those that were accessed. */
  readonly part: MemoryPart
  readonly before: bigint | null
  readonly after: bigint | null
}

type Access = Extract<Sighting, { readonly kind: "read" | "write" }>

export class WatchedMemory {
  private readonly inspection: Inspection
  private readonly place: WatchPlace
  /** Its content as far as it was looked at last; null where it was not there. */
  private known: Uint8Array | null

  /** Begins with what it holds now. */
  constructor(inspection: Inspection, place: WatchPlace) {
    this.inspection = inspection
    this.place = place
    this.known = this.read(inspection.runningHart, { offset: 0, bytes: place.bytes })
  }

  private read(hart: number, { offset, bytes }: MemoryPart): Uint8Array | null {
    const { inspection, place } = this
    const address = place.address + BigInt(offset)
    return place.space === "physical" ? inspection.readPhysical(address, bytes) : inspection.read(hart, address, bytes)
  }

  /** Looks at it after an access; undefined where that was to other memory. */
  take(access: Access): MemoryChange | undefined {
    const { space, address, bytes } = this.place
    const from = Number((space === "virtual" ? access.virtual : access.physical) - address)
    const [first, end] = [Math.max(0, from), Math.min(bytes, from + access.bytes)]
    if (first >= end) return undefined
    const isSmall = bytes <= WHOLE_BYTES_MAX
    const part = isSmall ? { offset: 0, bytes } : { offset: first, bytes: end - first }
    const now = this.read(access.hart, part)
    const was = this.known?.slice(part.offset, part.offset + part.bytes)
    if (isSmall) this.known = now
    else if (this.known === null) this.known = this.read(access.hart, { offset: 0, bytes })
    else if (now !== null) this.known.set(now, part.offset)
    return { part, before: was === undefined ? null : integerOf(was), after: now && integerOf(now) }
  }
}
