/** When code is translated. Every policy gives the same machine; they differ in speed, and in what a test of the tiers gets to see. */

/** When to look and what to translate. No choice changes what a guest can see. */
export interface TranslationPolicy {
  /** Instructions until the next look. */
  readonly patience: () => number
  /** Looks that must find a hart within the same 64 bytes of code before it is followed to the next place that is jumped to. */
  readonly looksMin: number
  /** Looks there until a wider region is made of it. */
  readonly looksForWide: number
  /** How often the interpreter comes to a place by a jump before it is translated, 1 to 32767. */
  readonly heatMin: number
  /** Regions kept; when there is one more, all are forgotten. */
  readonly regionsMax: number
  /** Translates whatever it finds at once, also what was never executed: for tests. */
  readonly eager: boolean
}

export const defaultPolicy: TranslationPolicy = {
  patience: () => 50_000,
  looksMin: 3,
  looksForWide: 40,
  heatMin: 3000,
  regionsMax: 8192,
  eager: false,
}

/** Numbers in [0, 1) from a seed (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Instructions until the next look as `draw` says at first, and ever more. */
const everMore = (draw: () => number) => {
  let looks = 0
  return () => {
    looks++
    return 1 + Math.floor(draw() * (1 + looks / 2000))
  }
}

/** Everything is translated as soon as it is met, with ever less looking as ever less is left to find. */
export const eagerPolicy = (seed = 1): TranslationPolicy => {
  const random = randomFrom(seed)
  return {
    eager: true,
    looksMin: 1,
    looksForWide: 1,
    heatMin: 1,
    regionsMax: 8192,
    patience: everMore(() => random() * (random() < 0.5 ? 3 : 40)),
  }
}

/** Thresholds drawn by a seed, with ever less looking. */
export const randomPolicy = (seed: number): TranslationPolicy => {
  const random = randomFrom(seed)
  const scale = 10 ** (2.5 + random() * 2.5)
  return {
    eager: random() < 0.3,
    looksMin: 1 + Math.floor(random() * 4),
    looksForWide: 1 + Math.floor(random() * 8),
    heatMin: 1 + Math.floor(random() * scale),
    regionsMax: 20 + Math.floor(random() * 500),
    patience: everMore(() => random() * scale),
  }
}

/** A policy by its name: auto, interpreter, translator, or a number that thresholds are drawn by; undefined where it is none. */
export const policyNamed = (name: string): TranslationPolicy | null | undefined => {
  if (name === "auto") return defaultPolicy
  if (name === "interpreter") return null
  if (name === "translator") return eagerPolicy()
  return /^\d{1,9}$/.test(name) ? randomPolicy(Number(name)) : undefined
}
