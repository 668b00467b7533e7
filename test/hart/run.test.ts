import { describe, expect, it } from "vitest"
import { assemble } from "../../src/riscv/assembler.ts"
import { Random } from "../oracle/random.ts"
import { Bench, MSTATUS_RESET, PageTables, R, RAM_BASE, U, V, W, X } from "./harness.ts"

const bench = new Bench()
const word = (text: string): number => new DataView(assemble(text).bytes.buffer).getUint32(0, true)

describe("counters", () => {
  it("instret counts what was retired before the instruction that reads it", () => {
    bench.finish("nop\nnop\ncsrr a0, minstret\ncsrr a1, instret\nnop\ncsrr a2, minstret")
    expect([bench.x("a0"), bench.x("a1"), bench.x("a2")]).toEqual([2n, 3n, 5n])
  })
  it("an instruction that traps is not retired, though it takes a cycle", () => {
    const source = "la a4, handler\ncsrw mtvec, a4\ncsrr a0, minstret\ncsrr a1, mcycle\n"
    for (const trapping of ["ecall", "ebreak", ".word 0xffffffff", "ld a5, (x0)", "csrw mhartid, a0"]) {
      bench.finish(`${source}${trapping}\n.align 2\nhandler: csrr a2, minstret\ncsrr a3, mcycle`)
      expect([bench.x("a2") - bench.x("a0"), bench.x("a3") - bench.x("a1")]).toEqual([2n, 3n])
    }
  })
  it("trap returns, wfi and fences are retired", () => {
    bench.finish(
      "la a1, on\ncsrw mepc, a1\nli a2, 0x1800\ncsrs mstatus, a2\ncsrr a0, minstret\nmret\n.align 2\non: fence.i\nsfence.vma\ncsrr a3, minstret",
    )
    expect(bench.x("a3") - bench.x("a0")).toBe(4n)
  })
  it("what is written is what the next instruction reads", () => {
    bench.finish(
      "li a1, 1000\ncsrw minstret, a1\ncsrr a2, minstret\ncsrr a3, minstret\ncsrw mcycle, a1\nnop\ncsrr a4, mcycle",
    )
    expect([bench.x("a2"), bench.x("a3"), bench.x("a4")]).toEqual([1000n, 1001n, 1001n])
  })
  it("time is a tenth of a microsecond: a hundred instructions, and the time that passed idle", () => {
    bench.load("loop: csrr a0, time\nj loop").run(1001)
    expect(bench.x("a0")).toBe(10n)
    bench.core.set(0, "skew", 5000)
    bench.run(1)
    bench.run(1)
    expect(bench.x("a0")).toBe(60n)
  })
  it("do not depend on how the run is divided", () => {
    const source =
      "li s0, 50\nloop: csrr a0, mcycle\nadd a1, a1, a0\ncsrr a0, minstret\nadd a1, a1, a0\ncsrr a0, time\nadd a1, a1, a0\naddi s0, s0, -1\nbnez s0, loop"
    const whole = bench.finish(source).x("a1")
    bench.load(source)
    for (let step = 0; step < 600; step++) bench.run(1)
    expect(bench.expectEnd().x("a1")).toBe(whole)
  })
})

describe("a budget", () => {
  it("is kept to the instruction", () => {
    for (let budget = 1; budget < 40; budget++) {
      bench.load("loop: addi a0, a0, 1\naddi a0, a0, 1\naddi a0, a0, 1\nj loop").run(budget)
      expect(bench.x("a0")).toBe(BigInt(budget - Math.floor(budget / 4)))
      expect(bench.core.executed(0)).toBe(budget)
    }
  })
  it("may end between any two instructions, also at page boundaries and within an instruction across pages", () => {
    const source = "li a1, 0x80000ffa\njr a1"
    for (let budget = 1; budget < 20; budget++) {
      bench.load(source)
      bench.placeProgram(
        RAM_BASE + 0xffa,
        "addi a0, a0, 1\naddi a0, a0, 1\naddi a0, a0, 1\nloop: addi a0, a0, 1\nj loop",
      )
      bench.run(budget)
      const whole = bench.core.saveHart(0)
      bench.load(source)
      bench.placeProgram(
        RAM_BASE + 0xffa,
        "addi a0, a0, 1\naddi a0, a0, 1\naddi a0, a0, 1\nloop: addi a0, a0, 1\nj loop",
      )
      for (let step = 0; step < budget; step++) bench.run(1)
      expect(bench.core.saveHart(0)).toEqual(whole)
    }
  })
})

