/** Sentences about stops: what was met, and what is stopped at. */
import type { Stop } from "../../debugger/debugger.ts"
import { linuxSyscallName } from "../../debugger/linux-syscalls.ts"
import type { Met, StopPoint } from "../../debugger/stop-point.ts"
import { causeName } from "../../riscv/trap.ts"
import type { Message } from "./state.ts"

/** What kind of stop point it is, in a word or two. */
export const stopKind = ({ place }: StopPoint): string => {
  switch (place.kind) {
    case "breakpoint":
      return "break"
    case "watchpoint":
      return { change: "watch", write: "watch", read: "rwatch", access: "awatch" }[place.access]
    case "register":
      return "watch"
    default:
      return `catch ${place.kind}`
  }
}

/** Where or what it stops at: its label, without what its kind says already. */
export const stopPlace = ({ place, label }: StopPoint): string => {
  switch (place.kind) {
    case "interrupt":
    case "exception":
      return place.cause === null ? "any" : `${place.cause} ${causeName(place.cause, place.kind === "interrupt")}`
    case "syscall":
      return place.number === null ? "any" : [place.number, linuxSyscallName(place.number) ?? []].flat().join(" ")
    case "console":
      return String(place.pattern)
    default:
      return label
  }
}

const value = (found: bigint | null): string => (found === null ? "not there" : `0x${found.toString(16)}`)

/** Points for one way only have no number, and a label that says it all. */
const metText = ({ point, change }: Met): string => {
  const what = `${stopKind(point)} ${stopPlace(point)}`
  const name = point.id > 0 ? `stop point ${point.id}: ${what}` : point.label
  if (change === null) return name
  return change.before === change.after
    ? `${name} (${value(change.after)})`
    : `${name}: ${value(change.before)} → ${value(change.after)}`
}

/** What to say of a stop; null where the screen shows it all. */
export const stopMessage = ({ reason }: Stop): Message | null => {
  switch (reason.kind) {
    case "met": {
      const text = reason.met.map(metText).join(", ")
      return text === "" ? null : { tone: "good", text: `${text[0]!.toUpperCase()}${text.slice(1)}.` }
    }
    case "begin":
      return { tone: "plain", text: "This is the beginning of history." }
    case "end":
      return { tone: "plain", text: "This is the end of history: no more is recorded." }
    case "cancelled":
      return { tone: "plain", text: "Cancelled." }
    case "place":
    case "step":
      return null
  }
}
