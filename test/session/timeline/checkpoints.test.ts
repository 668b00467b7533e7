import { describe, expect, it } from "vitest"
import { Checkpoints } from "../../../src/session/timeline/checkpoints.ts"
import { PageVersions, type Versions } from "../../../src/session/timeline/page-versions.ts"
import type { Checkpoint } from "../../../src/session/timeline/traveler.ts"
import { chanceOf } from "../../../tools/chance.ts"

const PAGES = 24
const PAGE_BYTES = 4096

/** A memory that is written to at random, whose content at each checkpoint is remembered. */
class Course {
  readonly pages = new PageVersions()
  readonly checkpoints = new Checkpoints(this.pages)
  private readonly draw = chanceOf(7)
  private versions: Versions = new Int32Array(PAGES)
  private content: readonly number[] = Array.from({ length: PAGES }, () => 0)
  private readonly contents = new Map<Checkpoint, readonly number[]>()

  /** Writes to some pages and leaves a checkpoint at a round. */
  leave(round: number): void {
    const versions = this.versions.slice()
    const content = [...this.content]
    for (let times = this.draw(6); times >= 0; times--) {
      const page = this.draw(PAGES)
      content[page] = 1 + this.draw(255)
    }
    for (let page = 0; page < PAGES; page++)
      if (content[page] !== this.content[page])
        versions[page] = this.pages.keep(new Uint8Array(PAGE_BYTES).fill(content[page]!))
    this.pages.hold(versions)
    this.pages.release(this.versions)
    this.versions = versions
    this.content = content
    const checkpoint = {
      position: { round, machine: 0, hart: 0, instret: 0 },
      executed: [round * 1000],
      isArrival: true,
      versions,
    } as unknown as Checkpoint
    this.contents.set(checkpoint, content)
    this.checkpoints.add(checkpoint)
  }

  /** Goes on from one of the checkpoints. */
  goBack(): void {
    const { all } = this.checkpoints
    const checkpoint = all[this.draw(all.length)]!
    this.pages.hold(checkpoint.versions)
    this.pages.release(this.versions)
    this.versions = checkpoint.versions
    this.content = this.contents.get(checkpoint)!
  }

  expectContents(): void {
    const read = new Uint8Array(PAGE_BYTES)
    for (const checkpoint of this.checkpoints.all)
      for (const [page, byte] of this.contents.get(checkpoint)!.entries()) {
        this.pages.read(checkpoint.versions[page]!, read)
        expect([read[0], read[PAGE_BYTES - 1]]).toEqual([byte, byte])
      }
  }
}

describe("checkpoints in memory", () => {
  it("keep what memory held while others are forgotten, and nothing else", () => {
    const course = new Course()
    for (let times = 0; times < 60; times++) {
      const from = 1 + 37 * times
      for (let step = 0; step < 20; step++) course.leave(from + step)
      course.checkpoints.thin(from * 1000)
      if (times % 3 === 0) course.goBack()
    }
    const { all } = course.checkpoints
    expect(all.length).toBeLessThanOrEqual(404)
    course.expectContents()
    const copies = new Set(all.flatMap(({ versions }) => [...versions]).filter(version => version > 0))
    // Beside those the ones of where the machine stands, which may be no checkpoint any more.
    expect(course.pages.bytes / PAGE_BYTES - copies.size).toBeGreaterThanOrEqual(0)
    expect(course.pages.bytes / PAGE_BYTES - copies.size).toBeLessThanOrEqual(PAGES)
  })

  it("are thinned far from where somebody looks, and not near", () => {
    const course = new Course()
    for (let round = 1; round <= 385; round++) course.leave(round)
    course.checkpoints.thin(385_000)
    const rounds = course.checkpoints.all.map(({ position }) => position.round)
    expect(rounds.length).toBe(192)
    expect(rounds.filter(round => round > 345)).toHaveLength(40)
    expect(rounds.filter(round => round <= 45).length).toBeLessThan(15)
    course.expectContents()
  })
})
