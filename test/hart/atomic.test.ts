import { describe, expect, it } from "vitest"
import { cause } from "../../src/riscv/trap.ts"
import { Bench, RAM_BASE } from "./harness.ts"

const bench = new Bench({ harts: 2 })
const DATA = RAM_BASE + 0x8000
const MIN = -(2n ** 63n)

/** Runs an AMO on what memory holds; gives what it returned and what it left. */
const amo = (name: string, memory: bigint, operand: bigint) => {
  bench.load(`li a1, ${DATA}\nli a2, ${operand}\n${name} a0, a2, (a1)`)
  bench.setWord64(DATA, memory)
  bench.run()
  bench.expectEnd()
  return { returned: bench.signed("a0"), left: BigInt.asIntN(64, bench.word64(DATA)) }
}

describe("AMO of doublewords", () => {
  it.each([
    ["amoswap.d", 1n, 2n, 2n],
    ["amoadd.d", 2n ** 63n - 1n, 1n, MIN],
    ["amoxor.d", 12n, 10n, 6n],
    ["amoand.d", 12n, 10n, 8n],
    ["amoor.d", 12n, 10n, 14n],
    ["amomin.d", -1n, 1n, -1n],
    ["amomax.d", -1n, 1n, 1n],
    ["amominu.d", -1n, 1n, 1n],
    ["amomaxu.d", -1n, 1n, -1n],
    ["amomin.d", MIN, 0n, MIN],
    ["amomaxu.d", 0n, MIN, MIN],
  ])("%s of %d in memory and %d leaves %d", (name, memory, operand, left) => {
    expect(amo(name, memory, operand)).toEqual({ returned: memory, left })
  })
})

describe("AMO of words compares words, returns them sign-extended and leaves the other half alone", () => {
  const high = 0x12345678n << 32n
  it.each([
    ["amoswap.w", 0x80000000n, 5n, 5n],
    ["amoadd.w", 0xffffffffn, 1n, 0n],
    ["amoadd.w", 0x7fffffffn, 1n, 0x80000000n],
    ["amomin.w", 0xffffffffn, 1n, 0xffffffffn],
    ["amomax.w", 0xffffffffn, 1n, 1n],
    ["amominu.w", 0xffffffffn, 1n, 1n],
    ["amomaxu.w", 0xffffffffn, 1n, 0xffffffffn],
    // The upper half of the operand takes no part.
    ["amomin.w", 5n, 0x1_0000_0001n, 1n],
    ["amomax.w", 5n, 0x1_0000_0001n, 5n],
    ["amominu.w", 5n, 0xf_ffff_ffffn, 5n],
    ["amomaxu.w", 0x80000000n, 0x7_0000_0001n, 0x80000000n],
    ["amomin.w", 0x7fffffffn, 0x80000000n, 0x80000000n],
  ])("%s of %d in memory and %d leaves %d", (name, memory, operand, left) => {
    const { returned, left: whole } = amo(name, high | memory, operand)
    expect(returned).toBe(BigInt.asIntN(32, memory))
    expect(whole).toBe(high | left)
  })
})

describe("the operand", () => {
  it("may be the destination", () => {
    bench.load(`li a1, ${DATA}\nli a0, 5\namoadd.d a0, a0, (a1)`)
    bench.setWord64(DATA, 7n)
    bench.run()
    expect([bench.x("a0"), bench.word64(DATA)]).toEqual([7n, 12n])
  })
  it("may be the address", () => {
    bench.finish(`li a1, ${DATA}\namoswap.d a1, a1, (a1)`)
    expect([bench.x("a1"), bench.word64(DATA)]).toEqual([0n, BigInt(DATA)])
  })
})

describe("misaligned atomics trap with their address", () => {
  it.each([
    ["lr.w a0, (a1)", 2, cause.loadMisaligned],
    ["lr.d a0, (a1)", 4, cause.loadMisaligned],
    ["sc.w a0, a2, (a1)", 1, cause.storeMisaligned],
    ["sc.d a0, a2, (a1)", 4, cause.storeMisaligned],
    ["amoadd.w a0, a2, (a1)", 2, cause.storeMisaligned],
    ["amomaxu.d a0, a2, (a1)", 4, cause.storeMisaligned],
  ])("%s at %d", (access, offset, code) => {
    // The page is known to the fast path already.
    bench.load(`li a1, ${DATA}\nsd x0, (a1)\nld a0, (a1)\naddi a1, a1, ${offset}\n${access}`).run()
    expect(bench.trapped()).toMatchObject({ cause: code, value: BigInt(DATA + offset) })
  })
})

