/**
 * The assembler: text to bytes, made from the instruction table, so that tests and small guests read like the manual.
 *
 *     start:  li    a0, 0x123456789abcdef0     # any 64-bit constant
 *             la    a1, table
 *     again:  ld    a2, 8(a1)
 *             bnez  a2, again
 *             ret
 *             .align 3
 *     table:  .dword 1, -1, start
 *
 * Two passes: the first finds each statement's size and the labels, the second encodes. Branches reach as far as the instruction
 * does and are never lengthened. Directives: .word .dword .half .byte .zero .align .equ. RISC-V assembly programmer's manual.
 */
import { aliases } from "./alias.ts"
import { csrByName } from "./csr-name.ts"
import { encode, OperandError } from "./encode.ts"
import type { OperandName } from "./format.ts"
import type { Instruction } from "./instruction.ts"
import { floatRegisters, integerRegisters } from "./register.ts"
import {
  type Argument,
  argumentsOf,
  FENCE_TSO,
  fenceBits,
  instructionArguments,
  isAtomic,
  isUpper,
  ORDERING_SHIFT,
  operandNamed,
  orderingSuffixes,
  roundingModes,
} from "./syntax.ts"
import { instructions } from "./table.ts"

export interface Assembled {
  /** Address of the first byte. */
  readonly origin: number
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Addresses of labels and values of `.equ` symbols. */
  readonly symbols: ReadonlyMap<string, number>
}

/** A mistake in the source: what, and where. Lines and columns count from 1. */
export class AssemblyError extends Error {
  override readonly name = "AssemblyError"
  readonly line: number
  readonly column: number

  constructor(message: string, line: number, column: number) {
    super(`line ${line}, column ${column}: ${message}`)
    this.line = line
    this.column = column
  }
}

/** A piece of a line. */
interface Token {
  readonly text: string
  readonly line: number
  readonly column: number
}

const fail: (message: string, at: Token) => never = (message, at) => {
  throw new AssemblyError(message, at.line, at.column)
}

type Symbols = ReadonlyMap<string, bigint>

/** A sum of numbers and symbols: `table + 8`, `-1`, `end - start`. */
const evaluate = (token: Token, symbols: Symbols): bigint => {
  if (!/^[-+]?\s*[\w.$]+(\s*[-+]\s*[\w.$]+)*$/.test(token.text)) fail(`"${token.text}" is no number or symbol`, token)
  let sum = 0n
  for (const [, sign, term] of token.text.matchAll(/([-+]?)\s*([\w.$]+)/g)) {
    const isNumber = /^(0x[\da-f]+|0b[01]+|\d+)$/i.test(term!)
    const value = isNumber ? BigInt(term!) : symbols.get(term!)
    if (value === undefined) fail(`there is no symbol "${term}"`, token)
    sum += sign === "-" ? -value! : value!
  }
  return sum
}

/** One way to write a mnemonic: its arguments, and what makes a word of their values. */
interface Form {
  readonly instruction: Instruction
  readonly arguments: readonly Argument[]
  readonly fixed: Partial<Readonly<Record<OperandName, number>>>
  readonly same?: readonly [copy: OperandName, of: OperandName]
}

const forms = new Map<string, Form[]>()
const addForm = (name: string, form: Form) => forms.set(name, [...(forms.get(name) ?? []), form])
for (const instruction of instructions) {
  const suffixes = isAtomic(instruction) ? orderingSuffixes : [""]
  for (const suffix of suffixes)
    addForm(instruction.name + suffix, { instruction, arguments: instructionArguments(instruction), fixed: {} })
}
for (const { name, of, syntax, fixed, same } of aliases) {
  const instruction = instructions.find(candidate => candidate.name === of)
  if (!instruction) throw new Error(`${name} stands for ${of}, which is no instruction`)
  addForm(name, { instruction, arguments: argumentsOf(syntax), fixed, ...(same ? { same } : {}) })
}

const addressPattern = /^(.*)\(\s*(\w+)\s*\)$/

