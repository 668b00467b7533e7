import { describe, expect, it } from "vitest"
import { privilege } from "../../src/riscv/csr.ts"
import { cause } from "../../src/riscv/trap.ts"
import { Bench, MSTATUS_RESET, PageTables, R, RAM_BASE, V, W, X } from "./harness.ts"

const bench = new Bench()
const { user, supervisor, machine } = privilege
const DATA = RAM_BASE + 0x8000
const READ = 1
const WRITE = 2
const EXECUTE = 4
const TOR = 8
const NA4 = 0x10
const NAPOT = 0x18
const LOCKED = 0x80
const OPEN = { config: NAPOT | 7, address: (1n << 54n) - 1n }

interface Entry {
  readonly config: number
  /** As pmpaddr holds it: a byte address divided by four, and the size for NAPOT. */
  readonly address: bigint
}
/** A naturally aligned region of `size` bytes, 8 or more. */
const napot = (from: number, size: number) => BigInt(from / 4) | BigInt(size / 8 - 1)
const word = (address: number) => BigInt(address / 4)

const start = (source: string, entries: readonly Entry[], level: number = supervisor) => {
  bench.load(source)
  const configs = (first: number) =>
    entries.slice(first, first + 8).reduce((sum, { config }, at) => sum | (BigInt(config) << BigInt(8 * at)), 0n)
  for (let entry = 0; entry < 16; entry++) bench.core.setBig(0, "pmpaddr", entries[entry]?.address ?? 0n, entry)
  bench.change({ pmpcfg0: configs(0), pmpcfg2: configs(8), privilege: level })
}
/** "done", or the cause of the trap. */
const run = () => {
  bench.run(300)
  return bench.core.get(0, "pc") === bench.symbol("end") ? "done" : bench.trapped().cause
}
const attempt = (access: string, address: number, entries: readonly Entry[], level: number = supervisor) => {
  start(`li a1, ${address}\n${access}`, entries, level)
  return run()
}
const { loadAccessFault: load, storeAccessFault: store, instructionAccessFault: fetch } = cause

describe("with no entry that matches", () => {
  it("machine mode may, the others may not", () => {
    expect(attempt("ld a0, (a1)", DATA, [], machine)).toBe("done")
    expect(attempt("ld a0, (a1)", DATA, [], supervisor)).toBe(fetch)
    expect(attempt("ld a0, (a1)", DATA, [], user)).toBe(fetch)
  })
})

describe("rights", () => {
  it.each([
    [0, load, store, fetch],
    [READ, "done", store, fetch],
    [READ | WRITE, "done", "done", fetch],
    [EXECUTE, load, store, "done"],
    [READ | EXECUTE, "done", store, "done"],
    [READ | WRITE | EXECUTE, "done", "done", "done"],
  ] as const)("%d on a page", (rights, loads, stores, fetches) => {
    const entries = [{ config: NAPOT | rights, address: napot(DATA, 4096) }, OPEN]
    expect([
      attempt("ld a0, (a1)", DATA, entries),
      attempt("sd a0, (a1)", DATA, entries),
      attempt("lr.d a0, (a1)", DATA, entries),
      attempt("amoadd.d a0, a2, (a1)", DATA, entries),
    ]).toEqual([loads, stores, loads, stores])
    start(`li a1, ${DATA}\njalr a1`, entries)
    bench.placeProgram(DATA, "ret")
    expect(run()).toBe(fetches)
    // An unlocked entry does not bind machine mode.
    expect(attempt("sd a0, (a1)", DATA, entries, machine)).toBe("done")
  })
  it("a fault shows the virtual address", () => {
    start(`li a1, ${DATA + 24}\nat: sd a0, (a1)`, [{ config: NAPOT | READ, address: napot(DATA, 4096) }, OPEN])
    expect(run()).toBe(store)
    expect(bench.trapped()).toMatchObject({ value: BigInt(DATA + 24), pc: BigInt(bench.symbol("at")) })
  })
})

