/** The breakpoints a client has set, each with the stop points that it is made of. Clients send all of a kind anew, each time. */
import type { DebugProtocol } from "@vscode/debugprotocol"
import { BREAKPOINTS_MAX, STATE_WATCHES_MAX, WATCHES_MAX } from "../../machine/machine.ts"
import type { Debugger, NewStopPoint } from "../debugger.ts"
import type { Met } from "../stop-point.ts"

/** Which of them are replaced together: those of a source file, or of another kind. */
export type BreakpointKind = "function" | "instruction" | "data" | "exception" | "source"

export interface WantedBreakpoint {
  /** What it is made of; none where it cannot be set, as `message` then says. */
  readonly points: readonly NewStopPoint[]
  readonly message?: string
  /** What is told to the client besides. */
  readonly shown?: Partial<DebugProtocol.Breakpoint>
}

/** A breakpoint's kind, and its number for the client. */
interface Known {
  readonly id: number
  readonly kind: BreakpointKind
  readonly group: string
}

/** Steps by lines have breakpoints of their own beside these. */
const ADDRESSES_MAX = BREAKPOINTS_MAX / 4

export class BreakpointTable {
  private readonly debug: Debugger
  /** By stop point. */
  private readonly known = new Map<number, Known>()
  private nextId = 1

  constructor(debug: Debugger) {
    this.debug = debug
  }

  /** Puts breakpoints in the place of all that there are in a group: a file's, or of a kind. */
  replace(
    kind: BreakpointKind,
    group: string,
    wanted: readonly WantedBreakpoint[],
  ): readonly DebugProtocol.Breakpoint[] {
    for (const [point, known] of this.known)
      if (known.kind === kind && known.group === group) {
        this.debug.removeStopPoint(point)
        this.known.delete(point)
      }
    return wanted.map(each => this.add(kind, group, each))
  }

  private add(kind: BreakpointKind, group: string, { points, message, shown }: WantedBreakpoint) {
    const id = this.nextId++
    const problem = message ?? this.lackOfRoom(points)
    if (problem !== null)
      return { id, verified: false, message: problem, reason: "failed", ...shown } satisfies DebugProtocol.Breakpoint
    for (const point of points) this.known.set(this.debug.addStopPoint(point).id, { id, kind, group })
    return { id, verified: true, ...shown } satisfies DebugProtocol.Breakpoint
  }

  private lackOfRoom(points: readonly NewStopPoint[]): string | null {
    const places = [...this.debug.stopPoints, ...points].map(({ place }) => place)
    const addresses = new Set(places.map(place => (place.kind === "breakpoint" ? place.address : null)))
    const count = (kind: string) => places.filter(place => place.kind === kind).length
    const isTooMuch =
      addresses.size > ADDRESSES_MAX || count("watchpoint") > WATCHES_MAX || count("register") > STATE_WATCHES_MAX
    return isTooMuch ? "There are too many breakpoints of this kind; remove others first." : null
  }

  /** The clients' numbers of those that were met. */
  idsOf(met: readonly Met[]): readonly number[] {
    return [...new Set(met.flatMap(({ point }) => this.known.get(point.id)?.id ?? []))]
  }

  kindOf(met: Met): BreakpointKind {
    return this.known.get(met.point.id)?.kind ?? "source"
  }
}
