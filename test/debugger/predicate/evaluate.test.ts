import { describe, expect, test } from "vitest"
import {
  bind,
  type Context,
  compile,
  compileTruth,
  evaluate,
  holds,
  parse,
} from "../../../src/debugger/predicate/index.ts"
import { Random } from "../../oracle/random.ts"
import { moment, withArguments } from "./moment.ts"
import { binaryOperators, secondOpinion } from "./shunting-yard.ts"

const value = (text: string, context: Context = moment()) => evaluate(parse(text), context)
const truth = (text: string, context: Context = moment()) => compileTruth(parse(text))(context)

describe("operators", () => {
  test.each([
    ["2 + 3 * 4", 14n],
    ["20 - 5 - 3", 12n],
    ["100 / 10 / 2", 5n],
    ["1 << 2 + 3", 32n],
    ["1 | 2 ^ 3 & 6", 1n],
    ["6 & 3 == 3", 0n],
    ["(6 & 3) == 2", 1n],
    ["1 < 2 == 1", 1n],
    ["1 || 0 && 0", 1n],
    ["-1", 0xffff_ffff_ffff_ffffn],
    ["-1 > 1", 1n],
    ["-1 s> 1", 0n],
    ["-1 s<1", 1n],
    ["-8 s>> 1 == -4", 1n],
    ["-8 >> 60", 15n],
    ["1 << 63 << 1", 0n],
    ["1 << 64", 0n],
    ["-1 s>> 200 == -1", 1n],
    ["~0 == -1", 1n],
    ["!5 + !0", 1n],
    ["- - 5", 5n],
    ["signed8(0xff) == -1", 1n],
    ["signed8(0x17f)", 0x7fn],
    ["signed16(0x8000) s< 0", 1n],
    ["signed32(0xffff_fffe) + 2", 0n],
    ["0xffffffffffffffff * 0xffffffffffffffff", 1n],
    ["1 / 0", null],
    ["1 % 0", null],
    ["1 / 0 == 1 / 0", null],
  ] as const)("%s", (text, expected) => expect(value(text)).toBe(expected))

  test("random expressions come to what a second opinion says", () => {
    const random = new Random(20260101)
    const interesting = [0n, 1n, 2n, 3n, 63n, 64n, 0x7fn, 0x80n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n]
    const number = (): string => {
      const n = random.chance(50) ? random.pick(interesting) : random.uint64() >> BigInt(random.below(64))
      return random.pick([String(n), `0x${n.toString(16)}`, `0b${n.toString(2)}`, `0o${n.toString(8)}`])
    }
    const operand = (depth: number): string[] => {
      const before = Array.from({ length: random.chance(20) ? random.between(1, 3) : 0 }, () =>
        random.pick(["-", "~", "!"]),
      )
      if (depth > 0 && random.chance(25)) return [...before, "(", ...expression(depth - 1), ")"]
      return [...before, random.chance(50) ? number() : `a${random.below(8)}`]
    }
    const expression = (depth: number): string[] =>
      operand(depth).concat(
        ...Array.from({ length: random.below(7) }, () => [random.pick(binaryOperators), ...operand(depth)]),
      )
    const seen = new Map<bigint | null, number>()
    for (let round = 0; round < 20_000; round++) {
      const words = expression(3)
      // a7 is unknown.
      const values = Array.from({ length: 7 }, () => (random.chance(40) ? random.pick(interesting) : random.uint64()))
      const expected = secondOpinion(words, word =>
        word.startsWith("a") ? (values[Number(word[1])] ?? null) : BigInt(word),
      )
      const text = words.join(random.chance(50) ? " " : "  \t")
      expect(value(text, withArguments(values)), text).toBe(expected)
      seen.set(expected, (seen.get(expected) ?? 0) + 1)
    }
    // Not always the same few answers.
    expect(seen.size).toBeGreaterThan(1_000)
    for (const answer of [0n, 1n, null]) expect(seen.get(answer)).toBeGreaterThan(1_000)
  })

  test("what is put in for symbols, and folded, changes no value", () => {
    const random = new Random(7)
    for (let round = 0; round < 2_000; round++) {
      const addresses = new Map(
        ["a", "b", "c.0", "$d"].map(name => [name, random.uint64() >> BigInt(random.below(64))]),
      )
      const symbol = (name: string) => addresses.get(name) ?? null
      const word = () => random.pick(["sym:a", "sym:b", "sym:c.0", "sym:$d", "a0", "3", "sym:missing"])
      const text = Array.from({ length: 5 }, () => `${word()} ${random.pick(binaryOperators)} `)
        .join("")
        .concat("1")
      const context = { ...withArguments([random.uint64()]), symbol }
      expect(evaluate(bind(parse(text), symbol), context), text).toBe(evaluate(parse(text), context))
    }
  })
})

