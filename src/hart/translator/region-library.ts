/** Regions by the content of the pages they are for, and the pages that were met: what one page needed serves every page like it. */
import type { CompiledRegion } from "./region-compiler.ts"

/** Pages it is remembered of that they were met. */
const PAGES_MAX = 50_000

/** Pages go by their `pageKey`, and by the place of their predecoded records. */
export class RegionLibrary {
  private readonly regions = new Map<number, CompiledRegion[]>()
  private readonly places = new Map<number, number>()
  private newlyMet: number[] = []

  add(region: CompiledRegion): void {
    const same = this.regions.get(region.page)
    if (same === undefined) this.regions.set(region.page, [region])
    else same.push(region)
  }

  /** What was made for pages with this key; whether it is for one of them, its bytes say. */
  regionsFor(page: number): readonly CompiledRegion[] {
    return this.regions.get(page) ?? []
  }

  /** A page was found at a place. */
  meet(page: number, place: number): void {
    if (!this.places.has(page)) {
      if (this.places.size >= PAGES_MAX) this.places.clear()
      this.newlyMet.push(page)
    }
    this.places.set(page, place)
  }

  /** Where a page was found last. */
  placeOf(page: number): number | undefined {
    return this.places.get(page)
  }

  /** The pages that were met for the first time since this was last asked. */
  takeNewlyMet(): readonly number[] {
    const pages = this.newlyMet
    if (pages.length > 0) this.newlyMet = []
    return pages
  }

  clear(): void {
    this.regions.clear()
    this.places.clear()
  }
}
