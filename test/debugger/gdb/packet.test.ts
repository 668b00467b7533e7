import { describe, expect, it } from "vitest"
import {
  encodePacket,
  escapeBinary,
  PACKET_BYTES_MAX,
  PacketReader,
  type Received,
} from "../../../src/debugger/gdb/packet.ts"

const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"))
const read = (text: string, reader = new PacketReader()): Received[] => reader.take(latin1(text))
const packet = (payload: string): Received => ({ kind: "packet", payload })

describe("a packet", () => {
  it.each([
    ["OK", "$OK#9a"],
    ["", "$#00"],
    ["m80000000,40", "$m80000000,40#85"],
  ])("%j has its frame and checksum", (payload, framed) => {
    expect(Buffer.from(encodePacket(payload)).toString("latin1")).toBe(framed)
    expect(read(framed)).toEqual([packet(payload)])
  })

  it("is found in whatever pieces it comes", () => {
    const bytes = latin1("+$g#67\x03$qC#b4-")
    const expected: Received[] = [
      { kind: "acknowledged" },
      packet("g"),
      { kind: "interrupt" },
      packet("qC"),
      { kind: "refused" },
    ]
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new PacketReader()
      expect([...reader.take(bytes.subarray(0, cut)), ...reader.take(bytes.subarray(cut))]).toEqual(expected)
    }
    const reader = new PacketReader()
    expect([...bytes].flatMap(byte => reader.take(Uint8Array.of(byte)))).toEqual(expected)
  })

  it("with another checksum is damaged, unless checksums are not asked", () => {
    expect(read("$OK#9b")).toEqual([{ kind: "damaged" }])
    expect(read("$OK#zz")).toEqual([{ kind: "damaged" }])
    const trusting = new PacketReader()
    trusting.checks = false
    expect(read("$OK#00", trusting)).toEqual([packet("OK")])
  })

  it("that was given up is followed by the next one", () => {
    expect(read("$m8000$g#67$p2$p1#a1")).toEqual([packet("g"), packet("p1")])
    expect(read("$g#$g#6$g#67")).toEqual([packet("g")])
  })

  it("that is too long is damaged, and the next one is not", () => {
    const reader = new PacketReader()
    const long = encodePacket("x".repeat(PACKET_BYTES_MAX + 1))
    expect(reader.take(long)).toEqual([{ kind: "damaged" }])
    expect(read("$g#67", reader)).toEqual([packet("g")])
    const longest = "y".repeat(PACKET_BYTES_MAX)
    expect(reader.take(encodePacket(longest))).toEqual([packet(longest)])
  })

  it("takes an interrupt for data inside of it, and noise for nothing outside", () => {
    expect(read("\x00\xffabc")).toEqual([])
    expect(read("$a\x03#64")).toEqual([packet("a\x03")])
  })
})

it("binary data comes through with every byte", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, at) => (at * 7) & 0xff)
  const escaped = escapeBinary(bytes)
  expect(escaped).not.toMatch(/[#$*]/)
  const [received] = new PacketReader().take(encodePacket(escaped))
  expect(received).toEqual(packet(Buffer.from(bytes).toString("latin1")))
})
