import { describe, expect, it } from "vitest"
import { privilege } from "../../src/riscv/csr.ts"
import { csrByName } from "../../src/riscv/csr-name.ts"
import { cause } from "../../src/riscv/trap.ts"
import { Bench, MSTATUS_RESET } from "./harness.ts"

const bench = new Bench()
const ONES = 2n ** 64n - 1n
const FLOAT_ON = MSTATUS_RESET | 0x2000n

/** What a CSR reads as after a write. */
const written = (csr: string, value: bigint, before: Parameters<Bench["change"]>[0] = {}): bigint => {
  bench.load(`li a1, ${value}\ncsrw ${csr}, a1\ncsrr a0, ${csr}`).change(before).run()
  bench.expectEnd()
  return bench.x("a0")
}

describe("legal values (WARL): what is read after all ones were written", () => {
  it.each([
    ["mstatus", 0x8000000a007e79aan],
    ["sstatus", 0x80000002000c6122n],
    ["medeleg", 0xb3ffn],
    ["mideleg", 0x222n],
    ["mie", 0xaaan],
    ["mip", 0x222n],
    ["mepc", ONES - 1n],
    ["sepc", ONES - 1n],
    ["mcause", ONES],
    ["scause", ONES],
    ["mtval", ONES],
    ["stval", ONES],
    ["mscratch", ONES],
    ["sscratch", ONES],
    ["stimecmp", ONES],
    ["mcounteren", 7n],
    ["scounteren", 7n],
    ["menvcfg", 0x8000000000000001n],
    ["senvcfg", 1n],
    ["pmpcfg2", 0x9f9f9f9f9f9f9f9fn],
    ["pmpaddr15", 2n ** 54n - 1n],
    ["misa", 0x800000000014112dn],
    ["mhpmcounter3", 0n],
    ["mhpmevent31", 0n],
    ["tselect", 0n],
    ["tdata1", 0n],
  ])("%s", (csr, expected) => {
    expect(written(csr, ONES)).toBe(expected)
  })

  it.each([
    ["fcsr", 0xffn],
    ["frm", 7n],
    ["fflags", 31n],
  ])("%s, with floating point on", (csr, expected) => {
    expect(written(csr, ONES, { mstatus: FLOAT_ON })).toBe(expected)
  })

  it.each(["mtvec", "stvec"])("%s keeps its value when a reserved mode is written", csr => {
    expect(written(csr, 0x80001001n)).toBe(0x80001001n)
    expect(written(csr, 0x80001002n, { [csr]: 0x80000104 })).toBe(0x80000104n)
    expect(written(csr, 0x80001003n, { [csr]: 0x80000104 })).toBe(0x80000104n)
  })

  it("MPP keeps its value when it would name no privilege", () => {
    const mpp = (value: bigint) => (value >> 11n) & 3n
    expect(mpp(written("mstatus", 2n << 11n, { mstatus: MSTATUS_RESET | (1n << 11n) }))).toBe(1n)
    expect(mpp(written("mstatus", 3n << 11n))).toBe(3n)
    expect(mpp(written("mstatus", 0n, { mstatus: MSTATUS_RESET | (3n << 11n) }))).toBe(0n)
  })

  it("satp takes known modes only; the others change nothing", () => {
    const value = 0x0abc_0000_0008_0000n
    expect(written("satp", value | (8n << 60n))).toBe(value | (8n << 60n))
    expect(written("satp", value | (9n << 60n))).toBe(value | (9n << 60n))
    expect(written("satp", value | (10n << 60n), { satp: 5 })).toBe(5n)
    expect(written("satp", value | (1n << 60n), { satp: 5 })).toBe(5n)
    expect(written("satp", 7n)).toBe(7n)
  })

  it("mstatus keeps the widths of S- and U-mode when zeros are written", () => {
    expect(written("mstatus", 0n, { mstatus: MSTATUS_RESET | 0x7e79aan })).toBe(MSTATUS_RESET)
  })

  it("mstatus.SD says that floating-point state is dirty", () => {
    expect(written("mstatus", 1n << 13n) >> 63n).toBe(0n)
    expect(written("mstatus", 2n << 13n) >> 63n).toBe(0n)
    expect(written("mstatus", 3n << 13n) >> 63n).toBe(1n)
  })
})

