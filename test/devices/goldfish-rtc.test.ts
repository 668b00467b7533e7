import { describe, expect, test } from "vitest"
import { GoldfishRtc } from "../../src/devices/index.ts"
import { below, ManualClock, Wire } from "./support/bench.ts"
import { deviceLaws, type Rig } from "./support/device-law.ts"

const EPOCH = { seconds: 1_700_000_000, nanoseconds: 123_456_789 }
const EPOCH_NS = 1_700_000_000_123_456_789n

function bench() {
  const clock = new ManualClock()
  const wire = new Wire()
  const rtc = new GoldfishRtc({ clock, interrupt: wire, epoch: EPOCH })
  const load = (offset: number): number => rtc.load(offset, 4)
  const store = (offset: number, value: number): void => rtc.store(offset, 4, value)
  const time = (): bigint => BigInt(load(0)) | (BigInt(load(4)) << 32n)
  const setAlarm = (ns: bigint): void => {
    store(0x0c, Number(ns >> 32n))
    store(0x08, Number(ns & 0xffff_ffffn))
  }
  return { clock, wire, rtc, load, store, time, setAlarm }
}

describe("goldfish rtc", () => {
  test("tells the date to the nanosecond", () => {
    const { clock, time } = bench()
    expect(time()).toBe(EPOCH_NS)
    clock.ns = 2 ** 52 + 1
    expect(time()).toBe(EPOCH_NS + 2n ** 52n + 1n)
  })

  test("the high half is that of the low half read last", () => {
    const { clock, load } = bench()
    const low = load(0)
    clock.ns = 2 ** 33
    expect((BigInt(load(4)) << 32n) | BigInt(low)).toBe(EPOCH_NS)
  })

  test("goes on from a time that is set", () => {
    const { clock, store, time } = bench()
    store(4, 5)
    store(0, 0xffff_ffff)
    clock.ns += 1
    expect(time()).toBe(6n << 32n)
  })

  test("the alarm goes off at its nanosecond and is cleared by the guest", () => {
    const { clock, wire, rtc, load, store, setAlarm } = bench()
    store(0x10, 1)
    setAlarm(EPOCH_NS + 5_000n)
    expect([rtc.alarmDeadlineNs(), load(0x18)]).toEqual([5000, 1])
    clock.ns = 4999
    rtc.update()
    expect(wire.level).toBe(false)
    clock.ns = 5000
    rtc.update()
    expect([wire.level, load(0x18), rtc.alarmDeadlineNs()]).toEqual([true, 0, Number.POSITIVE_INFINITY])
    store(0x1c, 1)
    expect(wire.level).toBe(false)
  })

  test("an alarm in the past goes off at once, a cleared one never, a distant one is out of reach", () => {
    const { wire, rtc, store, setAlarm } = bench()
    store(0x10, 1)
    setAlarm(EPOCH_NS)
    expect(wire.level).toBe(true)
    setAlarm(2n ** 64n - 1n)
    expect(rtc.alarmDeadlineNs()).toBe(Number.POSITIVE_INFINITY)
    setAlarm(EPOCH_NS + 9n)
    store(0x14, 1)
    expect(rtc.alarmDeadlineNs()).toBe(Number.POSITIVE_INFINITY)
  })

  const surroundings = new Map<Rig["device"], ReturnType<typeof bench>>()
  deviceLaws("goldfish rtc", {
    offsets: [0, 4, 8, 0xc, 0x10, 0x14, 0x18, 0x1c, 0x20],
    values: [Number(EPOCH_NS >> 32n), Number(EPOCH_NS & 0xffff_ffffn)],
    makeRig: other => {
      const made = bench()
      if (other !== undefined) made.clock.ns = surroundings.get(other.device)!.clock.ns
      surroundings.set(made.rtc, made)
      return {
        device: made.rtc,
        observe: () => [made.wire.level, made.rtc.alarmDeadlineNs()],
        stimulate: random => {
          made.clock.ns += below(random, 2 ** 31)
          made.rtc.update()
        },
      }
    },
  })
})
