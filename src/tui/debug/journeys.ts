/** Ways through history: to an address, out of a function, step by step, to where something was printed. */
import { Effect } from "effect"
import type { Debugger, Stop } from "../../debugger/debugger.ts"
import type { StopPoint } from "../../debugger/stop-point.ts"
import type { Position } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"

/** On to an address where a condition holds, by a stop point of its own that has no number, and whose label says what is reached. */
const goThere = (
  session: Debugger,
  address: bigint,
  label: string,
  condition: StopPoint["condition"],
  going: Going,
) => {
  const enabled = session.stopPoints.filter(({ isEnabled }) => isEnabled)
  const place = { kind: "breakpoint", address } as const
  return session.goOn(going, [...enabled, { id: 0, place, hart: null, condition, label, isEnabled: true }])
}

/** On to an address. */
export const goUntil = (session: Debugger, address: bigint, name: string, going: Going) =>
  goThere(session, address, `reached ${name}`, null, going)

/** A stack that has grown less than this since is the same stack. */
const STACK_BYTES = 1n << 16n

/** On until the selected hart's function goes on at `address` in its caller, on whichever hart: its stack is told by where it lies. */
export const goFinish = (session: Debugger, address: bigint, name: string, going: Going) => {
  const stack = session.inspection.register(session.selectedHart, "sp")!
  const isBack: StopPoint["condition"] = (inspection, hart) => {
    const sp = inspection.register(hart, "sp")!
    return sp >= stack && sp < stack + STACK_BYTES
  }
  return goThere(session, address, `returned to ${name}`, isBack, going)
}

/** The same step so many times, or until one ends otherwise. */
export const repeated = Effect.fnUntraced(function* <E>(count: number, step: () => Effect.Effect<Stop, E>) {
  let stop = yield* step()
  for (let done = 1; done < count && stop.reason.kind === "step"; done++) stop = yield* step()
  return stop
})

/**
 * To where the text up to an offset of the console had just been printed. `from` lies before that, and `to` not: what is in between is
 * gone through.
 */
export const goToPrinted = Effect.fnUntraced(function* (
  session: Debugger,
  offset: number,
  from: Position,
  to: Position,
  going: Going,
) {
  const stop = yield* session.goTo(from, going)
  if (stop.reason.kind === "cancelled") return stop
  const isPrinted = () => session.printed.length >= offset
  if (isPrinted()) return stop
  const point: StopPoint = {
    id: 0,
    place: { kind: "console", pattern: /[\s\S]/ },
    hart: null,
    condition: isPrinted,
    label: "",
    isEnabled: true,
  }
  const printed = yield* session.goOn(going, [point], to)
  return { ...printed, reason: printed.reason.kind === "cancelled" ? printed.reason : { kind: "place" } } satisfies Stop
})
