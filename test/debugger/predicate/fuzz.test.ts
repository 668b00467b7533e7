import { expect, test } from "vitest"
import { PredicateMalformed } from "../../../src/debugger/errors.ts"
import { compileTruth, evaluate, needsOf, parse, triggersOf } from "../../../src/debugger/predicate/index.ts"
import { Random } from "../../oracle/random.ts"
import { moment } from "./moment.ts"

/** Takes a text through everything; only PredicateMalformed may come out. Gives whether it was taken. */
const survives = (text: string): boolean => {
  try {
    const expression = parse(text)
    evaluate(expression, moment())
    compileTruth(expression)(moment({ trap: 3 }))
    needsOf(expression)
    const triggers = triggersOf(expression)
    if (triggers.kind === "states") triggers.watch(moment())
    return true
  } catch (error) {
    if (!(error instanceof PredicateMalformed))
      throw new Error(`${JSON.stringify(text)} throws ${error}`, { cause: error })
    const lines = error.caret.split("\n")
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^[ \t]*\^$/)
    expect(error.offset).toBeGreaterThanOrEqual(0)
    return false
  }
}

test("random characters", () => {
  const random = new Random(1)
  const alphabet = "a0sx15 =<>&|!~/\\\"'()[].+-*%^_:#\t\n\r\0漢é😀\ud800h"
  for (let round = 0; round < 10_000; round++) {
    const length = random.below(24)
    const any = () => String.fromCharCode(random.chance(80) ? random.below(128) : random.below(0x10000))
    survives(
      Array.from({ length }, () => (random.chance(50) ? any() : alphabet[random.below(alphabet.length)]!)).join(""),
    )
  }
})

// biome-ignore format: a list
const words = [
  "a0", "h1.sp", "pc", "csr.satp", "csr.", "h1.", "mem64", "mem8(", "phys32[", "signed8(", "signed32", "hart", "time", "instret",
  "privilege", "user", "pid", "comm", "console", "interrupt", "trap", "syscall", "timer", "write", "sym:jiffies", "sym:", "0", "1",
  "0x10", "1.5s", "08", "'x'", '"sh"', "/panic/i", "/(/", "(", ")", "[", "]", "||", "&&", "|", "^", "&", "==", "!=", "<", "<=", ">",
  ">=", "s<", "s<=", "s>>", "<<", ">>", "+", "-", "*", "/", "%", "~", "!", "=", "and", "jiffies", "18446744073709551615",
]

test("random words", () => {
  const random = new Random(2)
  let taken = 0
  for (let round = 0; round < 10_000; round++) {
    const text = Array.from({ length: 1 + random.below(9) }, () => random.pick(words)).join(
      random.pick(["", " ", "  "]),
    )
    if (survives(text)) taken++
  }
  expect(taken).toBeGreaterThan(200)
})

const sound = [
  'mem64(sym:jiffies) > 100 && console ~ /pa[/]nic/i || comm == "s\\x68"',
  "interrupt == timer && hart == 1 && h1.mem8[a0 + 4] == 'x' && !(csr.satp s< -1)",
  "syscall == write && privilege == user && phys64(0x8020_0000) % 3 == 0 || time >= 1.5s && instret < 5",
]

test("sound texts with something wrong in them", () => {
  const random = new Random(3)
  for (const text of sound) expect(survives(text)).toBe(true)
  for (let round = 0; round < 10_000; round++) {
    let text = random.pick(sound)
    for (let change = random.between(1, 3); change > 0; change--) {
      const at = random.below(text.length)
      const piece = random.pick([
        "",
        random.pick(words),
        text.slice(at, at + random.below(10)),
        random.pick([..."()[]\"'/\\ "]),
      ])
      text = text.slice(0, at) + piece + text.slice(at + random.below(4))
    }
    survives(text)
  }
})

test("the longest chains of everything are worked out without running out of stack", () => {
  const links = [
    "a0+",
    "a0||",
    "a0&&",
    "trap||",
    "trap&",
    "1==",
    "mem8[1]|",
    "pc==1||",
    "!a0&&",
    "mem8[a0]-",
    "time<1&&",
  ]
  for (const link of links) expect(survives(`${link.repeat(Math.floor(4094 / link.length))}1`)).toBe(true)
  const nested = (open: string, close: string) => `${open.repeat(100)}1${close.repeat(100)}`
  for (const [open, close] of [
    ["(", ")"],
    ["mem8[", "]"],
    ["!(trap&&", ")"],
    ["(1+", "&&a0)"],
    ["-(trap||", ")"],
  ] as const)
    if (!open.startsWith("-") && !open.startsWith("!")) expect(survives(nested(open, close))).toBe(true)
    else expect(survives(`${open.repeat(50)}1${close.repeat(50)}`)).toBe(true)
})
