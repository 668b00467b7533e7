/** The events around a moment, of certain kinds or with a text in them, read from the log when they are looked at. */
import { Effect } from "effect"
import {
  type EventKind,
  eventKinds,
  eventToJson,
  formatPosition,
  type Position,
  type ReadError,
  type StoredEvent,
  type World,
} from "../../../events/index.ts"
import { causeName } from "../../../riscv/trap.ts"
import { count, countOf } from "../../quantity.ts"
import { exactSeconds } from "./number-text.ts"

export interface EventFilter {
  /** All kinds where there is none. */
  readonly kinds: readonly EventKind[]
  /** In the line as it is shown; all where it is empty. */
  readonly text: string
}

/** What happened: not how far that went, and whose turn it was. */
export const defaultFilter: EventFilter = {
  kinds: eventKinds.filter(kind => kind !== "batch" && kind !== "schedule"),
  text: "",
}

export interface EventLine {
  readonly seq: number
  readonly position: Position
  readonly kind: EventKind
  readonly text: string
}

/** Seqs looked at together. */
const STRETCH = 2048

const decode = (bytes: Uint8Array): string => JSON.stringify(new TextDecoder().decode(bytes)).slice(1, -1)

/** An interrupt's name with its level as a letter. */
const shortCause = (cause: number): string =>
  causeName(cause, true).replace(/^(?:supervisor|machine)/, level => level[0]!.toUpperCase())

/** `S timer on hart 0, hart 1 ×2`. */
const tally = (taken: readonly { readonly hart: number; readonly cause: number }[]): string => {
  const causes = new Map<number, Map<number, number>>()
  for (const { hart, cause } of taken) {
    const harts = causes.get(cause) ?? new Map<number, number>()
    causes.set(cause, harts.set(hart, (harts.get(hart) ?? 0) + 1))
  }
  const hartText = ([hart, times]: readonly [number, number]) => `hart ${hart}${times > 1 ? ` ×${times}` : ""}`
  return [...causes]
    .map(([cause, harts]) => `${shortCause(cause)} on ${[...harts].map(hartText).join(", ")}`)
    .join("; ")
}

/** What an event says, in a few words. */
export const eventText = (event: StoredEvent): string => {
  switch (event.kind) {
    case "console":
      return decode(event.payload.bytes)
    case "input":
      return `from ${event.payload.source}: ${decode(event.payload.bytes)}`
    case "interrupt":
      return tally(event.payload.interrupts)
    case "batch": {
      const executed = event.payload.harts.reduce((sum, { from, to }) => sum + to - from, 0)
      return `${countOf(executed, "instruction")}, to ${exactSeconds(event.payload.virtualNs)}`
    }
    case "schedule":
      return `${countOf(event.payload.decisions.length, "turn")}`
    case "snapshot":
      return event.payload.name
    case "lifecycle":
      return event.payload.change === "stopped" ? `stopped: ${event.payload.reason}` : event.payload.change
    case "genesis":
      return `seed ${event.payload.seed}, ${count(event.payload.machines.length)} machine`
    default:
      return JSON.stringify(eventToJson(event))
  }
}

const lineOf = (event: StoredEvent): EventLine => ({
  seq: event.seq,
  position: event.position,
  kind: event.kind,
  text: eventText(event),
})

/** How an event is listed, and what a filter's text is looked for in. */
const searched = ({ position, kind, text }: EventLine): string => `${formatPosition(position)} ${kind} ${text}`

/** Up to `count` lines that pass, from `seq` on, or before it, in order. `breathe` lets other work happen between stretches of the log. */
export const eventLines = (
  world: World,
  filter: EventFilter,
  seq: number,
  direction: "on" | "back",
  count: number,
  breathe: Effect.Effect<void>,
): Effect.Effect<readonly EventLine[], ReadError> =>
  Effect.gen(function* () {
    const last = (yield* world.head).seq
    const kinds = filter.kinds.length > 0 ? { kinds: filter.kinds } : {}
    const found: EventLine[] = []
    const wanted = filter.text.toLowerCase()
    let edge = direction === "on" ? Math.max(0, seq) : Math.min(seq, last + 1)
    while (found.length < count && (direction === "on" ? edge <= last : edge > 0)) {
      const fromSeq = direction === "on" ? edge : Math.max(0, edge - STRETCH)
      const toSeq = direction === "on" ? edge + STRETCH - 1 : edge - 1
      const lines = (yield* world.readEvents({ ...kinds, fromSeq, toSeq }, STRETCH))
        .map(lineOf)
        .filter(line => wanted === "" || searched(line).toLowerCase().includes(wanted))
      if (direction === "on") found.push(...lines)
      else found.unshift(...lines)
      edge = direction === "on" ? toSeq + 1 : fromSeq
      yield* breathe
    }
    return direction === "on" ? found.slice(0, count) : found.slice(-count)
  })
