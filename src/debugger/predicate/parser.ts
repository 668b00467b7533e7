/**
 * From text to an expression. Precedence is that of C, from loose to tight:
 *
 *     ||   &&   |   ^   &   == !=   < <= > >= s< s<= s> s>=   << >> s>>   + -   * / %   unary - ~ !
 *
 * All of them group from the left. docs/questions.md lists what there is to ask for.
 */

import { nearNames } from "../../machine/near-names.ts"
import { csrByName, csrNames } from "../../riscv/csr-name.ts"
import { floatRegisters, integerRegisters } from "../../riscv/register.ts"
import { PredicateMalformed } from "../errors.ts"
import { folded } from "./bind.ts"
import { type BinaryOperator, type Expression, type HartChoice, numberOf, type UnaryOperator } from "./expression.ts"
import { type Token, tokenize } from "./lexer.ts"
import {
  applied,
  eventWords,
  hartWords,
  type NamedWord,
  names,
  registers,
  signs,
  valueNames,
  wordWithValue,
} from "./words.ts"

/** What is known of the guest when a question is read. What is left out is not checked. */
export interface Known {
  /** Names of symbols; a map from names to anything serves. */
  readonly symbols?: { has(name: string): boolean; keys(): Iterable<string> }
  /** How many harts there are. */
  readonly harts?: number
}

/** Longer texts and deeper nesting are refused, so that no text can use up the stack. */
const CHARACTERS_MAX = 4096
const DEPTH_MAX = 100
/** No machine has a hart of more digits. */
const hartPrefix = /^h(\d{1,4})\./

const levels: readonly (readonly BinaryOperator[])[] = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<", "<=", ">", ">=", "s<", "s<=", "s>", "s>="],
  ["<<", ">>", "s>>"],
  ["+", "-"],
  ["*", "/", "%"],
]
const levelOf: ReadonlyMap<string, number> = new Map(
  levels.flatMap((operators, level) => operators.map(operator => [operator, level])),
)

/** Words of other languages for operators of this one. */
const operatorWords: Readonly<Record<string, string>> = { and: "&&", or: "||", not: "!", eq: "==", ne: "!=" }

/** A name that means something only beside what it is compared with, as in `interrupt == timer`. */
interface ValueName {
  readonly kind: "name"
  readonly text: string
  readonly offset: number
}

/** Reads an expression. @throws PredicateMalformed */
export const parse = (text: string, known: Known = {}): Expression => {
  if (text.length > CHARACTERS_MAX)
    throw new PredicateMalformed({
      text: `${text.slice(0, 40)}…`,
      offset: 40,
      problem: `it is longer than ${CHARACTERS_MAX} characters`,
    })
  return new Parser(text, known).whole()
}

class Parser {
  private readonly text: string
  private readonly known: Known
  private readonly tokens: readonly Token[]
  private at = 0
  private depth = 0

  constructor(text: string, known: Known) {
    this.text = text
    this.known = known
    this.tokens = tokenize(text)
  }

  whole(): Expression {
    if (this.tokens.length === 1) this.fail("there is nothing to ask; write for example pc == sym:panic")
    const expression = this.expression()
    const rest = this.token
    if (rest.kind === "end") return expression
    if (this.isOperator(")") || this.isOperator("]")) this.fail("nothing is open that could be closed here")
    if (this.isOperator("~")) this.fail("only console and comm are matched with ~ /REGEX/")
    const operator = rest.kind === "name" ? operatorWords[rest.text] : undefined
    return this.fail(
      operator ? `an operator is expected; write ${operator}` : "an operator such as == or && is expected",
    )
  }

  /** From the loosest operator on; a name left over is none. */
  private expression(): Expression {
    return this.settled(this.binary(0))
  }

  private binary(level: number): Expression | ValueName {
    let left = this.unary()
    for (;;) {
      const { token } = this
      const found = token.kind === "operator" ? levelOf.get(token.text) : undefined
      if (token.kind !== "operator" || found === undefined || found < level) return left
      this.at++
      left = this.combined(token.text as BinaryOperator, left, this.binary(found + 1))
    }
  }

  private combined(operator: BinaryOperator, left: Expression | ValueName, right: Expression | ValueName): Expression {
    if (operator === "==" || operator === "!=") {
      const compared =
        right.kind === "name" ? this.named(left, right) : left.kind === "name" ? this.named(right, left) : null
      if (compared) return operator === "==" ? compared : { kind: "unary", operator: "!", operand: compared }
    }
    return folded({ kind: "binary", operator, left: this.settled(left), right: this.settled(right) })
  }

