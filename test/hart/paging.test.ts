import { describe, expect, it } from "vitest"
import { privilege } from "../../src/riscv/csr.ts"
import { cause } from "../../src/riscv/trap.ts"
import { A, Bench, D, MSTATUS_RESET, PageTables, R, RAM_BASE, U, V, W, X } from "./harness.ts"

const bench = new Bench({ harts: 2, ramBytes: 4 << 20 })
const { user, supervisor, machine } = privilege
const SUM = 1n << 18n
const MXR = 1n << 19n
const MPRV = 1n << 17n
const RWX = V | R | W | X
const DATA = RAM_BASE + 0x10000
const MEGA = 0x200000
const pageOf = (address: number) => address - (address % 4096)

/**
 * A program in supervisor mode, its page mapped where it lies, tables as `build` says.
 * With `userPages` the program's own page is one for user mode, where it then runs.
 */
const start = (
  levels: 3 | 4,
  source: string,
  build: (tables: PageTables) => void,
  state: Parameters<Bench["change"]>[0] = {},
): PageTables => {
  bench.load(source)
  const tables = new PageTables(bench, levels)
  const level = state.privilege ?? supervisor
  tables.map(BigInt(RAM_BASE), RAM_BASE, RWX | (level === user ? U : 0n))
  build(tables)
  bench.change({ privilege: level, satp: tables.satp(), ...state })
  return tables
}

describe.each([3, 4] as const)("a walk of %d levels", levels => {
  const high = levels === 3 ? 0xffffffd000000000n : 0xffff900000000000n
  const low = levels === 3 ? 0x2000000000n : 0x400000000000n

  it.each([0x5000n, 0x3f_0000_5000n % (1n << (levels === 3 ? 38n : 47n)), low, high])("translates %#x", virtual => {
    start(levels, `li a1, ${virtual}\nli a2, 77\nsd a2, 8(a1)\nld a0, 8(a1)`, tables =>
      tables.map(virtual, DATA, V | R | W),
    )
    bench.run()
    expect(bench.expectEnd().x("a0")).toBe(77n)
    expect(bench.word64(DATA + 8)).toBe(77n)
  })

  it("takes superpages of every level", () => {
    for (let level = 1; level < levels; level++) {
      const size = 1n << BigInt(12 + 9 * level)
      // The superpage begins at RAM; beyond a gigabyte it would begin before it, so its frame is aligned down.
      const frame = BigInt(RAM_BASE) & ~(size - 1n)
      const virtual = size * 3n
      const inside = BigInt(DATA) - frame
      start(levels, `li a1, ${virtual + inside}\nli a2, ${level}\nsd a2, (a1)\nld a0, (a1)`, tables =>
        tables.map(virtual, Number(frame), V | R | W, level),
      )
      bench.run()
      bench.expectEnd()
      expect(bench.word64(DATA)).toBe(BigInt(level))
    }
  })

  it("refuses a superpage that is not aligned", () => {
    start(levels, "li a1, 0x600000\nld a0, (a1)", tables => tables.map(0x600000n, DATA, V | R | W, 1))
    bench.run()
    expect(bench.trapped()).toMatchObject({ cause: cause.loadPageFault, value: 0x600000n })
  })

  it("refuses addresses whose upper bits are not all alike", () => {
    const bits = BigInt(levels * 9 + 12)
    for (const virtual of [1n << (bits - 1n), 1n << bits, 1n << 63n, (2n ** 64n - 1n) ^ (1n << bits)]) {
      start(levels, `li a1, ${virtual}\nld a0, (a1)`, () => {})
      bench.run()
      expect(bench.trapped()).toMatchObject({ cause: cause.loadPageFault, value: BigInt.asUintN(64, virtual) })
    }
  })
})

