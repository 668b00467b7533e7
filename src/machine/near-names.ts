/** Names that a mistyped one was perhaps meant to be. */

/**
 * Up to three of `names` that are close to `wanted`, the closest first: one begins with the other, or a third of the letters differs at
 * most.
 */
export function nearNames(wanted: string, names: Iterable<string>): readonly string[] {
  const limit = Math.max(1, Math.floor(wanted.length / 3))
  const near: { name: string; distance: number }[] = []
  for (const name of names) {
    const distance = distanceOf(wanted, name, limit)
    if (distance <= limit) near.push({ name, distance })
  }
  return near
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name)
}

/** Beyond `limit` it is only known to be larger. */
function distanceOf(wanted: string, name: string, limit: number): number {
  // Nobody who typed much of a name meant a much shorter one.
  if (name.startsWith(wanted) || (wanted.startsWith(name) && name.length * 2 > wanted.length)) return 0
  return Math.abs(wanted.length - name.length) > limit ? Infinity : editDistance(wanted, name)
}

/** Fewest insertions, deletions, replacements and swaps of neighbours (optimal string alignment) that make `b` from `a`. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replace = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      let best = Math.min(replace, previous[column]! + 1, current[column - 1]! + 1)
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, beforePrevious[column - 2]! + 1)
      }
      current.push(best)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length]!
}
