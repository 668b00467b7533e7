import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { comparePositions, origin, type Position } from "../../../src/events/index.ts"
import { approach } from "../../../src/tui/debug/approach.ts"
import { Course } from "../../../src/tui/debug/course.ts"
import { breathe, withDebugger } from "./embedded-world.ts"

describe("the course of a history", () => {
  it("is what the log says", { timeout: 60_000 }, () =>
    withDebugger(async session => {
      const { world, timeline } = session
      const course = new Course(world)
      let pieces = 0
      await Effect.runPromise(course.read(breathe, () => pieces++))
      expect(course.isWhole).toBe(true)
      expect(pieces).toBeGreaterThan(0)
      const events = await Effect.runPromise(world.readEvents({}, 100_000))
      const sum = (kind: "console" | "interrupt") =>
        events.reduce((total, event) => {
          if (event.kind !== kind) return total
          return total + (event.kind === "console" ? event.payload.bytes.length : event.payload.interrupts.length)
        }, 0)
      for (const columns of [10, 67, 1000]) {
        const { printed, interrupts, typed } = course.activity(columns)
        const all = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
        expect(printed).toHaveLength(columns)
        expect(all(printed)).toBeCloseTo(sum("console"), 3)
        expect(all(interrupts)).toBeCloseTo(sum("interrupt"), 3)
        expect(typed.some(Boolean)).toBe(true)
      }
      await Effect.runPromise(session.goTo(timeline.end))
      expect(course.executed).toBe(timeline.machine.executed)

      let last: Position = origin
      for (let part = 0; part <= 100; part++) {
        const position = course.positionAt((course.executed * part) / 100, timeline.end)
        expect(comparePositions(position, last)).toBeGreaterThanOrEqual(0)
        expect(comparePositions(position, timeline.end)).toBeLessThanOrEqual(0)
        last = position
      }
      expect(course.positionAt(0, timeline.end)).toEqual(origin)
      expect(course.positionAt(course.executed, timeline.end)).toEqual(timeline.end)

      for (const share of [0.1, 0.33, 0.5, 0.87]) {
        await Effect.runPromise(session.goTo(course.positionAt(course.executed * share, timeline.end)))
        expect(timeline.machine.executed / course.executed).toBeCloseTo(share, 2)
      }
      // What is learnt on the way brings it nearer.
      for (const share of [0.012, 0.025, 0.61, 0.999]) {
        const value = share * course.executed
        const first = course.positionAt(value, timeline.end)
        const wanted = { goal: value, tolerance: 0, first, from: null, isBack: false }
        await Effect.runPromise(approach(session, course, wanted, {}))
        expect(Math.abs(timeline.machine.executed - value)).toBeLessThan(50_000)
      }
    }),
  )
})
