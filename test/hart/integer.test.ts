import { describe, expect, it } from "vitest"
import { Bench } from "./harness.ts"

const bench = new Bench()
const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n
const MIN32 = -(2n ** 31n)

/** What `name rd, rs1, rs2` leaves in rd, signed. */
const register = (name: string, a: bigint, b: bigint): bigint =>
  bench.finish(`li a1, ${a}\nli a2, ${b}\n${name} a0, a1, a2`).signed("a0")
/** What `name rd, rs1, imm` leaves in rd, signed. */
const immediate = (name: string, a: bigint, value: bigint | number): bigint =>
  bench.finish(`li a1, ${a}\n${name} a0, a1, ${value}`).signed("a0")
const unary = (name: string, a: bigint): bigint => bench.finish(`li a1, ${a}\n${name} a0, a1`).signed("a0")

describe("division: no operand traps", () => {
  it.each([
    ["div", 7n, -2n, -3n],
    ["div", 7n, 0n, -1n],
    ["div", MIN, 0n, -1n],
    ["div", MIN, -1n, MIN],
    ["rem", 7n, -2n, 1n],
    ["rem", -7n, 2n, -1n],
    ["rem", 7n, 0n, 7n],
    ["rem", MIN, -1n, 0n],
    ["divu", -1n, 2n, MAX],
    ["divu", 7n, 0n, -1n],
    ["divu", MIN, -1n, 0n],
    ["remu", -1n, 10n, 5n],
    ["remu", -7n, 0n, -7n],
    ["remu", MIN, -1n, MIN],
    ["divw", 7n, 0n, -1n],
    ["divw", MIN32, -1n, MIN32],
    ["divw", 0x1_0000_0007n, 0x2_0000_0002n, 3n],
    ["divw", 0x80000000n, -1n, MIN32],
    ["remw", MIN32, -1n, 0n],
    ["remw", 0x80000001n, 0n, -0x7fffffffn],
    ["divuw", -1n, 1n, -1n],
    ["divuw", 7n, 0x1_0000_0000n, -1n],
    ["divuw", -1n, 2n, 0x7fffffffn],
    ["remuw", -1n, 0n, -1n],
    ["remuw", 0xffffffffn, 0x10n, 15n],
  ])("%s of %d and %d is %d", (name, a, b, expected) => {
    expect(register(name, a, b)).toBe(expected)
  })
})

describe("multiplication", () => {
  const values = [0n, 1n, -1n, MIN, MAX, 0x123456789abcdefn, -0x7edcba9876543211n, 0xffffffffn, -0x100000000n]
  it.each(values.flatMap(a => values.map(b => [a, b] as const)))("%d times %d, all of its high halves", (a, b) => {
    const unsigned = (value: bigint) => BigInt.asUintN(64, value)
    const high = (product: bigint) => BigInt.asIntN(64, product >> 64n)
    bench.finish(`li a1, ${a}
      li a2, ${b}
      mul a3, a1, a2
      mulh a4, a1, a2
      mulhsu a5, a1, a2
      mulhu a6, a1, a2
      mulw a7, a1, a2`)
    expect(["a3", "a4", "a5", "a6", "a7"].map(name => bench.signed(name))).toEqual([
      BigInt.asIntN(64, a * b),
      high(a * b),
      high(a * unsigned(b)),
      high(unsigned(a) * unsigned(b)),
      BigInt.asIntN(32, a * b),
    ])
  })
})

