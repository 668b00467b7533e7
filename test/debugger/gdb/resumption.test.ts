import { describe, expect, it } from "vitest"
import { parseActions } from "../../../src/debugger/gdb/resumption.ts"

describe("vCont", () => {
  it.each([
    [";c", { kind: "continue" }],
    [";c:-1", { kind: "continue" }],
    [";C05:1;c", { kind: "continue" }],
    [";s:2;c", { kind: "step", hart: 1 }],
    [";c:1;s:2", { kind: "step", hart: 1 }],
    [";s", { kind: "step", hart: null }],
    [";S02:1", { kind: "step", hart: 0 }],
    [";r80000000,80000010:1;c:-1", { kind: "range", hart: 0, start: 0x80000000n, end: 0x80000010n }],
    [
      ";rffffffff80000000,ffffffffffffffff:2",
      { kind: "range", hart: 1, start: 0xffffffff80000000n, end: (1n << 64n) - 1n },
    ],
    [";t", { kind: "stay" }],
    [";t:1;c", { kind: "continue" }],
  ])("%s", (text, expected) => {
    expect(parseActions(text, 2)).toEqual(expected)
  })

  it.each([
    "",
    "c",
    ";",
    ";;;",
    ";c;",
    ";c:3",
    ";x:1",
    ";s:",
    ";s:zz",
    ";r:1",
    ";r1:1",
    ";r1,:1",
    `;r${"f".repeat(17)},1:1`,
    ";C:1",
  ])("%j is none", text => {
    expect(parseActions(text, 2)).toBeNull()
  })
})
