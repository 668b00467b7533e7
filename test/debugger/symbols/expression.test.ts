import { describe, expect, it } from "vitest"
import { DebugInfoDamaged } from "../../../src/debugger/symbols/errors.ts"
import { type ExpressionContext, evaluate, evaluateNumber } from "../../../src/debugger/symbols/expression.ts"

const context: ExpressionContext = {
  unit: null,
  bias: 0x1000n,
  register: number => (number < 32 ? 100n * BigInt(number) : null),
  memory: (address, length) => (address < 0x100n ? new Uint8Array(length).fill(Number(address)) : null),
  cfa: () => 0x8000n,
  frameBase: () => 0x7000n,
  entryValue: expression => (expression[0] === 0x5a ? 77n : null),
}

/** Numbers of 0 to 31 are pushed by one operation each. */
const push = (...values: readonly number[]): number[] => values.map(value => 0x30 + value)
const run = (...bytes: readonly number[]) => evaluate(Uint8Array.from(bytes), context)
const calculate = (...bytes: readonly number[]) =>
  BigInt.asIntN(64, evaluateNumber(Uint8Array.from([...bytes, 0x9f]), context)!)

describe("an expression", () => {
  it.each([
    ["addr, moved to where the program is", [0x03, 0x34, 0x12, 0, 0, 0, 0, 0, 0], { kind: "memory", address: 0x2234n }],
    ["fbreg", [0x91, 0x70], { kind: "memory", address: 0x7000n - 16n }],
    ["breg", [0x72, 0x08], { kind: "memory", address: 208n }],
    ["call_frame_cfa", [0x9c], { kind: "memory", address: 0x8000n }],
    ["reg", [0x5a], { kind: "register", number: 10 }],
    ["regx", [0x90, 0x28], { kind: "register", number: 40 }],
    ["stack_value", [...push(7), 0x9f], { kind: "value", value: 7n }],
    ["implicit_value", [0x9e, 2, 1, 2], { kind: "bytes", bytes: Uint8Array.of(1, 2) }],
    ["entry_value", [0xa3, 1, 0x5a, 0x9f], { kind: "value", value: 77n }],
    ["entry_value before DWARF 5", [0xf3, 1, 0x5a, 0x9f], { kind: "value", value: 77n }],
    ["deref", [...push(2), 0x06], { kind: "memory", address: 0x0202020202020202n }],
    [
      "pieces, one of them optimized out",
      [0x5a, 0x93, 4, 0x93, 4, ...push(3), 0x9f, 0x93, 8],
      {
        kind: "pieces",
        pieces: [
          { location: { kind: "register", number: 10 }, bitSize: 32, bitOffset: 0 },
          { location: null, bitSize: 32, bitOffset: 0 },
          { location: { kind: "value", value: 3n }, bitSize: 64, bitOffset: 0 },
        ],
      },
    ],
    ["nothing", [], null],
    ["a register that is not known", [0x92, 0x28, 0], null],
    ["memory that cannot be read", [0x0a, 0, 2, 0x06], null],
    ["a value at entry that is not known", [0xa3, 1, 0x5b], null],
    ["an operation of another kind", [0xe0], null],
  ])("%s", (_, bytes, location) => {
    expect(run(...bytes)).toEqual(location)
  })

  it.each([
    ["const1s", [0x09, 0xff], -1n],
    ["const2u", [0x0a, 0xff, 0xff], 65535n],
    ["constu", [0x10, 0x80, 0x01], 128n],
    ["consts", [0x11, 0x80, 0x7f], -128n],
    ["minus", [...push(3, 5), 0x1c], -2n],
    ["mul, div", [...push(6, 4), 0x1e, ...push(5), 0x1b], 4n],
    ["div of a negative number", [0x09, 0xf8, ...push(2), 0x1b], -4n],
    ["mod", [...push(17, 5), 0x1d], 2n],
    ["and, or, xor", [...push(12, 10), 0x1a, ...push(1), 0x21, ...push(3), 0x27], 10n],
    ["neg, not, abs", [...push(5), 0x1f, 0x20, 0x1f, 0x19], 4n],
    ["shl, shr", [...push(1, 8), 0x24, ...push(3), 0x25], 32n],
    ["shra", [0x09, 0xf0, ...push(2), 0x26], -4n],
    ["plus, plus_uconst", [...push(1, 2), 0x22, 0x23, 0x90, 0x01], 147n],
    ["dup, drop, over, pick", [...push(1, 2), 0x12, 0x13, 0x14, 0x15, 1, 0x22, 0x22], 5n],
    ["swap", [...push(9, 4), 0x16, 0x1c], -5n],
    ["rot", [...push(1, 2, 3), 0x17, 0x1c], -1n],
    ["lt, signed", [0x09, 0xff, ...push(1), 0x2d], 1n],
    ["ge, eq, ne", [...push(1, 1), 0x2a, ...push(1), 0x29, ...push(1), 0x2e], 0n],
    ["bra, skip", [...push(1), 0x28, 4, 0, ...push(5), 0x2f, 1, 0, ...push(6)], 6n],
  ])("calculates %s", (_, bytes, value) => {
    expect(calculate(...bytes)).toBe(value)
  })

  it.each([
    ["takes what is not there", [0x22], /its stack is empty/],
    ["divides by zero", [...push(1, 0), 0x1b], /it divides by zero/],
    ["never ends", [0x2f, 0xfd, 0xff], /it does not end/],
    ["jumps out of itself", [0x2f, 9, 0], /it jumps out of itself/],
    ["is cut off", [0x0c, 1], /4 bytes do not fit/],
  ])("that %s is damaged", (_, bytes, problem) => {
    expect(() => run(...bytes)).toThrow(DebugInfoDamaged)
    expect(() => run(...bytes)).toThrow(problem)
  })
})