describe("views", () => {
  it("sstatus shows and changes its part of mstatus only", () => {
    bench
      .load("csrr a0, sstatus\nli a1, -1\ncsrw sstatus, a1\ncsrr a2, mstatus")
      .change({ mstatus: MSTATUS_RESET | 0x1888n })
      .run()
    expect(bench.x("a0")).toBe(0x200000000n)
    expect(bench.x("a2")).toBe(0x8000000a000c79aan)
  })
  it("sie and sip show what is delegated", () => {
    bench.load("csrr a0, sie\ncsrr a1, sip").change({ mideleg: 0x220, mie: 0xaaa, mip: 0xaaa }).run()
    expect([bench.x("a0"), bench.x("a1")]).toEqual([0x220n, 0x220n])
  })
  it("sie changes what is delegated only", () => {
    bench
      .load("csrw sie, x0\ncsrr a0, mie\nli a1, -1\ncsrw sie, a1\ncsrr a2, mie")
      .change({ mideleg: 0x20, mie: 0x888 | 0x220 })
      .run()
    expect([bench.x("a0"), bench.x("a2")]).toEqual([0xa88n, 0xaa8n])
  })
  it("sip changes SSIP alone, and that only when delegated", () => {
    bench.load("li a1, -1\ncsrw sip, a1\ncsrr a0, mip").change({ mideleg: 0x220 }).run()
    expect(bench.x("a0")).toBe(0n)
    bench.load("li a1, -1\ncsrw sip, a1\ncsrr a0, mip").change({ mideleg: 0x222 }).run()
    expect(bench.x("a0")).toBe(2n)
  })
  it("mip takes SSIP, STIP and SEIP; the lines of devices are read only", () => {
    bench.load("csrw mip, x0\ncsrr a0, mip").change({ mip: 0xaaa }).run()
    expect(bench.x("a0")).toBe(0x888n)
  })
  it("with Sstc, STIP is the timer's alone", () => {
    bench
      .load("csrw mip, x0\ncsrr a0, mip")
      .change({ mip: 0x222, menvcfg: 1n << 63n })
      .run()
    expect(bench.x("a0")).toBe(0x20n)
  })
  it("fcsr is frm and fflags", () => {
    bench
      .load("csrwi frm, 3\ncsrwi fflags, 21\ncsrr a0, fcsr\nli a1, 0xe1\ncsrw fcsr, a1\ncsrr a2, frm\ncsrr a3, fflags")
      .change({ mstatus: FLOAT_ON })
      .run()
    expect([bench.x("a0"), bench.x("a2"), bench.x("a3")]).toEqual([0x75n, 7n, 1n])
  })
})

describe("access instructions", () => {
  it("csrrw swaps, csrrs sets, csrrc clears, each giving the old value", () => {
    bench.finish(`li a0, 0xf0
      csrw mscratch, a0
      li a1, 0x0f
      csrrs a2, mscratch, a1
      li a1, 0x3c
      csrrc a3, mscratch, a1
      csrrw a4, mscratch, a1
      csrrsi a5, mscratch, 3
      csrrci a6, mscratch, 1
      csrrwi a7, mscratch, 31
      csrr t0, mscratch`)
    expect(["a2", "a3", "a4", "a5", "a6", "a7", "t0"].map(name => bench.x(name))).toEqual([
      0xf0n,
      0xffn,
      0xc3n,
      0x3cn,
      0x3fn,
      0x3en,
      31n,
    ]) // prettier-ignore
  })
  it("source and destination may be one register", () => {
    bench.finish("csrwi mscratch, 5\nli a0, 9\ncsrrw a0, mscratch, a0\ncsrr a1, mscratch")
    expect([bench.x("a0"), bench.x("a1")]).toEqual([5n, 9n])
    bench.finish("csrwi mscratch, 5\nli a0, 8\ncsrrs a0, mscratch, a0\ncsrr a1, mscratch")
    expect([bench.x("a0"), bench.x("a1")]).toEqual([5n, 13n])
  })
  it("csrrs and csrrc with x0 or 0 only read: read-only registers allow them", () => {
    bench.finish("csrrs a0, mhartid, x0\ncsrrc a0, mhartid, x0\ncsrrsi a0, mhartid, 0\ncsrrci a0, mhartid, 0")
    for (const access of [
      "csrrw a0, mhartid, x0",
      "csrrwi a0, mhartid, 0",
      "csrrs a0, cycle, a1",
      "csrrci a0, time, 1",
    ]) {
      bench.load(`li a0, 77\n${access}`).run()
      expect(bench.trapped().cause).toBe(cause.illegalInstruction)
      expect(bench.x("a0")).toBe(77n)
    }
  })
})

