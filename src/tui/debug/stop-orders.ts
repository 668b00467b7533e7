/** Orders about stop points, carried out: each gives a sentence about what was done, or about why not. */
import type { Debugger } from "../../debugger/debugger.ts"
import type { StopPoint } from "../../debugger/stop-point.ts"
import { countOf } from "../quantity.ts"
import type { Problem } from "./commands.ts"
import { addressNote, newStopPoint, type StopOrder } from "./new-stop-point.ts"
import { stopKind, stopPlace } from "./stop-text.ts"

/** What was done, in a sentence. */
export interface Done {
  readonly said: string
}

/** Makes a stop point. A breakpoint at the cursor that is there already is taken away. */
export const addStopPoint = (session: Debugger, order: StopOrder, cursor: bigint): Done | Problem => {
  if (order.kind === "break" && order.address === null && order.condition === null) {
    const there = session.stopPoints.find(({ place }) => place.kind === "breakpoint" && place.address === cursor)
    if (there !== undefined) {
      session.removeStopPoint(there.id)
      return { said: `Stop point ${there.id} at ${stopPlace(there)} is deleted.` }
    }
  }
  const made = newStopPoint(session, order, cursor)
  if ("problem" in made) return made
  const point = session.addStopPoint(made)
  return { said: `Stop point ${point.id}: ${noteOf(session, order, point)}.` }
}

/** What was made. */
const noteOf = (session: Debugger, order: StopOrder, point: StopPoint): string => {
  const { place } = point
  if (place.kind === "register") return `watch ${place.name} of any hart`
  if (place.kind !== "breakpoint") return `${stopKind(point)} ${stopPlace(point)}`
  const condition = order.kind === "break" && order.condition !== null ? ` if ${order.condition}` : ""
  return `${addressNote(session, place.address)}${condition}`
}

const pointsOf = ({ stopPoints }: Debugger, ids: readonly number[]): readonly StopPoint[] | Problem => {
  const missing = ids.find(id => !stopPoints.some(point => point.id === id))
  if (missing === undefined) return stopPoints.filter(({ id }) => ids.includes(id))
  const known = stopPoints.map(({ id }) => id).join(", ")
  return { problem: `There is no stop point ${missing}; ${known === "" ? "there are none" : `there are ${known}`}.` }
}

export const deleteStopPoints = (session: Debugger, ids: readonly number[] | "all"): Done | Problem => {
  const points = ids === "all" ? session.stopPoints : pointsOf(session, ids)
  if ("problem" in points) return points
  for (const { id } of points) session.removeStopPoint(id)
  return { said: `${countOf(points.length, "stop point")} deleted.` }
}

export const enableStopPoints = (session: Debugger, ids: readonly number[], isEnabled: boolean): Done | Problem => {
  const points = pointsOf(session, ids)
  if ("problem" in points) return points
  for (const point of points) point.isEnabled = isEnabled
  return { said: `${countOf(points.length, "stop point")} ${isEnabled ? "enabled" : "disabled"}.` }
}
