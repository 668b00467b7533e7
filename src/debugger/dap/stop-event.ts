/** Why the machine stands where it does, as clients are told. Threads are harts, counted from 1. */
import type { DebugProtocol } from "@vscode/debugprotocol"
import { formatPosition } from "../../events/index.ts"
import { causeName } from "../../riscv/trap.ts"
import type { Found } from "../../session/timeline/timeline.ts"
import type { Stop } from "../debugger.ts"
import { linuxSyscallName } from "../linux-syscalls.ts"
import type { Met } from "../stop-point.ts"
import type { BreakpointTable } from "./breakpoint-table.ts"
import type { Debuggee } from "./debuggee.ts"

type StoppedBody = DebugProtocol.StoppedEvent["body"]

/** What a motion is called when nothing ended it but its own end. */
export type MotionName = "entry" | "step" | "goto"

const hex = (value: bigint | null): string => (value === null ? "nothing" : `0x${value.toString(16)}`)

/** What an interrupt, exception or system call is called, where that is what ended the last motion. */
export const exceptionOf = ({ debug }: Debuggee): { readonly id: string; readonly text: string } | null => {
  const { reason, hart } = debug.lastStop
  if (reason.kind !== "met") return null
  const { sighting } = reason.found
  if (sighting?.kind !== "interrupt" && sighting?.kind !== "exception") return null
  const name = causeName(sighting.cause, sighting.kind === "interrupt")
  const number = debug.inspection.register(hart, "a7")!
  if (reason.met.some(({ point }) => point.place.kind === "syscall"))
    return {
      id: `syscall ${number}`,
      text: `System call ${linuxSyscallName(Number(number)) ?? `number ${number}`} of hart ${hart}`,
    }
  const what = sighting.kind === "interrupt" ? "Interrupt" : "Exception"
  return { id: `${sighting.kind} ${sighting.cause}`, text: `${what} ${sighting.cause} (${name}) of hart ${hart}` }
}

const reasonOf = (met: Met, table: BreakpointTable): string => {
  switch (met.point.place.kind) {
    case "breakpoint": {
      const kind = table.kindOf(met)
      return kind === "function" || kind === "instruction" ? `${kind} breakpoint` : "breakpoint"
    }
    case "watchpoint":
    case "register":
      return "data breakpoint"
    case "console":
      return "breakpoint"
    default:
      return "exception"
  }
}

/** What changed where data was watched. */
const changesOf = (met: readonly Met[], { sighting }: Found): string =>
  met
    .flatMap(({ point, change }) =>
      change === null
        ? []
        : [`${point.label}: ${sighting?.kind === "read" ? "" : `${hex(change.before)} → `}${hex(change.after)}`],
    )
    .join("; ")

/** `name`: what the motion was for. */
export const stoppedBody = (debuggee: Debuggee, { reason, hart, position }: Stop, name: MotionName): StoppedBody => {
  const at = formatPosition(position)
  const shared = { threadId: hart + 1, allThreadsStopped: true }
  switch (reason.kind) {
    case "place":
    case "step":
      return { ...shared, reason: name, ...(name === "step" ? {} : { description: `Stopped at ${at}` }) }
    case "met": {
      const [first] = reason.met
      const ids = debuggee.breakpoints.idsOf(reason.met)
      const exception = exceptionOf(debuggee)
      const text = exception?.text ?? changesOf(reason.met, reason.found)
      return {
        ...shared,
        reason: first === undefined ? "breakpoint" : reasonOf(first, debuggee.breakpoints),
        ...(text === "" ? {} : { description: text, text }),
        hitBreakpointIds: [...ids],
      }
    }
    case "begin":
      return { ...shared, reason: "entry", description: "beginning of history" }
    case "end":
      return { ...shared, reason: "pause", description: "end of history" }
    case "cancelled":
      return { ...shared, reason: "pause", description: `Paused at ${at}` }
  }
}