describe("shifts", () => {
  it.each([
    ["sll", 1n, 63n, MIN],
    ["sll", 1n, 64n, 1n],
    ["sll", 1n, -1n, MIN],
    ["srl", -1n, 63n, 1n],
    ["srl", -1n, 64n, -1n],
    ["sra", MIN, 63n, -1n],
    ["sra", MIN, 127n, -1n],
    ["sllw", 1n, 31n, MIN32],
    ["sllw", 1n, 32n, 1n],
    ["sllw", 0x1_0000_0001n, 4n, 16n],
    ["srlw", -1n, 32n, -1n],
    ["srlw", -1n, 1n, 0x7fffffffn],
    ["srlw", 0x8_0000_0000n, 1n, 0n],
    ["sraw", 0x80000000n, 31n, -1n],
    ["sraw", 0x7fff_ffff_8000_0000n, 4n, -0x8000000n],
  ])("%s of %d by %d is %d", (name, a, b, expected) => {
    expect(register(name, a, b)).toBe(expected)
  })
  it.each([
    ["slli", 1n, 63, MIN],
    ["srli", -1n, 63, 1n],
    ["srai", MIN, 63, -1n],
    ["slliw", 0x1_8000_0001n, 0, -0x7fffffffn],
    ["slliw", 1n, 31, MIN32],
    ["srliw", -1n, 0, -1n],
    ["srliw", -1n, 31, 1n],
    ["sraiw", 0x80000000n, 31, -1n],
    ["slli.uw", -1n, 1, 0x1_ffff_fffen],
    ["rori", 1n, 1, MIN],
    ["roriw", 1n, 1, MIN32],
  ])("%s of %d by %d is %d", (name, a, b, expected) => {
    expect(immediate(name, a, b)).toBe(expected)
  })
})

describe("word forms sign-extend their 32-bit result", () => {
  it.each([
    ["addw", 0x7fffffffn, 1n, MIN32],
    ["addw", -1n, -1n, -2n],
    ["addw", 0xf_7fff_ffffn, 0n, 0x7fffffffn],
    ["subw", MIN32, 1n, 0x7fffffffn],
    ["subw", 0n, 0x80000000n, MIN32],
  ])("%s of %d and %d is %d", (name, a, b, expected) => {
    expect(register(name, a, b)).toBe(expected)
  })
  it.each([
    [0x7fffffffn, 1, MIN32],
    [0xffffffffn, 0, -1n],
    [0x1_0000_0000n, -1, -1n],
  ])("addiw of %d and %d is %d", (a, value, expected) => {
    expect(immediate("addiw", a, value)).toBe(expected)
  })
})

describe("comparison", () => {
  it.each([
    ["slt", -1n, 0n, 1n],
    ["slt", 0n, -1n, 0n],
    ["sltu", -1n, 0n, 0n],
    ["sltu", 0n, -1n, 1n],
    ["slt", MIN, MAX, 1n],
    ["sltu", MIN, MAX, 0n],
  ])("%s of %d and %d is %d", (name, a, b, expected) => {
    expect(register(name, a, b)).toBe(expected)
  })
  it("sltiu extends the sign of its number, then compares without sign", () => {
    expect([immediate("sltiu", 5n, -1), immediate("sltiu", -1n, -1), immediate("slti", -2n, -1)]).toEqual([1n, 0n, 1n])
  })
})

describe("bit manipulation", () => {
  it.each([
    ["clz", 0n, 64n],
    ["ctz", 0n, 64n],
    ["clz", 1n, 63n],
    ["clzw", 0n, 32n],
    ["ctzw", 0n, 32n],
    ["clzw", -1n, 0n],
    ["ctzw", 0x1_0000_0000n, 32n],
    ["cpop", -1n, 64n],
    ["cpopw", -1n, 32n],
    ["sext.b", 0x80n, -128n],
    ["sext.h", 0x8000n, -32768n],
    ["zext.h", -1n, 0xffffn],
    ["rev8", 0x0102030405060708n, 0x0807060504030201n],
    ["orc.b", 0x0100_8000_0000_0010n, BigInt.asIntN(64, 0xff00_ff00_0000_00ffn)],
    ["orc.b", -1n, -1n],
  ])("%s of %d is %d", (name, a, expected) => {
    expect(unary(name, a)).toBe(expected)
  })
  it.each([
    ["andn", 12n, 10n, 4n],
    ["orn", 0n, 0n, -1n],
    ["xnor", 5n, 5n, -1n],
    ["max", -1n, 1n, 1n],
    ["maxu", -1n, 1n, -1n],
    ["min", -1n, 1n, -1n],
    ["minu", -1n, 1n, 1n],
    ["rol", MIN, 1n, 1n],
    ["ror", 1n, 65n, MIN],
    ["rolw", 0x80000000n, 33n, 1n],
    ["rorw", 1n, 1n, MIN32],
    ["add.uw", -1n, 1n, 0x1_0000_0000n],
    ["sh1add", 3n, 1n, 7n],
    ["sh2add", 3n, 1n, 13n],
    ["sh3add", 3n, 1n, 25n],
    ["sh3add.uw", -1n, 0n, 0x7_ffff_fff8n],
    ["bset", 0n, 63n, MIN],
    ["bset", 0n, 64n, 1n],
    ["bclr", -1n, 0n, -2n],
    ["binv", 1n, 64n, 0n],
    ["bext", MIN, 127n, 1n],
  ])("%s of %d and %d is %d", (name, a, b, expected) => {
    expect(register(name, a, b)).toBe(expected)
  })
})

