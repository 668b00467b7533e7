import { renderToString } from "ink"
import { createElement as h } from "react"
import { describe, expect, it } from "vitest"
import { DemoScreen } from "../../../src/tui/demo/demo-screen.ts"
import { type DemoState, initialState, stepNames, withStep } from "../../../src/tui/demo/demo-state.ts"
import * as story from "../../../src/tui/demo/story.ts"
import { failed, proved, suggestions } from "./sample-state.ts"

const draw = (state: DemoState, columns: number, rows: number): string[] =>
  renderToString(h(DemoScreen, { state, columns, rows }), { columns }).split("\n")

describe("the finished screen", () => {
  it("fits 80 columns and 24 rows with two to spare", () => {
    const lines = draw(proved, 80, 24)
    expect(lines.length).toBe(22)
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(80)
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      " Chronovisor  a computer whose every run is history  all 5 proved in 1.81 s

       ✓ record   49,391,264 instructions on 4 harts in 0.14 s, 353 MIPS
                  174 events in a log of 184 KiB; the guest printed 1,620 bytes
       ✓ replay   all 174 events compared, the console equal byte for byte
                  digest of the machine at the end bd822c008db490d139ac8272250ad142
       ✓ repeat   the same digest again, and the same chain of 174 events
       ✓ restore  snapshot at r391.m0.h0.i7741323, carried on in a new process
                  its last 84 events, its console and its digest are the same
       ✓ flip     bit 5 of a5 on hart 3 after its instruction 7,000,000: found
                  event 86 (batch): its registers have another digest
                  0x800009a4  c.xor a5, a4  r366.m0.h3.i7000000
                  hart 3 a5 expected 0x578122a6, found 0x57812286

       │ guest line 36: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
       │ guest line 37: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
       │ guest line 38: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
       │ guest line 39: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…

       guest  cv run scenarios/guests/embedded/embedded.elf --firmware none
       Debian cv image build debian && cv run debian
       help   cv --help"
    `)
  })

  it("has all of the story and of what to type, unbroken", () => {
    const text = draw(proved, 80, 24).join("\n")
    for (const { lines } of proved.steps)
      for (const line of lines) expect(text).toContain(line.map(span => span.text).join(""))
    for (const { command } of suggestions) expect(text).toContain(command)
  })

  it("shows more of the console where there are more rows", () => {
    const count = (rows: number) => draw(proved, 80, rows).filter(line => line.includes("guest line")).length
    expect(count(24)).toBe(4)
    expect(count(40)).toBe(20)
  })

  it("has the console beside the story where it is wide", () => {
    const lines = draw(proved, 200, 50)
    expect(lines.length).toBeLessThanOrEqual(48)
    expect(lines.filter(line => line.includes("guest line")).length).toBe(40)
    expect(lines[0]).toMatch(/Chronovisor.*guest line 0/)
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(200)
  })

  it("does without a console where there is no room", () => {
    expect(draw(proved, 80, 10).join("\n")).not.toContain("guest line")
  })

  it("wraps in a narrow terminal and loses nothing", () => {
    const lines = draw(proved, 40, 24)
    expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(40)
    expect(lines.join("\n")).toContain("0x57812286")
  })
})

describe("on the way", () => {
  it("says what each step is for", () => {
    const text = draw(initialState(suggestions), 80, 24).join("\n")
    for (const name of stepNames) expect(text).toContain(story.purposes[name])
    expect(text).toContain("running")
  })

  it("shows how far a step is", () => {
    const state = withStep(initialState(suggestions), "replay", {
      status: "running",
      lines: [story.comparing(63, 174)],
    })
    expect(draw(state, 80, 24).join("\n")).toContain("› replay   63 of 174 events")
  })
})

it("says clearly what failed", () => {
  const text = draw(failed, 80, 24).join("\n")
  expect(text).toMatch(/Chronovisor.*failed/)
  expect(text).toContain("✗ replay   173 events were compared, 174 recorded.")
  expect(text).toContain("· repeat")
})