describe("what may not be accessed is an illegal instruction", () => {
  const attempt = (source: string, state: Parameters<Bench["change"]>[0]): "done" | number => {
    bench.load(source).change(state).run(200)
    return bench.core.get(0, "pc") === bench.symbol("end") ? "done" : bench.trapped().cause
  }
  const illegal = cause.illegalInstruction
  it.each([
    "0x000",
    "0x101",
    "0x307",
    "0x3a1",
    "0x3a3",
    "0x3c0",
    "0x5a8",
    "0x600",
    "0x747",
    "0x7b0",
    "0xb01",
    "0xc20",
    "0xda0",
    "0xfff",
  ])("CSR %s is not there", csr => {
    expect(attempt(`csrr a0, ${csr}`, { mstatus: FLOAT_ON })).toBe(illegal)
  })
  it.each(["mstatus", "mhartid", "mscratch", "pmpaddr0", "mcycle", "misa"])("%s below machine mode", csr => {
    for (const level of [privilege.user, privilege.supervisor])
      expect(attempt(`csrr a0, ${csr}`, { privilege: level })).toBe(illegal)
  })
  it.each(["sstatus", "satp", "stvec", "sip"])("%s in user mode", csr => {
    expect(attempt(`csrr a0, ${csr}`, { privilege: privilege.user })).toBe(illegal)
    expect(attempt(`csrr a0, ${csr}`, { privilege: privilege.supervisor })).toBe("done")
  })
  it.each([
    ["cycle", 1],
    ["time", 2],
    ["instret", 4],
  ])("%s without leave from above", (csr, bit) => {
    const read = `csrr a0, ${csr}`
    const [S, Um] = [privilege.supervisor, privilege.user]
    expect(attempt(read, { privilege: privilege.machine })).toBe("done")
    expect(attempt(read, { privilege: S })).toBe(illegal)
    expect(attempt(read, { privilege: S, mcounteren: 7 - bit, scounteren: 7 })).toBe(illegal)
    expect(attempt(read, { privilege: S, mcounteren: bit })).toBe("done")
    expect(attempt(read, { privilege: Um, mcounteren: bit })).toBe(illegal)
    expect(attempt(read, { privilege: Um, scounteren: bit })).toBe(illegal)
    expect(attempt(read, { privilege: Um, mcounteren: bit, scounteren: bit })).toBe("done")
  })
  it("stimecmp without Sstc or without leave to see time", () => {
    const S = privilege.supervisor
    expect(attempt("csrr a0, stimecmp", {})).toBe("done")
    expect(attempt("csrr a0, stimecmp", { privilege: S, mcounteren: 2 })).toBe(illegal)
    expect(attempt("csrr a0, stimecmp", { privilege: S, menvcfg: 1n << 63n })).toBe(illegal)
    expect(attempt("csrr a0, stimecmp", { privilege: S, menvcfg: 1n << 63n, mcounteren: 2 })).toBe("done")
  })
  it("satp and sfence.vma in supervisor mode with TVM", () => {
    const state = { privilege: privilege.supervisor, mstatus: MSTATUS_RESET | (1n << 20n) }
    for (const access of ["csrr a0, satp", "csrw satp, x0", "sfence.vma"]) {
      expect(attempt(access, state)).toBe(illegal)
      expect(attempt(access, { mstatus: state.mstatus })).toBe("done")
    }
  })
  it.each([
    "csrr a0, fcsr",
    "frrm a0",
    "fadd.d fa0, fa1, fa2",
    "fld fa0, (sp)",
    "fsd fa0, (sp)",
    "fmv.x.d a0, fa0",
    "c.fldsp fa0, 0(sp)",
  ])("%s with floating point off", access => {
    expect(attempt(`la sp, end\n${access}`, {})).toBe(illegal)
    expect(attempt(`li sp, 0x80008000\n${access}`, { mstatus: FLOAT_ON })).toBe("done")
  })
  it("a reserved rounding mode, written or in frm", () => {
    expect(attempt(".word 0x00c5d553", { mstatus: FLOAT_ON })).toBe(illegal)
    expect(attempt(".word 0x00c5e553", { mstatus: FLOAT_ON })).toBe(illegal)
    for (const mode of [5, 6, 7])
      expect(attempt(`csrwi frm, ${mode}\nfadd.s fa0, fa1, fa2`, { mstatus: FLOAT_ON })).toBe(illegal)
    expect(attempt("csrwi frm, 5\nfadd.s fa0, fa1, fa2, rne", { mstatus: FLOAT_ON })).toBe("done")
    expect(attempt("csrwi frm, 5\nfmin.s fa0, fa1, fa2", { mstatus: FLOAT_ON })).toBe("done")
  })
})

describe("floating-point state", () => {
  const state = (source: string): bigint => {
    bench.load(`li sp, 0x80008000\n${source}`).change({ mstatus: FLOAT_ON }).run(200)
    return (bench.csr("mstatus") >> 13n) & 3n
  }
  it.each([
    "fld fa0, (sp)",
    "fadd.d fa0, fa1, fa2",
    "fmv.d.x fa0, a0",
    "fcvt.d.w fa0, a0",
    "csrwi fflags, 1",
    "fsgnj.s fa0, fa0, fa0",
  ])("is dirty after %s", access => {
    expect(state(access)).toBe(3n)
  })
  it.each(["fmv.x.d a0, fa0", "csrr a0, fcsr", "fsd fa0, (sp)", "nop"])("is not after %s", access => {
    expect(state(access)).toBe(1n)
  })
})

describe("names", () => {
  it("cover the numbered registers", () => {
    expect([csrByName("pmpaddr7"), csrByName("mhpmevent3"), csrByName("hpmcounter3")]).toEqual([0x3b7, 0x323, 0xc03])
  })
})
