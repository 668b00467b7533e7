import { describe, expect, it } from "vitest"
import { exitReason } from "../../src/hart/state.ts"
import { privilege } from "../../src/riscv/csr.ts"
import { cause } from "../../src/riscv/trap.ts"
import { Bench, MSTATUS_RESET } from "./harness.ts"

const bench = new Bench()
const SIE = 1n << 1n
const MIE = 1n << 3n
const SPIE = 1n << 5n
const MPIE = 1n << 7n
const SPP = 1n << 8n
const MPP = 3n << 11n
const MPP_S = 1n << 11n
const MPRV = 1n << 17n
const TW = 1n << 21n
const TSR = 1n << 22n
const { user, supervisor, machine } = privilege

const status = () => bench.csr("mstatus") & ~MSTATUS_RESET

describe("an exception to machine mode", () => {
  it.each([
    ["ecall", user, cause.ecallFromU],
    ["ecall", supervisor, cause.ecallFromS],
    ["ecall", machine, cause.ecallFromM],
    ["ebreak", user, cause.breakpoint],
    ["c.ebreak", machine, cause.breakpoint],
  ] as const)("%s from privilege %d", (access, level, code) => {
    bench
      .load(`nop\nat: ${access}`)
      .change({ privilege: level, mstatus: MSTATUS_RESET | MIE, mtval: 5 })
      .run(50)
    expect(bench.trapped()).toEqual({ cause: code, value: 0n, pc: BigInt(bench.symbol("at")), interrupt: false })
    expect(bench.core.get(0, "privilege")).toBe(machine)
    // MIE goes to MPIE, the privilege to MPP.
    expect(status()).toBe(MPIE | (BigInt(level) << 11n))
  })
  it("ignores the vectored mode", () => {
    bench.load("ecall")
    bench.change({ mtvec: bench.symbol("trapped") + 1 }).run(50)
    expect(bench.trapped().cause).toBe(cause.ecallFromM)
  })
})

describe("delegation", () => {
  const handler = "j start\n.align 2\nhandler: j handler\nstart: nop\nat: ecall"
  const delegated = (level: number, mstatus: bigint) => {
    bench.load(handler)
    bench
      .change({ privilege: level, medeleg: 0x300, stvec: bench.symbol("handler"), mstatus: MSTATUS_RESET | mstatus })
      .run(50)
    return bench.core.get(0, "pc") === bench.symbol("handler")
  }
  it("brings traps from below to supervisor mode", () => {
    expect(delegated(user, SIE)).toBe(true)
    expect(bench.trapOf("s")).toEqual({
      cause: cause.ecallFromU,
      value: 0n,
      pc: BigInt(bench.symbol("at")),
      interrupt: false,
    })
    expect(bench.core.get(0, "privilege")).toBe(supervisor)
    expect(status()).toBe(SPIE)
    expect(bench.csr("mepc")).toBe(0n)
  })
  it("brings traps of supervisor mode to itself", () => {
    expect(delegated(supervisor, 0n)).toBe(true)
    expect(status()).toBe(SPP)
  })
  it("never takes a trap of machine mode down", () => {
    bench.load("ecall").change({ medeleg: 0xb3ff }).run(50)
    expect(bench.trapped().cause).toBe(cause.ecallFromM)
    bench.load(".word 0xffffffff").change({ medeleg: 0xb3ff }).run(50)
    expect(bench.trapped().cause).toBe(cause.illegalInstruction)
  })
  it("is for the causes chosen only", () => {
    bench.load(".word 0xffffffff").change({ privilege: user, medeleg: 0x300 }).run(50)
    expect(bench.trapped().cause).toBe(cause.illegalInstruction)
  })
})