describe("upper immediates", () => {
  it("lui extends its sign", () => {
    expect(bench.finish("lui a0, 0x80000").signed("a0")).toBe(MIN32)
  })
  it("auipc adds to its own address", () => {
    bench.finish("nop\nauipc a0, 1\nauipc a1, -1")
    expect([bench.x("a0"), bench.x("a1")]).toEqual([0x80001004n, 0x7ffff008n])
  })
})

describe("x0", () => {
  it("reads as zero whatever was written", () => {
    const source =
      "li a1, 7\nadd x0, a1, a1\nmul x0, a1, a1\nlui x0, 5\njal x0, on\non: add a0, x0, x0\nla a2, on\nld x0, (a2)"
    expect(bench.finish(`${source}\nsnez a3, x0`).x("a0")).toBe(0n)
    expect(bench.x("a3")).toBe(0n)
    expect(bench.x("zero")).toBe(0n)
  })
})

describe("jumps", () => {
  it("jalr clears the lowest bit of its target", () => {
    expect(bench.finish("la a1, there\njalr a0, 1(a1)\nli a2, 1\nthere: li a3, 1").x("a2")).toBe(0n)
  })
  it("jalr reads its base before it writes the link", () => {
    bench.finish("la ra, there\njalr ra, 0(ra)\nhere: li a2, 1\nthere: mv a3, ra")
    expect(bench.x("a2")).toBe(0n)
    expect(bench.x("a3")).toBe(BigInt(bench.symbol("here")))
  })
  it("c.jalr links two bytes on", () => {
    bench.finish("la a1, there\nc.jalr a1\nhere: c.nop\nthere: mv a3, ra")
    expect(bench.x("a3")).toBe(BigInt(bench.symbol("here")))
  })
  it("jal reaches other pages, forward and back", () => {
    bench.finish("j far\nback: li a0, 1\nj end\n.zero 0x3000\nfar: j back")
    expect(bench.x("a0")).toBe(1n)
  })
  it.each([
    ["beq", [1, 0, 0, 0]],
    ["bne", [0, 1, 1, 1]],
    ["blt", [0, 1, 0, 0]],
    ["bge", [1, 0, 1, 1]],
    ["bltu", [0, 0, 1, 0]],
    ["bgeu", [1, 1, 0, 1]],
  ] as const)("%s", (name, expected) => {
    const pairs = [
      [5n, 5n],
      [-1n, 1n],
      [1n, -1n],
      [2n, 1n],
    ]
    const taken = pairs.map(([a, b]) =>
      Number(bench.finish(`li a1, ${a}\nli a2, ${b}\nli a0, 1\n${name} a1, a2, on\nli a0, 0\non: nop`).x("a0")),
    )
    expect(taken).toEqual(expected)
  })
  it("a branch may go back over a page boundary", () => {
    bench.finish(
      "li a0, 3\nj start\n.zero 0xfe0\nloop: addi a0, a0, -1\naddi a1, a1, 1\n.zero 0x0\nnop\nnop\nnop\nnop\nstart: bnez a0, loop",
    )
    expect(bench.x("a1")).toBe(3n)
  })
})
