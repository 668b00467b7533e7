/** A question's text cut into numbers, names, texts, patterns and operators. */
import { PredicateMalformed } from "../errors.ts"

export type Token = { readonly offset: number } & (
  | { readonly kind: "number"; readonly value: bigint }
  /** Words, registers and their prefixes: `h1.csr.satp` is one name. */
  | { readonly kind: "name"; readonly text: string }
  /** `sym:NAME`. */
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "pattern"; readonly pattern: RegExp }
  | { readonly kind: "operator"; readonly text: string }
  | { readonly kind: "end" }
)

const space = /\s+/y
const digits = /\d[\w.]*/y
const symbol = /sym:([\w.$@]*)/y
const name = /[A-Za-z_][\w.]*/y
// `s<` and its like are looked for before names, of which none is a single s.
const operator = /s(?:<=|>=|>>|<|>)|\|\||&&|==|!=|<<|>>|<=|>=|[|^&<>+\-*/%~!()[\]]/y

const integer =
  /^(?:0|[1-9]\d*(?:_\d+)*|0[xX][\da-fA-F]+(?:_[\da-fA-F]+)*|0[bB][01]+(?:_[01]+)*|0[oO][0-7]+(?:_[0-7]+)*)$/
const duration = /^((?:0|[1-9]\d*(?:_\d+)*))(?:\.(\d+))?(ns|us|ms|s|m|h)$/
const nanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}
const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", 0: "\0" }

/** The text as tokens; the last one is its end. @throws PredicateMalformed */
export const tokenize = (text: string): readonly Token[] => {
  const tokens: Token[] = []
  let at = 0
  const fail = (problem: string, offset = at): never => {
    throw new PredicateMalformed({ text, offset, problem })
  }
  /** What a sticky expression finds here, and steps over it. */
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    if (found) at += found[0].length
    return found
  }

  const number = (word: string, offset: number): bigint => {
    const plain = word.replaceAll("_", "")
    const time = duration.exec(word)
    const value = integer.test(word) ? BigInt(plain) : time ? inNanoseconds(time, offset) : null
    if (value === null)
      return fail(
        /^0\d/.test(word)
          ? `the number ${word} begins with 0; write 0o${word.slice(1)} if it is octal`
          : /^\d+\.\d+$/.test(word)
            ? `${word} is no whole number; only times may have a fraction, with a unit: ${word}s`
            : `${word} is no number; write 100, 1_000, 0xff, 0b101, 0o17, 'c' or a time such as 1.5s (units ns, us, ms, s, m, h)`,
        offset,
      )
    return value < 1n << 64n ? value : fail(`${word} needs more than 64 bits`, offset)
  }
  const inNanoseconds = ([word, whole, fraction = "", unit]: RegExpExecArray, offset: number): bigint => {
    const scaled = BigInt(whole!.replaceAll("_", "") + fraction) * nanoseconds[unit!]!
    const scale = 10n ** BigInt(fraction.length)
    return scaled % scale === 0n ? scaled / scale : fail(`${word} is no whole number of nanoseconds`, offset)
  }

  /** Characters up to the closing quote, which is stepped over, escapes resolved. */
  const quoted = (quote: string): string => {
    const start = at++
    let content = ""
    for (;;) {
      const character = text[at]
      if (character === undefined) return fail(`the ${quote} that is opened here is never closed`, start)
      at++
      if (character === quote) return content
      content += character === "\\" ? escaped() : character
    }
  }
  const escaped = (): string => {
    const character = text[at] ?? ""
    const hex = /^x([\da-fA-F]{2})/.exec(text.slice(at, at + 3))
    const meaning = hex ? String.fromCharCode(Number.parseInt(hex[1]!, 16)) : (escapes[character] ?? character)
    if (character === "" || (/\w/.test(character) && meaning === character))
      return fail(`\\${character} means nothing; use \\n, \\t, \\r, \\0, \\xHH or \\ before a sign`, at - 1)
    at += hex ? 3 : 1
    return meaning
  }
  const character = (): bigint => {
    const start = at
    const content = quoted("'")
    if (content.length === 1 && content <= "\xff") return BigInt(content.charCodeAt(0))
    return fail("single quotes hold one character of one byte; text stands in double quotes", start)
  }

  const pattern = (): RegExp => {
    const start = at++
    for (let inClass = false; ; at++) {
      const character = text[at]
      if (character === undefined) return fail("the / that is opened here is never closed", start)
      if (character === "\\") at++
      else if (character === "[") inClass = true
      else if (character === "]") inClass = false
      else if (character === "/" && !inClass) break
    }
    const source = text.slice(start + 1, at++)
    const flags = take(/\w*/y)![0]
    if (!/^(?!.*(.).*\1)[ims]*$/.test(flags))
      return fail(`the flags after a pattern are i, m and s, each once at most, not ${flags}`, at - flags.length)
    if (source === "") return fail("an empty pattern matches everything; write something between the slashes", start)
    try {
      return new RegExp(source, flags)
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message.slice(cause.message.lastIndexOf(": ") + 2) : String(cause)
      return fail(`this is no regular expression: ${problem}`, start)
    }
  }

  const next = (): Token => {
    const offset = at
    const first = text[at]
    const previous = tokens.at(-1)
    if (first === undefined) return { kind: "end", offset }
    if (first === '"') return { kind: "text", text: quoted('"'), offset }
    if (first === "'") return { kind: "number", value: character(), offset }
    if (first === "/" && previous?.kind === "operator" && previous.text === "~")
      return { kind: "pattern", pattern: pattern(), offset }
    const word = take(digits)
    if (word) return { kind: "number", value: number(word[0], offset), offset }
    const named = take(symbol)
    if (named) return named[1] ? { kind: "symbol", name: named[1], offset } : fail("a symbol's name follows sym:", at)
    const sign = take(operator)
    if (sign) return { kind: "operator", text: sign[0], offset }
    const called = take(name)
    if (called) return { kind: "name", text: called[0], offset }
    if (first === "=") return fail("nothing is changed here; write == to compare")
    return fail(`the character ${shown(text.codePointAt(at)!)} has no meaning here`)
  }

  do {
    take(space)
    tokens.push(next())
  } while (tokens.at(-1)!.kind !== "end")
  return tokens
}

/** A character as it may stand in a sentence. */
const shown = (codePoint: number): string => {
  const character = String.fromCodePoint(codePoint)
  return /[\p{Control}\p{Format}\p{Mark}\p{Surrogate}\p{Unassigned}]/u.test(character)
    ? `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`
    : character
}
