import { describe, expect, it } from "vitest"
import { comparePositions, formatPosition } from "../../../src/events/index.ts"
import { BREAKPOINTS_MAX } from "../../../src/hart/layout.ts"
import { paneNames } from "../../../src/tui/debug/pane.ts"
import { Hands, large, withDebugger } from "./embedded-world.ts"

const TIMEOUT = { timeout: 60_000 }

describe("the debugger's operator", () => {
  it("sets a breakpoint, goes on to it, steps, and undoes", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.command("break console_print")
      expect(hands.said).toMatch(/^Stop point 1: console_print \(0x8[\da-f]+\)\.$/)
      await hands.press("c")
      expect(hands.said).toBe("Stop point 1: break console_print.")
      expect(hands.scene.code.place).toBe("console_print")
      const first = session.position
      await hands.press("s", "s")
      expect(session.position).toEqual({ ...first, instret: first.instret + 2 })
      expect(hands.scene.registers.find(({ name }) => name === "pc")!.isChanged).toBe(true)
      expect(hands.scene.registers.find(({ name }) => name === "gp")!.isChanged).toBe(false)
      await hands.press("S")
      expect(session.position).toEqual({ ...first, instret: first.instret + 1 })
      await hands.press("c")
      const second = session.position
      expect(comparePositions(second, first)).toBeGreaterThan(0)
      await hands.press("C")
      expect(session.position).toEqual(first)
      await hands.press("u")
      expect(session.position).toEqual(second)
      await hands.press("u", "u", "u", "u", "u")
      expect(formatPosition(session.position)).toBe("r0.m0.h0.i0")
      await hands.press("u")
      expect(hands.said).toBe("There is no place before this one to go back to.")
      await hands.operator.close()
    }),
  )

  it("goes over calls, out of functions, and back to where they were called", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.command("until main")
      expect(hands.said).toBe("Reached main.")
      const { inspection } = session
      for (let steps = 0; steps < 40; steps++) {
        const before = inspection.instruction(0, inspection.pc(0))!
        await hands.press("o")
        if (/^jalr? /.test(before.text)) break
      }
      expect(hands.scene.code.place).toMatch(/^main\+0x/)
      await hands.command("until console_print")
      await hands.press("s", "s", "s", "f")
      expect(hands.said).toMatch(/^Returned to main\+0x[\da-f]+\.$/)
      expect(hands.scene.code.place).toMatch(/^main\+0x/)
      const back = session.position
      await hands.command("until console_print")
      await hands.press("s", "s", "s")
      await hands.command("reverse-finish")
      expect(hands.said).toMatch(/^The call is at main\+0x[\da-f]+\.$/)
      expect(comparePositions(session.position, back)).toBeGreaterThan(0)
      // Without lines of source a line is an instruction.
      const place = session.position
      await hands.command("step 3")
      await hands.command("reverse-step 3")
      expect(session.position).toEqual(place)
      await hands.operator.close()
    }),
  )

  it("finds what is printed, forth and back, to the letter", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      hands.operator.start()
      await hands.press("/", ..."first \\w+", "enter")
      expect(hands.scene.printed).toMatch(/sort, 16 jobs, first result$/)
      expect(hands.said).toBe('"first \\w+" was printed in line 10 of the console.')
      await hands.press("n")
      expect(hands.scene.printed).toMatch(/checksum, 8 jobs, first result$/)
      await hands.press("N")
      expect(hands.scene.printed).toMatch(/sort, 16 jobs, first result$/)
      await hands.press("N")
      expect(hands.said).toBe("Nothing that matches first \\w+ is printed before this moment; n finds the next one.")
      await hands.press("/", ..."nowhere", "enter")
      expect(hands.said).toMatch(/^Nothing that matches nowhere is printed after this moment; search something else\.$/)
      expect(hands.state.mode).toMatchObject({ kind: "prompt", prompt: { line: { text: "nowhere" } } })
      await hands.press("escape", "/", ..."(", "enter")
      expect(hands.said).toMatch(/is no regular expression/)
      await hands.operator.close()
    }),
  )

  it("scrubs by shares of the whole, to the ends and no further", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      hands.operator.start()
      await hands.operator.idle()
      const share = () => session.timeline.machine.executed / hands.operator.course.executed
      await hands.press("right", "right", "right")
      expect(share()).toBeCloseTo(0.03, 3)
      await hands.press("left")
      expect(share()).toBeCloseTo(0.02, 3)
      const before = share()
      await hands.press("S-right")
      expect(share() - before).toBeGreaterThan(0)
      expect(share() - before).toBeLessThan(0.004)
      await hands.press("end")
      expect(session.position).toEqual(session.timeline.end)
      await hands.press("right")
      expect(session.position).toEqual(session.timeline.end)
      await hands.press("home")
      await hands.press("left")
      expect(formatPosition(session.position)).toBe("r0.m0.h0.i0")
      await hands.press("g", ..."50%", "enter")
      expect(share()).toBeCloseTo(0.5, 3)
      await hands.command("seek 5ms")
      expect(session.nowNs).toBe(5_000_000)
      await hands.operator.close()
    }),
  )

  it("answers while it is on a way: keys wait, Escape cancels and leaves it where it was", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      hands.operator.start()
      await hands.operator.idle()
      hands.operator.press(">")
      expect(hands.state.going?.what).toBe("going to the end")
      hands.operator.press("s")
      hands.operator.press("3")
      hands.operator.press("?")
      expect(hands.state).toMatchObject({ waiting: 1, focus: "csrs", mode: { kind: "help" } })
      hands.operator.press("escape")
      expect(hands.state).toMatchObject({ waiting: 1, mode: { kind: "keys" } })
      hands.operator.press("escape")
      await hands.operator.idle()
      expect(hands.said).toBe("Cancelled.")
      expect(hands.state).toMatchObject({ waiting: 0, going: null })
      expect(formatPosition(session.position)).toBe("r0.m0.h0.i0")
      await hands.press("s", "s", "s")
      expect(formatPosition(session.position)).toBe("r0.m0.h0.i3")
      await hands.operator.close()
    }),
  )

  it("marks places and goes back to them", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.press("s", "s", "m", "a")
      expect(hands.said).toBe("Marked r0.m0.h0.i2 as a; ' and a goes here.")
      await hands.press("s", "s", "'", "a")
      expect(formatPosition(session.position)).toBe("r0.m0.h0.i2")
      await hands.press("'", "b")
      expect(hands.said).toBe("There is no mark b; there are a.")
      await hands.press("m", "escape")
      expect(hands.state.mode.kind).toBe("keys")
      await hands.press("m", "1")
      expect(hands.said).toBe("A mark is a letter; press m and then a letter.")
      await hands.operator.close()
    }),
  )

  it("stops at what is watched and caught, and keeps the list", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.command("watch boots")
      await hands.command("catch interrupt")
      await hands.command("console /journal: wrote/")
      await hands.command("disable 2")
      await hands.press("c")
      expect(hands.said).toMatch(/^Stop point 1: watch boots, 8 bytes: 0x0 → 0x1\.$/)
      await hands.command("delete 1")
      await hands.press("c")
      expect(hands.said).toBe("Stop point 3: catch console /journal: wrote/.")
      expect(hands.scene.printed).toMatch(/journal: wrote$/)
      await hands.press("0", " ")
      expect(hands.said).toBe("1 stop point enabled.")
      // The letter that was printed last lies before the place, too.
      await hands.press("C", "C")
      expect(hands.said).toMatch(/^Stop point 2: catch interrupt any\.$/)
      await hands.press("0", "j", "x")
      expect(session.stopPoints.map(({ id }) => id)).toEqual([2])
      await hands.command("delete all")
      expect(hands.said).toBe("1 stop point deleted.")
      await hands.command("delete 7")
      expect(hands.said).toBe("There is no stop point 7; there are none.")
      await hands.operator.close()
    }),
  )

  it("stops only where a condition holds", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.command("break work_run if hart == 1")
      const refused = hands.said
      if (refused.startsWith("There is no")) await hands.press("escape")
      await hands.command("break console_print if instret > 400000")
      await hands.press("c")
      expect(session.inspection.executed(session.selectedHart)).toBeGreaterThan(400_000)
      await hands.command("break console_print if nonsense == 1")
      expect(hands.said).toMatch(/nonsense/)
      expect(hands.state.mode).toMatchObject({ prompt: { line: { text: "break console_print if nonsense == 1" } } })
      await hands.operator.close()
    }),
  )

  it("puts a breakpoint at the cursor of the code, and takes it away", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.press("j", "j", "b")
      const [point] = session.stopPoints
      const address = point!.place.kind === "breakpoint" ? point!.place.address : 0n
      expect(address).toBeGreaterThan(session.inspection.pc(0))
      const line = hands.scene.code.lines.find(line => line.kind === "instruction" && line.isCursor)
      expect(line).toMatchObject({ instruction: { address }, breakpoint: "on", isNext: false })
      await hands.press("b")
      expect(session.stopPoints).toEqual([])
      await hands.press("k", "k", "k")
      expect(hands.state.cursor).toBeLessThanOrEqual(session.inspection.pc(0))
      await hands.operator.close()
    }),
  )

  it("looks at memory, page tables and code where expressions lead", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.command("until main")
      await hands.command("x/4wx sp - 16")
      expect(hands.scene.memory.address).toBe(session.inspection.register(0, "sp")! - 16n)
      expect(hands.state).toMatchObject({ focus: "memory", memory: { format: { unit: 4, count: 4 } } })
      await hands.press("j")
      expect(hands.scene.memory.address).toBe(session.inspection.register(0, "sp")!)
      await hands.press("k", "k")
      expect(hands.scene.memory.address).toBe(session.inspection.register(0, "sp")! - 32n)
      await hands.command("walk main")
      expect(hands.scene.pages).toMatchObject({ bare: "machine mode", physical: session.symbols.find("main")!.address })
      await hands.command("disas console_print")
      expect(hands.scene.code.place).toBe("console_print")
      await hands.command("p main + 1")
      expect(hands.said).toMatch(/^main \+ 1 = 0x8[\da-f]+ = \d+ = main\+0x1$/)
      await hands.command("x/2gx 0x10")
      expect(hands.scene.memory.bytes.length).toBe(0)
      await hands.command("disas 0x10")
      expect(hands.said).toBe("There is no memory at 0x10; choose another address.")
      await hands.operator.close()
    }),
  )

  it("selects harts", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.press("h", "1")
      expect(hands.scene.hart).toBe(1)
      await hands.press("s")
      expect(session.inspection.executed(1)).toBe(1)
      await hands.press("h", "7")
      expect(hands.said).toBe("There is no hart 7; there are 0 to 1.")
      await hands.press("9", "k", "enter")
      expect(hands.scene.hart).toBe(0)
      await hands.operator.close()
    }),
  )

  it("lists events around the place, goes to one, filters them", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      hands.operator.start()
      await hands.press("7")
      expect(hands.state.events.lines[0]).toMatchObject({ seq: 0, kind: "genesis" })
      expect(hands.state.events.lines.every(({ kind }) => kind !== "batch" && kind !== "schedule")).toBe(true)
      await hands.command("events console /journal/")
      const { lines } = hands.state.events
      expect(lines.length).toBeGreaterThan(2)
      for (const line of lines)
        expect(line).toMatchObject({ kind: "console", text: expect.stringContaining("journal") })
      await hands.press("j", "enter")
      expect(session.position).toEqual(lines[1]!.position)
      expect(hands.state.events.lines).toEqual(lines)
      await hands.command("events all")
      const { events } = hands.state
      expect(events.lines[events.selected]!.seq).toBe(hands.scene.seq - 1)
      await hands.operator.close()
    }),
  )

  it("asks for forks from where it stands", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.press("s", "F", ..."try", "enter")
      expect(hands.forks).toEqual([{ position: session.position, name: "try" }])
      expect(hands.said).toBe("try begins here; resume it.")
      await hands.command("fork bad name")
      expect(hands.said).toBe("That is no name; give another.")
      await hands.operator.close()
    }),
  )

  it("says what is wrong, and keeps what was typed", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      await hands.command("break console_prin")
      expect(hands.said).toBe(
        "There is no register or word console_prin; perhaps console_print or console_open was meant.",
      )
      await hands.press("t", "enter")
      expect(hands.state.mode.kind).toBe("keys")
      expect(session.stopPoints).toHaveLength(1)
      await hands.press(":", "up")
      expect(hands.state.mode).toMatchObject({ prompt: { line: { text: "break console_print" } } })
      await hands.press("escape", "g", ..."r99999.m0.h0.i0", "enter")
      expect(hands.said).toMatch(/^The history ends at r\d+\.m0\.h\d\.i\d+ and does not reach r99999\.m0\.h0\.i0;/)
      await hands.press("escape")
      await hands.command("watch satp 3")
      expect(hands.said).not.toBe("")
      await hands.press("escape")
      await hands.command("watch a0 9999")
      expect(hands.said).toBe("9999 bytes cannot be watched; give a length from 1 to 4096.")
      await hands.operator.close()
    }),
  )

  it("takes no more breakpoints than there is room for", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      for (let at = 0; at < BREAKPOINTS_MAX - 1; at++) await hands.command(`break main + ${2 * at}`)
      expect(session.stopPoints).toHaveLength(BREAKPOINTS_MAX - 1)
      await hands.command("break main + 2000")
      expect(hands.said).toBe(
        `There are ${BREAKPOINTS_MAX - 1} breakpoints already, which is all there can be; delete one.`,
      )
      await hands.press("escape")
      await hands.command("until console_print")
      expect(hands.said).toMatch(/^Stop point 1: break main\.$/)
      await hands.operator.close()
    }),
  )

  it("leaves when it is told to, whatever it does", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session, large)
      hands.operator.start()
      hands.operator.press(">")
      hands.operator.press("q")
      expect(hands.left).toBe("quit")
      hands.operator.press(":")
      hands.operator.press("C-c")
      expect(hands.left).toBe("interrupted")
      await hands.operator.close()
      expect(hands.state.going).not.toBeNull()
    }),
  )

  it("shows every pane by its key", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = new Hands(session)
      for (const [at, name] of paneNames.entries()) {
        await hands.press(String((at + 1) % 10))
        expect(hands.state.focus).toBe(name)
        await hands.press("pagedown", "pageup", "j", "k", "z", "z")
      }
      await hands.press("tab")
      expect(hands.state.focus).toBe("code")
      await hands.operator.close()
    }),
  )
})
