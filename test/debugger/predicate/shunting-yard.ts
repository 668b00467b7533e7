/**
 * A second opinion on what expressions mean: Dijkstra's two stacks over a list of words, with a precedence table and arithmetic of its
 * own (typed arrays wrap around). Division by zero is null, and null spreads, except where `&&` and `||` are decided without it.
 */

/** How tightly each binary operator binds, as in the table of C. */
// biome-ignore format: a table
const binding: Readonly<Record<string, number>> = {
  "*": 10, "/": 10, "%": 10, "+": 9, "-": 9, "<<": 8, ">>": 8, "s>>": 8,
  "<": 7, ">": 7, "<=": 7, ">=": 7, "s<": 7, "s>": 7, "s<=": 7, "s>=": 7,
  "==": 6, "!=": 6, "&": 5, "^": 4, "|": 3, "&&": 2, "||": 1,
}
const UNARY = 11

const unsigned = (value: bigint): bigint => new BigUint64Array([value])[0]!
const signed = (value: bigint): bigint => new BigInt64Array([value])[0]!

// biome-ignore format: a table
const calculate = (operator: string, a: bigint, b: bigint): bigint | boolean | null => {
  const [sa, sb] = [signed(a), signed(b)]
  switch (operator) {
    case "*": return a * b
    case "/": return b === 0n ? null : a / b
    case "%": return b === 0n ? null : a % b
    case "+": return a + b
    case "-": return a - b
    case "<<": return b > 63n ? 0n : a * 2n ** b
    case ">>": return b > 63n ? 0n : a / 2n ** b
    case "s>>": return sa >> (b > 63n ? 63n : b)
    case "<": return a < b
    case ">": return a > b
    case "<=": return a <= b
    case ">=": return a >= b
    case "s<": return sa < sb
    case "s>": return sa > sb
    case "s<=": return sa <= sb
    case "s>=": return sa >= sb
    case "==": return a === b
    case "!=": return a !== b
    case "&": return a & b
    case "^": return a ^ b
    case "|": return a | b
    default: throw new Error(operator)
  }
}

const applyBinary = (operator: string, a: bigint | null, b: bigint | null): bigint | null => {
  if (operator === "&&" || operator === "||") {
    // Sorted from false over unknown to true, "and" is the least and "or" the greatest.
    const rank = (value: bigint | null) => (value === null ? 1 : value === 0n ? 0 : 2)
    const result = operator === "&&" ? Math.min(rank(a), rank(b)) : Math.max(rank(a), rank(b))
    return [0n, null, 1n][result]!
  }
  if (a === null || b === null) return null
  const result = calculate(operator, a, b)
  return result === null ? null : unsigned(BigInt(result))
}

const applyUnary = (operator: string, a: bigint | null): bigint | null => {
  if (a === null) return null
  return operator === "!" ? BigInt(a === 0n) : unsigned(operator === "-" ? 0n - a : -1n - a)
}

/** The value of words such as `["-", "a0", "+", "(", "3", ")"]`; `meaning` gives that of everything that is no sign. */
export const secondOpinion = (words: readonly string[], meaning: (word: string) => bigint | null): bigint | null => {
  const values: (bigint | null)[] = []
  const waiting: { readonly sign: string; readonly binds: number }[] = []
  const reduce = () => {
    const { sign, binds } = waiting.pop()!
    const b = values.pop()!
    values.push(binds === UNARY ? applyUnary(sign, b) : applyBinary(sign, values.pop()!, b))
  }
  let expectsValue = true
  for (const word of words) {
    if (word === "(") waiting.push({ sign: "(", binds: 0 })
    else if (word === ")") {
      while (waiting.at(-1)!.sign !== "(") reduce()
      waiting.pop()
    } else if (expectsValue && ["-", "~", "!"].includes(word)) waiting.push({ sign: word, binds: UNARY })
    else if (!expectsValue) {
      while (waiting.length > 0 && waiting.at(-1)!.binds >= binding[word]!) reduce()
      waiting.push({ sign: word, binds: binding[word]! })
      expectsValue = true
    } else {
      values.push(meaning(word))
      expectsValue = false
    }
  }
  while (waiting.length > 0) reduce()
  return values[0]!
}

export const binaryOperators: readonly string[] = Object.keys(binding)
