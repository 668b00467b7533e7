import { describe, expect, it } from "vitest"
import { CODE_PAGES } from "../../src/hart/layout.ts"
import { assemble } from "../../src/riscv/assembler.ts"
import { cause } from "../../src/riscv/trap.ts"
import { Bench, RAM_BASE } from "./harness.ts"

const bench = new Bench()
/** The word of one instruction, for programs that write programs. */
const word = (text: string): number => new DataView(assemble(text).bytes.buffer).getUint32(0, true)
const half = (text: string): number => new DataView(assemble(text).bytes.buffer).getUint16(0, true)

describe("an instruction across two pages", () => {
  const EDGE = RAM_BASE + 0x1000
  it("runs, and execution goes on after it", () => {
    bench.load(`li a1, ${EDGE - 2}\njr a1`)
    bench.placeProgram(EDGE - 2, "addi a0, a0, 5\naddi a0, a0, 6\nloop: j loop")
    bench.run(100)
    expect(bench.x("a0")).toBe(11n)
  })
  it.each(["beq x0, x0, 0x80001800", "jal a5, 0x80001800", "bne x0, x0, 0x80001800"])("may be a jump: %s", text => {
    bench.load(`li a1, ${EDGE - 2}\njr a1`)
    bench.placeProgram(EDGE - 2, `${text}\nloop: li a0, 1\nj loop`)
    bench.placeProgram(EDGE + 0x800, "loop: li a0, 2\nj loop")
    bench.run(100)
    expect(bench.x("a0")).toBe(text.startsWith("bne") ? 1n : 2n)
    if (text.startsWith("jal")) expect(bench.x("a5")).toBe(BigInt(EDGE + 2))
  })
  it("may trap: its address is where it begins", () => {
    bench.load(`li a1, ${EDGE - 2}\njr a1`)
    bench.placeProgram(EDGE - 2, "ld a0, (x0)")
    bench.run(100)
    expect(bench.trapped()).toMatchObject({ cause: cause.loadAccessFault, pc: BigInt(EDGE - 2), value: 0n })
  })
  it("that is illegal shows all its bits", () => {
    bench.load(`li a1, ${EDGE - 2}\njr a1`)
    bench.placeProgram(EDGE - 2, ".word 0xfeedfacf")
    bench.run(100)
    expect(bench.trapped()).toMatchObject({ cause: cause.illegalInstruction, pc: BigInt(EDGE - 2), value: 0xfeedfacfn })
  })
  it("is read again each time: either half may change", () => {
    bench.load(`li s0, ${EDGE - 2}\nli a0, 0\njalr s0\nsh a2, (s0)\njalr s0\nsh a3, 2(s0)\njalr s0\nj end`)
    bench.placeProgram(EDGE - 2, "addi a0, a0, 1\nret")
    // Another destination in the low half, another number in the high one.
    const changed = word("addi a4, a0, 16")
    bench.setX("a2", BigInt(changed & 0xffff))
    bench.setX("a3", BigInt(changed >>> 16))
    bench.run()
    bench.expectEnd()
    expect([bench.x("a0"), bench.x("a4")]).toEqual([1n, 17n])
  })
})