  /** `interrupt == timer`: the word has one of the values of that name. null: the other side takes no names. */
  private named(subject: Expression | ValueName, { text, offset }: ValueName): Expression | null {
    const word: NamedWord | null =
      subject.kind === "event" ? subject.word : subject.kind === "privilege" ? subject.kind : null
    if (word === null || subject.kind === "name") return null
    const values = valueNames[word].get(text)
    if (values === undefined) {
      const near = nearNames(text, [...valueNames[word].keys()])
      return this.fail(`${word} has no value ${text}; ${perhaps(near) ?? examples[word]}`, offset)
    }
    return values
      .map((value): Expression => {
        return { kind: "binary", operator: "==", left: subject, right: numberOf(BigInt(value)) }
      })
      .reduce((left, right) => ({ kind: "binary", operator: "||", left, right }))
  }

  /** An expression; a name that nothing gives a meaning is refused. */
  private settled(operand: Expression | ValueName): Expression {
    if (operand.kind !== "name") return operand
    const { text, offset } = operand
    const word = wordWithValue(text)
    const symbols = this.symbolsLike(text)
    if (word !== null && symbols[0] !== text)
      this.fail(`${text} is a value of ${word} and stands beside it only: ${word} == ${text}`, offset)
    // What merely begins like a register, as many symbols do, is no misspelt register.
    const words = nearNames(text, names).filter(near => !text.startsWith(near) || text.length === near.length + 1)
    const candidates = [...(csrByName(text) === null ? [] : [`csr.${text}`]), ...words, ...symbols.map(asSymbol)]
    const advice = perhaps(candidates) ?? "symbols are written sym:NAME"
    return this.fail(`there is no register or word ${text}; ${advice}`, offset)
  }

  /** Names of symbols that a name was perhaps meant to be; itself when it is one, or may be one for all that is known. */
  private symbolsLike(name: string): readonly string[] {
    const { symbols } = this.known
    if (symbols === undefined) return wordWithValue(name) === null ? [name] : []
    return symbols.has(name) ? [name] : nearNames(name, [...symbols.keys()])
  }

  private unary(): Expression | ValueName {
    const { token } = this
    if (token.kind !== "operator" || !["-", "~", "!"].includes(token.text)) return this.primary()
    this.at++
    const operand = this.nested(() => this.settled(this.unary()))
    return folded({ kind: "unary", operator: token.text as UnaryOperator, operand })
  }

  private primary(): Expression | ValueName {
    const { token } = this
    switch (token.kind) {
      case "number":
        this.at++
        return numberOf(token.value)
      case "symbol":
        this.at++
        return this.symbol(token.name, token.offset)
      case "name":
        this.at++
        return this.name(token.text, token.offset)
      case "operator":
        return token.text === "(" ? this.enclosed() : this.fail(`a value is expected before ${token.text}`)
      case "text":
        return this.fail('text is compared with comm only, which stands to the left: comm == "sh"')
      case "pattern":
        return this.fail("only console and comm are matched with ~ /REGEX/")
      case "end":
        return this.fail("a value is expected at the end")
    }
  }

  /** An expression in parentheses, or in brackets. */
  private enclosed(): Expression {
    const open = this.token
    const close = this.isOperator("(") ? ")" : "]"
    this.at++
    const expression = this.nested(() => this.expression())
    if (this.isOperator(close)) {
      this.at++
      return expression
    }
    return this.token.kind === "end"
      ? this.fail(`the ${close === ")" ? "(" : "["} that is opened here is never closed`, open.offset)
      : this.fail(`an operator or ${close} is expected`)
  }

  private nested<T>(read: () => T): T {
    if (++this.depth > DEPTH_MAX) this.fail(`more than ${DEPTH_MAX} expressions lie within each other`)
    const result = read()
    this.depth--
    return result
  }

  private symbol(name: string, offset: number): Expression {
    const { symbols } = this.known
    if (symbols === undefined || symbols.has(name)) return { kind: "symbol", name }
    const advice = perhaps(this.symbolsLike(name).map(asSymbol))
    return this.fail(
      `there is no symbol ${name}; ${advice ?? "check the name, or give an ELF file that has it with --symbols"}`,
      offset,
    )
  }

  private name(text: string, offset: number): Expression | ValueName {
    const prefix = hartPrefix.exec(text)
    const hart = prefix ? Number(prefix[1]) : null
    const word = text.slice(prefix?.[0].length ?? 0)
    const wordOffset = offset + text.length - word.length
    const { harts } = this.known
    if (hart !== null && harts !== undefined && hart >= harts)
      this.fail(harts === 1 ? "there is only h0" : `there are only h0 to h${harts - 1}`, offset)
    if (word.startsWith("csr.")) return this.csr(hart, word.slice(4), wordOffset + 4)
    if (this.isOperator("(") || this.isOperator("[")) return this.application(hart, word, wordOffset)

    if (word === "pc") return { kind: "register", hart, bank: "pc", number: 0 }
    const x = integerRegisters.get(word)
    if (x !== undefined) return { kind: "register", hart, bank: "x", number: x }
    const f = floatRegisters.get(word)
    if (f !== undefined) return { kind: "register", hart, bank: "f", number: f }
    const ofHart = hartWords.find(candidate => candidate === word)
    if (ofHart) return { kind: ofHart, hart }
    if (word === "comm") return this.comm(hart)
    if (applied.includes(word)) return this.fail(`what ${word} is taken of follows in parentheses: ${word}(…)`)
    if (hart !== null) return this.notOfHart(hart, word, wordOffset)

    const event = eventWords.find(candidate => candidate === word)
    if (event) return { kind: "event", word: event }
    if (word === "hart" || word === "time") return { kind: word }
    if (word === "console") return this.console()
    return { kind: "name", text, offset }
  }