/** Whether written arguments have a form's shape; a rounding mode may be left out. */
const hasShape = (form: Form, written: readonly Token[]): boolean => {
  const expected = form.arguments
  const optional =
    expected.at(-1)?.kind === "operand" && (expected.at(-1) as { operand: string }).operand === "rm" ? 1 : 0
  if (written.length > expected.length || written.length < expected.length - optional) return false
  return written.every(
    (token, position) => addressPattern.test(token.text) === (expected[position]!.kind === "address"),
  )
}

const readOperand = (
  instruction: Instruction,
  name: OperandName,
  token: Token,
  pc: number,
  symbols: Symbols,
): number => {
  const operand = operandNamed(instruction, name)
  if (operand.kind !== "number") {
    const found = (operand.kind === "f" ? floatRegisters : integerRegisters).get(token.text)
    return found ?? fail(`"${token.text}" is no ${operand.kind === "f" ? "floating-point" : "integer"} register`, token)
  }
  if (name === "rm") {
    const mode = roundingModes.indexOf(token.text)
    return mode >= 0 ? mode : fail(`"${token.text}" is no rounding mode`, token)
  }
  const named = name === "csr" ? csrByName(token.text) : null
  if (named !== null) return named
  const value = Number(evaluate(token, symbols))
  if (operand.target) return value - pc
  // The upper 20 bits may be written as a signed or an unsigned number.
  return isUpper(operand) ? (value >= -0x80000 && value < 0x100000 ? value << 12 : Number.NaN) : value
}

const readForm = (form: Form, written: readonly Token[], pc: number, symbols: Symbols): Record<string, number> => {
  const values: Record<string, number> = { ...form.fixed }
  const read = (name: OperandName, token: Token) => {
    values[name] = readOperand(form.instruction, name, token, pc, symbols)
  }
  for (const [position, token] of written.entries()) {
    const argument = form.arguments[position]!
    if (argument.kind === "operand") read(argument.operand, token)
    else {
      const [, offset, base] = addressPattern.exec(token.text)!
      read(argument.base, { ...token, text: base! })
      const distance = { ...token, text: offset!.trim() || "0" }
      if (argument.offset !== null) read(argument.offset, distance)
      else if (evaluate(distance, symbols) !== 0n) fail(`${form.instruction.name} takes no offset`, token)
    }
  }
  if (form.same) values[form.same[0]] = values[form.same[1]]!
  return values
}

/** Bytes of one statement: known size first, contents when all labels are known. */
interface Statement {
  readonly at: number
  readonly size: number
  write(target: DataView, offset: number, symbols: Symbols): void
}

/** The words of a 64-bit constant: at most lui, addiw and three pairs of slli and addi. */
const constantWords = (register: number, value: bigint): readonly number[] => {
  const word = (name: string, values: Record<string, number>) =>
    encode(forms.get(name)![0]!.instruction, { rd: register, ...values })
  const low = Number(BigInt.asIntN(12, value))
  if (value === BigInt(low)) return [word("addi", { rs1: 0, imm: low })]
  const addLow = (name: string) => (low === 0 ? [] : [word(name, { rs1: register, imm: low })])
  if (value === BigInt.asIntN(32, value))
    return [word("lui", { imm: Number(value - BigInt(low)) | 0 }), ...addLow("addiw")]
  let high = BigInt.asIntN(52, (value - BigInt(low)) >> 12n)
  let shift = 12
  for (; (high & 1n) === 0n; shift++) high >>= 1n
  return [...constantWords(register, high), word("slli", { rs1: register, imm: shift }), ...addLow("addi")]
}

/** Pseudo-instructions of auipc and a second instruction that takes the low 12 bits. */
const pcRelative: Readonly<Record<string, { second: string; link: number | null; scratch: number | null }>> = {
  la: { second: "addi", link: null, scratch: null },
  call: { second: "jalr", link: 1, scratch: 1 },
  tail: { second: "jalr", link: 0, scratch: 6 },
}

const instructionNamed = (name: string): Instruction => instructions.find(candidate => candidate.name === name)!

const dataBytes: Readonly<Record<string, number>> = { ".byte": 1, ".half": 2, ".word": 4, ".dword": 8 }

