/** Words of a kernel's memory that are worth asking about, found by a first run that looks at memory now and then. */
import { Effect } from "effect"
import { type Debugger, openDebugger } from "../../src/debugger/index.ts"
import type { World } from "../../src/events/index.ts"
import { RAM_BASE } from "../../src/hart/layout.ts"
import type { Machine } from "../../src/machine/machine.ts"
import { machineOf } from "../../src/session/build-machine.ts"
import { eachEvent, Replayer } from "../../src/session/replay.ts"
import { type Chance, shuffled } from "../chance.ts"

const PAGE_BYTES = 4096
export const WORD_BYTES = 8
/** A page is busy when it was written between so great a part of the looks. */
const BUSY_SHARE = 0.2
/** A word is often changed when the looks have found so many values. */
const VALUES_MANY = 6

export interface Place {
  readonly name: string
  readonly address: bigint
  /** Where it lies in RAM. */
  readonly offset: number
}

const sorts = ["often changed", "seldom changed", "quiet, page busy", "page never written"] as const
export type Sort = (typeof sorts)[number]

export interface Word extends Place {
  readonly sort: Sort
  /** Some of the values it has, in ascending order. */
  readonly values: readonly bigint[]
}

/** A predicate that is put to a history: whether a word is greater than a number. */
export interface Above {
  readonly word: Word
  readonly limit: bigint
  readonly text: string
}

/** What the first run has seen of a word. */
class Seen {
  readonly place: Place
  readonly values = new Set<bigint>()

  constructor(place: Place, value: bigint) {
    this.place = place
    this.values.add(value)
  }
}

export const wordAt = ({ core }: Machine, offset: number): bigint =>
  new DataView(core.ram.buffer, core.ram.byteOffset + offset).getBigUint64(0, true)

/** Whole words of RAM that a symbol of the kernel names. */
const placesOf = (debug: Debugger): readonly Place[] =>
  debug.symbols.all.flatMap(({ name, address, kind }) => {
    const isWhole = kind === "object" && address % BigInt(WORD_BYTES) === 0n && /^[a-z]\w*$/i.test(name)
    const physical = isWhole && debug.symbols.find(name)?.address === address ? debug.physical(address) : null
    const offset = physical === null ? -1 : Number(physical) - RAM_BASE
    return offset < 0 || offset >= debug.inspection.machine.config.ramBytes ? [] : [{ name, address, offset }]
  })

const pageOf = (offset: number): number => Math.floor(offset / PAGE_BYTES)

/** Runs through a history and looks, after each batch of instructions, at what was written. */
const survey = (world: World, places: readonly Place[]) =>
  Effect.gen(function* () {
    const replayer = new Replayer(yield* machineOf(world), {})
    const { machine } = replayer
    const seen = places.map(place => new Seen(place, wordAt(machine, place.offset)))
    const byPage = Map.groupBy(seen, ({ place }) => pageOf(place.offset))
    const written = new Map<number, number>()
    let mark = machine.mark()
    let looks = 0
    yield* eachEvent(world, 0, event => {
      const mismatch = replayer.meet(event)
      if (mismatch) throw new Error(`event ${event.seq}: ${mismatch.problem}`)
      if (event.kind !== "batch") return null
      const { pages, ...now } = machine.writtenPages(mark)
      mark = now.mark
      looks++
      for (const { index } of pages) {
        written.set(index, (written.get(index) ?? 0) + 1)
        for (const { place, values } of byPage.get(index) ?? []) values.add(wordAt(machine, place.offset))
      }
      return null
    })
    return { seen, writtenShare: ({ offset }: Place) => (written.get(pageOf(offset)) ?? 0) / looks }
  })

/** As many of each sort, as far as there are; more of the first ones where it cannot be as many. */
export const chooseWords = (world: World, count: number, chance: Chance) =>
  Effect.gen(function* () {
    const debug = yield* openDebugger(world, Effect.void)
    const { seen, writtenShare } = yield* survey(world, placesOf(debug))
    const isOf: Record<Sort, (word: Seen) => boolean> = {
      "often changed": ({ values }) => values.size >= VALUES_MANY,
      "seldom changed": ({ values }) => values.size > 1 && values.size < VALUES_MANY,
      "quiet, page busy": ({ place, values }) => values.size === 1 && writtenShare(place) >= BUSY_SHARE,
      "page never written": ({ place }) => writtenShare(place) === 0,
    }
    return sorts.flatMap((sort, order) =>
      shuffled(seen.filter(isOf[sort]), chance)
        .slice(0, Math.ceil((count - order) / sorts.length))
        .map(({ place, values }): Word => ({ ...place, sort, values: [...values].sort(ascending) })),
    )
  })

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** For each of some words that change: greater than one of its values that is not the greatest. */
export const choosePredicates = (words: readonly Word[], count: number, chance: Chance): readonly Above[] =>
  words
    .filter(({ values }) => values.length > 1)
    .slice(0, count)
    .map(word => {
      const limit = word.values[chance(word.values.length - 1)]!
      return { word, limit, text: `mem64(sym:${word.name}) > ${limit}` }
    })
