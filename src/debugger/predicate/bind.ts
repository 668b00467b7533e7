/** Expressions with what is known beforehand put in: symbols become numbers, and what is made of numbers only becomes one. */
import type { Context } from "./context.ts"
import { evaluate } from "./evaluate.ts"
import { type Expression, numberOf, partsOf } from "./expression.ts"

/** No moment at all: good for expressions of numbers. */
const nowhere: Context = {
  hart: 0,
  time: 0n,
  interrupt: null,
  trap: null,
  syscall: null,
  register: () => null,
  csr: () => null,
  memory: () => null,
  physical: () => null,
  symbol: () => null,
  instret: () => null,
  privilege: () => null,
  pid: () => null,
  comm: () => null,
  said: () => false,
}

/** The number an expression of two numbers, or one, always is; otherwise the expression itself. */
export const folded = (expression: Expression): Expression => {
  const parts = partsOf(expression)
  if (parts.length === 0 || parts.some(({ kind }) => kind !== "number")) return expression
  const value = evaluate(expression, nowhere)
  return value === null ? expression : numberOf(value)
}

/** Puts the addresses of symbols in. Those for which `symbol` gives null stay symbols. */
export const bind = (expression: Expression, symbol: (name: string) => bigint | null): Expression => {
  switch (expression.kind) {
    case "symbol": {
      const address = symbol(expression.name)
      return address === null ? expression : numberOf(address)
    }
    case "memory":
      return { ...expression, address: bind(expression.address, symbol) }
    case "unary":
      return folded({ ...expression, operand: bind(expression.operand, symbol) })
    case "binary":
      return folded({ ...expression, left: bind(expression.left, symbol), right: bind(expression.right, symbol) })
    default:
      return expression
  }
}
