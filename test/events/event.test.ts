import { Schema } from "effect"
import { describe, expect, test } from "vitest"
import { decodeEvent, definitions, type Event, encodeEvent, eventKinds, eventToJson } from "../../src/events/event.ts"
import { decodePayload, define } from "../../src/events/event-definition.ts"
import { encodeWire, json, natural, record, text } from "../../src/events/wire.ts"
import { genesis } from "./fixture.ts"

const examples: ReadonlyArray<Event> = [
  { kind: "genesis", payload: genesis },
  {
    kind: "batch",
    payload: {
      harts: [
        { hart: 0, from: 0, to: 2 ** 53 - 1 },
        { hart: 1, from: 127, to: 128 },
      ],
      virtualNs: 300,
      digest: Uint8Array.of(1, 2, 3),
    },
  },
  { kind: "schedule", payload: { decisions: [{ hart: 3, instructions: 100_000 }] } },
  { kind: "interrupt", payload: { interrupts: [{ hart: 1, cause: 7, instret: 2 ** 40 }] } },
  { kind: "console", payload: { device: "uart0", bytes: Uint8Array.of(0, 255, 10) } },
  { kind: "input", payload: { source: "operator", virtualNs: 12, bytes: new TextEncoder().encode("é\n") } },
  { kind: "lifecycle", payload: { change: "stopped", reason: "powered off", exitCode: 0 } },
  { kind: "checkpoint", payload: { virtualNs: 9, digest: new Uint8Array(32) } },
  { kind: "snapshot", payload: { name: "before", virtualNs: 9, digest: new Uint8Array(32) } },
]

describe("events", () => {
  test("the examples are of every kind", () => {
    expect(examples.map(event => event.kind)).toEqual(eventKinds)
  })

  test.each(examples)("$kind is decoded as it was encoded, in canonical bytes", event => {
    const { version } = definitions[event.kind]
    const bytes = encodeEvent(event.kind, event.payload)
    const decoded = decodeEvent(event.kind, version, bytes)
    expect(decoded).toEqual(event)
    expect(encodeEvent(decoded.kind, decoded.payload)).toEqual(bytes)
    expect(() => JSON.stringify(eventToJson(event))).not.toThrow()
    for (let end = 0; end < bytes.length; end++)
      expect(() => decodeEvent(event.kind, version, bytes.subarray(0, end))).toThrow(/cannot be decoded/)
    expect(() => decodeEvent(event.kind, version, Uint8Array.of(...bytes, 0))).toThrow(/bytes are left over/)
  })

  test("the order of keys does not change the bytes", () => {
    const reversed = Object.fromEntries(Object.entries(genesis).reverse()) as typeof genesis
    expect(encodeEvent("genesis", reversed)).toEqual(encodeEvent("genesis", genesis))
  })

  test("an unknown kind or version is named", () => {
    expect(() => decodeEvent("teleport", 1, new Uint8Array())).toThrow(/kind "teleport", version 1, is unknown/)
    expect(() => decodeEvent("batch", 2, new Uint8Array())).toThrow(/kind "batch", version 2, is unknown.*upgrade/)
    expect(() => decodeEvent("batch", 0, new Uint8Array())).toThrow(/is unknown/)
  })

  test("numbers that are not canonical are refused", () => {
    expect(() => decodeEvent("schedule", 1, Uint8Array.of(0x80, 0x00))).toThrow(/longer than needed/)
    expect(() => decodeEvent("schedule", 1, Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255))).toThrow(/2\^53/)
    expect(() => encodeEvent("schedule", { decisions: [{ hart: -1, instructions: 0 }] })).toThrow(RangeError)
  })

  test("older versions are brought up to the current one, step by step", () => {
    const first = record({ name: text })
    const second = record({ name: text, count: natural })
    const definition = define(
      json(Schema.Struct({ names: Schema.Array(Schema.String) })),
      { wire: first, upcast: (old: { name: string }) => ({ ...old, count: 2 }) },
      { wire: second, upcast: (old: { name: string; count: number }) => ({ names: Array(old.count).fill(old.name) }) },
    )
    expect(definition.version).toBe(3)
    expect(decodePayload(definition, "x", 1, encodeWire(first, { name: "a" }))).toEqual({ names: ["a", "a"] })
    expect(decodePayload(definition, "x", 2, encodeWire(second, { name: "b", count: 3 }))).toEqual({
      names: ["b", "b", "b"],
    })
    expect(() => decodePayload(definition, "x", 4, new Uint8Array())).toThrow(/version 4, is unknown/)
  })
})
