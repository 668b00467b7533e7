/** An event as people and programs are told of it. */
import type { Position, StoredEvent } from "../events/index.ts"
import { printable } from "./output.ts"

/** What only the events' own code, loaded when it is needed, can say. */
export interface EventWords {
  eventToJson(event: StoredEvent): unknown
  formatPosition(position: Position): string
}

/** What an event says, on one line. */
const phrase = (event: StoredEvent, { eventToJson }: EventWords): string => {
  switch (event.kind) {
    case "console":
      return `${event.payload.device} ${printable(new TextDecoder().decode(event.payload.bytes))}`
    case "input":
      return `${event.payload.source} ${printable(new TextDecoder().decode(event.payload.bytes))}`
    default:
      return printable(JSON.stringify(eventToJson(event)))
  }
}

export const eventLine = (event: StoredEvent, words: EventWords): string =>
  `${String(event.seq).padStart(7)}  ${words.formatPosition(event.position).padEnd(28)}  ${event.kind.padEnd(9)}  ${phrase(event, words)}`

export const eventDocument = (event: StoredEvent, { eventToJson, formatPosition }: EventWords) => ({
  seq: event.seq,
  position: formatPosition(event.position),
  kind: event.kind,
  version: event.version,
  payload: eventToJson(event),
  digest: Buffer.from(event.digest).toString("hex"),
})
