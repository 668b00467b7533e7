/** Which tier the tools' machines run on, from the environment: TIER=interpreter, translator, or a number that thresholds are drawn by. */
import { defaultPolicy, type TranslationPolicy } from "../src/hart/translator/translator.ts"

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

/** Everything is translated as soon as it is met. */
export const eagerPolicy = (seed = 1): TranslationPolicy => {
  const random = randomFrom(seed)
  return { eager: true, looksMin: 1, regionsMax: 8192, patience: () => 1 + Math.floor(random() * (random() < 0.5 ? 3 : 40)) }
}

/** Thresholds drawn by a seed. */
export const randomPolicy = (seed: number): TranslationPolicy => {
  const random = randomFrom(seed)
  const scale = 10 ** (2 + random() * 3)
  return {
    eager: random() < 0.3,
    looksMin: 1 + Math.floor(random() * 4),
    regionsMax: 5 + Math.floor(random() * 200),
    patience: () => 1 + Math.floor(random() * scale),
  }
}

export const tierFromEnvironment = (): TranslationPolicy | null => {
  const { TIER } = process.env
  if (TIER === undefined) return defaultPolicy
  if (TIER === "interpreter") return null
  return TIER === "translator" ? eagerPolicy() : randomPolicy(Number(TIER))
}