describe("trap return", () => {
  const back = (instruction: string, level: number, mstatus: bigint) => {
    bench.load(`${instruction}\n.zero 60\nthere: j there`)
    bench
      .change({
        privilege: level,
        mstatus: MSTATUS_RESET | mstatus,
        mepc: bench.symbol("there"),
        sepc: bench.symbol("there"),
      })
      .run(20)
    return bench.core.get(0, "pc") === bench.symbol("there")
      ? bench.core.get(0, "privilege")
      : `trap ${bench.trapped().cause}`
  }
  it("mret goes to MPP, gives MPIE back, leaves U in MPP", () => {
    expect(back("mret", machine, MPP_S | MPIE)).toBe(supervisor)
    expect(status()).toBe(MIE | MPIE)
    expect(back("mret", machine, MPP | MIE)).toBe(machine)
    expect(status()).toBe(MPIE)
    expect(back("mret", machine, 0n)).toBe(user)
  })
  it("sret goes to SPP, gives SPIE back", () => {
    expect(back("sret", supervisor, SPP | SPIE)).toBe(supervisor)
    expect(status()).toBe(SIE | SPIE)
    expect(back("sret", supervisor, SIE)).toBe(user)
    expect(status()).toBe(SPIE)
    expect(back("sret", machine, SPP)).toBe(supervisor)
  })
  it("to below machine mode ends MPRV", () => {
    back("mret", machine, MPRV | MPP)
    expect(status() & MPRV).toBe(MPRV)
    back("mret", machine, MPRV | MPP_S)
    expect(status() & MPRV).toBe(0n)
    back("sret", machine, MPRV | SPP)
    expect(status() & MPRV).toBe(0n)
  })
  it("from too low a privilege is illegal", () => {
    const illegal = `trap ${cause.illegalInstruction}`
    expect([back("mret", supervisor, 0n), back("mret", user, 0n), back("sret", user, 0n)]).toEqual([
      illegal,
      illegal,
      illegal,
    ])
  })
  it("sret with TSR is illegal in supervisor mode and allowed in machine mode", () => {
    expect(back("sret", supervisor, TSR)).toBe(`trap ${cause.illegalInstruction}`)
    expect(back("sret", machine, TSR)).toBe(user)
  })
})

describe("wfi", () => {
  const wait = (level: number, mstatus: bigint) => {
    bench.load("wfi\nafter: j after").change({ privilege: level, mstatus: MSTATUS_RESET | mstatus })
    return bench.run(50)
  }
  it("stops until an interrupt is pending, past itself", () => {
    expect(wait(machine, 0n)).toBe(exitReason.wait)
    expect(bench.core.get(0, "pc")).toBe(bench.symbol("after"))
    expect(bench.core.executed(0)).toBe(1)
  })
  it("goes on at once when one is pending and enabled, even if it is not taken", () => {
    bench.load("wfi\nli a0, 1").change({ mie: 0x80, mip: 0x80 }).run(50)
    expect(bench.expectEnd().x("a0")).toBe(1n)
  })
  it("waits when one is pending but not enabled", () => {
    bench.load("wfi\nli a0, 1").change({ mip: 0x80 })
    expect(bench.run(50)).toBe(exitReason.wait)
  })
  it("with TW is illegal below machine mode, and always in user mode", () => {
    expect(wait(supervisor, 0n)).toBe(exitReason.wait)
    expect(wait(machine, TW)).toBe(exitReason.wait)
    for (const [level, mstatus] of [
      [supervisor, TW],
      [user, TW],
      [user, 0n],
    ] as const) {
      wait(level, mstatus)
      expect(bench.trapped().cause).toBe(cause.illegalInstruction)
    }
  })
})

