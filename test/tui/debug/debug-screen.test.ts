import { renderToString } from "ink"
import { createElement as h } from "react"
import { describe, expect, it } from "vitest"
import type { Debugger } from "../../../src/debugger/debugger.ts"
import { formatPosition } from "../../../src/events/index.ts"
import { DebugScreen } from "../../../src/tui/debug/debug-screen.ts"
import type { Size } from "../../../src/tui/debug/layout.ts"
import { panes } from "../../../src/tui/debug/pane.ts"
import { Hands, large, small, withDebugger, withDebugInformation } from "./embedded-world.ts"

const TIMEOUT = { timeout: 60_000 }

const linesOf = ({ operator }: Hands): string[] => {
  const sight = operator.getSight()
  const screen = h(DebugScreen, { world: "guest", sight, course: operator.course })
  return renderToString(screen, { columns: sight.state.size.columns }).split("\n")
}
const textOf = (hands: Hands): string => linesOf(hands).join("\n")

/** Someone who has read the log and stands where the guest prints its first line. */
const begin = async (session: Debugger, size: Size): Promise<Hands> => {
  const hands = new Hands(session, size)
  hands.operator.start()
  await hands.operator.idle()
  await hands.command("until console_print")
  return hands
}

const sizes: readonly Size[] = [
  small,
  large,
  { columns: 132, rows: 43 },
  { columns: 80, rows: 60 },
  { columns: 50, rows: 14 },
  { columns: 12, rows: 5 },
]