describe("matching", () => {
  it("the lowest-numbered entry decides", () => {
    const closed = { config: NAPOT, address: napot(DATA, 4096) }
    const open = { config: NAPOT | 7, address: napot(DATA, 4096) }
    expect(attempt("ld a0, (a1)", DATA, [closed, open, OPEN])).toBe(load)
    expect(attempt("ld a0, (a1)", DATA, [open, closed, OPEN])).toBe("done")
  })
  it("entries 8 to 15 count as well", () => {
    const off = Array.from({ length: 14 }, () => ({ config: 0, address: 0n }))
    expect(attempt("ld a0, (a1)", DATA, [...off, { config: NAPOT, address: napot(DATA, 4096) }, OPEN])).toBe(load)
  })
  it("TOR: from the entry before up to, not including, its own address", () => {
    const entries = [
      { config: 0, address: word(DATA + 8) },
      { config: TOR | READ, address: word(DATA + 24) },
      { config: NAPOT, address: napot(DATA, 4096) },
      OPEN,
    ]
    const reads = [0, 8, 16, 24, 32].map(offset => attempt("ld a0, (a1)", DATA + offset, entries))
    expect(reads).toEqual([load, "done", "done", load, load])
  })
  it("TOR of entry 0 begins at zero", () => {
    const entries = [
      { config: TOR | READ | EXECUTE, address: word(DATA) },
      { config: NAPOT, address: OPEN.address },
    ]
    expect(attempt("ld a0, (a1)", DATA - 8, entries)).toBe("done")
    expect(attempt("ld a0, (a1)", DATA, entries)).toBe(load)
  })
  it("TOR with nothing in it matches nothing", () => {
    const empty = [{ config: 0, address: word(DATA + 8) }, { config: TOR, address: word(DATA + 8) }, OPEN]
    const reversed = [{ config: 0, address: word(DATA + 16) }, { config: TOR, address: word(DATA) }, OPEN]
    expect([attempt("ld a0, (a1)", DATA + 8, empty), attempt("ld a0, (a1)", DATA + 8, reversed)]).toEqual([
      "done",
      "done",
    ])
  })
  it("NA4: four bytes", () => {
    const entries = [{ config: NA4, address: word(DATA + 4) }, OPEN]
    const reads = [0, 4, 8].map(offset => attempt("lw a0, (a1)", DATA + offset, entries))
    expect(reads).toEqual(["done", load, "done"])
  })
  it.each([8, 16, 64, 4096, 0x8000])("NAPOT of %d bytes", size => {
    const from = DATA
    const entries = [{ config: NAPOT | READ | EXECUTE, address: napot(from, size) }, OPEN]
    const writes = [from - 8, from, from + size - 8, from + size].map(at => attempt("sd a0, (a1)", at, entries))
    expect(writes).toEqual(["done", store, store, "done"])
  })
  it("an access that an entry covers in part fails, in machine mode too", () => {
    const entries = [{ config: NA4 | 7, address: word(DATA + 4) }, OPEN]
    expect(attempt("ld a0, (a1)", DATA, entries)).toBe(load)
    expect(attempt("ld a0, (a1)", DATA, entries, machine)).toBe(load)
    expect(attempt("lw a0, (a1)", DATA + 2, entries)).toBe(load)
    expect(attempt("lw a0, (a1)", DATA + 4, entries)).toBe("done")
  })
})

