import { describe, expect, it } from "vitest"
import { EscapeKeys } from "../../../src/host/terminal/escape-keys.ts"

const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"))
const take = (keys: EscapeKeys, text: string) => {
  const { typed, commands } = keys.take(bytes(text))
  return [Buffer.from(typed).toString("latin1"), ...commands]
}

describe("EscapeKeys", () => {
  it.each([
    ["plain text is the guest's", "ls\r", ["ls\r"]],
    ["Ctrl-C is the guest's", "\x03", ["\x03"]],
    ["Ctrl-A s asks for a snapshot", "a\x01sb", ["ab", "snapshot"]],
    ["Ctrl-A x quits", "a\x01x", ["a", "quit"]],
    ["nothing after the end is typed", "\x01xrm -r\r", ["", "quit"]],
    ["Ctrl-A h helps", "a\x01hb", ["ab", "help"]],
    ["Ctrl-A twice is one Ctrl-A", "\x01\x01b", ["\x01b"]],
    ["Ctrl-A with anything else is nothing", "\x01qb", ["b"]],
    ["three Ctrl-A and x", "\x01\x01\x01x", ["\x01", "quit"]],
    ["all bytes go through", "\x00\xff\xc3", ["\x00\xff\xc3"]],
  ])("%s", (_, typed, expected) => {
    expect(take(new EscapeKeys(), typed)).toEqual(expected)
  })

  it("remembers Ctrl-A between deliveries", () => {
    const keys = new EscapeKeys()
    expect(take(keys, "a\x01")).toEqual(["a"])
    expect(take(keys, "h")).toEqual(["", "help"])
    expect(take(keys, "h")).toEqual(["h"])
  })
})
