/** Which of many address ranges an address lies in: sorted once, then found by binary search. */

/** `end` is the first address after the range. */
export interface AddressRange {
  readonly start: bigint
  readonly end: bigint
}

export class AddressIndex<T> {
  private readonly starts: BigUint64Array
  private readonly ends: BigUint64Array
  /** The greatest end of this range and all before it: how far back it is worth looking. */
  private readonly reach: BigUint64Array
  private readonly items: readonly T[]

  /** Of ranges with the same start the shorter one is found first, of equal ranges the one given last. Empty ones are left out. */
  constructor(entries: Iterable<readonly [range: AddressRange, item: T]>) {
    const sorted = [...entries].filter(([{ start, end }]) => end > start)
    sorted.sort(([a], [b]) =>
      a.start < b.start ? -1 : a.start > b.start ? 1 : a.end > b.end ? -1 : a.end < b.end ? 1 : 0,
    )
    this.items = sorted.map(([, item]) => item)
    this.starts = BigUint64Array.from(sorted, ([range]) => range.start)
    this.ends = BigUint64Array.from(sorted, ([range]) => range.end)
    this.reach = this.ends.slice()
    for (let index = 1; index < this.reach.length; index++)
      if (this.reach[index]! < this.reach[index - 1]!) this.reach[index] = this.reach[index - 1]!
  }

  /** What was given with the range that holds `address` and begins last, or null. */
  at(address: bigint): T | null {
    let low = 0
    let high = this.starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.starts[middle]! <= address) low = middle + 1
      else high = middle
    }
    for (let index = low - 1; index >= 0 && this.reach[index]! > address; index--)
      if (this.ends[index]! > address) return this.items[index]!
    return null
  }
}
