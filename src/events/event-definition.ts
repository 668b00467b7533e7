/** One kind of event: its current version and layout, and how its older versions become the current one. */
import { MalformedPayload, UnknownEvent } from "./errors.ts"
import { type AnyWire, decodeWire, type Wire } from "./wire.ts"

/** A layout no longer written. `upcast` turns its value into one of the next version. */
export interface OlderVersion {
  readonly wire: AnyWire
  upcast(payload: never): unknown
}

export interface EventDefinition<A> {
  /** Counts from 1. */
  readonly version: number
  readonly wire: Wire<A>
  /** Versions 1 … `version - 1`, in this order. */
  readonly older: ReadonlyArray<OlderVersion>
}

export const define = <A>(wire: Wire<A>, ...older: ReadonlyArray<OlderVersion>): EventDefinition<A> => ({
  version: older.length + 1,
  wire,
  older,
})

/**
 * The payload as the current version has it.
 * @throws UnknownEvent for a version that is not in the definition, MalformedPayload for bytes that are not of its layout.
 */
export const decodePayload = <A>(
  definition: EventDefinition<A>,
  kind: string,
  version: number,
  payload: Uint8Array,
): A => {
  if (!Number.isInteger(version) || version < 1 || version > definition.version)
    throw new UnknownEvent({ kind, version: Number(version) })
  const wire = version === definition.version ? definition.wire : definition.older[version - 1]!.wire
  let value: unknown
  try {
    value = decodeWire(wire as Wire<unknown>, payload)
    for (const step of definition.older.slice(version - 1)) value = step.upcast(value as never)
  } catch (cause) {
    throw new MalformedPayload({ kind, version, problem: cause instanceof Error ? cause.message : String(cause) })
  }
  return value as A
}
