import { describe, expect, it } from "vitest"
import { CallFrameTable, type Rule } from "../../../src/debugger/symbols/call-frame-table.ts"
import { ElfFile } from "../../../src/debugger/symbols/elf-file.ts"
import { floatRegisters, integerRegisters } from "../../../src/riscv/register.ts"
import { buildGuest, buildLinuxProgram, copyOf, hasCompiler, noCompiler, type Program, printed } from "./guest.ts"

/** A register's number in DWARF by the name readelf gives it. */
function numberOf(name: string): number {
  const integer = integerRegisters.get(name)
  return integer ?? 32 + floatRegisters.get(name)!
}

interface Row {
  readonly address: bigint
  readonly cfa: string
  readonly rules: Readonly<Record<string, string>>
}

/** Rows of all functions as readelf prints them: the columns are registers, \`c-8\` means 8 bytes below the frame's address. */
function rowsOfReadelf({ path }: Program): Row[] {
  let columns: string[] | null = null
  let end = 0n
  return printed("readelf", "-wF", path)
    .split("\n")
    .flatMap(line => {
      const words = line.trim().split(/\s+/)
      if (/ FDE /.test(line)) {
        columns = []
        end = BigInt(`0x${line.split("..")[1]}`)
      } else if (/ CIE /.test(line) || words[0] === "") columns = null
      else if (words[0] === "LOC" && columns !== null) columns = words.slice(2)
      else if (columns !== null && /^[\da-f]{16}$/.test(words[0]!) && BigInt(`0x${words[0]}`) < end) {
        const values = words.slice(2)
        const pairs = columns.map((name, index) => [numberOf(name), values[index]!] as const)
        const known = pairs.filter(([, value]) => value !== "u")
        const [, base, offset] = /^([a-z]+\d*)([+-]\d+)$/.exec(words[1]!) ?? []
        const cfa = base === undefined ? words[1]! : `${numberOf(base)}${offset}`
        return [{ address: BigInt(`0x${words[0]}`), cfa, rules: Object.fromEntries(known) }]
      }
      return []
    })
}

const ruleText = (rule: Rule): string => {
  const signed = (offset: number) => `${offset < 0 ? "" : "+"}${offset}`
  if (rule.kind === "saved") return `c${signed(rule.offset)}`
  return rule.kind === "value" ? `v${signed(rule.offset)}` : rule.kind
}

describe.skipIf(!hasCompiler)(`call frames (${hasCompiler ? "compiled here" : noCompiler})`, () => {
  it.for([
    ["-O0, .debug_frame", () => buildGuest("-g", "-O0")],
    ["-O2, .debug_frame", () => buildGuest("-g", "-O2")],
    ["-O2, .eh_frame", () => buildGuest("-g", "-O2", "-fasynchronous-unwind-tables")],
    ["-O2, 64 bits", () => buildGuest("-g", "-O2", "-gdwarf64")],
    ["-Os, registers saved by calls", () => buildGuest("-g", "-Os", "-msave-restore")],
    ["a static program with a C library", () => copyOf(buildLinuxProgram("int main(void) { return 0; }", "-static"))],
  ] as const)("%s: all rows are those that readelf prints", ([, build]) => {
    const program = build()
    const table = new CallFrameTable(new ElfFile(program.bytes))
    const expected = rowsOfReadelf(program)
    expect(expected.length).toBeGreaterThan(30)
    for (const { address, cfa, rules } of expected) {
      const row = table.rowAt(address)!
      expect(row, `0x${address.toString(16)}`).not.toBeNull()
      const found = row.cfa.kind === "register" ? `${row.cfa.number}+${row.cfa.offset}` : "exp"
      const saved = [...row.rules].filter(([, { kind }]) => kind !== "undefined")
      const texts = Object.fromEntries(saved.map(([register, rule]) => [register, ruleText(rule)]))
      expect([found, texts], `0x${address.toString(16)}`).toEqual([cfa, rules])
    }
  })
})