describe("page faults", () => {
  const kinds = [
    ["load", "ld a0, (a1)", cause.loadPageFault],
    ["store", "sd a0, (a1)", cause.storePageFault],
    ["LR", "lr.d a0, (a1)", cause.loadPageFault],
    ["SC", "sc.d a0, a2, (a1)", cause.storePageFault],
    ["AMO", "amoadd.d a0, a2, (a1)", cause.storePageFault],
    ["fetch", "jr a1", cause.instructionPageFault],
  ] as const
  const bad: readonly (readonly [string, bigint])[] = [
    ["not valid", R | W | X],
    ["writable but not readable", V | W],
    ["writable and executable but not readable", V | W | X],
    ["a reserved bit", RWX | (1n << 54n)],
    ["bit 63 (N)", RWX | (1n << 63n)],
    ["bit 61 (PBMT)", RWX | (1n << 61n)],
    ["a pointer at the last level", V],
    ["a user page", RWX | U],
  ]
  it.each(
    bad.flatMap(([why, flags]) => kinds.map(([kind, access, code]) => [kind, why, access, code, flags] as const)),
  )("a %s where the entry is %s", (_, __, access, code, flags) => {
    start(3, `li a0, 99\nli a1, 0x5008\nat: ${access}`, tables => {
      tables.map(0x5000n, DATA, 0n)
      bench.setWord64(tables.entry(0x5000n), (BigInt(DATA) >> 2n) | flags)
    })
    bench.run()
    const pc = access === "jr a1" ? 0x5008n : BigInt(bench.symbol("at"))
    expect(bench.trapped()).toEqual({ cause: code, value: 0x5008n, pc, interrupt: false })
    expect(bench.x("a0")).toBe(99n)
    // Nothing was marked accessed.
  })

  it.each([
    [V | R, ["load", "LR"]],
    [V | X, ["fetch"]],
    [V | R | W, ["load", "LR", "store", "SC", "AMO"]],
    [V | R | X, ["load", "LR", "fetch"]],
  ] as const)("rights %d allow what they name and no more", (flags, allowed) => {
    for (const [kind, access, code] of kinds) {
      start(3, `li a1, 0x5008\n${access}\nj end`, tables => tables.map(0x5000n, DATA, flags))
      bench.placeProgram(DATA + 8, "loop: j loop")
      bench.run()
      const pc = bench.core.get(0, "pc")
      if ((allowed as readonly string[]).includes(kind)) expect([bench.symbol("end"), 0x5008]).toContain(pc)
      else expect(bench.trapped()).toMatchObject({ cause: code, value: 0x5008n })
    }
  })

  it("a pointer with A, D or U set is reserved", () => {
    for (const flag of [A, D, U]) {
      start(3, "li a1, 0x5000\nld a0, (a1)", tables => {
        tables.map(0x5000n, DATA, V | R)
        const pointer = tables.entry(0x5000n, 2)
        bench.setWord64(pointer, bench.word64(pointer) | flag)
      })
      // The program's own page hangs on another pointer.
      bench.run()
      expect(bench.trapped()).toMatchObject({ cause: cause.loadPageFault, value: 0x5000n })
    }
  })

  it("tables outside memory are an access fault of the access made", () => {
    for (const [access, code] of [
      ["ld a0, (a1)", cause.loadAccessFault],
      ["sd a0, (a1)", cause.storeAccessFault],
      ["jr a1", cause.instructionAccessFault],
    ] as const) {
      start(3, `li a1, 0x3000005000\n${access}`, tables => {
        bench.setWord64(tables.entry(0x3000005000n, 2), (0x40000000n >> 2n) | V)
      })
      bench.run()
      expect(bench.trapped()).toMatchObject({ cause: code, value: 0x3000005000n })
    }
  })

  it("an access across two pages shows the start of the second when that is the bad one", () => {
    for (const [access, code] of [
      ["ld a0, (a1)", cause.loadPageFault],
      ["sd a0, (a1)", cause.storePageFault],
    ] as const) {
      start(3, `li a0, -1\nli a1, 0x5ffd\n${access}`, tables => tables.map(0x5000n, DATA, V | R | W))
      bench.run()
      expect(bench.trapped()).toMatchObject({ cause: code, value: 0x6000n })
      expect(bench.byte(DATA + 0xffd)).toBe(0)
    }
  })

  it("and its own address when the first is", () => {
    start(3, "li a1, 0x5ffd\nld a0, (a1)", tables => tables.map(0x6000n, DATA, V | R | W))
    bench.run()
    expect(bench.trapped()).toMatchObject({ cause: cause.loadPageFault, value: 0x5ffdn })
  })

  it("an instruction across two pages: pc where it begins, value the second page", () => {
    start(3, "li a1, 0x5ffe\njr a1", tables => tables.map(0x5000n, DATA, V | X))
    bench.placeProgram(DATA + 0xffe, "nop")
    bench.run()
    expect(bench.trapped()).toMatchObject({ cause: cause.instructionPageFault, pc: 0x5ffen, value: 0x6000n })
  })

  it("running off a page is a fetch fault at the next", () => {
    start(3, "li a1, 0x5ffc\njr a1", tables => tables.map(0x5000n, DATA, V | X))
    bench.placeProgram(DATA + 0xffc, "nop")
    bench.run()
    expect(bench.trapped()).toMatchObject({ cause: cause.instructionPageFault, pc: 0x6000n, value: 0x6000n })
  })
})

