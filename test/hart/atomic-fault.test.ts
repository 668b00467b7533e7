import { describe, expect, it } from "vitest"
import { cause } from "../../src/riscv/trap.ts"
import { A, Bench, D, PageTables, R, RAM_BASE, V } from "./harness.ts"

const bench = new Bench()
const DATA = RAM_BASE + 0x8000

// A read-modify-write needs leave to write, so it faults as a store does, wherever the trouble is. Unprivileged ISA, chapter 13.
const stores = ["amoadd.w a0, a2, (a1)", "amoswap.d a0, a2, (a1)", "amomaxu.w a0, a2, (a1)"]
const storesAndSc = [...stores, "sc.w a0, a2, (a1)", "sc.d a0, a2, (a1)"]
const loads = ["lr.w a0, (a1)", "lr.d a0, (a1)"]

const trapOf = (access: string, address: number) => {
  bench.load(`li a1, ${address}\nli a0, 77\n${access}`).run(200)
  expect(bench.x("a0")).toBe(77n)
  return bench.trapped()
}

describe("atomics fault", () => {
  it.each(loads)("misaligned, as a load: %s", access =>
    expect(trapOf(access, DATA + 2)).toMatchObject({ cause: cause.loadMisaligned, value: BigInt(DATA + 2) }),
  )
  it.each(storesAndSc)("misaligned, as a store: %s", access =>
    expect(trapOf(access, DATA + 2)).toMatchObject({ cause: cause.storeMisaligned, value: BigInt(DATA + 2) }),
  )
  it.each(loads)("outside RAM, as a load: %s", access =>
    expect(trapOf(access, 0x10000)).toMatchObject({ cause: cause.loadAccessFault, value: 0x10000n }),
  )
  it.each(storesAndSc)("outside RAM, as a store: %s", access =>
    expect(trapOf(access, 0x10000)).toMatchObject({ cause: cause.storeAccessFault, value: 0x10000n }),
  )
  it.each(stores)("in a page that may only be read, as a store that leaves its entry alone: %s", access => {
    bench.load(access)
    const tables = new PageTables(bench, 3)
    tables.map(0x4000_0000n, RAM_BASE, V | R | A | D)
    const entry = tables.entry(0x4000_0000n)
    bench.setWord64(entry, bench.word64(entry) & ~(A | D))
    const before = bench.word64(entry)
    // Machine mode with MPRV and MPP = S: its loads and stores go through the tables, its fetches do not.
    bench.setX("a1", 0x4000_0000n)
    bench.change({ satp: tables.satp(), mstatus: 0xa00000000n | (1n << 17n) | (1n << 11n) }).run(200)
    expect(bench.trapped()).toMatchObject({ cause: cause.storePageFault, value: 0x4000_0000n })
    expect(bench.word64(entry)).toBe(before)
  })
})