  private csr(hart: HartChoice, name: string, offset: number): Expression {
    const csr = csrByName(name)
    if (csr !== null) return { kind: "csr", hart, csr }
    const advice = perhaps(nearNames(name, csrNames).map(near => `csr.${near}`))
    return this.fail(
      `there is no control and status register ${name}; ${advice ?? "write for example csr.satp"}`,
      offset,
    )
  }

  /** Something with a parenthesis or bracket behind it. */
  private application(hart: HartChoice, word: string, offset: number): Expression {
    const sign = signs.find(candidate => candidate === word)
    if (sign !== undefined && hart === null) return folded({ kind: "unary", operator: sign, operand: this.enclosed() })
    const read = /^(mem|phys)(8|16|32|64)$/.exec(word)
    if (read === null) {
      if (applied.includes(word)) return this.notOfHart(hart ?? 0, word, offset)
      return this.fail(
        names.includes(word)
          ? `an operator is expected after ${word}`
          : `nothing is called ${word}; ${perhaps(nearNames(word, applied)) ?? "memory is read with mem64(ADDRESS)"}`,
        names.includes(word) ? this.token.offset : offset,
      )
    }
    const space = read[1] === "mem" ? "virtual" : "physical"
    if (space === "physical" && hart !== null) return this.notOfHart(hart, word, offset)
    return { kind: "memory", space, hart, bytes: Number(read[2]) / 8, address: this.enclosed() }
  }

  private notOfHart(hart: number, word: string, offset: number): never {
    if (word === "") return this.fail(`a register follows the hart, as in h${hart}.sp`, offset)
    if ((eventWords as readonly string[]).includes(word))
      return this.fail(`${word} takes no hart before it; write hart == ${hart} && ${word}`, offset)
    if (names.includes(word)) return this.fail(`${word} belongs to no hart; leave h${hart}. away`, offset)
    const advice =
      csrByName(word) === null ? perhaps(nearNames(word, registers)) : `perhaps h${hart}.csr.${word} was meant`
    return this.fail(`no hart has a register ${word}; ${advice ?? `write for example h${hart}.sp`}`, offset)
  }

  private console(): Expression {
    const isMatch = this.matchSign()
    if (isMatch === null) return this.fail("the console is asked with ~ /REGEX/ or !~ /REGEX/")
    return truthOf({ kind: "said", pattern: this.pattern() }, isMatch)
  }

  private comm(hart: HartChoice): Expression {
    const isMatch = this.matchSign()
    if (isMatch !== null) return truthOf({ kind: "comm", hart, name: this.pattern() }, isMatch)
    const isEqual = this.isOperator("==")
    if (!isEqual && !this.isOperator("!=")) return this.fail('comm is text: write comm == "sh" or comm ~ /REGEX/')
    this.at++
    const { token } = this
    if (token.kind !== "text") return this.fail('text in double quotes is expected, as in comm == "sh"')
    this.at++
    return truthOf({ kind: "comm", hart, name: token.text }, isEqual)
  }

  /** Steps over `~` (true) or `!~` (false); null where there is neither. */
  private matchSign(): boolean | null {
    const isMatch = this.isOperator("~")
    const next = this.tokens[this.at + 1]
    if (!isMatch && !(this.isOperator("!") && next?.kind === "operator" && next.text === "~")) return null
    this.at += isMatch ? 1 : 2
    return isMatch
  }

  private pattern(): RegExp {
    const { token } = this
    if (token.kind !== "pattern") return this.fail("a regular expression between slashes is expected, as in ~ /panic/i")
    this.at++
    return token.pattern
  }

  private get token(): Token {
    return this.tokens[this.at]!
  }

  private isOperator(text: string): boolean {
    return this.token.kind === "operator" && this.token.text === text
  }

  private fail(problem: string, offset = this.token.offset): never {
    throw new PredicateMalformed({ text: this.text, offset, problem })
  }
}

/** An expression that holds, or its contrary. */
const truthOf = (expression: Expression, isWanted: boolean): Expression =>
  isWanted ? expression : { kind: "unary", operator: "!", operand: expression }

const asSymbol = (name: string): string => `sym:${name}`

/** Advice from near names; null where there are none. */
const perhaps = (near: readonly string[]): string | null =>
  near.length === 0 ? null : `perhaps ${near.join(" or ")} was meant`

const examples: Readonly<Record<NamedWord, string>> = {
  interrupt: "write for example timer, stimer or a number",
  trap: "write for example loadPageFault or a number",
  syscall: "write for example write or a number",
  privilege: "write user, supervisor or machine",
}
