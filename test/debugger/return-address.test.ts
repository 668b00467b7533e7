import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { isCall, returnPlace } from "../../src/debugger/return-address.ts"
import { withDebugger } from "../tui/debug/embedded-world.ts"

describe("where a function returns to", () => {
  it("is where the hart then comes back, at every depth", { timeout: 60_000 }, () =>
    withDebugger(async session => {
      const { inspection, symbols } = session
      const address = symbols.find("console_print")!.address
      session.addStopPoint({ place: { kind: "breakpoint", address } })
      await Effect.runPromise(session.goOn())
      const caller = inspection.register(0, "ra")!
      const sp = inspection.register(0, "sp")!
      for (let steps = 0; steps < 150; steps++) {
        expect(returnPlace(inspection, symbols, 0)?.address).toBe(caller)
        await Effect.runPromise(session.step())
        if (symbols.at(inspection.pc(0))?.symbol.name !== "console_print") break
      }
      expect(inspection.register(0, "sp")).toBeLessThanOrEqual(sp)
    }),
  )

  it("is nowhere before there is a stack", { timeout: 60_000 }, () =>
    withDebugger(async session => {
      expect(returnPlace(session.inspection, session.symbols, 0)).toBeNull()
    }),
  )
})

it("knows calls from jumps", () => {
  expect(["jal 0x80001000", "jalr 8(ra)", "jalr a5", "c.jalr a5"].map(isCall)).toEqual([true, true, true, true])
  expect(["j 0x80001000", "jr a5", "c.jr ra", "ret", "c.j 0x80000000"].map(isCall)).toEqual(Array(5).fill(false))
})