describe("regions smaller than a page", () => {
  const half = [{ config: NAPOT | READ | EXECUTE, address: napot(DATA + 0x800, 0x800) }, OPEN]
  it("hold for data however often the page was used before", () => {
    start(
      `li a1, ${DATA}\nli s0, 20\nloop: sd a0, (a1)\nld a0, (a1)\naddi s0, s0, -1\nbnez s0, loop\nat: sd a0, 0x7f8(a1)\nli a2, ${DATA + 0x800}\nnow: sd a0, (a2)`,
      half,
    )
    expect(run()).toBe(store)
    expect(bench.trapped().pc).toBe(BigInt(bench.symbol("now")))
  })
  it("hold for atomics", () => {
    expect(
      attempt(
        "amoadd.d a0, a0, (a1)\namoadd.d a0, a0, (a1)\naddi a1, a1, 2040\namoadd.d a0, a0, 8(a1)".replace(
          "8(a1)",
          "(a1)\nli a1, 0x80008800\namoadd.d a0, a0, (a1)",
        ),
        DATA,
        half,
      ),
    ).toBe(store)
  })
  const noCode = [{ config: NAPOT | READ | WRITE, address: napot(DATA + 0x800, 0x800) }, OPEN]
  it("hold for code that is jumped to", () => {
    start(`li a1, ${DATA}\njalr a1\nli a1, ${DATA + 0x800}\njalr a1`, noCode)
    bench.placeProgram(DATA, "ret")
    bench.placeProgram(DATA + 0x800, "ret")
    expect(run()).toBe(fetch)
    expect(bench.trapped()).toMatchObject({ value: BigInt(DATA + 0x800), pc: BigInt(DATA + 0x800) })
  })
  it("hold for code that is run into", () => {
    start(`li a1, ${DATA + 0x7f8}\njr a1`, noCode)
    bench.placeProgram(DATA + 0x7f8, "li a0, 1\nli a0, 2\nli a0, 3\nloop: j loop")
    expect(run()).toBe(fetch)
    expect(bench.trapped()).toMatchObject({ value: BigInt(DATA + 0x800), pc: BigInt(DATA + 0x800) })
    expect(bench.x("a0")).toBe(2n)
  })
  it("hold for code that is branched to inside the page", () => {
    start(`li a1, ${DATA + 0x7f0}\njr a1`, noCode)
    bench.placeProgram(DATA + 0x7f0, "li a0, 1\nbeqz x0, on\nnop\nnop\non: li a0, 3\nloop: j loop")
    expect(run()).toBe(fetch)
    expect(bench.x("a0")).toBe(1n)
  })
  it("let the code beside them run, loops and all", () => {
    start(`li a1, ${DATA + 0x7e0}\njalr a1`, noCode)
    bench.placeProgram(DATA + 0x7e0, "li a0, 10\nloop: addi a2, a2, 3\naddi a0, a0, -1\nbnez a0, loop\nret")
    expect(run()).toBe("done")
    expect(bench.x("a2")).toBe(30n)
  })
  it("hold for an instruction half inside", () => {
    start(`li a1, ${DATA + 0x7fe}\njr a1`, noCode)
    bench.placeProgram(DATA + 0x7fe, "li a0, 1\nloop: j loop")
    expect(run()).toBe(fetch)
    expect(bench.trapped().pc).toBe(BigInt(DATA + 0x7fe))
  })
})

describe("locked entries", () => {
  const locked = (rights: number) => [{ config: LOCKED | NAPOT | rights, address: napot(DATA, 4096) }, OPEN]
  it("bind machine mode", () => {
    expect(attempt("ld a0, (a1)", DATA, locked(READ), machine)).toBe("done")
    expect(attempt("sd a0, (a1)", DATA, locked(READ), machine)).toBe(store)
    start(`li a1, ${DATA}\njr a1`, locked(READ), machine)
    expect(run()).toBe(fetch)
  })
  it("keep their configuration and address", () => {
    start(
      "csrw pmpcfg0, x0\nli a1, -1\ncsrw pmpaddr0, a1\ncsrw pmpaddr1, x0\ncsrr a2, pmpcfg0\ncsrr a3, pmpaddr0\ncsrr a4, pmpaddr1",
      locked(READ),
      machine,
    )
    expect(run()).toBe("done")
    expect([bench.x("a2"), bench.x("a3"), bench.x("a4")]).toEqual([0x99n, napot(DATA, 4096), 0n])
  })
  it("of kind TOR keep the address of the entry before them", () => {
    const entries = [
      { config: 0, address: word(DATA) },
      { config: LOCKED | TOR | READ, address: word(DATA + 4096) },
    ]
    start("csrw pmpaddr0, x0\ncsrr a2, pmpaddr0", entries, machine)
    expect(run()).toBe("done")
    expect(bench.x("a2")).toBe(word(DATA))
  })
  it("in pmpcfg2 and at its border too", () => {
    const off = Array.from({ length: 7 }, () => ({ config: 0, address: 0n }))
    const entries = [
      ...off,
      { config: 0, address: word(DATA) },
      { config: LOCKED | TOR | READ, address: word(DATA + 4096) },
    ]
    start("csrw pmpaddr7, x0\ncsrr a2, pmpaddr7\ncsrw pmpcfg2, x0\ncsrr a3, pmpcfg2", entries, machine)
    expect(run()).toBe("done")
    expect([bench.x("a2"), bench.x("a3")]).toEqual([word(DATA), 0x89n])
  })
})

