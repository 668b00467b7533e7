import { describe, expect, it } from "vitest"
import { CombinedSymbols } from "../../../src/debugger/symbols/combined-symbols.ts"
import { symbolSourceOf } from "../../../src/debugger/symbols/guest-symbols.ts"
import { noSymbols } from "../../../src/debugger/symbols/symbol-source.ts"
import { type GuestSymbol, SymbolTable } from "../../../src/debugger/symbols/symbol-table.ts"

const sourceOf = (...symbols: readonly GuestSymbol[]) => symbolSourceOf(new SymbolTable(symbols), symbols)

const kernel = sourceOf(
  { name: "schedule", address: 0x2000n, type: "T", size: 0x10 },
  { name: "main", address: 0x3000n, type: "T", size: 0x10 },
)
const program = sourceOf(
  { name: "main", address: 0x1000n, type: "T", size: 0x100 },
  { name: "schedule", address: 0x2000n, type: "T", size: 8 },
  { name: "buffer", address: 0x1800n, type: "B", size: 0x20 },
)

describe("symbols of several sources", () => {
  const both = new CombinedSymbols([program, kernel])

  it("are found in whichever has them, the first being believed", () => {
    expect(both.find("buffer")?.address).toBe(0x1800n)
    expect(both.find("main")?.address).toBe(0x1000n)
    expect(new CombinedSymbols([kernel, program]).find("main")?.address).toBe(0x3000n)
    expect(both.find("nobody")).toBeNull()
  })

  it("are found by address alike", () => {
    expect(both.at(0x1004n)).toMatchObject({ symbol: { name: "main" }, offset: 4n })
    expect(both.at(0x3004n)).toMatchObject({ symbol: { name: "main" }, offset: 4n })
    // Beyond what the first knows of it the second still reaches.
    expect(both.at(0x200cn)).toMatchObject({ symbol: { name: "schedule", size: 0x10n }, offset: 12n })
    expect(both.at(0x4000n)).toBeNull()
  })

  it("are listed by address, and once for a place", () => {
    expect(both.all.map(({ name, address, size }) => [name, address, size])).toEqual([
      ["main", 0x1000n, 0x100n],
      ["buffer", 0x1800n, 0x20n],
      ["schedule", 0x2000n, 8n],
      ["main", 0x3000n, 0x10n],
    ])
  })

  it("are all there to be meant by a mistyped name", () => {
    expect(both.nearNames("shedule")).toEqual(["schedule"])
    expect(both.nearNames("bufer")).toEqual(["buffer"])
  })

  it("are none where no source has any", () => {
    for (const none of [new CombinedSymbols([]), new CombinedSymbols([noSymbols, noSymbols])]) {
      expect(none.all).toEqual([])
      expect(none.find("main")).toBeNull()
      expect(none.at(0x1000n)).toBeNull()
      expect(none.nearNames("main")).toEqual([])
    }
  })
})