describe("pages far apart", () => {
  it("an access across two pages goes to two frames", () => {
    start(3, "li a1, 0x5ffd\nli a2, 0x1122334455667788\nsd a2, (a1)\nld a0, (a1)", tables => {
      tables.map(0x5000n, DATA + 0x4000, V | R | W)
      tables.map(0x6000n, DATA, V | R | W)
    })
    bench.run()
    expect(bench.expectEnd().x("a0")).toBe(0x1122334455667788n)
    expect([bench.byte(DATA + 0x4fff), bench.byte(DATA)]).toEqual([0x66, 0x55])
  })
  it("an instruction across two pages comes from two frames", () => {
    start(3, "li a1, 0x5ffe\njalr a1\nj end", tables => {
      tables.map(0x5000n, DATA + 0x4000, V | X)
      tables.map(0x6000n, DATA, V | X)
    })
    bench.place(DATA + 0x4ffe, Uint8Array.of(0x13, 0x05))
    bench.place(DATA, Uint8Array.of(0xb0, 0x07, 0x82, 0x80))
    bench.run()
    expect(bench.expectEnd().x("a0")).toBe(123n)
  })
})

describe("accessed and dirty bits", () => {
  it.each([
    ["a load", "ld a0, (a1)", A],
    ["a store", "sd a0, (a1)", A | D],
    ["an LR", "lr.d a0, (a1)", A],
    ["an AMO", "amoadd.d a0, a2, (a1)", A | D],
    ["a load, then a store", "ld a0, (a1)\nsd a0, (a1)", A | D],
    ["a fetch", "jalr a1", A],
  ])("%s sets them", (_, access, expected) => {
    const tables = start(3, `li a1, 0x5000\n${access}\nj end`, made => made.map(0x5000n, DATA, RWX))
    bench.placeProgram(DATA, "ret")
    const entry = tables.entry(0x5000n)
    const before = bench.word64(entry)
    const lines = new Uint32Array(2)
    bench.core.takeDirtyPages()
    bench.core.takeWrittenLines((entry - RAM_BASE) >>> 12, lines, 0)
    bench.run()
    bench.expectEnd()
    expect(bench.word64(entry)).toBe(before | expected)
    expect(bench.core.takeDirtyPages()).toContain((entry - RAM_BASE) >>> 12)
    bench.core.takeWrittenLines((entry - RAM_BASE) >>> 12, lines, 0)
    const line = (entry % 4096) >>> 6
    expect((lines[line >>> 5]! >>> (line & 31)) & 1).toBe(1)
  })
  it("stay away when the access faults", () => {
    const tables = start(3, "li a1, 0x5000\nsd a0, (a1)", made => made.map(0x5000n, DATA, V | R))
    bench.run()
    expect(bench.word64(tables.entry(0x5000n)) & (A | D)).toBe(0n)
  })
  it("are set again after they were cleared and the translation was forgotten", () => {
    const tables = start(
      3,
      "li a1, 0x5000\nsd a0, (a1)\nsd a4, (a3)\nsfence.vma\nsd a0, (a1)".replace("~0", "-1"),
      made => {
        made.map(0x5000n, DATA, RWX)
        const entry = made.entry(0x5000n)
        made.map(BigInt(pageOf(entry)), pageOf(entry), V | R | W)
      },
    )
    const entry = tables.entry(0x5000n)
    bench.setX("a3", BigInt(entry))
    bench.setX("a4", bench.word64(entry))
    bench.run()
    bench.expectEnd()
    expect(bench.word64(entry) & (A | D)).toBe(A | D)
  })
})

