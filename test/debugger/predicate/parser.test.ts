import { describe, expect, test } from "vitest"
import { PredicateMalformed } from "../../../src/debugger/errors.ts"
import { type Known, parse } from "../../../src/debugger/predicate/index.ts"
import { csrByName, csrNames } from "../../../src/riscv/csr-name.ts"
import { floatRegisters, integerRegisters } from "../../../src/riscv/register.ts"
import { cause, interrupt } from "../../../src/riscv/trap.ts"

const refusal = (text: string, known?: Known): PredicateMalformed => {
  try {
    parse(text, known)
  } catch (error) {
    if (error instanceof PredicateMalformed) return error
    throw error
  }
  throw new Error(`${text} was taken`)
}

describe("names", () => {
  test("every register is known, with and without a hart", () => {
    expect(integerRegisters.size).toBe(65)
    expect(floatRegisters.size).toBe(64)
    for (const [bank, registers] of [
      ["x", integerRegisters],
      ["f", floatRegisters],
    ] as const)
      for (const [name, number] of registers) {
        expect(parse(name)).toEqual({ kind: "register", hart: null, bank, number })
        expect(parse(`h7.${name}`)).toEqual({ kind: "register", hart: 7, bank, number })
      }
    expect(parse("pc")).toEqual({ kind: "register", hart: null, bank: "pc", number: 0 })
  })

  test("every control and status register is known", () => {
    expect(csrNames.length).toBeGreaterThan(140)
    for (const name of csrNames) {
      expect(parse(`csr.${name}`)).toEqual({ kind: "csr", hart: null, csr: csrByName(name) })
      expect(parse(`h0.csr.${name}`)).toEqual({ kind: "csr", hart: 0, csr: csrByName(name) })
    }
  })

  test("every cause of a trap is known", () => {
    for (const [name, code] of Object.entries(cause)) expect(parse(`trap == ${name}`)).toEqual(parse(`trap == ${code}`))
    for (const [name, code] of Object.entries(interrupt))
      expect(parse(`interrupt == ${name}`)).toEqual(parse(`interrupt == ${code}`))
  })

  test.each(["jiffies", "foo.isra.0", "__ksymtab_x", "$x", "a@plt", "_ZN3foo3barEv", "0start"])("sym:%s", name =>
    expect(parse(`sym:${name}`)).toEqual({ kind: "symbol", name }),
  )

  test("symbols and harts are checked where they are known", () => {
    const known = {
      symbols: new Map([
        ["jiffies", 1],
        ["jiffies_64", 2],
      ]),
      harts: 2,
    }
    expect(parse("sym:jiffies + h1.a0", known)).toBeDefined()
    expect(refusal("1 + sym:jifies", known)).toMatchObject({
      offset: 4,
      problem: "there is no symbol jifies; perhaps sym:jiffies was meant",
    })
    expect(refusal("sym:nothing", known).problem).toBe(
      "there is no symbol nothing; check the name, or give an ELF file that has it with --symbols",
    )
    expect(refusal("jiffie", known).problem).toMatch(/; perhaps sym:jiffies or sym:jiffies_64 was meant$/)
    expect(refusal("nothing", known).problem).toMatch(/; symbols are written sym:NAME$/)
    expect(refusal("a0 == h2.a0", known)).toMatchObject({ offset: 6, problem: "there are only h0 to h1" })
    expect(refusal("h1.pc", { harts: 1 })).toMatchObject({ offset: 0, problem: "there is only h0" })
  })
})

describe("numbers", () => {
  test.each([
    ["0", 0n],
    ["1_000_000", 1_000_000n],
    ["18446744073709551615", 2n ** 64n - 1n],
    ["0xFF_ff", 0xffffn],
    ["0b1010_1010", 170n],
    ["0o17", 15n],
    ["'x'", 120n],
    ["' '", 32n],
    ["'\\n'", 10n],
    ["'\\0'", 0n],
    ["'\\\\'", 92n],
    ["'\\''", 39n],
    ["'\\x7f'", 127n],
    ["'\"'", 34n],
    ["5ns", 5n],
    ["5us", 5_000n],
    ["250ms", 250_000_000n],
    ["1.5s", 1_500_000_000n],
    ["0.000000001s", 1n],
    ["2m", 120_000_000_000n],
    ["1h", 3_600_000_000_000n],
    ["1_000ms", 1_000_000_000n],
  ] as const)("%s", (text, value) => expect(parse(text)).toEqual({ kind: "number", value }))
})

