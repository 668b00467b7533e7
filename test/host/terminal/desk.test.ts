import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Desk } from "../../../src/host/terminal/desk.ts"

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

describe("Desk", () => {
  it("gives out what was typed, in order", () => {
    const desk = new Desk()
    desk.type(bytes("one"))
    desk.type(bytes("two"))
    expect(Buffer.from(desk.take()).toString() + Buffer.from(desk.take()).toString()).toBe("onetwo")
    expect(desk.take()).toHaveLength(0)
    expect(desk.isEmpty).toBe(true)
  })

  it("is full at some time, and tells when there is room again", () => {
    const desk = new Desk()
    let told = 0
    desk.onRoom = () => {
      told++
    }
    desk.type(new Uint8Array(70_000))
    expect(desk.isFull).toBe(true)
    let taken = 0
    while (!desk.isEmpty) taken += desk.take().length
    expect(taken).toBe(70_000)
    expect(told).toBeGreaterThan(0)
  })

  it("waits as long as it was asked, counting what it overslept", async () => {
    const desk = new Desk()
    const start = performance.now()
    let sum = 0
    for (let turn = 0; turn < 50; turn++) sum += await Effect.runPromise(desk.wait(1_500_000))
    const passed = performance.now() - start
    expect(sum).toBe(50 * 1_500_000)
    expect(passed).toBeGreaterThan(70)
  })

  it.each([
    ["something is typed", (desk: Desk) => desk.type(bytes("x"))],
    ["the end is asked for", (desk: Desk) => desk.end()],
    ["something else changed", (desk: Desk) => desk.stir()],
  ])("wakes when %s", async (_, act) => {
    const desk = new Desk()
    setTimeout(() => act(desk), 20)
    const waited = await Effect.runPromise(desk.wait(Number.POSITIVE_INFINITY))
    expect(waited).toBeGreaterThan(5e6)
    expect(waited).toBeLessThan(10e9)
  })

  it("does not wait while something lies there", async () => {
    const desk = new Desk()
    desk.type(bytes("x"))
    expect(await Effect.runPromise(desk.wait(60e9))).toBeLessThan(10e9)
  })
})