describe("SUM, MXR and MPRV", () => {
  const outcome = () => (bench.core.get(0, "pc") === bench.symbol("end") ? "done" : bench.trapped().cause)
  const attempt = (access: string, flags: bigint, state: Parameters<Bench["change"]>[0]) => {
    start(3, `li a1, 0x40005000\n${access}`, tables => tables.map(0x40005000n, DATA, flags), state)
    bench.run()
    return outcome()
  }
  it("user pages are for user mode, others are not", () => {
    expect(attempt("ld a0, (a1)", V | R | U, { privilege: user })).toBe("done")
    expect(attempt("ld a0, (a1)", V | R, { privilege: user })).toBe(cause.loadPageFault)
    expect(attempt("ld a0, (a1)", V | R | U, {})).toBe(cause.loadPageFault)
  })
  it("with SUM supervisor mode reads and writes user pages but runs none", () => {
    const state = { mstatus: MSTATUS_RESET | SUM }
    expect(attempt("ld a0, (a1)", V | R | U, state)).toBe("done")
    expect(attempt("sd a0, (a1)", V | R | W | U, state)).toBe("done")
    expect(attempt("jr a1", V | X | U, state)).toBe(cause.instructionPageFault)
  })
  it("SUM that is switched counts at once", () => {
    const source = "li a1, 0x5000\nli a2, 0x40000\ncsrs sstatus, a2\nld a0, (a1)\ncsrc sstatus, a2\nat: ld a0, (a1)"
    start(3, source, tables => tables.map(0x5000n, DATA, V | R | U))
    bench.run()
    expect(bench.trapped()).toMatchObject({ cause: cause.loadPageFault, pc: BigInt(bench.symbol("at")) })
  })
  it("with MXR executable pages can be read, not written", () => {
    expect(attempt("ld a0, (a1)", V | X, {})).toBe(cause.loadPageFault)
    expect(attempt("ld a0, (a1)", V | X, { mstatus: MSTATUS_RESET | MXR })).toBe("done")
    expect(attempt("sd a0, (a1)", V | X, { mstatus: MSTATUS_RESET | MXR })).toBe(cause.storePageFault)
    expect(attempt("amoadd.d a0, a0, (a1)", V | R | X, { mstatus: MSTATUS_RESET | MXR })).toBe(cause.storePageFault)
  })
  it("MXR that is switched counts at once", () => {
    const source = "li a1, 0x5000\nli a2, 0x80000\ncsrs sstatus, a2\nld a0, (a1)\ncsrc sstatus, a2\nat: ld a0, (a1)"
    start(3, source, tables => tables.map(0x5000n, DATA, V | X))
    bench.run()
    expect(bench.trapped()).toMatchObject({ cause: cause.loadPageFault, pc: BigInt(bench.symbol("at")) })
  })
  it("MPRV gives loads and stores of machine mode the privilege in MPP, not its fetches", () => {
    const mprv = (mpp: bigint, more = 0n) => ({
      privilege: machine,
      mstatus: MSTATUS_RESET | MPRV | (mpp << 11n) | more,
    })
    // Physical address 0x40005000 holds no memory: only a translated access can succeed.
    expect(attempt("ld a0, (a1)", V | R, mprv(1n))).toBe("done")
    expect(attempt("ld a0, (a1)", V | R | U, mprv(0n))).toBe("done")
    expect(attempt("ld a0, (a1)", V | R, mprv(0n))).toBe(cause.loadPageFault)
    expect(attempt("ld a0, (a1)", V | R | U, mprv(1n))).toBe(cause.loadPageFault)
    expect(attempt("ld a0, (a1)", V | R | U, mprv(1n, SUM))).toBe("done")
    expect(attempt("sd a0, (a1)", V | R | W, mprv(1n))).toBe("done")
    expect(attempt("lr.d a0, (a1)", V | R, mprv(1n))).toBe("done")
    expect(attempt("ld a0, (a1)", V | R, mprv(3n))).toBe(cause.loadAccessFault)
    expect(attempt("ld a0, (a1)", V | R, { privilege: machine })).toBe(cause.loadAccessFault)
  })
  it("MPRV without machine mode does nothing", () => {
    expect(attempt("ld a0, (a1)", V | R, { mstatus: MSTATUS_RESET | MPRV })).toBe("done")
  })
})