describe("what is refused, and where", () => {
  // The caret stands under the first character that `^` marks in the second line.
  const refused: readonly (readonly [text: string, caret: string, problem: RegExp])[] = [
    ["", "^", /nothing to ask/],
    ["   ", "   ^", /nothing to ask/],
    ["jiffies > 100", "^", /no register or word jiffies; perhaps sym:jiffies was meant$/],
    ["a0 == jiffies", "      ^", /perhaps sym:jiffies was meant$/],
    ["satp == 0", "^", /perhaps csr.satp or sym:satp was meant$/],
    ["a10 == 0", "^", /perhaps a1 or a0 or f10 or sym:a10 was meant$/],
    ["prvilege == user", "^", /perhaps privilege or /],
    ["spinlock == 1", "^", /; perhaps sym:spinlock was meant$/],
    ["csr.stap == 0", "    ^", /no control and status register stap; perhaps csr.satp was meant/],
    ["csr. == 0", "    ^", /no control and status register/],
    ["h1.csr.foo", "       ^", /no control and status register foo; write for example csr.satp/],
    ["h1.satp", "   ^", /perhaps h1.csr.satp was meant/],
    ["h1.qqq", "   ^", /no hart has a register qqq; write for example h1.sp/],
    ["h1.", "   ^", /a register follows the hart, as in h1.sp$/],
    ["h1.trap", "   ^", /write hart == 1 && trap$/],
    ["h1.time > 5s", "   ^", /belongs to no hart; leave h1. away/],
    ["h1.phys64(0)", "   ^", /belongs to no hart/],
    ["h12345.a0", "^", /no register or word h12345.a0/],
    ["a0 = 5", "   ^", /write == to compare/],
    ["a0 =! 5", "   ^", /write == to compare/],
    ["a0 == 5 and a1 == 6", "        ^", /write &&$/],
    ["a0 == 5 or a1 == 6", "        ^", /write \|\|$/],
    ["a0 == 5 a1", "        ^", /an operator such as == or && is expected/],
    ["a0 == ", "      ^", /a value is expected at the end/],
    ["a0 == * 5", "      ^", /a value is expected before \*/],
    ["== 5", "^", /a value is expected before ==/],
    ["(a0 == 5", "^", /the \( that is opened here is never closed/],
    ["mem8[a0", "    ^", /the \[ that is opened here is never closed/],
    ["mem8[a0)", "       ^", /an operator or \] is expected/],
    ["(a0 5)", "    ^", /an operator or \) is expected/],
    ["a0)", "  ^", /nothing is open/],
    ["()", " ^", /a value is expected before \)/],
    ["mem8", "    ^", /in parentheses: mem8\(…\)/],
    ["mem63(0)", "^", /perhaps mem64 was meant/],
    ["foo(0)", "^", /nothing is called foo; memory is read with mem64\(ADDRESS\)/],
    ["a0(0)", "  ^", /an operator is expected after a0/],
    ["signed8 + 1", "        ^", /in parentheses/],
    ["010", "^", /begins with 0; write 0o10 if it is octal/],
    ["1 + 0x", "    ^", /0x is no number/],
    ["0xg", "^", /is no number/],
    ["0b2", "^", /is no number/],
    ["1__0", "^", /is no number/],
    ["1_", "^", /is no number/],
    ["5x", "^", /5x is no number/],
    ["1.5", "^", /only times may have a fraction, with a unit: 1.5s$/],
    ["0.5ns", "^", /no whole number of nanoseconds/],
    ["a0 == 18446744073709551616", "      ^", /needs more than 64 bits/],
    ["99999999999h", "^", /needs more than 64 bits/],
    ["'ab'", "^", /one character/],
    ["''", "^", /one character/],
    ["'é€'", "^", /one character/],
    ["'€'", "^", /one character of one byte/],
    ["'a", "^", /is never closed/],
    ["'\\q'", " ^", /\\q means nothing/],
    ['comm == "a\\', "          ^", /means nothing/],
    ['comm == "sh', "        ^", /the " that is opened here is never closed/],
    ["comm == sh", "        ^", /text in double quotes/],
    ["comm == 5", "        ^", /text in double quotes/],
    ["comm", "    ^", /comm is text/],
    ["comm < 5", "     ^", /comm is text/],
    ['"sh" == comm', "^", /stands to the left/],
    ['a0 == "sh"', "      ^", /text is compared with comm only/],
    ["comm ~ 5", "       ^", /between slashes/],
    ["console == 5", "        ^", /is asked with ~/],
    ["console", "       ^", /is asked with ~/],
    ["console ~", "         ^", /between slashes/],
    ["console ~ /panic", "          ^", /the \/ that is opened here is never closed/],
    ["console ~ /pa(nic/", "          ^", /no regular expression: /],
    ["console ~ //", "          ^", /empty pattern/],
    ["console ~ /x/g", "             ^", /flags after a pattern are i, m and s/],
    ["console ~ /x/ii", "             ^", /flags after a pattern/],
    ["a0 ~ /x/", "   ^", /only console and comm are matched/],
    ["~ /x/", "  ^", /only console and comm are matched/],
    ["timer", "^", /timer is a value of interrupt and stands beside it only: interrupt == timer$/],
    ["interrupt < timer", "            ^", /stands beside it only/],
    ["interrupt == tmier", "             ^", /interrupt has no value tmier; perhaps timer was meant/],
    ["trap == pagefault", "        ^", /perhaps pageFault/],
    ["syscall == zzzzzz", "           ^", /write for example write or a number/],
    ["syscall == wirte", "           ^", /perhaps write was meant/],
    ["interrupt == timer + 1", "             ^", /stands beside it only/],
    ["sym: == 5", "    ^", /a symbol's name follows sym:/],
    ["sym:a#b", "     ^", /the character # has no meaning/],
    ["a0 == 5;", "       ^", /the character ; has no meaning/],
    ["a0 == 5 ? 1 : 0", "        ^", /the character \? has no meaning/],
    ["a0, a1", "  ^", /the character , has no meaning/],
    ["a0 == 5 \u0007", "        ^", /the character U\+0007 has no meaning/],
    ["a0 s<< 1", "     ^", /a value is expected before </],
    ["\ta0 ==\t= 5", "\t     \t^", /write == to compare/],
    ["'漢' == 5", "^", /one byte/],
    ['comm == "漢字" + x', "                 ^", /no register or word x;/],
    ['comm == "👩‍👩‍👧" && é', "                ^", /the character é/],
    ['comm == "e\u0301" && $', "               ^", /the character \$/],
  ]

  test.each(refused)("%j", (text, caret, problem) => {
    const error = refusal(text)
    expect(error.problem).toMatch(problem)
    expect(error.caret.split("\n").at(-1)).toBe(caret)
    expect(error.text).toBe(text)
    expect(error.offset).toBeLessThanOrEqual(text.length)
    expect(error.message).toBe(`"${text}" is not understood at character ${error.offset + 1}: ${error.problem}.`)
    expect(error.problem).not.toMatch(/\.$/)
  })

  test("what is too long or too deep", () => {
    expect(refusal("1+".repeat(3000)).problem).toBe("it is longer than 4096 characters")
    expect(parse(`${"(".repeat(100)}1${")".repeat(100)}`)).toEqual(parse("1"))
    for (const text of [`${"(".repeat(101)}1`, `${"-".repeat(4000)}1`, `${"mem8[".repeat(800)}`, "!".repeat(4096)])
      expect(refusal(text)).toMatchObject({ problem: "more than 100 expressions lie within each other" })
  })
})