describe("three-valued logic", () => {
  const known = moment({ trap: 0 })
  const words = { true: "1", false: "0", unknown: "mem8(0)" } as const
  const values = { true: 1n, false: 0n, unknown: null } as const
  type Word = keyof typeof words

  test.each([
    ["true", "true", "true", "true"],
    ["true", "false", "false", "true"],
    ["true", "unknown", "unknown", "true"],
    ["false", "true", "false", "true"],
    ["false", "false", "false", "false"],
    ["false", "unknown", "false", "unknown"],
    ["unknown", "true", "unknown", "true"],
    ["unknown", "false", "false", "unknown"],
    ["unknown", "unknown", "unknown", "unknown"],
  ] satisfies [Word, Word, Word, Word][])("%s and %s is %s, or is %s", (a, b, and, or) => {
    expect(value(`${words[a]} && ${words[b]}`)).toBe(values[and])
    expect(value(`${words[a]} || ${words[b]}`)).toBe(values[or])
    // De Morgan's laws hold of three values too.
    expect(value(`!(!${words[a]} || !${words[b]})`)).toBe(values[and])
    expect(value(`!(!${words[a]} && !${words[b]})`)).toBe(values[or])
  })

  test.each(["mem8(0) == mem8(0)", "!(mem8(0) == 1)", "0 * mem8(0)", "mem8(0) + 1 == 1", "mem8(mem8(0))", "-mem8(0)"])(
    "%s is unknown and does not hold",
    text => {
      expect(value(text)).toBe(null)
      expect(holds(parse(text), moment())).toBe(false)
    },
  )

  test("an event's word is unknown but at its event, and true there whatever its number", () => {
    for (const text of ["trap", "!trap", "trap == 0", "trap != 3", "trap < 100"]) expect(truth(text)).toBe(null)
    expect(truth("trap", known)).toBe(1n)
    expect(truth("trap && 1", known)).toBe(1n)
    expect(truth("0 || trap", known)).toBe(1n)
    expect(truth("!trap", known)).toBe(0n)
    expect(truth("!!trap", known)).toBe(1n)
    expect(value("trap", known)).toBe(0n)
    expect(value("trap + 0", known)).toBe(0n)
    expect(truth("trap != 3", known)).toBe(1n)
    expect(truth("1 || trap")).toBe(1n)
  })
})

