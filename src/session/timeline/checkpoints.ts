/**
 * The checkpoints of a history that are at hand, in its order. Those in memory are thinned when they take too much: the further from where
 * somebody looks, the fewer stay. Those in files cost nothing and stay.
 */
import { comparePositions, type Position } from "../../events/index.ts"
import type { PageVersions } from "./page-versions.ts"
import type { Checkpoint } from "./traveler.ts"

/** Bytes of copied pages, and checkpoints in memory, above which they are thinned. */
const BYTES_MAX = 384 << 20
const COUNT_MAX = 384

const instructionsOf = ({ executed }: Checkpoint): number => executed.reduce((a, b) => a + b, 0)

export class Checkpoints {
  private readonly pages: PageVersions
  private list: { readonly checkpoint: Checkpoint; readonly isFixed: boolean }[] = []

  constructor(pages: PageVersions) {
    this.pages = pages
  }

  get all(): readonly Checkpoint[] {
    return this.list.map(({ checkpoint }) => checkpoint)
  }

  /** Those that are kept for good. */
  get kept(): readonly Checkpoint[] {
    return this.list.filter(({ isFixed }) => isFixed).map(({ checkpoint }) => checkpoint)
  }

  /** The one at a moment; the last before where it was thinned meanwhile. */
  at({ position }: Pick<Checkpoint, "position">): Checkpoint {
    const there = this.list[this.orderAt(position)]?.checkpoint
    return there && comparePositions(there.position, position) === 0 ? there : this.strictlyBefore(position)!
  }

  /** The order of the first checkpoint that lies after a position, or at it. */
  private orderAt(position: Position): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (comparePositions(this.list[middle]!.checkpoint.position, position) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Takes one in; `isFixed` keeps it for good. */
  add(checkpoint: Checkpoint, isFixed = false): void {
    const order = this.orderAt(checkpoint.position)
    const there = this.list[order]
    if (there && comparePositions(there.checkpoint.position, checkpoint.position) === 0) {
      if ((there.checkpoint.isArrival || !checkpoint.isArrival) && !there.checkpoint.isBlank) return
      this.list[order] = { checkpoint, isFixed: isFixed || there.isFixed }
      this.hold(checkpoint)
      this.release(there.checkpoint)
      return
    }
    this.list.splice(order, 0, { checkpoint, isFixed })
    this.hold(checkpoint)
  }

  private hold(checkpoint: Checkpoint): void {
    if (!checkpoint.hasOnlyPlaces) this.pages.hold(checkpoint.versions)
  }

  private release(checkpoint: Checkpoint): void {
    if (!checkpoint.hasOnlyPlaces) this.pages.release(checkpoint.versions)
  }

  /** The last from which a position can be got to by going forth; null where there is none. */
  before(position: Position): Checkpoint | null {
    const order = this.orderAt(position)
    const there = this.list[order]?.checkpoint
    if (there?.isArrival && comparePositions(there.position, position) === 0) return there
    return this.list[order - 1]?.checkpoint ?? null
  }

  /** The last that lies before a position. */
  strictlyBefore(position: Position): Checkpoint | null {
    return this.list[this.orderAt(position) - 1]?.checkpoint ?? null
  }

  /** The last at which a hart had executed at most so many instructions, of those not after a position. */
  beforeExecuted(hart: number, executed: number, position: Position): Checkpoint | null {
    for (let order = Math.min(this.orderAt(position), this.list.length - 1); order >= 0; order--) {
      const { checkpoint } = this.list[order]!
      if (comparePositions(checkpoint.position, position) <= 0 && checkpoint.executed[hart]! <= executed)
        return checkpoint
    }
    return null
  }

  /** Frees memory where it is short; `focus` is where the machine stands, in instructions of all harts. */
  thin(focus: number): void {
    const { list } = this
    if (this.pages.bytes <= BYTES_MAX && list.length <= COUNT_MAX) return
    // Of three neighbours the middle one goes where the gap it leaves is small beside its distance from the focus.
    while (this.pages.bytes > BYTES_MAX / 2 || list.length > COUNT_MAX / 2) {
      let best = -1
      let bestCost = Number.POSITIVE_INFINITY
      for (let order = 1; order < list.length - 1; order++) {
        const { checkpoint, isFixed } = list[order]!
        if (isFixed) continue
        const gap = instructionsOf(list[order + 1]!.checkpoint) - instructionsOf(list[order - 1]!.checkpoint)
        const cost = gap / (Math.abs(instructionsOf(checkpoint) - focus) + 1)
        if (cost < bestCost) [best, bestCost] = [order, cost]
      }
      if (best < 0) return
      const [gone] = list.splice(best, 1)
      this.release(gone!.checkpoint)
    }
  }
}
