/**
 * Numbers and addresses as people write them while they look at a guest: the language of questions (docs/questions.md), in which symbols
 * need no `sym:`, registers may have gdb's `$` in front and control registers no `csr.`, and a `*` at the beginning reads 8 bytes.
 */
import { csrByName, csrNames } from "../riscv/csr-name.ts"
import { floatRegisters, integerRegisters } from "../riscv/register.ts"
import type { Debugger } from "./debugger.ts"
import { PredicateMalformed } from "./errors.ts"
import { parse } from "./predicate/index.ts"
import { wordWithValue } from "./predicate/words.ts"
import { type Asked, PredicateValue } from "./search/predicate-watch.ts"
import type { StopPoint } from "./stop-point.ts"

/** The value for a hart where the machine stands, unsigned; null where it is unknown: nothing is mapped there. */
export type GuestValue = (hart: number) => bigint | null

export type GuestExpression =
  | { readonly ok: true; readonly value: GuestValue }
  /** A sentence that says what to do next. */
  | { readonly ok: false; readonly problem: string }

/** Names of registers, for who offers them. */
export const registerNames: readonly string[] = [
  "pc",
  ...integerRegisters.keys(),
  ...floatRegisters.keys(),
  ...csrNames,
]

/** What stays as it is, and words, of which some are symbols or registers without what marks them. */
const parts =
  /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|~\s*\/(?:[^/\\]|\\.)*\/\w*|sym:[\w.$@]+|0[xX]\w+|\d[\w.]*|\$?[A-Za-z_.][\w.$@]*/g
const plainName = /^([A-Za-z_.$][\w.$@]*)\s*(?:([+-])\s*(0[xX][\da-fA-F]+|\d+))?$/

const isPlainRegister = (name: string): boolean =>
  name === "pc" || integerRegisters.has(name) || floatRegisters.has(name)

/** The text in the language of questions. */
const marked = (debug: Debugger, text: string): string =>
  text.replace(/^\s*\*(.*)$/s, "mem64($1)").replace(parts, part => {
    const name = part.replace(/^\$(?=\w)/, "")
    if (isPlainRegister(name)) return name
    if (csrByName(name) !== null) return `csr.${name}`
    if (!/^[A-Za-z_.]/.test(part) || part.startsWith("sym:") || wordWithValue(part) !== null) return part
    return debug.symbols.find(part) === null ? part : `sym:${part}`
  })

const askedOf = (debug: Debugger): Asked => {
  const { inspection, symbols, linux } = debug
  return {
    inspection,
    symbol: name => symbols.find(name)?.address ?? null,
    fixed: address => linux?.physical(address) ?? null,
    linux: linux?.linux ?? null,
    taskSwitches: [],
  }
}

/** A symbol alone or with an offset, whatever words of the language are called the same. */
const symbolSum = (debug: Debugger, text: string): bigint | null => {
  const match = plainName.exec(text.trim())
  if (match === null || isPlainRegister(match[1]!)) return null
  const symbol = debug.symbols.find(match[1]!)
  if (symbol === null) return null
  const offset = BigInt(match[3] ?? 0)
  return BigInt.asUintN(64, match[2] === "-" ? symbol.address - offset : symbol.address + offset)
}

/** The problem as a sentence of this language, in which symbols are written as they are. */
const sentence = ({ problem }: PredicateMalformed): string => {
  const text = problem
    .replace("; symbols are written sym:NAME", ", and no symbol has such a name; write another or a number")
    .replaceAll("sym:", "")
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`
}

/** Reads an expression. Symbols are looked up now, registers and memory each time it is asked. */
export const guestExpression = (debug: Debugger, text: string): GuestExpression => {
  const sum = symbolSum(debug, text)
  if (sum !== null) return { ok: true, value: () => sum }
  try {
    const names = { has: (name: string) => debug.symbols.find(name) !== null, keys: () => namesOf(debug) }
    const expression = parse(marked(debug, text), { symbols: names, harts: debug.inspection.harts })
    const value = new PredicateValue(expression, askedOf(debug))
    return { ok: true, value: hart => value.at(hart) }
  } catch (cause) {
    if (!(cause instanceof PredicateMalformed)) throw cause
    return { ok: false, problem: sentence(cause) }
  }
}

function* namesOf({ symbols }: Debugger): Generator<string> {
  for (const { name } of symbols.all) yield name
}

/** An expression as the condition of a stop point: it stops where the value is known and not 0. */
export const conditionOf = (value: GuestValue): NonNullable<StopPoint["condition"]> => {
  return (_, hart) => (value(hart) ?? 0n) !== 0n
}
