/**
 * What people write where a debugger wants an address or a number: `0x80000000`, `start_kernel+8`, `sp`, `*(sp+16)`, `a0 == 1 && a1 < sp`.
 *
 * Numbers are decimal or hexadecimal; names are registers, or else symbols; `$` before a register is allowed. `*` alone in front reads 8
 * bytes of memory. All values are unsigned 64-bit integers, comparisons give 1 or 0. Precedence as in C.
 */
import { csrNumber } from "../riscv/csr.ts"
import { floatRegisters, integerRegisters } from "../riscv/register.ts"
import { nearNames } from "../session/near-names.ts"
import type { Inspection } from "./inspection.ts"
import type { SymbolSource } from "./symbols/symbol-source.ts"

/** What an expression comes to, for a hart where the machine stands; null where there is no memory to read. */
export type Expression = (inspection: Inspection, hart: number) => bigint | null

export type ExpressionResult =
  | { readonly ok: true; readonly expression: Expression }
  /** A sentence that says what to do next. */
  | { readonly ok: false; readonly problem: string }

/** Names of registers, for who offers or corrects them. */
export const registerNames: readonly string[] = [
  "pc",
  "privilege",
  ...integerRegisters.keys(),
  ...floatRegisters.keys(),
  ...Object.keys(csrNumber),
]

class Malformed extends Error {}

const tokens = /\s*(0[xX][\da-fA-F]+|\d+|\$?[A-Za-z_.][\w.$@]*|&&|\|\||[=!<>]=|<<|>>|[-+*&|^<>!~()])/y

const tokensOf = (text: string): readonly string[] => {
  const found: string[] = []
  tokens.lastIndex = 0
  const end = text.trimEnd().length
  while (tokens.lastIndex < end) {
    const at = tokens.lastIndex
    const match = tokens.exec(text)
    if (match === null)
      throw new Malformed(`"${text.slice(at).trim()}" cannot be understood; write a number, a register or a symbol`)
    found.push(match[1]!)
  }
  return found
}

const truth = (value: boolean): bigint => (value ? 1n : 0n)

/** Operators between two values by how tightly they bind, the loosest first. */
const levels: readonly Readonly<Record<string, (a: bigint, b: bigint) => bigint>>[] = [
  { "||": (a, b) => truth(a !== 0n || b !== 0n) },
  { "&&": (a, b) => truth(a !== 0n && b !== 0n) },
  { "|": (a, b) => a | b },
  { "^": (a, b) => a ^ b },
  { "&": (a, b) => a & b },
  { "==": (a, b) => truth(a === b), "!=": (a, b) => truth(a !== b) },
  {
    "<": (a, b) => truth(a < b),
    ">": (a, b) => truth(a > b),
    "<=": (a, b) => truth(a <= b),
    ">=": (a, b) => truth(a >= b),
  },
  { "<<": (a, b) => (b < 64n ? a << b : 0n), ">>": (a, b) => a >> b },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  { "*": (a, b) => a * b },
]

const unary: Readonly<Record<string, (value: bigint, inspection: Inspection, hart: number) => bigint | null>> = {
  "-": value => -value,
  "~": value => ~value,
  "!": value => truth(value === 0n),
  "*": (value, inspection, hart) => inspection.readInteger(hart, value, 8),
}

class Parser {
  private readonly list: readonly string[]
  private readonly inspection: Inspection
  private readonly symbols: SymbolSource
  private at = 0

  constructor(list: readonly string[], inspection: Inspection, symbols: SymbolSource) {
    this.list = list
    this.inspection = inspection
    this.symbols = symbols
  }

  whole(): Expression {
    const expression = this.binary(0)
    const rest = this.list[this.at]
    if (rest !== undefined)
      throw new Malformed(`"${rest}" stands where an operator should; take it out or put one before it`)
    return expression
  }

  private binary(level: number): Expression {
    const operators = levels[level]
    if (operators === undefined) return this.unary()
    let left = this.binary(level + 1)
    for (;;) {
      const meaning = operators[this.list[this.at] ?? ""]
      if (meaning === undefined) return left
      this.at++
      const [first, second] = [left, this.binary(level + 1)]
      left = (inspection, hart) => {
        const [a, b] = [first(inspection, hart), second(inspection, hart)]
        return a === null || b === null ? null : BigInt.asUintN(64, meaning(a, b))
      }
    }
  }

  private unary(): Expression {
    const token = this.list[this.at++]
    if (token === undefined)
      throw new Malformed("something is missing at the end; write a number, a register or a symbol")
    const meaning = unary[token]
    if (meaning !== undefined) {
      const operand = this.unary()
      return (inspection, hart) => {
        const value = operand(inspection, hart)
        const result = value === null ? null : meaning(value, inspection, hart)
        return result === null ? null : BigInt.asUintN(64, result)
      }
    }
    if (token === "(") {
      const inner = this.binary(0)
      if (this.list[this.at++] !== ")") throw new Malformed("a parenthesis is not closed; add )")
      return inner
    }
    return this.value(token)
  }

  private value(token: string): Expression {
    if (/^\d/.test(token)) {
      const value = BigInt.asUintN(64, BigInt(token))
      return () => value
    }
    if (!/^[$\w.]/.test(token))
      throw new Malformed(`"${token}" stands where a value should; write a number, a register or a symbol`)
    const name = token.replace(/^\$/, "")
    if (this.inspection.register(0, name) !== null) return (inspection, hart) => inspection.register(hart, name)
    const symbol = this.symbols.find(token)
    if (symbol !== null) return () => symbol.address
    const near = [...nearNames(name, registerNames), ...this.symbols.nearNames(token)].slice(0, 3)
    const advice = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "write a number, a register or a symbol"
    throw new Malformed(`there is no register or symbol ${token}; ${advice}`)
  }
}

/** Reads an expression. Symbols are looked up now, registers and memory when it is asked. */
export const parseExpression = (text: string, inspection: Inspection, symbols: SymbolSource): ExpressionResult => {
  try {
    return { ok: true, expression: new Parser(tokensOf(text), inspection, symbols).whole() }
  } catch (cause) {
    if (!(cause instanceof Malformed)) throw cause
    const { message } = cause
    return { ok: false, problem: `${message[0]!.toUpperCase()}${message.slice(1)}${message.endsWith("?") ? "" : "."}` }
  }
}
