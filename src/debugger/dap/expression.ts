/** What people type into an editor's watch list, console and breakpoints: names of the program, addresses, questions. */
import { Effect } from "effect"
import { parseAddress } from "../address-text.ts"
import type { Debugger } from "../debugger.ts"
import { needsOf, parse } from "../predicate/index.ts"
import { PredicateValue } from "../search/predicate-watch.ts"
import { askedOf } from "../search/search-stretch.ts"
import { writtenPredicate } from "../search/written-predicate.ts"
import type { StopPoint } from "../stop-point.ts"
import { refuse } from "./arguments.ts"

/** The value of an expression at a hart; a symbol is its address. null: it has none here. */
export const valueNamed = (debug: Debugger, hart: number, text: string) =>
  Effect.gen(function* () {
    const name = /^([A-Za-z_.$][\w.$]*)(?:\s*[+-]\s*\w+)?$/.exec(text.trim())?.[1]
    if (name !== undefined && debug.inspection.register(hart, name) === null && debug.symbols.find(name) !== null)
      return (yield* parseAddress(text, debug.symbols)).address
    const predicate = yield* writtenPredicate(debug, text)
    return new PredicateValue(parse(text), askedOf(debug, predicate)).at(hart)
  })

/** Whether a stop point's condition holds, made from what was typed. */
export const conditionOf = (debug: Debugger, text: string) =>
  Effect.gen(function* () {
    const predicate = yield* writtenPredicate(debug, text)
    const needs = needsOf(parse(text))
    if (needs.console.length > 0 || needs.interrupt || needs.trap || needs.syscall)
      return yield* refuse(
        `"${text}" asks what happens, and a condition is asked at the breakpoint; ask for registers or memory.`,
      )
    const value = new PredicateValue(parse(text), askedOf(debug, predicate))
    const holds: NonNullable<StopPoint["condition"]> = (_, hart) => (value.at(hart) ?? 0n) !== 0n
    return holds
  })
