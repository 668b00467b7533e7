/** How gdb is told where and why the machine stands. GDB manual, section "Stop Reply Packets". */
import type { Stop } from "../debugger.ts"
import type { SetStopPoint, StopPointKind, StopPoints } from "./stop-points.ts"
import { threadId } from "./threads.ts"

/** gdb's numbers of signals. */
const signal = { interrupt: 2, trap: 5 } as const

/** Which reasons gdb has said it understands. */
export type KnownReasons = ReadonlySet<string>

const preference: readonly StopPointKind[] = ["watch", "awatch", "rwatch", "swbreak", "hwbreak"]

/** What gdb has set and was met, the kind that is told of first. */
const metOf = ({ reason }: Stop, points: StopPoints): SetStopPoint | null => {
  if (reason.kind !== "met") return null
  const met = reason.met.map(({ point }) => points.find(point)).filter(found => found !== null)
  const kind = preference.find(candidate => met.some(point => point.kind === candidate))
  return met.find(point => point.kind === kind) ?? null
}

/** Whether it is about an access to watched memory. */
export const isAtWatchpoint = (stop: Stop, points: StopPoints): boolean =>
  /watch$/.test(metOf(stop, points)?.kind ?? "")

const reasonOf = (stop: Stop, points: StopPoints, known: KnownReasons): string => {
  const { reason } = stop
  if (reason.kind === "begin" || reason.kind === "end") return `replaylog:${reason.kind};`
  const met = metOf(stop, points)
  if (met === null) return ""
  if (met.kind === "swbreak" || met.kind === "hwbreak") return known.has(met.kind) ? `${met.kind}:;` : ""
  return `${met.kind}:${met.address.toString(16)};`
}

export const stopReply = (stop: Stop, hart: number, points: StopPoints, known: KnownReasons): string => {
  const number = stop.reason.kind === "cancelled" ? signal.interrupt : signal.trap
  const reason = reasonOf(stop, points, known)
  return `T${number.toString(16).padStart(2, "0")}${reason}thread:${threadId(hart)};core:${hart.toString(16)};`
}