/** Virtual address of the page the program works on. */
const WORK = 0x5000

/**
 * A program of everything that stops, moves or watches the interpreter: user and supervisor mode under Sv39, calls to both handlers,
 * page faults, software interrupts, timer comparison, floating point, atomics, code that changes itself, compressed instructions,
 * misaligned accesses across pages, counters, address-space switches and fences.
 */
const mixed = (): string => `
  la   t0, machineHandler
  csrw mtvec, t0
  la   t0, supervisorHandler
  csrw stvec, t0
  li   t0, 0xb100
  csrw medeleg, t0
  csrwi mideleg, 2
  csrwi mie, 2
  li   t0, -1
  csrw mcounteren, t0
  csrw scounteren, t0
  li   t0, 0x2802
  csrs mstatus, t0
  la   t0, supervisor
  csrw mepc, t0
  mret

  .align 2
  machineHandler:
  csrr t5, mepc
  addi t5, t5, 4
  csrw mepc, t5
  csrsi mip, 2
  csrr t5, mcycle
  add  s10, s10, t5
  mret

  .align 2
  supervisorHandler:
  csrr t5, scause
  slli s11, s11, 1
  add  s11, s11, t5
  csrr t6, stval
  add  s11, s11, t6
  bltz t5, software
  csrr t5, sepc
  addi t5, t5, 4
  csrw sepc, t5
  sret
  software: csrci sip, 2
  rdinstret t5
  add  s9, s9, t5
  sret

  supervisor:
  li   s0, ${WORK}
  li   s1, 0x9e3779b97f4a7c15
  la   s2, patched
  csrr s8, satp
  li   s7, 0x100000000000
  loop:
  # Integer and memory, misaligned and across two pages.
  mul  s3, s3, s1
  addi s3, s3, 1
  srli t0, s3, 52
  add  t0, t0, s0
  sd   s3, (t0)
  ld   t1, 1(t0)
  xor  s4, s4, t1
  c.addi a5, 3
  c.mv a4, a5
  c.add a4, a5
  divu t1, s3, a4
  add  s4, s4, t1
  # Atomics.
  amoadd.d t1, s3, (s0)
  add  s4, s4, t1
  lr.w t1, (s0)
  addi t1, t1, 5
  sc.w t2, t1, (s0)
  add  s4, s4, t2
  # Floating point.
  fcvt.d.l fa0, s3
  fcvt.d.l fa1, a5
  fdiv.d fa2, fa0, fa1, rup
  fmadd.d fa3, fa2, fa1, fa3
  frflags t1
  add  s4, s4, t1
  # Code that changes itself: one instruction in two forms.
  li   t1, ${word("addi s5, s5, 1")}
  andi t2, s3, 1
  beqz t2, even
  li   t1, ${word("addi s5, s5, 2")}
  even: sw t1, (s2)
  patched: addi s5, s5, 1
  # Faults and calls.
  ld   t1, (x0)
  andi t2, s3, 6
  bnez t2, quiet
  ecall
  quiet: rdtime t1
  add  s6, s6, t1
  rdcycle t1
  xor  s6, s6, t1
  # Address spaces and fences.
  xor  s8, s8, s7
  csrw satp, s8
  andi t2, s3, 56
  bnez t2, loop
  sfence.vma s0
  csrr t1, sstatus
  add  s6, s6, t1
  csrsi sip, 2
  j    loop
`