describe("the screen", () => {
  it("fills its terminal and goes not beyond, whatever is looked at", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = await begin(session, small)
      for (const size of sizes) {
        hands.operator.resize(size)
        for (const { key } of panes) {
          await hands.press(key)
          for (const zoom of [[], ["z"], ["z"]]) {
            await hands.press(...zoom)
            const lines = linesOf(hands)
            expect(lines[0]).toMatch(/^ guest/)
            expect(lines.length, JSON.stringify({ size, key })).toBe(size.rows)
            expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(size.columns)
          }
        }
      }
      await hands.operator.close()
    }),
  )

  it("has at 80 columns and 24 rows the timeline, the code, the registers and the keys", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = await begin(session, small)
      const lines = linesOf(hands)
      const place = `${formatPosition(session.position)}  ${(session.nowNs / 1e9).toFixed(9)} s`
      expect(lines[0]).toBe(` guest  ${place}  0.7 %  hart 0 M`)
      expect(lines[1]).toMatch(/^ printed {4}.*[▁▂▃▄▅▆▇█]/)
      expect(lines[2]).toMatch(/^ interrupts .*[▁▂▃▄▅▆▇█]/)
      expect(lines[3]).toMatch(/^ history {4}[━─▲↓]{67}$/)
      expect(lines[3]!.match(/▲/g)).toHaveLength(1)
      expect(lines[3]).toContain("↓")
      expect(lines[4]).toMatch(/^━━ 1 code ━━ console_print ━+$/)
      expect(lines.slice(5, 10)).toContain("   console_print:")
      const pc = session.inspection.pc(0).toString(16).padStart(16, "0")
      const next = lines.slice(5, 10).find(line => line.startsWith("▶"))
      expect(next).toMatch(new RegExp(`^▶ ${pc}  [\\da-f]{4} {6}c.addi16sp sp, -\\d+$`))
      expect(lines[10]).toMatch(/^── 2 registers ── hart 0 ─+$/)
      expect(lines[11]).toContain(`pc *${pc}`)
      for (const name of ["ra", "sp", "gp", "tp", "t6", "s11", "a7"])
        expect(lines.slice(11, 22).join("\n")).toMatch(new RegExp(`\\b${name} +[* ]?[\\da-f]{16}\\b`))
      expect(lines[22]).toBe(" Reached console_print.")
      expect(lines[23]).toBe(" s S step  c C continue  ← → scrub  / search  b break  : command  q quit  ? help")
      await hands.operator.close()
    }),
  )

  it("has at 200 columns and 50 rows everything at once", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = await begin(session, large)
      await hands.command("break main")
      await hands.command("catch exception 2")
      await hands.command("watch boots")
      await hands.press("/", ..."6 of 6", "enter")
      const text = textOf(hands)
      for (const { key, title } of panes) expect(text).toMatch(new RegExp(`[━─]{2} ${key} ${title} [━─]`))
      expect(text).toContain("summary: »6 of 6«")
      expect(text).toMatch(/● {2}1 break +main/)
      expect(text).toMatch(/● {2}2 catch exception 2 illegal instruction/)
      expect(text).toMatch(/● {2}3 watch +boots, 8 bytes/)
      expect(text).toMatch(/▶0 machine {4}running console_print\+0x/)
      expect(text).toMatch(/ 1 machine +(?:running|waiting)/)
      expect(text).toMatch(/mstatus {3}[ *][\da-f]{16} {2}MIE MPIE SPP=U MPP=U FS=dirty SD …/)
      expect(text).toMatch(/mie {7}[ *][\da-f]{16} {2}MSIE MTIE MEIE/)
      expect(text).toMatch(/physical 0x8[\da-f]+, as it is: machine mode/)
      expect(text).toMatch(/\+000 [\da-f]{16} {2}[\da-f]{16}/)
      expect(text).toMatch(/input {5}from script: add first note/)
      expect(text).toMatch(/interrupt M (?:timer|software|external) on hart \d/)
      await hands.operator.close()
    }),
  )

  it("keeps a way that is gone in sight", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = await begin(session, small)
      hands.operator.press(">")
      hands.operator.press("s")
      const lines = linesOf(hands)
      expect(lines[3]).toMatch(/▲.*△$/)
      expect(lines[22]).toMatch(/^ going to the end, 1 waiting/)
      expect(lines[23]).toBe(" Esc cancels  ? help  q quit")
      hands.operator.press("escape")
      await hands.operator.idle()
      await hands.operator.close()
    }),
  )

  it("shows what is typed, what it could be, and what is wrong with it", TIMEOUT, () =>
    withDebugger(async session => {
      const hands = await begin(session, small)
      await hands.press(":", ..."break console_", "tab")
      expect(linesOf(hands)[22]).toBe(":break console_")
      expect(linesOf(hands)[23]).toMatch(/^ console_open {2}console_print {2}/)
      await hands.press(..."prnt", "enter")
      expect(textOf(hands)).toMatch(
        /\n:break console_prnt\n There is no register or word console_prnt; perhaps console_print/,
      )
      expect(linesOf(hands)).toHaveLength(24)
      await hands.press("escape", ":", ..."x".repeat(300))
      // One column is the cursor's.
      expect(linesOf(hands)[22]).toBe(`:${"x".repeat(78)}`)
      await hands.press("escape", "?")
      expect(textOf(hands)).toContain("one instruction of the selected hart on, back")
      await hands.press(...Array.from({ length: 12 }, () => "pagedown"))
      expect(textOf(hands)).toContain("a stop point, and one that is switched off")
      await hands.press("q", "m")
      expect(linesOf(hands)[22]).toBe(" mark this place: a letter")
      await hands.press("k", ">")
      expect(linesOf(hands)[3]).toMatch(/^ history {4}.*k.*▲$/)
      await hands.operator.close()
    }),
  )

  it("has lines of source where they are known", TIMEOUT, () =>
    withDebugInformation(async session => {
      const hands = new Hands(session, small)
      await hands.command("until console_print")
      const lines = linesOf(hands)
      expect(lines[4]).toMatch(/^━━ 1 code ━━ console_print, console\.c:\d+ ━+$/)
      expect(lines.slice(5, 10).join("\n")).toMatch(/^▶ .* {2}console\.c:\d+$/m)
      const line = () => Number(/console\.c:(\d+)$/.exec(hands.scene.code.place)![1])
      const first = line()
      await hands.command("next")
      expect(line()).not.toBe(first)
      expect(hands.scene.code.place).toMatch(/^console_print\+0x/)
      await hands.command("finish")
      expect(hands.said).toMatch(/^Returned at \w+(?:\.\w+)*\+0x[\da-f]+\.$/)
      await hands.operator.close()
    }),
  )

  it("brings no control character of the guest to the terminal", TIMEOUT, () => {
    const nasty = "add a\x1b[2Jb\x9b31mc\x07d\u202ee\n"
    return withDebugger(async session => {
      for (const size of [small, large]) {
        const hands = await begin(session, size)
        await hands.press(">", "8", "7")
        await hands.command("events all")
        for (const key of ["7", "8", "4", "k", "k"]) {
          await hands.press(key)
          const acting = [...textOf(hands)].filter(character => /(?!\n)[\p{Cc}\p{Bidi_Control}]/u.test(character))
          expect(acting).toEqual([])
        }
        await hands.operator.close()
      }
    }, `${nasty}quit\n`)
  })
})
