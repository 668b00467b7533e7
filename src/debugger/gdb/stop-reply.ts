/** How gdb is told where and why the machine stands. GDB manual, section "Stop Reply Packets". */
import type { Stop } from "../debugger.ts"
import type { StopPointKind, StopPoints } from "./stop-points.ts"
import { threadId } from "./threads.ts"

/** gdb's numbers of signals. */
const signal = { interrupt: 2, trap: 5 } as const

/** Which reasons gdb has said it understands. */
export type KnownReasons = ReadonlySet<string>

const preference: readonly StopPointKind[] = ["watch", "awatch", "rwatch", "swbreak", "hwbreak"]

const reasonOf = ({ reason }: Stop, points: StopPoints, known: KnownReasons): string => {
  if (reason.kind === "begin" || reason.kind === "end") return `replaylog:${reason.kind};`
  if (reason.kind !== "met") return ""
  const met = reason.met.map(({ point }) => points.find(point)).filter(found => found !== null)
  for (const kind of preference) {
    const found = met.find(point => point.kind === kind)
    if (found === undefined) continue
    if (kind === "swbreak" || kind === "hwbreak") return known.has(kind) ? `${kind}:;` : ""
    return `${kind}:${found.address.toString(16)};`
  }
  return ""
}

export const stopReply = (stop: Stop, hart: number, points: StopPoints, known: KnownReasons): string => {
  const number = stop.reason.kind === "cancelled" ? signal.interrupt : signal.trap
  const reason = reasonOf(stop, points, known)
  return `T${number.toString(16).padStart(2, "0")}${reason}thread:${threadId(hart)};core:${hart.toString(16)};`
}