/** Splits at commas and takes blanks off. */
const splitArguments = (text: string, line: number, column: number): Token[] => {
  if (text.trim() === "") return []
  let at = column
  return text.split(",").map(part => {
    const token = { text: part.trim(), line, column: at + (part.length - part.trimStart().length) }
    at += part.length + 1
    return token
  })
}

class Assembly {
  private here: number
  private readonly symbols = new Map<string, bigint>()
  private readonly statements: Statement[] = []
  private readonly origin: number

  constructor(origin: number) {
    this.origin = origin
    this.here = origin
  }

  private define(name: Token, value: bigint): void {
    if (this.symbols.has(name.text)) fail(`"${name.text}" is defined twice`, name)
    this.symbols.set(name.text, value)
  }

  private add(size: number, write: (target: DataView, offset: number, symbols: Symbols) => void): void {
    this.statements.push({ at: this.here, size, write })
    this.here += size
  }

  line(text: string, line: number): void {
    const source = text.replace(/(#|\/\/).*$/, "").trimEnd()
    let rest = source
    const column = () => source.length - rest.length + 1
    for (;;) {
      rest = rest.trimStart()
      const label = /^([A-Za-z_.$][\w.$]*)\s*:/.exec(rest)
      if (!label) break
      this.define({ text: label[1]!, line, column: column() }, BigInt(this.here))
      rest = rest.slice(label[0].length)
    }
    if (rest === "") return
    const start = column()
    const mnemonic = /^\S+/.exec(rest)![0]
    const head = { text: mnemonic, line, column: start }
    const written = splitArguments(rest.slice(mnemonic.length), line, start + mnemonic.length)
    const empty = written.find(token => token.text === "")
    if (empty) fail("an argument is missing here", empty)
    if (mnemonic.startsWith(".")) this.directive(head, written)
    else this.instruction(head, written)
  }

  private directive(head: Token, written: readonly Token[]): void {
    const constant = (): number => {
      if (written.length !== 1) fail(`${head.text} takes one number`, head)
      const value = Number(evaluate(written[0]!, this.symbols))
      return value >= 0 && value <= 0x1000_0000 ? value : fail(`${head.text} cannot take ${value}`, written[0]!)
    }
    const width = dataBytes[head.text]
    if (width !== undefined) this.data(width, written)
    else if (head.text === ".zero") this.add(constant(), () => {})
    else if (head.text === ".align") {
      const unit = 2 ** constant()
      this.add((unit - (this.here % unit)) % unit, () => {})
    } else if (head.text === ".equ" && written.length === 2) {
      this.define(written[0]!, evaluate(written[1]!, this.symbols))
    } else fail(`${head.text} is no directive of this assembler`, head)
  }

  private data(width: number, written: readonly Token[]): void {
    for (const token of written)
      this.add(width, (target, offset, symbols) => {
        const value = evaluate(token, symbols)
        const bits = width * 8
        if (value !== BigInt.asIntN(bits, value) && value !== BigInt.asUintN(bits, value))
          fail(`${value} does not fit ${width} bytes`, token)
        for (let byte = 0; byte < width; byte++)
          target.setUint8(offset + byte, Number((value >> BigInt(byte * 8)) & 0xffn))
      })
  }

  private instruction(head: Token, written: readonly Token[]): void {
    const pair = pcRelative[head.text]
    if (pair) this.pair(head, written, pair)
    else if (head.text === "fence" || head.text === "fence.tso") this.fence(head, written)
    else if (head.text === "li" && written.length === 2) this.constant(written[0]!, written[1]!)
    else this.single(head, written)
  }

  private single(head: Token, written: readonly Token[]): void {
    const named = forms.get(head.text) ?? fail(`there is no instruction ${head.text}`, head)
    const form =
      named.find(candidate => hasShape(candidate, written)) ?? fail(`these are not the arguments of ${head.text}`, head)
    const { instruction } = form
    const ordering = isAtomic(instruction)
      ? orderingSuffixes.indexOf(head.text.slice(instruction.name.length)) << ORDERING_SHIFT
      : 0
    const pc = this.here
    this.add(instruction.length, (target, offset, symbols) => {
      const values = readForm(form, written, pc, symbols)
      const word = this.encoded(instruction, values, head, form, written) | ordering
      if (instruction.length === 2) target.setUint16(offset, word, true)
      else target.setUint32(offset, word, true)
    })
  }

  /** Encodes; an operand that does not fit is reported at its argument. */
  private encoded(
    instruction: Instruction,
    values: Record<string, number>,
    head: Token,
    form: Form,
    written: readonly Token[],
  ): number {
    try {
      return encode(instruction, values)
    } catch (error) {
      if (!(error instanceof OperandError)) throw error
      const position = form.arguments.findIndex(argument =>
        argument.kind === "operand"
          ? argument.operand === error.operand
          : argument.offset === error.operand || argument.base === error.operand,
      )
      const at = written[position] ?? head
      return fail(
        Number.isNaN(values[error.operand]) ? `${at.text} does not fit ${instruction.name}` : error.message,
        at,
      )
    }
  }

  private constant(destination: Token, value: Token): void {
    const register =
      integerRegisters.get(destination.text) ?? fail(`"${destination.text}" is no integer register`, destination)
    // Its length depends on it, so it must be known now: a number or an .equ before this line.
    const wanted = evaluate(value, this.symbols)
    if (wanted !== BigInt.asIntN(64, wanted) && wanted !== BigInt.asUintN(64, wanted))
      fail(`${wanted} does not fit 64 bits`, value)
    const words = constantWords(register, BigInt.asIntN(64, wanted))
    this.add(words.length * 4, (target, offset) => {
      for (const [position, word] of words.entries()) target.setUint32(offset + position * 4, word, true)
    })
  }

  private pair(head: Token, written: readonly Token[], { second, link, scratch }: (typeof pcRelative)[string]): void {
    const goal = written.at(-1)
    if (!goal || written.length !== (scratch === null ? 2 : 1))
      fail(`these are not the arguments of ${head.text}`, head)
    const register =
      scratch ??
      integerRegisters.get(written[0]!.text) ??
      fail(`"${written[0]!.text}" is no integer register`, written[0]!)
    const pc = this.here
    this.add(8, (target, offset, symbols) => {
      const distance = Number(evaluate(goal, symbols)) - pc
      const low = (distance << 20) >> 20
      const high = distance - low
      if (high !== (high | 0)) fail(`${goal.text} is too far away`, goal)
      target.setUint32(offset, encode(instructionNamed("auipc"), { rd: register, imm: high }), true)
      const values = { rd: link ?? register, rs1: register, imm: low }
      target.setUint32(offset + 4, encode(instructionNamed(second), values), true)
    })
  }

  private fence(head: Token, written: readonly Token[]): void {
    const known = instructionNamed("fence").match
    const all = fenceBits("iorw", "iorw")
    let bits: number | null = null
    if (head.text === "fence.tso") bits = written.length === 0 ? FENCE_TSO : null
    else if (written.length === 0) bits = all
    else if (written.length === 2) bits = fenceBits(written[0]!.text, written[1]!.text)
    const word = known | (bits ?? fail(`these are not the arguments of ${head.text}`, head))
    this.add(4, (target, offset) => target.setUint32(offset, word, true))
  }

  finish(): Assembled {
    const bytes = new Uint8Array(this.here - this.origin)
    const view = new DataView(bytes.buffer)
    for (const statement of this.statements) statement.write(view, statement.at - this.origin, this.symbols)
    const symbols = new Map([...this.symbols].map(([name, value]) => [name, Number(value)]))
    return { origin: this.origin, bytes, symbols }
  }
}

/**
 * Assembles a source whose first byte will stand at `origin`.
 * @throws AssemblyError at the first mistake.
 */
export const assemble = (source: string, origin = 0x80000000): Assembled => {
  const assembly = new Assembly(origin)
  for (const [position, line] of source.split("\n").entries()) assembly.line(line, position + 1)
  return assembly.finish()
}