describe("what is asked", () => {
  test("of registers: bank, number and hart", () => {
    const asked: unknown[] = []
    const context = moment({
      register: (hart, bank, number) => {
        asked.push([hart, bank, number])
        return 5n
      },
    })
    expect(value("a0 == 5", context)).toBe(1n)
    expect(value("h1.sp + fp + ft11 + h12.pc", context)).toBe(20n)
    expect(asked).toEqual([
      [null, "x", 10],
      [1, "x", 2],
      [null, "x", 8],
      [null, "f", 31],
      [12, "pc", 0],
    ])
  })

  test("of memory: hart, address and length", () => {
    const asked: unknown[] = []
    const context = moment({
      register: () => 0x1000n,
      memory: (hart, address, bytes) => {
        asked.push([hart, address, bytes])
        return 0x78n
      },
      physical: (address, bytes) => {
        asked.push(["physical", address, bytes])
        return 3n
      },
    })
    expect(value("mem8[a0 + 4] == 'x'", context)).toBe(1n)
    expect(value("h1.mem64(-8) + phys16[0x80200000] + phys32(mem32(0))", context)).toBe(0x78n + 6n)
    expect(asked).toEqual([
      [null, 0x1004n, 1],
      [1, 2n ** 64n - 8n, 8],
      ["physical", 0x80200000n, 2],
      [null, 0n, 4],
      ["physical", 0x78n, 4],
    ])
  })

  test("of the machine and its tasks", () => {
    const context = moment({
      hart: 1,
      time: 1_500_000_001n,
      instret: hart => (hart === null ? 1_000_001n : 7n),
      privilege: hart => (hart === 0 ? 3 : 0),
      pid: hart => (hart === null ? 12n : 1n),
      comm: hart => (hart === null ? "sh" : null),
      said: pattern => pattern.source === "panic" && pattern.flags === "i",
      symbol: name => (name === "jiffies" ? 16n : null),
      csr: (hart, csr) => (hart === null && csr === 0x180 ? 9n : null),
    })
    const yes = [
      "hart == 1",
      "time > 1.5s",
      "time == 1_500_000_001ns",
      "instret > 1000000",
      "h3.instret == 7",
      "privilege == user",
      "user == privilege",
      "h0.privilege == machine",
      "h0.privilege != supervisor",
      "pid == 12",
      'comm == "sh"',
      'comm != "bash"',
      "comm ~ /^s/",
      "comm !~ /b/",
      "console ~ /panic/i",
      "console !~ /panic/",
      "!console ~ /oops/ && console ~ /panic/i",
      "sym:jiffies + 1 == 17",
      "csr.satp != 0",
      'pid == 12 && comm == "sh" && !(hart == 0)',
    ]
    for (const text of yes) expect(value(text, context), text).toBe(1n)
    for (const text of yes) expect(value(`!(${text})`, context), text).toBe(0n)
    for (const text of ['h1.comm == "sh"', "sym:other == 0", "h1.csr.satp != 0"])
      expect(value(text, context), text).toBe(null)
  })

  test("of events", () => {
    const timer = (text: string, interrupt: number | null) => value(text, moment({ interrupt }))
    for (const [text, codes] of [
      ["interrupt == timer", [5, 7]],
      ["interrupt == stimer", [5]],
      ["interrupt == mtimer", [7]],
      ["interrupt == supervisorExternal", [9]],
      ["external == interrupt", [9, 11]],
      ["interrupt == software", [1, 3]],
      ["interrupt == 5", [5]],
    ] as const) {
      for (let code = 0; code < 16; code++)
        expect(timer(text, code), `${text} at ${code}`).toBe((codes as readonly number[]).includes(code) ? 1n : 0n)
      expect(timer(text, null)).toBe(null)
      expect(timer(text.replace("==", "!="), 8)).toBe(1n)
      expect(timer(text.replace("==", "!="), codes[0])).toBe(0n)
      expect(timer(text.replace("==", "!="), null)).toBe(null)
    }
    expect(value("trap == loadPageFault", moment({ trap: 13 }))).toBe(1n)
    expect(value("trap == pageFault && trap != 15", moment({ trap: 12 }))).toBe(1n)
    expect(value("syscall == write", moment({ syscall: 64n }))).toBe(1n)
    expect(value("syscall == -1", moment({ syscall: 2n ** 64n - 1n }))).toBe(1n)
  })

  test("what is compiled once can be asked of many moments", () => {
    const doubled = compile(parse("a0 * 2"))
    expect([1n, 2n, 3n].map(a0 => doubled(withArguments([a0])))).toEqual([2n, 4n, 6n])
    expect(doubled(moment())).toBe(null)
  })
})
