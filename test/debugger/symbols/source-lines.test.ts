import { basename } from "node:path"
import { describe, expect, it } from "vitest"
import { DebugFile } from "../../../src/debugger/symbols/debug-file.ts"
import { buildGuest, guestFile, hasCompiler, noCompiler, type Program, printed } from "./guest.ts"

interface Row {
  readonly file: string
  readonly line: number
  readonly address: bigint
  readonly isStatement: boolean
  readonly isEnd: boolean
}

/** Rows as objdump prints them: file, line, address, a number that tells rows for one address apart, an x for statements. */
function rowsOfObjdump({ path }: Program): Row[] {
  const pattern = /^(\S+)\s+(\d+|-)\s+(0x[\da-f]+|0)(?:\s+\d+)?(\s+x)?(?:\s+END)?$/
  return printed("objdump", "--dwarf=decodedline", path)
    .split("\n")
    .flatMap(text => {
      const [, file, line, address, statement] = pattern.exec(text.trim()) ?? []
      if (file === undefined) return []
      const isEnd = line === "-"
      return [{ file, line: isEnd ? 0 : Number(line), address: BigInt(address!), isStatement: !!statement, isEnd }]
    })
}

const rowsOf = (file: DebugFile): Row[] =>
  [...file.lines.all()].map(({ file, line, address, isStatement, isSequenceEnd: isEnd }) => ({
    file: basename(file),
    line: isEnd ? 0 : line,
    address,
    isStatement: !isEnd && isStatement,
    isEnd,
  }))

const variants: readonly (readonly [name: string, options: readonly string[]])[] = [
  ["-O0, DWARF 5", ["-g", "-O0"]],
  ["-O0, DWARF 4", ["-gdwarf-4", "-O0"]],
  ["-O2, DWARF 5", ["-g", "-O2"]],
  ["-O2, DWARF 4", ["-gdwarf-4", "-O2"]],
  ["-O2, DWARF 2, functions in sections of their own", ["-gdwarf-2", "-gstrict-dwarf", "-O2", "-ffunction-sections"]],
  ["-O2, DWARF 5 with offsets of 64 bits", ["-g", "-gdwarf64", "-O2"]],
]

describe.skipIf(!hasCompiler)(`lines of a guest (${hasCompiler ? "compiled here" : noCompiler})`, () => {
  describe.each(variants)("compiled with %s", (_, options) => {
    const program = hasCompiler ? buildGuest(...options) : null!
    const file = hasCompiler ? new DebugFile(program.bytes) : null!

    it("are all the rows that objdump prints", () => {
      const rows = rowsOf(file)
      expect(rows.length).toBeGreaterThan(150)
      expect(rows).toEqual(rowsOfObjdump(program))
    })

    it("are those of addr2line at every instruction", ({ skip }) => {
      skip(options.includes("-gdwarf64"), "addr2line does not read offsets of 64 bits.")
      // Where there are several rows for one address, addr2line takes the last one, and we the last statement, as gdb does.
      const ambiguous = new Set<bigint>()
      const rows = [...file.lines.all()]
      for (const [index, { address }] of rows.entries()) {
        if (rows[index - 1]?.address !== address) continue
        const end = rows.slice(index).find(row => row.address > address)!.address
        for (let inside = address; inside < end; inside += 2n) ambiguous.add(inside)
      }
      const addresses: bigint[] = []
      for (const { ranges } of file.functions.all())
        for (const { start, end } of ranges)
          for (let address = start; address < end; address += 2n) if (!ambiguous.has(address)) addresses.push(address)
      expect(addresses.length).toBeGreaterThan(150)
      const texts = addresses.map(address => `0x${address.toString(16)}`)
      const expected = printed("addr2line", "-a", "-i", "-f", "-e", program.path, ...texts)
      const found = addresses.flatMap((address, index) => [
        `0x${address.toString(16).padStart(16, "0")}`,
        ...file.functions
          .placesAt(address)
          .flatMap(place => [place.functionName, place.file === null ? "??:?" : `${place.file}:${place.line}`]),
        ...(index === addresses.length - 1 ? [""] : []),
      ])
      expect(found).toEqual(expected.replaceAll(/ \(discriminator \d+\)/g, "").split("\n"))
    })

    it("reach as far as a step by lines goes", () => {
      const lineAt = (address: bigint) => {
        const { file: path, line } = file.lines.at(address) ?? {}
        return `${path}:${line}`
      }
      for (const { ranges } of file.functions.all()) {
        const { start, end } = ranges[0]!
        for (let address = start; address < end; address += 2n) {
          const range = file.lines.rangeAt(address)!
          expect(range.start <= address && address < range.end).toBe(true)
          for (let inside = range.start; inside < range.end; inside += 2n) expect(lineAt(inside)).toBe(lineAt(address))
          if (range.end < end) expect(lineAt(range.end)).not.toBe(lineAt(address))
          if (range.start > start) expect(lineAt(range.start - 2n)).not.toBe(lineAt(address))
        }
      }
    })

    it("are found by their place in the source", () => {
      const [path] = file.lines.filesNamed("guest/main.c")
      expect(path).toBe(guestFile("main.c"))
      const rows = [...file.lines.all()]
      for (const { line } of rows.filter(row => row.file === path && row.line > 0)) {
        const ranges = file.lines.rangesOfLine(path!, line)
        for (const { start, end } of ranges) {
          const within = rows.filter(row => !row.isSequenceEnd && row.address >= start && row.address < end)
          expect(within.filter(row => row.file === path && row.line === line)).not.toEqual([])
          expect(end).toBeGreaterThan(start)
        }
        const starts = file.lines.addressesOfLine(path!, line)
        const statements = rows.filter(row => row.file === path && row.line === line && row.isStatement)
        expect(starts.every(address => rows.some(row => row.address === address && row.line === line))).toBe(true)
        expect(starts.length).toBeGreaterThan(0)
        expect(starts.length).toBeLessThanOrEqual(Math.max(statements.length, ranges.length))
      }
    })
  })
})
