/** Goes from match to match of what is searched in all that the guest prints, from wherever the debugger stands. */
import type { Debugger } from "../../debugger/debugger.ts"
import { comparePositions, type Position } from "../../events/index.ts"
import type { Problem } from "./commands.ts"
import { type Match, matchAfter, matchBefore } from "./console-search.ts"

export class ConsoleFinder {
  private readonly session: Debugger
  /** The match that was gone to, and where that is. */
  private last: { readonly match: Match; readonly position: Position } | null = null

  constructor(session: Debugger) {
    this.session = session
  }

  /** Something else is searched. */
  restart(): void {
    this.last = null
  }

  /** It was gone to a match. */
  reached(match: Match): void {
    this.last = { match, position: this.session.position }
  }

  /** The next match after this moment, or the last one before it. `text` is what is searched, for sentences. */
  next(pattern: RegExp, text: string, isBack: boolean): Match | Problem {
    const { session, last } = this
    const all = session.console.text
    const here = session.printed.length
    const isAtMatch = last !== null && comparePositions(last.position, session.position) === 0
    // Output comes in pieces, too: the place of a match may lie behind its end.
    const match = isBack
      ? matchBefore(all, pattern, isAtMatch ? last.match.end : here + 1)
      : matchAfter(all, pattern, isAtMatch ? Math.max(here, last.match.end) : here)
    if (match !== null) return match
    const other = isBack ? matchAfter(all, pattern, here) : matchBefore(all, pattern, here + 1)
    const advice = other === null ? "search something else" : isBack ? "n finds the next one" : "N finds the one before"
    return { problem: `Nothing that matches ${text} is printed ${isBack ? "before" : "after"} this moment; ${advice}.` }
  }
}
