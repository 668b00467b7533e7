/**
 * Looking for something in a whole history: stretch by stretch between the moments that are kept in the world's file, several at one
 * time where there are threads for it; from the end backward when the last is wanted.
 */
import { Effect } from "effect"
import { comparePositions, type Position } from "../../events/index.ts"
import type { Going } from "../../session/timeline/timeline.ts"
import type { Debugger } from "../debugger.ts"
import { LineWrites, linesNeeded } from "./line-writes.ts"
import type { Finding, Question, Searchers, Stretch } from "./question.ts"
import { lookerOf, searchStretch } from "./search-stretch.ts"

/** The stretches of a history between two positions, in order. */
const stretchesOf = (debug: Debugger, from: Position, to: Position): readonly Stretch[] => {
  const starts = debug.timeline.keptMoments
    .map(({ position }) => position)
    .filter(position => comparePositions(position, from) > 0 && comparePositions(position, to) < 0)
  return [from, ...starts].map((start, order) => ({ from: start, to: starts[order] ?? to }))
}

/** Those of `stretches` that may hold what is asked for. */
const worthLookingAt = Effect.fnUntraced(function* (
  debug: Debugger,
  question: Question,
  stretches: readonly Stretch[],
) {
  const { timeline } = debug
  const lines = linesNeeded(lookerOf(debug, question).sought)
  if (lines === null) return stretches
  const writes = new LineWrites(timeline.keptMoments, yield* timeline.world.writtenSpans)
  // What holds from the beginning on counts as having come true there.
  const isFirst = ({ from }: Stretch) => question.predicate !== null && comparePositions(from, timeline.begin) === 0
  return stretches.filter(stretch => isFirst(stretch) || !writes.leaveAlone(stretch, lines))
})

/** As many neighbours are put together at most. */
const NEIGHBOURS_MAX = 8

/**
 * Neighbouring stretches put together, more of them the further back they lie: who goes on through several pays once for getting there.
 */
const withNeighbours = (stretches: readonly Stretch[]): readonly Stretch[] => {
  const groups: { from: Position; readonly to: Position; count: number }[] = []
  for (const { from, to } of stretches.toReversed()) {
    const later = groups.at(-1)
    // Two threads may each begin with a single one.
    const most = Math.min(NEIGHBOURS_MAX, 2 ** Math.floor((groups.length - 1) / 2))
    if (later && later.count < most && comparePositions(to, later.from) === 0) {
      later.from = from
      later.count++
    } else groups.push({ from, to, count: 1 })
  }
  return groups.map(({ from, to }) => ({ from, to })).toReversed()
}

/** Looks in this thread, one stretch after another. */
const searchHere = Effect.fnUntraced(function* (
  debug: Debugger,
  question: Question,
  stretches: readonly Stretch[],
  going: Going,
) {
  const isLast = question.wanted.keep === "last"
  let findings: readonly Finding[] = []
  for (const [order, stretch] of (isLast ? stretches.toReversed() : stretches).entries()) {
    const found = yield* searchStretch(debug, question, stretch, {
      ...going,
      progress: done => going.progress?.((order + done) / stretches.length),
    })
    if (found === null) return null
    findings = isLast ? [...found, ...findings] : [...findings, ...found]
    if (isEnough(question, findings)) break
  }
  return findings
})

const isEnough = ({ wanted }: Question, { length }: readonly Finding[]): boolean =>
  wanted.keep === "all" ? length >= wanted.max : length > 0

/** Looks with several threads; what is found counts once everything nearer to where the search began has been looked at. */
const searchTogether = async (
  searchers: Searchers,
  question: Question,
  stretches: readonly Stretch[],
  going: Going,
): Promise<readonly Finding[] | null> => {
  const isLast = question.wanted.keep === "last"
  const ordered = isLast ? stretches.toReversed() : stretches
  const done = ordered.map(() => 0)
  const results: (readonly Finding[] | null)[] = ordered.map(() => null)
  const running = new Map<number, () => void>()
  const taken = ordered.map(() => false)
  /** How many of the first stretches must be looked at. */
  let needed = ordered.length
  const settle = () => {
    let findings: Finding[] = []
    for (let order = 0; order < needed; order++) {
      const found = results[order]
      if (!found) return
      findings = [...findings, ...found]
      if (isEnough(question, findings)) needed = order + 1
    }
  }
  /** The one that begins where a thread has come to, if there is; else the first that nobody has taken. */
  const nextOrder = (wished: number): number =>
    wished < needed && taken[wished] === false ? wished : taken.slice(0, needed).indexOf(false)
  const one = async (settled: () => void, begin: number): Promise<void> => {
    for (let order = nextOrder(begin); order >= 0; order = nextOrder(order + 1)) {
      taken[order] = true
      const { found, stop } = searchers.search(question, ordered[order]!, part => {
        done[order] = part
        going.progress?.(done.reduce((a, b) => a + b, 0) / done.length)
        if (going.isCancelled?.()) for (const end of running.values()) end()
      })
      running.set(order, stop)
      results[order] = await found
      running.delete(order)
      settle()
      settled()
      if (going.isCancelled?.()) return
      for (const [other, end] of running) if (other >= needed) end()
    }
  }
  // Those that are given up need not be waited for.
  await new Promise<void>((resolve, reject) => {
    const settled = () => {
      if (results.slice(0, needed).every(result => result !== null)) resolve()
    }
    const width = Math.min(searchers.width, ordered.length)
    // Who goes forth goes on from where he is, and each begins far from the others; who goes back stays near the end.
    const beginOf = (thread: number) => (isLast ? 0 : Math.floor((ordered.length * thread) / width))
    const threads = Array.from({ length: width }, (_, thread) => one(settled, beginOf(thread)))
    Promise.all(threads).then(() => resolve(), reject)
  })
  if (going.isCancelled?.()) return null
  const found = results.slice(0, needed).map(result => result ?? [])
  return (isLast ? found.toReversed() : found).flat()
}

/** What a history holds of what is asked for between two positions, in order; null when it was cancelled. */
export const search = Effect.fnUntraced(function* (
  debug: Debugger,
  question: Question,
  range: { readonly from: Position; readonly to: Position },
  searchers: Searchers | null,
  going: Going = {},
) {
  const worth = yield* worthLookingAt(debug, question, stretchesOf(debug, range.from, range.to))
  const stretches = question.wanted.keep === "last" ? withNeighbours(worth) : worth
  const found =
    searchers === null || stretches.length < 2
      ? yield* searchHere(debug, question, stretches, going)
      : yield* Effect.promise(() => searchTogether(searchers, question, stretches, going))
  if (found === null) return null
  const { wanted } = question
  if (wanted.keep === "all") return found.slice(0, wanted.max)
  return wanted.keep === "first" ? found.slice(0, 1) : found.slice(-1)
})
