import { describe, expect, it } from "vitest"
import { commands, readCommand } from "../../../src/tui/debug/commands.ts"

const problemOf = (line: string): string => {
  const read = readCommand(line)
  expect(read, line).toHaveProperty("problem")
  return (read as { problem: string }).problem
}

describe("a command", () => {
  it.each([
    ["break start_kernel", { kind: "break", address: "start_kernel", condition: null }],
    ["b *0x80200000", { kind: "break", address: "0x80200000", condition: null }],
    ["b", { kind: "break", address: null, condition: null }],
    ["b panic if a0 == 1 && hart == 1", { kind: "break", address: "panic", condition: "a0 == 1 && hart == 1" }],
    ["b if a0 == 1", { kind: "break", address: null, condition: "a0 == 1" }],
    ["b iffy", { kind: "break", address: "iffy", condition: null }],
    ["watch jiffies", { kind: "watch", access: "change", target: "jiffies", length: null }],
    ["watch sp + 16 4", { kind: "watch", access: "change", target: "sp + 16", length: "4" }],
    ["watch sp + 16", { kind: "watch", access: "change", target: "sp + 16", length: null }],
    ["rwatch 0x80001000 0x10", { kind: "watch", access: "read", target: "0x80001000", length: "0x10" }],
    ["awatch x", { kind: "watch", access: "access", target: "x", length: null }],
    ["catch interrupt", { kind: "catch", what: "interrupt", number: null }],
    ["catch exc 13", { kind: "catch", what: "exception", number: 13 }],
    ["catch syscall 64", { kind: "catch", what: "syscall", number: 64 }],
    ["catch syscall openat", { kind: "catch", what: "syscall", number: 56 }],
    ["catch exception loadPageFault", { kind: "catch", what: "exception", number: 13 }],
    ["catch interrupt stimer", { kind: "catch", what: "interrupt", number: 5 }],
    ["console /login: /i", { kind: "catch-console", pattern: /login: /i }],
    ["console/a b/", { kind: "catch-console", pattern: /a b/ }],
    ["c", { kind: "continue", isBack: false }],
    ["rc", { kind: "continue", isBack: true }],
    ["reverse-c", { kind: "continue", isBack: true }],
    ["si", { kind: "step", count: 1, isBack: false }],
    ["stepi 100", { kind: "step", count: 100, isBack: false }],
    ["rsi 0x10", { kind: "step", count: 16, isBack: true }],
    ["ni 2", { kind: "step-over", count: 2 }],
    ["fin", { kind: "finish", isBack: false }],
    ["reverse-finish", { kind: "finish", isBack: true }],
    ["s", { kind: "line", count: 1, isBack: false, isOver: false }],
    ["next 3", { kind: "line", count: 3, isBack: false, isOver: true }],
    ["rn", { kind: "line", count: 1, isBack: true, isOver: true }],
    ["until main", { kind: "until", address: "main" }],
    ["seek 1.5s", { kind: "seek", to: { kind: "time", ns: 1_500_000_000 } }],
    ["seek 40 %", { kind: "seek", to: { kind: "share", share: 0.4 } }],
    ["seek start", { kind: "seek", to: { kind: "start" } }],
    [
      "seek r12.m0.h1.i345",
      { kind: "seek", to: { kind: "position", position: { round: 12, machine: 0, hart: 1, instret: 345 } } },
    ],
    ["x/8gx $sp", { kind: "memory", address: "$sp", format: { unit: 8, digits: "hexadecimal", count: 8 } }],
    ["x/4wd buffer+8", { kind: "memory", address: "buffer+8", format: { unit: 4, digits: "signed", count: 4 } }],
    ["x sp", { kind: "memory", address: "sp", format: { unit: 1, digits: "hexadecimal", count: null } }],
    ["x/i pc", { kind: "code", address: "pc" }],
    ["p a0 + 1", { kind: "print", expression: "a0 + 1" }],
    ["walk stvec", { kind: "pages", address: "stvec" }],
    ["disas main", { kind: "code", address: "main" }],
    ["delete 1 2", { kind: "delete", ids: [1, 2] }],
    ["d all", { kind: "delete", ids: "all" }],
    ["disable 3", { kind: "enable", ids: [3], isEnabled: false }],
    ["hart 1", { kind: "hart", hart: 1 }],
    ["thread 0", { kind: "hart", hart: 0 }],
    ["info reg", { kind: "focus", pane: "registers" }],
    ["i b", { kind: "focus", pane: "stops" }],
    ["events input console /boot/", { kind: "events", kinds: ["input", "console"], text: "boot" }],
    ["events all", { kind: "events", kinds: [], text: "" }],
    ["fork try", { kind: "fork", name: "try" }],
    ["h", { kind: "help" }],
    ["  q  ", { kind: "quit" }],
  ])("%s", (line, order) => {
    expect(readCommand(line)).toEqual(order)
  })

  it("is nothing where nothing is typed", () => {
    expect(readCommand("   ")).toBeNull()
  })
})

describe("one sentence says what is wrong with", () => {
  it.each([
    ["brek main", "There is no command brek; did you mean break?"],
    ["re", "There is no command re; did you mean reverse-continue or reverse-stepi or reverse-step or reverse-next?"],
    ["frobnicate", "There is no command frobnicate; :help lists those there are."],
    ["0x80000000", '"0x80000000" begins with no command; :help lists those there are.'],
    ["b main if", "A condition is missing behind if; write :break ADDR if a0 == 1."],
    ["watch", "Something is missing; write :watch ADDR [LEN]."],
    ["console login", "A regular expression stands between slashes; write :console /REGEX/."],
    ["stepi many", '"many" is no number of instructions; write :stepi N with N from 1 on.'],
    ["stepi 0", '"0" is no number of instructions; write :stepi N with N from 1 on.'],
    ["continue 3", ':continue takes nothing; "3" is too much.'],
    ["x/8q sp", '"8q" is no format; write :x/8gx ADDR with how many, b h w g for 1 2 4 8 bytes, and x d u or i.'],
    ["b/x main", ":break has no format behind a slash; leave /x out."],
    ["delete", "Stop points are named by their numbers, as the list of them shows; write :delete N or :delete all."],
    ["events boots", /^There are no events of kind boots; the kinds are genesis, batch, /],
    ["seek tomorrow", /^"tomorrow" is no place in history; write a position \(/],
    ["catch exception 99", /^There is no exception 99; write instructionMisaligned, /],
    ["catch exception pageFault", /^pageFault is several of them; write one of instructionPageFault, /],
    ["catch syscall opnat", /^There is no syscall opnat; perhaps .*openat.* was meant\.$/],
    ["catch syscall 64 65", /^One syscall at a time; write :catch syscall 64\.$/],
    ["x/0gx sp", /^0 units show nothing;/],
    ["catch signal", /^What can be caught is an interrupt, an exception or a syscall;/],
    ["console /(/", /^\/\(\/ is no regular expression \(.*\); correct it\.$/],
    ["info stars", /^There is nothing called "stars" to look at; it can be code, /],
  ])("%s", (line, sentence) => {
    expect(problemOf(line)).toMatch(typeof sentence === "string" ? new RegExp(`^${escaped(sentence)}$`) : sentence)
  })
})

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")

it("has no name twice", () => {
  const names = commands.flatMap(({ name, aliases }) => [name, ...aliases])
  expect(new Set(names).size).toBe(names.length)
})