describe("translations that are kept", () => {
  /** Reads 0x5000, changes the entry to another frame, does `between`, reads again. */
  const remap = (between: string, level = 0): [first: bigint, second: bigint] => {
    const [one, two] = level === 0 ? [DATA, DATA + 0x1000] : [RAM_BASE, RAM_BASE + MEGA]
    const virtual = level === 0 ? 0x5000n : 0x600000n
    const inside = level === 0 ? 0 : 0x10000
    const source = `li a1, ${virtual + BigInt(inside)}\nld s0, (a1)\nsd a4, (a3)\n${between}\nld s1, (a1)`
    const tables = start(3, source, made => {
      made.map(virtual, one, V | R | A, level)
      const table = pageOf(made.entry(virtual, level))
      made.map(BigInt(table), table, V | R | W)
    })
    bench.setWord64(one + inside, 1n)
    bench.setWord64(two + inside, 2n)
    bench.setX("a3", BigInt(tables.entry(virtual, level)))
    bench.setX("a4", (BigInt(two) >> 2n) | V | R | A)
    bench.run()
    bench.expectEnd()
    return [bench.x("s0"), bench.x("s1")]
  }
  it.each([
    ["sfence.vma", 0],
    ["sfence.vma x0, a2", 0],
    ["sfence.vma a1", 0],
    ["sfence.vma a1, a2", 0],
    ["sfence.vma", 1],
    ["sfence.vma a1", 1],
    ["addi a5, a1, 8\nsfence.vma a5", 1],
    ["li a5, 0x601000\nsfence.vma a5", 1],
  ] as const)("are forgotten by %s (level %d)", (fence, level) => {
    expect(remap(fence, level)).toEqual([1n, 2n])
  })

  it("of code are forgotten as well: the next instruction comes from the new frame", () => {
    const tables = start(3, "li a1, 0x5000\njr a1", made => {
      made.map(0x5000n, DATA, V | R | W | X | A | D)
      const table = pageOf(made.entry(0x5000n))
      made.map(BigInt(table), table, V | R | W)
    })
    bench.placeProgram(DATA, "sd a4, (a3)\nsfence.vma a1\nli a0, 1\nloop: j loop")
    bench.placeProgram(DATA + 0x1000, "nop\nnop\nli a0, 2\nloop: j loop")
    bench.setX("a3", BigInt(tables.entry(0x5000n)))
    bench.setX("a4", (BigInt(DATA + 0x1000) >> 2n) | V | R | X | A)
    bench.run()
    expect(bench.x("a0")).toBe(2n)
  })

  it("belong to an address space: satp changes it at once, and back", () => {
    const source =
      "li a1, 0x5000\nld s0, (a1)\ncsrw satp, a3\nld s1, (a1)\ncsrw satp, a4\nld s2, (a1)\ncsrw satp, a3\nld s3, (a1)"
    const first = start(3, source, tables => tables.map(0x5000n, DATA, V | R))
    const second = new PageTables(bench, 3, RAM_BASE + 0x100000)
    second.map(BigInt(RAM_BASE), RAM_BASE, RWX)
    second.map(0x5000n, DATA + 0x1000, V | R)
    bench.setWord64(DATA, 1n)
    bench.setWord64(DATA + 0x1000, 2n)
    bench.setX("a3", second.satp(1n))
    bench.setX("a4", first.satp())
    bench.run()
    bench.expectEnd()
    expect(["s0", "s1", "s2", "s3"].map(name => bench.x(name))).toEqual([1n, 2n, 1n, 2n])
  })

  it("of Sv39 and Sv48 with one root are kept apart", () => {
    // Level 3 of the one is level 2 of the other: the same root means something else.
    start(3, "li a1, 0x5000\nld s0, (a1)\ncsrw satp, a3\nld s1, (a1)", tables => {
      tables.map(0x5000n, DATA, V | R)
    })
    bench.setWord64(DATA, 1n)
    bench.setX("a3", (9n << 60n) | BigInt((RAM_BASE + 0x80000) >>> 12))
    bench.run()
    expect(bench.trapped().cause).toBe(cause.instructionPageFault)
  })

  it("survive 300 address spaces, and their return", () => {
    const source = `li s0, 300
      li s2, 0x100000000000
      li a1, 0x5000
      loop: csrw satp, a3
      ld a0, (a1)
      add s3, s3, a0
      csrw satp, a4
      ld a0, (a1)
      add s3, s3, a0
      add a3, a3, s2
      addi s0, s0, -1
      bnez s0, loop`
    const first = start(3, source, tables => tables.map(0x5000n, DATA, V | R))
    const second = new PageTables(bench, 3, RAM_BASE + 0x100000)
    second.map(BigInt(RAM_BASE), RAM_BASE, RWX)
    second.map(0x5000n, DATA + 0x1000, V | R)
    bench.setWord64(DATA, 1n)
    bench.setWord64(DATA + 0x1000, 1000n)
    bench.setX("a3", second.satp(1n))
    bench.setX("a4", first.satp())
    bench.run(10000)
    expect(bench.expectEnd().x("s3")).toBe(300300n)
  })

  it("of a hart that stands still while another uses up the address spaces are not mixed up", () => {
    // Hart 1 has a space with a high number when hart 0 makes numbering begin anew. Hart 1 reads in its old space, then in so many
    // others that one of them gets that number: it must not find what was read in the old one.
    const pages = 100
    const source = `li a1, 0x100000
      li a2, ${pages}
      li a4, 4096
      first: ld a0, (a1)
      add s4, s4, a0
      add a1, a1, a4
      addi a2, a2, -1
      bnez a2, first
      li a1, 0x100000
      loop: csrw satp, a3
      ld a0, (a1)
      add s3, s3, a0
      add a1, a1, a4
      add a3, a3, s2
      addi s0, s0, -1
      bnez s0, loop`
    const mapAll = (tables: PageTables, frame: number) => {
      for (let page = 0; page < pages; page++) tables.map(BigInt(0x100000 + page * 4096), frame, V | R)
    }
    const one = start(3, source, tables => mapAll(tables, DATA))
    const two = new PageTables(bench, 3, RAM_BASE + 0x100000)
    two.map(BigInt(RAM_BASE), RAM_BASE, RWX)
    mapAll(two, DATA + 0x1000)
    bench.setWord64(DATA, 1n)
    bench.setWord64(DATA + 0x1000, 2n)
    const spaces = (hart: number, tables: PageTables, from: bigint, count: bigint) => {
      bench.setX("s0", count, hart)
      bench.setX("s2", 1n << 44n, hart)
      bench.setX("a3", tables.satp(from), hart)
    }
    spaces(0, one, 100n, 50n)
    bench.run(2000, 0)
    bench.expectEnd(0)
    bench.change({ privilege: supervisor, satp: one.satp(7n) }, 1)
    spaces(1, two, 300n, 100n)
    spaces(0, one, 200n, 20n)
    bench.core.set(0, "pc", RAM_BASE)
    bench.run(2000, 0)
    bench.expectEnd(0)
    bench.run(2000, 1)
    bench.expectEnd(1)
    expect([bench.x("s4", 1), bench.x("s3", 1)]).toEqual([100n, 200n])
  })

  it("sfence.vma is illegal in user mode", () => {
    start(3, "sfence.vma", () => {}, { privilege: user })
    bench.run()
    expect(bench.trapped().cause).toBe(cause.illegalInstruction)
  })

  it("stay right when the page they name gets code, and when it loses it", () => {
    // Writes through a kept translation, runs the page, writes again: the change must be seen.
    const jump = 0x00008067n
    const li = (value: bigint) => (value << 20n) | 0x513n
    start(3, "li a1, 0x5000\nsd a2, (a1)\njalr a1\nmv s0, a0\nsd a3, (a1)\njalr a1\nmv s1, a0", tables =>
      tables.map(0x5000n, DATA, RWX),
    )
    bench.setX("a2", (jump << 32n) | li(1n))
    bench.setX("a3", (jump << 32n) | li(2n))
    bench.run()
    bench.expectEnd()
    expect([bench.x("s0"), bench.x("s1")]).toEqual([1n, 2n])
  })
})
