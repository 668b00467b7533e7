/** The kinds of events a world's history is made of. A new kind is one entry of `definitions`. */
import { Schema } from "effect"
import { UnknownEvent } from "./errors.ts"
import { decodePayload, define, type EventDefinition } from "./event-definition.ts"
import { Genesis } from "./genesis.ts"
import type { Position } from "./position.ts"
import { bytes, encodeWire, json, list, natural, record, text, type Wire, type WireType } from "./wire.ts"

/** A change of a machine's or the world's life. */
export const Lifecycle = Schema.Union([
  Schema.Struct({ change: Schema.Literal("started") }),
  Schema.Struct({
    change: Schema.Literal("stopped"),
    /** Why, in words: "powered off", "instruction limit", "operator". */
    reason: Schema.String,
    /** What the process would exit with, null where the guest did not end by itself. */
    exitCode: Schema.NullOr(Schema.Int),
    /** Of the whole machine at that moment, 32 hexadecimal digits. */
    digest: Schema.optionalKey(Schema.String),
  }),
  Schema.Struct({ change: Schema.Literal("resumed") }),
  Schema.Struct({ change: Schema.Literal("rebooted") }),
  /** The first change of a fork's own: here it leaves its parent's history. Files have it since their third format. */
  Schema.Struct({ change: Schema.Literal("forked") }),
])
export type Lifecycle = typeof Lifecycle.Type

const unchanged = (payload: never): unknown => payload
const savedByName = record({ name: text, virtualNs: natural, digest: bytes })

export const definitions = {
  /** Always event 0, and only there. */
  genesis: define(json(Genesis)),

  /** Instructions executed: per hart its instret before and after, and a digest of the state reached. */
  batch: define(
    record({ harts: list(record({ hart: natural, from: natural, to: natural })), virtualNs: natural, digest: bytes }),
  ),

  /** Scheduling decisions, in order: which hart got how many instructions. */
  schedule: define(record({ decisions: list(record({ hart: natural, instructions: natural })) })),

  /** Interrupts taken, in order: cause as in `mcause` without the interrupt bit. */
  interrupt: define(record({ interrupts: list(record({ hart: natural, cause: natural, instret: natural })) })),

  /** Bytes the guest sent to a console device ("uart0", "hvc0"). */
  console: define(record({ device: text, bytes })),

  /** What came from outside ("console", "operator", …), and the virtual time it was applied at. */
  input: define(record({ source: text, virtualNs: natural, bytes })),

  /** In version 1 digests went over every page of memory in order; since version 2 they take the sum of the pages' hashes. */
  lifecycle: define(json(Lifecycle), { wire: json(Lifecycle), upcast: unchanged }),

  /** State saved by the engine for speed; `digest` is that of all of it. */
  checkpoint: define(record({ virtualNs: natural, digest: bytes })),

  /** State saved because it was asked for by name. Versions as those of `lifecycle`. */
  snapshot: define(savedByName, { wire: savedByName, upcast: unchanged }),
} as const

type Definitions = typeof definitions
export type EventKind = keyof Definitions
export type Payload<K extends EventKind> = WireType<Definitions[K]["wire"]>
export const eventKinds = Object.keys(definitions) as ReadonlyArray<EventKind>

/** Each kind with its payload. */
export type Event = { [K in EventKind]: { readonly kind: K; readonly payload: Payload<K> } }[EventKind]

/** An event as it stands in the log. */
export type StoredEvent = Event & {
  readonly seq: number
  readonly position: Position
  /** The version it was written with; the payload is of the current one. */
  readonly version: number
  /** sha256 over the previous digest and this row, 32 bytes. */
  readonly digest: Uint8Array
}

export const isEventKind = (kind: string): kind is EventKind => Object.hasOwn(definitions, kind)

/** The canonical payload bytes in the current version. @throws when the payload is not one of this kind. */
export const encodeEvent = <K extends EventKind>(kind: K, payload: Payload<K>): Uint8Array =>
  encodeWire(definitions[kind].wire as Wire<unknown>, payload)

/** @throws UnknownEvent, MalformedPayload */
export const decodeEvent = (kind: string, version: number, payload: Uint8Array): Event => {
  if (!isEventKind(kind)) throw new UnknownEvent({ kind: String(kind), version: Number(version) })
  return {
    kind,
    payload: decodePayload(definitions[kind] as EventDefinition<unknown>, kind, version, payload),
  } as Event
}

const jsonEncoders = new Map<EventKind, (payload: unknown) => unknown>()

/** The payload as plain JSON, bytes as base64. */
export const eventToJson = (event: Event): unknown => {
  let encode = jsonEncoders.get(event.kind)
  if (encode === undefined) {
    encode = Schema.encodeUnknownSync(definitions[event.kind].wire.schema as Schema.Codec<unknown>)
    jsonEncoders.set(event.kind, encode)
  }
  return encode(event.payload)
}
