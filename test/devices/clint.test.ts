import { describe, expect, test } from "vitest"
import { Clint } from "../../src/devices/index.ts"
import { below, ManualClock, Wire } from "./support/bench.ts"
import { deviceLaws, type Rig } from "./support/device-law.ts"

const MTIME = 0xbff8
const mtimecmp = (hart: number): number => 0x4000 + 8 * hart

function bench(harts = 2) {
  const clock = new ManualClock()
  const software = Array.from({ length: harts }, () => new Wire())
  const timer = Array.from({ length: harts }, () => new Wire())
  const clint = new Clint({ clock, softwareInterrupts: software, timerInterrupts: timer })
  const setCompare = (hart: number, high: number, low: number): void => {
    clint.store(mtimecmp(hart), 4, low)
    clint.store(mtimecmp(hart) + 4, 4, high)
  }
  const setTime = (high: number, low: number): void => {
    clint.store(MTIME, 4, low)
    clint.store(MTIME + 4, 4, high)
  }
  return { clock, software, timer, clint, setCompare, setTime }
}

describe("clint", () => {
  test("msip drives its hart's line and keeps one bit", () => {
    const { clint, software } = bench()
    clint.store(4, 4, 0xffff_ffff)
    expect(software.map(line => line.level)).toEqual([false, true])
    expect(clint.load(4, 4)).toBe(1)
    clint.store(4, 4, 2)
    expect(software[1]!.level).toBe(false)
  })

  test("mtime is a tenth of a microsecond a tick", () => {
    const { clint, clock } = bench()
    clock.ns = 2 ** 40 * 100 + 99
    expect([clint.load(MTIME, 4), clint.load(MTIME + 4, 4)]).toEqual([0, 256])
  })

  test("the deadline is the very nanosecond at which the line rises", () => {
    const { clint, clock, timer, setCompare } = bench()
    clock.ns = 12_345
    setCompare(0, 0, 200)
    expect(clint.timerDeadlineNs(0)).toBe(20_000)
    clock.ns = 19_999
    clint.update()
    expect(timer[0]!.level).toBe(false)
    clock.ns = 20_000
    clint.update()
    expect(timer[0]!.level).toBe(true)
    expect(clint.timerDeadlineNs(0)).toBe(20_000)
    expect(timer[1]!.level).toBe(false)
  })

  test("a comparison that no time reaches has no deadline and keeps all its bits", () => {
    const { clint, setCompare } = bench()
    expect(clint.timerDeadlineNs(0)).toBe(Number.POSITIVE_INFINITY)
    setCompare(0, 0xffff_ffff, 0xffff_fffe)
    expect(clint.timerDeadlineNs(0)).toBe(Number.POSITIVE_INFINITY)
    expect([clint.load(mtimecmp(0), 4), clint.load(mtimecmp(0) + 4, 4)]).toEqual([0xffff_fffe, 0xffff_ffff])
    const last = Math.floor(Number.MAX_SAFE_INTEGER / 100)
    setCompare(0, Math.floor(last / 2 ** 32), last >>> 0)
    expect(clint.timerDeadlineNs(0)).toBe(last * 100)
    setCompare(0, Math.floor((last + 1) / 2 ** 32), (last + 1) >>> 0)
    expect(clint.timerDeadlineNs(0)).toBe(Number.POSITIVE_INFINITY)
  })

  test("a written mtime goes on from there, and deadlines follow", () => {
    const { clint, clock, timer, setCompare, setTime } = bench()
    clock.ns = 1000
    setTime(0xffff_ffff, 0xffff_fff0)
    setCompare(0, 0xffff_ffff, 0xffff_ffff)
    expect(clint.timerDeadlineNs(0)).toBe(1000 + 1500)
    clock.ns = 2500
    clint.update()
    expect(timer[0]!.level).toBe(true)
    expect(clint.mtime).toEqual({ high: 0xffff_ffff, low: 0xffff_ffff })
    clock.ns = 2600
    expect(clint.mtime).toEqual({ high: 0, low: 0 })
  })

  const surroundings = new Map<Rig["device"], ReturnType<typeof bench>>()
  deviceLaws("clint", {
    offsets: [0, 4, 8, mtimecmp(0), mtimecmp(0) + 4, mtimecmp(1), mtimecmp(1) + 4, mtimecmp(2), MTIME, MTIME + 4],
    makeRig: other => {
      const made = bench()
      if (other !== undefined) made.clock.ns = surroundings.get(other.device)!.clock.ns
      surroundings.set(made.clint, made)
      return {
        device: made.clint,
        observe: () => [made.software, made.timer, made.clint.timerDeadlineNs(0), made.clint.timerDeadlineNs(1)],
        stimulate: random => {
          made.clock.ns += below(random, 100_000)
          made.clint.update()
        },
      }
    },
  })
})
