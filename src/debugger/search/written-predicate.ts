/** Predicates and expressions as people write them, made ready to be asked of a history. */
import { Effect } from "effect"
import type { Debugger } from "../debugger.ts"
import { PredicateMalformed } from "../errors.ts"
import { needsOf, parse } from "../predicate/index.ts"
import type { WrittenPredicate } from "./question.ts"

/** Checks a text against what the guest has, and looks its symbols up. */
export const writtenPredicate = (debug: Debugger, text: string): Effect.Effect<WrittenPredicate, PredicateMalformed> =>
  Effect.try({
    try: () => {
      const { symbols } = debug
      const names = {
        has: (name: string) => symbols.find(name) !== null,
        keys: () => symbols.all.values().map(({ name }) => name),
      }
      const needs = needsOf(parse(text, { symbols: names, harts: debug.inspection.harts }))
      const mapping = debug.linux?.mapping
      return {
        text,
        symbols: new Map(needs.symbols.map(name => [name, symbols.find(name)!.address])),
        fixed: mapping
          ? { virtual: mapping.virtual, physical: BigInt(mapping.physical), bytes: BigInt(mapping.bytes) }
          : null,
        linux: needs.task ? (debug.linux?.linux?.facts ?? null) : null,
        taskSwitches: needs.task ? debug.taskSwitches : [],
      }
    },
    catch: cause => {
      if (cause instanceof PredicateMalformed) return cause
      throw cause
    },
  })
