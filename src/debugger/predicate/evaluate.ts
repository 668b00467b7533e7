/**
 * The value of an expression at a moment. Unknown is null, and whatever is made of it is unknown, with Kleene's exceptions: `false && x`
 * is false and `true || x` is true whatever `x` is. A predicate holds when its value is known and not 0. An event's word that stands
 * for a truth (`trap`, `trap && a0 == 1`) is true whenever it is known: code 0 is an event like the others.
 */
import type { Context } from "./context.ts"
import type { Expression, LogicalOperator } from "./expression.ts"
import { binaryMeaning, unaryMeaning } from "./operators.ts"

/** 0 to 2^64 - 1, or null: unknown. */
export type Evaluation = (context: Context) => bigint | null

/** An expression made into nested functions, for being asked millions of times. Gives its value. */
export const compile = (expression: Expression): Evaluation => {
  switch (expression.kind) {
    case "number": {
      const { value } = expression
      return () => value
    }
    case "symbol": {
      const { name } = expression
      return context => context.symbol(name)
    }
    case "register": {
      const { hart, bank, number } = expression
      return context => context.register(hart, bank, number)
    }
    case "csr": {
      const { hart, csr } = expression
      return context => context.csr(hart, csr)
    }
    case "memory":
      return compileMemory(expression)
    case "hart":
      return context => BigInt(context.hart)
    case "time":
      return context => context.time
    case "instret": {
      const { hart } = expression
      return context => context.instret(hart)
    }
    case "privilege": {
      const { hart } = expression
      return context => known(context.privilege(hart))
    }
    case "pid": {
      const { hart } = expression
      return context => context.pid(hart)
    }
    case "event": {
      const { word } = expression
      return context => known(context[word])
    }
    case "said": {
      const { pattern } = expression
      return context => (context.said(pattern) ? 1n : 0n)
    }
    case "comm": {
      const { hart, name } = expression
      const matches = typeof name === "string" ? (text: string) => text === name : (text: string) => name.test(text)
      return context => {
        const comm = context.comm(hart)
        return comm === null ? null : matches(comm) ? 1n : 0n
      }
    }
    case "unary": {
      const meaning = unaryMeaning[expression.operator]
      const operand = expression.operator === "!" ? compileTruth(expression.operand) : compile(expression.operand)
      return context => {
        const value = operand(context)
        return value === null ? null : meaning(value)
      }
    }
    case "binary":
      return compileBinary(expression)
  }
}

/** The same for an expression that is asked whether it holds: 1, 0 or null. */
export const compileTruth = (expression: Expression): Evaluation => {
  const value = compile(expression)
  if (expression.kind === "event") return context => (value(context) === null ? null : 1n)
  return context => {
    const found = value(context)
    return found === null ? null : found === 0n ? 0n : 1n
  }
}

/** `&&` or `||` of two truths. The second is looked at only when the first leaves it open. */
export const logical = (operator: LogicalOperator, first: Evaluation, second: Evaluation): Evaluation => {
  const deciding = operator === "&&" ? 0n : 1n
  return context => {
    const a = first(context)
    if (a === deciding) return a
    const b = second(context)
    return b === deciding || a !== null ? b : null
  }
}

/** The value at one moment, or null: unknown. */
export const evaluate = (expression: Expression, context: Context): bigint | null => compile(expression)(context)

/** Whether it is known to be true at one moment. */
export const holds = (expression: Expression, context: Context): boolean => compileTruth(expression)(context) === 1n

const known = (value: number | bigint | null): bigint | null => (value === null ? null : BigInt(value))

const compileMemory = ({ space, hart, bytes, address }: Expression & { kind: "memory" }): Evaluation => {
  const place = compile(address)
  if (space === "physical")
    return context => {
      const at = place(context)
      return at === null ? null : context.physical(at, bytes)
    }
  return context => {
    const at = place(context)
    return at === null ? null : context.memory(hart, at, bytes)
  }
}

const compileBinary = ({ operator, left, right }: Expression & { kind: "binary" }): Evaluation => {
  if (operator === "&&" || operator === "||") return logical(operator, compileTruth(left), compileTruth(right))
  const meaning = binaryMeaning[operator]
  const [first, second] = [compile(left), compile(right)]
  return context => {
    const a = first(context)
    if (a === null) return null
    const b = second(context)
    return b === null ? null : meaning(a, b)
  }
}