describe("code that changes itself", () => {
  it.each(["fence.i", "nop"])("is seen at once (after %s)", fence => {
    bench.finish(`la a1, target
      li a2, ${word("li a0, 2")}
      li s0, 2
      target: li a0, 1
      add s1, s1, a0
      sw a2, (a1)
      ${fence}
      addi s0, s0, -1
      bnez s0, target`)
    expect(bench.x("s1")).toBe(3n)
  })
  it("the very next instruction may be the changed one", () => {
    bench.finish(`la a1, target\nli a2, ${word("li a0, 2")}\nsw a2, (a1)\ntarget: li a0, 1`)
    expect(bench.x("a0")).toBe(2n)
  })
  it("two short instructions become a long one and back", () => {
    const long = word("addi a0, a0, 100")
    const short = half("c.addi a0, 1") * 0x10001
    bench.finish(`la a1, target
      li a2, ${long}
      li a3, ${short}
      li s0, 3
      again: nop
      target: c.addi a0, 1
      c.addi a0, 1
      addi s0, s0, -1
      beqz s0, end
      sw a2, (a1)
      li a4, 2
      beq s0, a4, again
      sw a3, (a1)
      j again`)
    expect(bench.x("a0")).toBe(104n)
  })
  it("a byte in the middle of an instruction may be written alone", () => {
    const changed = word("li a0, 2")
    bench.finish(
      `la a1, target\nli a2, ${changed >>> 20}\nslli a2, a2, 4\ntarget: li a0, 1\nbnez s1, end\nli s1, 1\nsb a2, 2(a1)\nj target`,
    )
    expect(bench.x("a0")).toBe(2n)
  })
  it("a misaligned store over two instructions reaches both", () => {
    // From the upper half of the first to the lower half of the second.
    const first = word("li a0, 21")
    const second = word("li a3, 1")
    bench.finish(`la a1, target
      li a2, ${((second & 0xffff) * 0x10000 + (first >>> 16)) >>> 0}
      target: li a0, 1
      li a2, 1
      bnez s1, end
      li s1, 1
      li a2, ${((second & 0xffff) * 0x10000 + (first >>> 16)) >>> 0}
      sw a2, 2(a1)
      j target`)
    expect([bench.x("a0"), bench.x("a3")]).toEqual([21n, 1n])
  })
  it("atomics change code too", () => {
    bench.finish(`la a1, target\nli a2, ${word("li a0, 2")}\nli s0, 3
      target: li a0, 1
      add s1, s1, a0
      addi s0, s0, -1
      beqz s0, end
      amoswap.w a3, a2, (a1)
      j target`)
    expect(bench.x("s1")).toBe(5n)
    bench.finish(`la a1, target\nli a2, ${word("li a0, 2")}
      target: li a0, 1
      bnez s1, end
      li s1, 1
      lr.w a3, (a1)
      sc.w a4, a2, (a1)
      j target`)
    expect([bench.x("a0"), bench.x("a4")]).toEqual([2n, 0n])
  })
  it("a store that reaches over into a page of code changes it", () => {
    const EDGE = RAM_BASE + 0x2000
    bench.load(
      `li s0, ${EDGE}\njalr s0\nli a2, ${(word("li a3, 1") & 0xffff) * 0x10000}\nmv s1, a0\nsw a2, -2(s0)\njalr s0`,
    )
    bench.placeProgram(EDGE, "li a0, 1\nret")
    bench.run()
    bench.expectEnd()
    expect([bench.x("s1"), bench.x("a3")]).toEqual([1n, 1n])
  })
  it("a device that writes it is seen as well", () => {
    bench.load("loop: li a0, 1\nj loop").run(100)
    bench.placeProgram(RAM_BASE, "li a0, 2")
    bench.run(2)
    expect(bench.x("a0")).toBe(2n)
  })
  it("data in a page of code may be written a thousand times", () => {
    bench.finish(
      "la a1, data\nli s0, 1000\nloop: ld a0, (a1)\naddi a0, a0, 1\nsd a0, (a1)\naddi s0, s0, -1\nbnez s0, loop\nj end\n.align 3\ndata: .dword 0",
      20000,
    )
    expect(bench.word64(bench.symbol("data"))).toBe(1000n)
  })
  it("code that was given up as data is seen when it changes", () => {
    bench.finish(
      `la a1, data
      la a2, target
      li s0, 1000
      li s1, ${word("addi a3, a3, 1")}
      li s2, ${word("addi a3, a3, 2")}
      loop: sd s0, (a1)
      target: addi a3, a3, 1
      sw s2, (a2)
      addi s0, s0, -1
      andi a4, s0, 1
      bnez a4, odd
      sw s1, (a2)
      odd: bnez s0, loop
      j end
      .align 3
      data: .dword 0`,
      20000,
    )
    expect(bench.x("a3")).toBe(1500n)
  })
})

describe("more pages of code than are kept", () => {
  it("are decoded again when they come back", () => {
    const pages = CODE_PAGES + 200
    const large = new Bench({ ramBytes: (pages + 16) * 4096 })
    large.load("li s0, 2\nagain: li s1, 0x80002000\njalr s1\nback: addi s0, s0, -1\nbnez s0, again")
    const back = large.symbol("back")
    for (let page = 0; page < pages; page++) {
      const at = RAM_BASE + 0x2000 + page * 4096
      const next = page === pages - 1 ? back : at + 4096
      const text = page === pages - 1 ? `addi a0, a0, 1\nli t0, ${next}\njr t0` : `addi a0, a0, 1\nj ${next}`
      large.core.ram.set(assemble(text, at).bytes, at - RAM_BASE)
    }
    large.core.ramChanged(RAM_BASE + 0x2000, pages * 4096)
    large.run(pages * 5)
    large.expectEnd()
    expect(large.x("a0")).toBe(BigInt(2 * pages))
  })
})

describe("illegal instructions show their bits in mtval", () => {
  it.each([
    [".word 0xffffffff", 0xffffffffn],
    [".half 0", 0n],
    [".half 0x8000", 0x8000n],
    [".word 0x0000007f", 0x7fn],
    ["csrw mhartid, a0", 0xf1451073n],
    ["csrr a0, 0x7c0", 0x7c002573n],
    [".word 0x00c5d553", 0x00c5d553n],
  ])("%s", (text, value) => {
    bench.load(`${text}\n.half 0xabcd`).run()
    expect(bench.trapped()).toEqual({ cause: cause.illegalInstruction, value, pc: BigInt(RAM_BASE), interrupt: false })
  })
})