const boot = (machine: Bench): void => {
  machine.load(mixed())
  const tables = new PageTables(machine, 3)
  tables.map(BigInt(RAM_BASE), RAM_BASE, V | R | W | X)
  tables.map(BigInt(WORK), RAM_BASE + 0x10000, V | R | W)
  tables.map(BigInt(WORK + 0x1000), RAM_BASE + 0x18000, V | R | W)
  tables.map(BigInt(WORK + 0x2000), RAM_BASE + 0x14000, V | R | U)
  machine.change({ satp: tables.satp(), mstatus: MSTATUS_RESET })
}

const LENGTH = 20_000
const state = (machine: Bench) => ({
  hart: machine.core.saveHart(0),
  ram: Buffer.from(machine.core.ram).toString("base64"),
})

describe("run(a) then run(b) is run(a + b)", () => {
  const straight = new Bench()
  boot(straight)
  straight.run(LENGTH)
  const whole = state(straight)

  it("the program does what it is for", () => {
    expect(straight.core.executed(0)).toBe(LENGTH)
    expect(straight.core.get(0, "pc")).not.toBe(straight.symbol("trapped"))
    // What it gathers in each part has changed: memory, patched code, counters, and all three handlers.
    for (const name of ["s4", "s5", "s6", "s9", "s10", "s11"]) expect(straight.x(name)).not.toBe(0n)
    expect(straight.core.get(0, "fflags") & 1).toBe(1)
  })

  it("a second time it is the same", () => {
    boot(bench)
    bench.run(LENGTH)
    expect(state(bench)).toEqual(whole)
  })

  it.each([1, 2, 3, 4, 5, 6])("in random pieces, seed %d", seed => {
    const random = new Random(seed)
    boot(bench)
    const longest = random.pick([2, 7, 100, 3000])
    for (let left = LENGTH; left > 0; ) {
      const piece = Math.min(left, random.between(1, longest))
      bench.run(piece)
      left -= piece
    }
    expect(state(bench)).toEqual(whole)
  })

  it("one instruction at a time", () => {
    boot(bench)
    for (let step = 0; step < LENGTH; step++) bench.run(1)
    expect(state(bench)).toEqual(whole)
  })

  it.each([1, 2, 3])("with all translations flushed and all code forgotten between pieces, seed %d", seed => {
    const random = new Random(seed)
    boot(bench)
    for (let left = LENGTH; left > 0; ) {
      const piece = Math.min(left, random.between(1, 300))
      bench.run(piece)
      left -= piece
      if (random.chance(50)) bench.core.flushAll()
      if (random.chance(50)) bench.core.ramChanged(RAM_BASE, bench.core.ramBytes)
      if (random.chance(50)) bench.core.forgetTranslations(0)
    }
    expect(state(bench)).toEqual(whole)
  })

  it("saved and restored into a fresh core, at random places", () => {
    const random = new Random(9)
    const other = new Bench()
    let [from, to] = [bench, other]
    boot(from)
    for (let left = LENGTH; left > 0; ) {
      const piece = Math.min(left, random.between(1, 500))
      from.run(piece)
      left -= piece
      to.clear()
      to.core.ram.set(from.core.ram)
      to.core.ramChanged(RAM_BASE, to.core.ramBytes)
      to.core.restoreHart(0, from.core.saveHart(0))
      ;[from, to] = [to, from]
    }
    expect(state(from)).toEqual(whole)
  })
})

describe("two harts", () => {
  it("are apart: what one does leaves the registers and translations of the other", () => {
    const pair = new Bench({ harts: 2 })
    pair.load("csrr a0, mhartid\naddi a0, a0, 1\nloop: add a1, a1, a0\nj loop")
    for (let turn = 0; turn < 100; turn++) {
      pair.run(20, 0)
      pair.run(10, 1)
    }
    expect([pair.x("a1", 0), pair.x("a1", 1)]).toEqual([BigInt((2000 - 2) / 2), BigInt(1000 - 2)])
    expect([pair.core.executed(0), pair.core.executed(1)]).toEqual([2000, 1000])
  })
})