describe("interrupts", () => {
  const pending = (level: number, state: Parameters<Bench["change"]>[0]) => {
    bench.load("j start\n.align 2\nhandler: j handler\nstart: nop\nloop: j loop")
    bench.change({ privilege: level, stvec: bench.symbol("handler"), ...state }).run(50)
    if (bench.core.get(0, "pc") === bench.symbol("loop")) return "none"
    return bench.core.get(0, "pc") === bench.symbol("handler")
      ? `s${bench.trapOf("s").cause}`
      : `m${bench.trapped().cause}`
  }
  it("to machine mode: by MIE in machine mode, always below", () => {
    const line = { mie: 0x80, mip: 0x80 }
    expect(pending(machine, line)).toBe("none")
    expect(pending(machine, { ...line, mstatus: MSTATUS_RESET | MIE })).toBe("m7")
    expect(pending(supervisor, line)).toBe("m7")
    expect(pending(user, line)).toBe("m7")
  })
  it("delegated: by SIE in supervisor mode, always in user mode, never in machine mode", () => {
    const line = { mie: 0x20, mip: 0x20, mideleg: 0x222 }
    expect(pending(machine, { ...line, mstatus: MSTATUS_RESET | MIE | SIE })).toBe("none")
    expect(pending(supervisor, line)).toBe("none")
    expect(pending(supervisor, { ...line, mstatus: MSTATUS_RESET | SIE })).toBe("s5")
    expect(pending(user, line)).toBe("s5")
  })
  it("are taken in the order MEI MSI MTI SEI SSI STI", () => {
    const order = [11, 3, 7, 9, 1, 5]
    for (let from = 0; from < order.length; from++) {
      const mip = order.slice(from).reduce((sum, bit) => sum + 2 ** bit, 0)
      expect(pending(user, { mie: 0xaaa, mip })).toBe(`m${order[from]}`)
      if (from >= 3) expect(pending(user, { mie: 0xaaa, mip, mideleg: 0x222 })).toBe(`s${order[from]}`)
    }
  })
  it("of machine mode come before delegated ones", () => {
    expect(pending(user, { mie: 0xaaa, mip: 0x280, mideleg: 0x222 })).toBe("m7")
  })
  it("carry the top bit of the cause, no value, and the next instruction's address", () => {
    pending(user, { mie: 0x80, mip: 0x80, mtval: 9 })
    expect(bench.trapped()).toEqual({ cause: 7, value: 0n, pc: 0x80000000n, interrupt: true })
    expect(bench.csr("mcause")).toBe(0x8000000000000007n)
  })
  it("with a vectored base go to four times their cause beyond it", () => {
    bench.load(`la a0, table\naddi a0, a0, 1\ncsrw mtvec, a0\ncsrwi mie, 8\nli a1, 0x80\ncsrs mie, a1\ncsrsi mstatus, 8\nj end
      .align 8
      table: .zero 12
      j software
      .zero 12
      timer: li a2, 7\nj end
      software: li a2, 3\nj end`)
    bench.change({ mip: 0x80 }).run(50)
    bench.expectEnd()
    expect(bench.x("a2")).toBe(7n)
    bench.load("nop")
  })
  it.each([
    ["csrs mie, a0", { mip: 0x80, mstatus: MSTATUS_RESET | MIE }],
    ["csrs mstatus, a1", { mip: 0x80, mie: 0x80 }],
    ["csrs mip, a2", { mie: 0x2, mstatus: MSTATUS_RESET | MIE }],
  ] as const)("%s that enables one is followed by it, with no instruction between", (access, state) => {
    bench.load(`li a0, 0x80\nli a1, 8\nli a2, 2\n${access}\nat: li a3, 1`).change(state).run(50)
    expect(bench.trapped()).toMatchObject({ interrupt: true, pc: BigInt(bench.symbol("at")) })
    expect(bench.x("a3")).toBe(0n)
  })
  it("mret that enables one is followed by it, at the address returned to", () => {
    bench.load("la a0, there\ncsrw mepc, a0\nmret\nnop\nthere: li a3, 1")
    bench.change({ mip: 0x80, mie: 0x80, mstatus: MSTATUS_RESET | MPP | MPIE }).run(50)
    expect(bench.trapped()).toMatchObject({ interrupt: true, pc: BigInt(bench.symbol("there")) })
    expect(bench.x("a3")).toBe(0n)
  })
  it("set from outside are taken when the hart runs again", () => {
    bench
      .load("loop: addi a0, a0, 1\nj loop")
      .change({ mie: 0x80, mstatus: MSTATUS_RESET | MIE })
      .run(100)
    expect(bench.x("a0")).toBe(50n)
    bench.core.setPending(0, 0x80, true)
    bench.run(10)
    expect(bench.trapped()).toMatchObject({ cause: 7, interrupt: true, pc: 0x80000000n })
    expect(bench.x("a0")).toBe(50n)
  })
})

describe("an environment call with the built-in SBI", () => {
  it("stops at the ecall of supervisor mode", () => {
    bench.load("li a0, 5\nat: ecall\nli a1, 1").change({ privilege: supervisor })
    bench.core.set(0, "builtinSbi", 1)
    expect(bench.run(50)).toBe(exitReason.sbi)
    expect(bench.core.get(0, "pc")).toBe(bench.symbol("at"))
  })
  it("does not of user mode", () => {
    bench.load("ecall").change({ privilege: user })
    bench.core.set(0, "builtinSbi", 1)
    bench.run(50)
    expect(bench.trapped().cause).toBe(cause.ecallFromU)
  })
})
