/** Places in history as they are typed: a position, a virtual time, a share of the whole, `start`, `end`. */
import { formatPosition, parsePosition } from "../../events/index.ts"
import type { Destination } from "./order.ts"
import { exactSeconds, percent } from "./scene/number-text.ts"

const unitNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** null where the text names no such place. */
export const readDestination = (text: string): Destination | null => {
  const word = text.trim()
  if (word === "start" || word === "end") return { kind: word }
  const time = /^(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|m|h)$/.exec(word)
  if (time) return { kind: "time", ns: Math.round(Number(time[1]) * unitNs[time[2]!]!) }
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(word)
  if (percent && Number(percent[1]) <= 100) return { kind: "share", share: Number(percent[1]) / 100 }
  if (!/^r\d+\./.test(word)) return null
  try {
    return { kind: "position", position: parsePosition(word) }
  } catch {
    return null
  }
}

/** What a place can be written as, for sentences. */
export const destinationForms =
  "a position (r1204.m0.h1.i123456789), a virtual time (5s, 250ms), a share (40%), start or end"

/** A place in a few words. */
export const destinationText = (to: Destination): string => {
  switch (to.kind) {
    case "position":
      return formatPosition(to.position)
    case "time":
      return exactSeconds(to.ns)
    case "share":
      return percent(to.share)
    default:
      return `the ${to.kind}`
  }
}
