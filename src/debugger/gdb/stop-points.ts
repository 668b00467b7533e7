/**
 * Breakpoints and watchpoints that gdb has set. GDB manual, appendix "GDB Remote Serial Protocol", packets Z and z.
 */
import { BREAKPOINTS_MAX, WATCHES_MAX } from "../../machine/machine.ts"
import type { Debugger } from "../debugger.ts"
import type { StopPlace, StopPoint } from "../stop-point.ts"
import { watchPlaces } from "../watch-places.ts"
import type { WatchedAccess } from "../watched-memory.ts"
import { parseCount, parseNumber } from "./hex.ts"

/** The names of what can be met, as in stop replies. */
export type StopPointKind = "swbreak" | "hwbreak" | "watch" | "rwatch" | "awatch"

const kinds: readonly StopPointKind[] = ["swbreak", "hwbreak", "watch", "rwatch", "awatch"]
const accesses: Readonly<Record<string, WatchedAccess>> = { watch: "write", rwatch: "read", awatch: "access" }

/** One that gdb has set: what it called it, and what it came to. */
export interface SetStopPoint {
  readonly kind: StopPointKind
  readonly address: bigint
  readonly points: readonly StopPoint[]
}

/** How an attempt went; "unknown" where there is no such kind. */
export type SettingOutcome = "done" | "unknown" | "malformed" | "too many"

/** The longest stretch of memory that is watched at once. */
const WATCH_BYTES_MAX = 0x10000

export class StopPoints {
  private readonly debugged: Debugger
  private readonly set = new Map<string, SetStopPoint>()

  constructor(debugged: Debugger) {
    this.debugged = debugged
  }

  /** Serves a packet `Z…` or `z…`, without its letter; `hart` is the one whose addresses are meant. Setting twice is setting once. */
  change(isSet: boolean, text: string, hart: number): SettingOutcome {
    const match = /^(\d+),([\da-f]+),([\da-f]+)(?:;.*)?$/is.exec(text)
    if (match === null) return "malformed"
    const kind = kinds[Number(match[1])]
    const [address, bytes] = [parseNumber(match[2]!), parseCount(match[3]!, WATCH_BYTES_MAX)]
    if (kind === undefined) return "unknown"
    if (address === null || bytes === null) return "malformed"
    const key = `${kind} ${address} ${bytes}`
    if (!isSet) this.remove(key)
    else if (!this.set.has(key)) return this.add(key, kind, address, bytes, hart)
    return "done"
  }

  private add(key: string, kind: StopPointKind, address: bigint, bytes: number, hart: number): SettingOutcome {
    const access = accesses[kind]
    if (access !== undefined && bytes === 0) return "malformed"
    const places: readonly StopPlace[] =
      access === undefined
        ? [{ kind: "breakpoint", address }]
        : watchPlaces(this.debugged, hart, address, bytes, access)
    if (!this.hasRoom(places)) return "too many"
    this.set.set(key, { kind, address, points: places.map(place => this.debugged.addStopPoint({ place })) })
    return "done"
  }

  private remove(key: string): void {
    for (const { id } of this.set.get(key)?.points ?? []) this.debugged.removeStopPoint(id)
    this.set.delete(key)
  }

  /** Removes all. */
  clear(): void {
    for (const key of [...this.set.keys()]) this.remove(key)
  }

  /** Which of them a stop point stands for. */
  find(point: StopPoint): SetStopPoint | null {
    return [...this.set.values()].find(({ points }) => points.includes(point)) ?? null
  }

  private hasRoom(more: readonly StopPlace[]): boolean {
    const places = [...this.debugged.stopPoints.map(({ place }) => place), ...more]
    const addresses = new Set(places.flatMap(place => (place.kind === "breakpoint" ? [place.address] : [])))
    return addresses.size <= BREAKPOINTS_MAX && places.filter(({ kind }) => kind === "watchpoint").length <= WATCHES_MAX
  }
}
