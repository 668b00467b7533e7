// The laws that every device keeps: no sequence of accesses throws, loads give unsigned values of their size, and
// save, encode, decode, restore into a fresh device changes nothing that can be observed afterwards.

import { expect, test } from "vitest"
import type { AccessSize, Device } from "../../../src/devices/index.ts"
import { decodeState, encodeState, RandomGenerator } from "../../../src/devices/index.ts"
import { below, pick } from "./bench.ts"

/** A device in its surroundings. */
export interface Rig {
  readonly device: Device
  /** Everything outside the device that shows what it did: levels, output, memory. */
  observe(): unknown
  /** Something happens from outside, the same for the same random numbers. */
  stimulate?(random: RandomGenerator): void
}

export interface LawOptions {
  /** A rig in its first state, or in the surroundings of `other` with a device that has seen nothing. */
  readonly makeRig: (other?: Rig) => Rig
  /** Offsets to try more often than the rest. */
  readonly offsets: readonly number[]
  readonly values?: readonly number[]
}

const SIZES: readonly AccessSize[] = [1, 2, 4]
const VALUES = [0, 1, 2, 3, 7, 8, 0x0f, 0x80, 0xff, 0x5555, 0xffff_ffff, 0x8000_0000]

export function deviceLaws(name: string, options: LawOptions): void {
  const act = (rig: Rig, random: RandomGenerator): unknown => {
    if (rig.stimulate !== undefined && below(random, 4) === 0) {
      rig.stimulate(random)
      return "stimulated"
    }
    const sizes = SIZES.filter(size => (rig.device.accessSizes & size) !== 0)
    const size = pick(random, sizes)
    const anywhere = below(random, rig.device.size)
    const offset = (below(random, 8) > 0 ? pick(random, options.offsets) : anywhere) & -size
    const value = below(random, 3) > 0 ? pick(random, [...VALUES, ...(options.values ?? [])]) : random.next()
    if (below(random, 2) === 0) {
      const loaded = rig.device.load(offset, size)
      expect(Number.isInteger(loaded) && loaded >= 0 && loaded < 2 ** (8 * size)).toBe(true)
      return loaded
    }
    rig.device.store(offset, size, value % 2 ** (8 * size))
    return "stored"
  }

  test(`${name}: a restored device goes on as the saved one would have`, () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const random = new RandomGenerator(Uint8Array.of(seed, 77))
      const original = options.makeRig()
      for (let i = below(random, 400); i > 0; i -= 1) act(original, random)

      const bytes = encodeState(original.device.save())
      const copy = options.makeRig(original)
      copy.device.restore(decodeState(bytes))
      expect(encodeState(copy.device.save())).toEqual(bytes)
      expect(copy.observe()).toEqual(original.observe())

      const same = new RandomGenerator(Uint8Array.of(1))
      same.restore(random.save())
      for (let i = 0; i < 300; i += 1) expect(act(copy, same)).toEqual(act(original, random))
      expect(copy.observe()).toEqual(original.observe())
      expect(encodeState(copy.device.save())).toEqual(encodeState(original.device.save()))
    }
  })

  test(`${name}: a reset leaves a state that can be saved and restored`, () => {
    const random = new RandomGenerator(Uint8Array.of(5))
    const rig = options.makeRig()
    for (let i = 0; i < 500; i += 1) act(rig, random)
    rig.device.reset()
    rig.device.restore(decodeState(encodeState(rig.device.save())))
  })

  test(`${name}: a state with a missing or an unknown field is refused`, () => {
    const { device } = options.makeRig()
    const state = device.save() as Record<string, never>
    expect(() => device.restore({ ...state, surprise: 1 })).toThrow('unknown field "surprise"')
    for (const field of Object.keys(state)) {
      const { [field]: _, ...rest } = state
      expect(() => device.restore(rest)).toThrow(`lacks the field "${field}"`)
    }
    expect(() => device.restore(null)).toThrow("must be a record")
  })
}
