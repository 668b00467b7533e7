import { describe, expect, it } from "vitest"
import { conditionOf, guestExpression } from "../../src/debugger/guest-expression.ts"
import { withDebugger } from "../tui/debug/embedded-world.ts"

describe("what people write for a number", () => {
  it("is a sum of numbers, registers and symbols, or a question's expression", { timeout: 60_000 }, () =>
    withDebugger(async session => {
      const { inspection, symbols } = session
      const value = (text: string, hart = 0) => {
        const read = guestExpression(session, text)
        return read.ok ? read.value(hart) : read.problem
      }
      const main = symbols.find("main")!.address
      const pc = inspection.pc(0)
      expect(value("42")).toBe(42n)
      expect(value("0x80000000")).toBe(0x8000_0000n)
      expect(value("main")).toBe(main)
      expect(value("main+0x10")).toBe(main + 16n)
      expect(value(" main - 2 ")).toBe(main - 2n)
      expect(value("sym:main * 2")).toBe(main * 2n)
      expect(value("main + main")).toBe(main * 2n)
      expect(value("pc")).toBe(pc)
      expect(value("$pc + 4")).toBe(pc + 4n)
      expect(value("a0", 1)).toBe(inspection.register(1, "a0"))
      expect(value("x10", 1)).toBe(inspection.register(1, "a0"))
      expect(value("h1.a0")).toBe(inspection.register(1, "a0"))
      expect(value("mstatus")).toBe(inspection.register(0, "mstatus"))
      expect(value("$mstatus & 0")).toBe(0n)
      expect(value("0 - 1")).toBe((1n << 64n) - 1n)
      expect(value("*main")).toBe(inspection.readInteger(0, main, 8))
      expect(value("mem16(main + 2)")).toBe(inspection.readInteger(0, main + 2n, 2))
      expect(value("*(0)")).toBeNull()
      expect(value("privilege == machine && hart == 1", 1)).toBe(1n)
      expect(value("console ~ /main/")).toBe(0n)

      expect(value("console_prnt")).toBe(
        "There is no register or word console_prnt; perhaps console_print or console_open was meant.",
      )
      expect(value("qqqq")).toBe(
        "There is no register or word qqqq, and no symbol has such a name; write another or a number.",
      )
      expect(value("main +")).toMatch(/^A value is expected at the end/)
      expect(value("")).toMatch(/^There is nothing to ask/)
    }),
  )

  it("holds as a condition where it is known and not 0", { timeout: 60_000 }, () =>
    withDebugger(async session => {
      const holds = (text: string, hart: number) => {
        const read = guestExpression(session, text)
        return read.ok && conditionOf(read.value)(session.inspection, hart)
      }
      expect(holds("hart == 1", 1)).toBe(true)
      expect(holds("hart == 1", 0)).toBe(false)
      expect(holds("a1 + 0", 0)).toBe(true)
      expect(holds("mem64(0) + 1", 0)).toBe(false)
    }),
  )
})