describe("changes", () => {
  it("count at once, whatever was used before", () => {
    const source = `li a1, ${DATA}
      li a2, ${napot(DATA, 4096)}
      li a3, 0x99
      ld a0, (a1)
      sd a0, (a1)
      csrw pmpaddr0, a2
      csrw pmpcfg0, a3
      ld a0, (a1)
      at: sd a0, (a1)`
    start(source, [], machine)
    expect(run()).toBe(store)
    expect(bench.trapped().pc).toBe(BigInt(bench.symbol("at")))
  })
  it("to MPRV and MPP count as well", () => {
    const source = `li a1, ${DATA}\nld a0, (a1)\nli a2, 0x20000\ncsrs mstatus, a2\nat: ld a0, (a1)`
    start(source, [], machine)
    expect(run()).toBe(load)
    expect(bench.trapped().pc).toBe(BigInt(bench.symbol("at")))
  })
})

describe("page tables are protected too", () => {
  const walk = (rights: number, flags: bigint, access: string) => {
    bench.load(`li a1, 0x5000\n${access}`)
    const tables = new PageTables(bench, 3)
    tables.map(BigInt(RAM_BASE), RAM_BASE, V | R | W | X | 0xc0n)
    tables.map(0x5000n, DATA, flags)
    const leaf = tables.entry(0x5000n)
    // The table of 0x5000 alone is restricted.
    bench.core.setBig(0, "pmpaddr", napot(leaf - (leaf % 4096), 4096), 0)
    bench.core.setBig(0, "pmpaddr", OPEN.address, 1)
    const pmpcfg0 = BigInt(NAPOT | rights) | (BigInt(OPEN.config) << 8n)
    bench.change({ privilege: supervisor, satp: tables.satp(), pmpcfg0 })
    return run()
  }
  it("one that may not be read is an access fault of the access made", () => {
    expect(walk(0, V | R | W | 0xc0n, "ld a0, (a1)")).toBe(load)
    expect(walk(0, V | R | W | 0xc0n, "sd a0, (a1)")).toBe(store)
    expect(walk(0, V | R | X | 0xc0n, "jr a1")).toBe(fetch)
    expect(bench.trapped().value).toBe(0x5000n)
  })
  it("one that may not be written serves until a bit must be set", () => {
    expect(walk(READ, V | R | W | 0xc0n, "sd a0, (a1)")).toBe("done")
    expect(walk(READ, V | R | W | 0x40n, "ld a0, (a1)")).toBe("done")
    expect(walk(READ, V | R | W | 0x40n, "sd a0, (a1)")).toBe(store)
    expect(walk(READ, V | R | W, "ld a0, (a1)")).toBe(load)
  })
  it("mstatus stays as it was", () => {
    walk(READ, V | R | W | 0xc0n, "ld a0, (a1)")
    expect(bench.csr("mstatus")).toBe(MSTATUS_RESET)
  })
})
