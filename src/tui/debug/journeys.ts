/** Ways through history that are made of several: over a call, out of a function, to where something was printed. */
import { Effect } from "effect"
import type { Debugger, Stop } from "../../debugger/debugger.ts"
import { isCall, type ReturnPlace } from "../../debugger/return-address.ts"
import type { StopPoint } from "../../debugger/stop-point.ts"
import type { Position } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"

const enabled = (session: Debugger): readonly StopPoint[] => session.stopPoints.filter(({ isEnabled }) => isEnabled)

/** A breakpoint for one way; its number is none, its label says what is reached. */
const oneWay = (
  address: bigint,
  label: string,
  hart: number | null,
  condition: StopPoint["condition"] = null,
): StopPoint => ({ id: 0, place: { kind: "breakpoint", address }, hart, condition, label, isEnabled: true })

/** On to an address. */
export const goUntil = (session: Debugger, address: bigint, name: string, going: Going) =>
  session.goOn(going, [...enabled(session), oneWay(address, `reached ${name}`, null)])

/** On until the selected hart's function has returned to `place`. */
export const goFinish = (session: Debugger, { address, stack }: ReturnPlace, name: string, going: Going) =>
  session.goOn(going, [
    ...enabled(session),
    oneWay(
      address,
      `returned to ${name}`,
      session.selectedHart,
      (inspection, hart) => inspection.register(hart, "sp")! >= stack,
    ),
  ])

/** So many instructions of the selected hart, with what is called executed whole. Ends early at a stop point. */
export const stepOver = Effect.fnUntraced(function* (session: Debugger, count: number, going: Going) {
  const { inspection } = session
  let stop: Stop = session.lastStop
  for (let done = 0; done < count; done++) {
    const hart = session.selectedHart
    const pc = inspection.pc(hart)
    const instruction = inspection.instruction(hart, pc)
    if (instruction === null || !isCall(instruction.text)) stop = yield* session.step(1, going)
    else {
      const sp = inspection.register(hart, "sp")!
      const back = oneWay(pc + BigInt(instruction.bytes), "", hart, (at, of) => at.register(of, "sp")! >= sp)
      stop = yield* session.goOn(going, [...enabled(session), back])
      const isBack = stop.reason.kind === "met" && stop.reason.met.every(({ point }) => point === back)
      if (isBack) continue
    }
    if (stop.reason.kind !== "step") return stop
  }
  return { ...stop, reason: { kind: "step" } } satisfies Stop
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
