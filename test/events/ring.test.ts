import { expect, test } from "vitest"
import { Ring } from "../../src/events/ring.ts"

test("frames come out as they were put in, around the end too, until the ring is full", () => {
  const ring = new Ring(Ring.allocate(1024))
  let put = 0
  let got = 0
  for (let step = 0; step < 1000; step++) {
    const frame = new Uint8Array((step * 37) % 200).map((_, index) => step + index)
    if (ring.queuedBytes + frame.length > 1024) expect(ring.put(frame)).toBe(false)
    else {
      expect(ring.put(frame)).toBe(true)
      put += frame.length
      const all = ring.peek(1024)
      expect(new Uint8Array(all.subarray(all.length - frame.length))).toEqual(frame)
    }
    if (step % 3 === 0) {
      const part = ring.peek(300)
      ring.free(part.length, 1)
      got += part.length
    }
    expect(ring.queuedBytes).toBe(put - got)
  }
  expect(ring.durableFrames).toBe(334)
})
