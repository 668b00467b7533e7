/** Orders that only look: what they come to, where the machine stands. */
import type { Debugger } from "../../debugger/debugger.ts"
import { formatAddress } from "../../debugger/symbols/symbol-source.ts"
import type { Problem } from "./commands.ts"
import { type PaneColumn, placeOf } from "./layout.ts"
import { addressNote, evaluate } from "./new-stop-point.ts"
import { instructionsBefore } from "./scene/code-listing.ts"
import { hex } from "./scene/number-text.ts"
import { paneRows } from "./scene/pane-rows.ts"
import type { Scene } from "./scene/scene.ts"
import type { Action, DebugState } from "./state.ts"
import type { Done } from "./stop-orders.ts"

/** Where the cursor of the code is. */
export const cursorOf = ({ inspection, selectedHart }: Debugger, { cursor }: DebugState): bigint =>
  cursor ?? inspection.pc(selectedHart)

/** The value of an expression in the ways it can be read. */
export const print = (session: Debugger, text: string): Done | Problem => {
  const value = evaluate(session, text)
  if (typeof value !== "bigint") return value
  const signed = BigInt.asIntN(64, value)
  const name = session.symbols.at(value) === null ? "" : ` = ${formatAddress(session.symbols, value)}`
  return { said: `${text} = ${hex(value)} = ${value}${signed < 0n ? ` = ${signed}` : ""}${name}` }
}

/** The address of an instruction that there is. */
export const codeAddress = (session: Debugger, text: string): bigint | Problem => {
  const address = evaluate(session, text)
  if (typeof address !== "bigint") return address
  const even = address & ~1n
  if (session.inspection.instruction(session.selectedHart, even) !== null) return even
  return { problem: `There is no memory at ${addressNote(session, address)}; choose another address.` }
}

/** The instruction so many after an address, or before it; as far as there are any. */
const instructionAway = ({ inspection, symbols, selectedHart }: Debugger, from: bigint, by: number): bigint => {
  if (by < 0) return instructionsBefore(inspection, symbols, selectedHart, from, -by)[0]?.address ?? from
  return inspection.instructions(selectedHart, from, by + 1).at(-1)?.address ?? from
}

export interface Scrolling {
  readonly session: Debugger
  readonly state: DebugState
  readonly scene: Scene
  readonly layout: readonly PaneColumn[]
}

/** What becomes of the focused pane when it is scrolled, or its cursor moved: by rows, or by as many as it has. */
export const scrolled = ({ session, state, scene, layout }: Scrolling, by: number, unit: "row" | "page"): Action => {
  const { focus, scroll, events } = state
  const place = placeOf(layout, focus)!
  const rows = Math.max(1, place.height - 1)
  const distance = unit === "page" ? by * Math.max(1, rows - 1) : by
  if (focus === "code") return { kind: "cursor", at: instructionAway(session, cursorOf(session, state), distance) }
  if (focus === "events") {
    const selected = Math.max(0, Math.min(events.lines.length - 1, events.selected + distance))
    return { kind: "events", events: { selected } }
  }
  const all = paneRows(scene, focus, place.width) ?? Number.POSITIVE_INFINITY
  const isList = focus === "harts" || focus === "stops"
  const last = Math.max(0, isList ? all - 1 : all - rows)
  const to = scroll[focus] + (focus === "console" ? -distance : distance)
  return { kind: "scroll", pane: focus, to: Math.min(last, to) }
}
