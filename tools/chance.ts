/** Numbers that look like chance and are the same for the same seed (mulberry32). */
export type Chance = (below: number) => number

/** Whole numbers from 0 on, below what is asked for. */
export const chanceOf = (seed: number): Chance => {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** The same in another order. */
export const shuffled = <A>(list: readonly A[], chance: Chance): readonly A[] => {
  const order = [...list]
  for (let at = order.length - 1; at > 0; at--) {
    const other = chance(at + 1)
    ;[order[at], order[other]] = [order[other]!, order[at]!]
  }
  return order
}