describe("LR and SC", () => {
  const attempt = (source: string) => {
    bench.load(`li a1, ${DATA}\nli a2, 42\n${source}`)
    bench.setWord64(DATA, 0xffffffff80000001n)
    bench.run()
    bench.expectEnd()
    return { failed: bench.x("a0"), read: bench.signed("a3"), left: bench.word64(DATA) }
  }
  it("a pair succeeds: SC gives 0 and writes", () => {
    expect(attempt("lr.d a3, (a1)\nsc.d a0, a2, (a1)")).toEqual({ failed: 0n, read: -0x7fffffffn, left: 42n })
  })
  it("words are sign-extended and written alone", () => {
    expect(attempt("lr.w a3, (a1)\nsc.w a0, a2, (a1)")).toEqual({
      failed: 0n,
      read: -0x7fffffffn,
      left: 0xffffffff0000002an,
    })
  })
  const unwritten = 0xffffffff80000001n
  it("SC with no LR before fails with 1", () => {
    expect(attempt("sc.d a0, a2, (a1)")).toMatchObject({ failed: 1n, left: unwritten })
  })
  it("a second SC fails", () => {
    expect(attempt("lr.d a3, (a1)\nsc.d a4, a2, (a1)\nli a2, 43\nsc.d a0, a2, (a1)")).toMatchObject({
      failed: 1n,
      left: 42n,
    })
  })
  it("SC to another address fails, and ends the reservation", () => {
    const { failed, left } = attempt("lr.d a3, (a1)\naddi a4, a1, 64\nsc.d a5, a2, (a4)\nsc.d a0, a2, (a1)")
    expect([bench.x("a5"), failed, left]).toEqual([1n, 1n, unwritten])
    expect(bench.word64(DATA + 64)).toBe(0n)
  })
  it("a later LR moves the reservation", () => {
    expect(attempt("lr.d a3, (a1)\naddi a4, a1, 64\nlr.d a5, (a4)\nsc.d a0, a2, (a1)")).toMatchObject({ failed: 1n })
  })
  it("SC fails when another hart wrote in between", () => {
    bench.load(
      `li a1, ${DATA}\nli a2, 42\ncsrr a4, mhartid\nbnez a4, other\nlr.d a3, (a1)\nbetween: sc.d a0, a2, (a1)\nj end\nother: sd a2, (a1)\nj end`,
    )
    while (bench.core.get(0, "pc") !== bench.symbol("between")) bench.run(1, 0)
    bench.run(100, 1)
    bench.run(100, 0)
    expect(bench.x("a0")).toBe(1n)
  })
  it("the reservation is kept as a physical address, wherever this engine keeps RAM", () => {
    bench.finish(`li a1, ${DATA + 8}\nlr.d a3, (a1)`)
    expect(bench.csr("reservation")).toBe(BigInt(DATA + 8))
  })
  it("SC fails when the reservation is dropped from outside", () => {
    bench.load(`li a1, ${DATA}\nlr.d a3, (a1)\nsc.d a0, a2, (a1)`)
    while (bench.csr("reservation") === 2n ** 64n - 1n) bench.run(1)
    bench.core.dropReservation(0)
    bench.run()
    expect(bench.x("a0")).toBe(1n)
  })
  it("two harts count together with LR and SC in any interleaving", () => {
    const loop =
      "again: lr.d a3, (a1)\naddi a3, a3, 1\nsc.d a4, a3, (a1)\nbnez a4, again\naddi a5, a5, -1\nbnez a5, again"
    bench.load(`li a1, ${DATA}\nli a5, 500\n${loop}`)
    for (let turn = 0; turn < 4000; turn++) bench.run(1 + ((turn * 7) % 5), turn & 1)
    expect([bench.core.get(0, "pc"), bench.core.get(1, "pc")]).toEqual([bench.symbol("end"), bench.symbol("end")])
    expect(bench.word64(DATA)).toBe(1000n)
  })
})
