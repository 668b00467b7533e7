import { describe, expect, test } from "vitest"
import { type GuestSymbol, SymbolTable } from "../../../src/debugger/symbols/symbol-table.ts"

const symbol = (name: string, address: bigint, type = "T", size?: number): GuestSymbol =>
  size === undefined ? { name, address, type } : { name, address, type, size }

describe("a symbol table", () => {
  const base = 0xffff_ffff_8000_0000n
  const table = new SymbolTable([
    symbol("third", base + 0x300n),
    symbol("first", base, "T", 0x40),
    symbol("second", base + 0x100n, "t"),
  ])

  test("finds by name", () => {
    expect(table.find("second")).toEqual(symbol("second", base + 0x100n, "t"))
    expect(table.find("fourth")).toBeUndefined()
  })

  test("finds the nearest below an address", () => {
    expect(table.near(base + 0x1ffn)).toEqual({ symbol: symbol("second", base + 0x100n, "t"), offset: 0xff })
    expect(table.near(base + 0x300n)).toEqual({ symbol: symbol("third", base + 0x300n), offset: 0 })
    expect(table.near(base - 1n)).toBeNull()
  })

  test("knows where a symbol ends, by its size or by the next one", () => {
    expect(table.near(base + 0x3fn)?.symbol.name).toBe("first")
    expect(table.near(base + 0x40n)).toBeNull()
    expect(table.near(base + 0x2ffn)?.symbol.name).toBe("second")
  })

  test("lets the last symbol go on to the end it was told", () => {
    expect(table.near(base + 0x304n)).toBeNull()
    const ended = new SymbolTable([symbol("last", base)], base + 0x10n)
    expect(ended.near(base + 0xfn)?.symbol.name).toBe("last")
    expect(ended.near(base + 0x10n)).toBeNull()
  })

  test("writes addresses", () => {
    expect(table.format(base)).toBe("first")
    expect(table.format(base + 0x1cn)).toBe("first+0x1c")
    expect(table.format(base + 0x50n)).toBe("0xffffffff80000050")
    expect(table.format(0n)).toBe("0x0")
  })

  test("proposes names, the closest first", () => {
    const names = new SymbolTable(
      ["do_page_fault", "do_pages_stat", "handle_page_fault", "d", "schedule"].map((name, at) =>
        symbol(name, BigInt(at)),
      ),
    )
    expect(names.nearNames("do_page_falt")).toEqual(["do_page_fault", "do_pages_stat"])
    expect(names.nearNames("sched")).toEqual(["schedule"])
    expect(names.nearNames("printk")).toEqual([])
  })
})

describe("of several names for one address", () => {
  const best = (...names: readonly (readonly [name: string, type: string])[]): string =>
    new SymbolTable(
      names.map(([name, type]) => symbol(name, 0x1000n, type)),
      0x2000n,
    ).format(0x1004n)

  test.each([
    ["global code over local", ["local", "t"], ["global", "T"], "global"],
    ["code over data", ["data", "D"], ["code", "t"], "code"],
    ["a function over a weak one", ["weak", "W"], ["strong", "t"], "strong"],
    ["fewer underscores", ["__memcpy", "T"], ["memcpy", "T"], "memcpy"],
    ["the first of equals", ["sys_a", "T"], ["sys_b", "T"], "sys_a"],
    ["anything over the border of a section", ["_stext", "T"], ["do_something", "t"], "do_something"],
    ["anything over a mark of the linker", ["__start___ksymtab", "R"], ["__ksymtab_x", "r"], "__ksymtab_x"],
  ] as const)("it takes %s", (_, a, b, expected) => {
    expect(best(a, b)).toBe(`${expected}+0x4`)
  })

  test("none is a mark for disassemblers, a label of the assembler or the room before a function", () => {
    const table = new SymbolTable(
      [
        symbol("function", 0x1000n),
        symbol("$xrv64i2p1", 0x1010n, "t"),
        symbol(".L12", 0x1020n, "t"),
        symbol("$d", 0x1030n, "t"),
        symbol("__pfx_next", 0x10f0n, "t"),
        symbol("next", 0x1100n),
      ],
      0x1200n,
    )
    expect(table.format(0x10fcn)).toBe("function+0xfc")
    expect(table.format(0x1104n)).toBe("next+0x4")
  })

  test("the one found by a name is the global one, then the first", () => {
    const table = new SymbolTable([
      symbol("cleanup", 0x1000n, "t"),
      symbol("cleanup", 0x2000n, "T"),
      symbol("init", 0x3000n, "t"),
      symbol("init", 0x4000n, "t"),
    ])
    expect(table.find("cleanup")?.address).toBe(0x2000n)
    expect(table.find("init")?.address).toBe(0x3000n)
  })
})
