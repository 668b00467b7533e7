/** The disassembler: from an instruction word to the text a debugger shows, made from the instruction table's `syntax`. */
import { type Alias, aliases } from "./alias.ts"
import { csrName } from "./csr-name.ts"
import { extract } from "./field.ts"
import type { Operand, OperandName } from "./format.ts"
import type { Instruction } from "./instruction.ts"
import { floatRegisterNames, integerRegisterNames } from "./register.ts"
import {
  type Argument,
  argumentsOf,
  FENCE_TSO,
  fenceSets,
  instructionArguments,
  isAtomic,
  isUpper,
  ORDERING_SHIFT,
  operandNamed,
  orderingSuffixes,
  roundingModes,
  unwrittenRounding,
} from "./syntax.ts"
import { decode, instructionLength } from "./table.ts"

export interface Disassembly {
  /** `addi a0, a1, 4`: registers by ABI name, branch targets as absolute addresses. */
  readonly text: string
  /** Bytes. */
  readonly length: 2 | 4
}

export interface DisassemblyOptions {
  /** Show pseudo-instructions, as `ret` for `jalr zero, 0(ra)`. The default. */
  readonly aliases?: boolean
}

const aliasesOf = new Map<string, Alias[]>()
for (const alias of aliases)
  if (!alias.assemblerOnly) aliasesOf.set(alias.of, [...(aliasesOf.get(alias.of) ?? []), alias])

const hexadecimal = (value: number | bigint): string => `0x${value.toString(16)}`

/** One operand of one word, as text; null for a rounding mode that goes without saying. */
const show = (instruction: Instruction, operand: Operand, word: number, pc: bigint): string | null => {
  const value = extract(operand.field, word)
  if (operand.kind === "f") return floatRegisterNames[value]!
  if (operand.kind !== "number") return integerRegisterNames[value]!
  if (operand.target) return hexadecimal(BigInt.asUintN(64, pc + BigInt(value)))
  if (operand.name === "csr") return csrName(value)
  if (operand.name === "rm")
    return value === unwrittenRounding(instruction) ? null : (roundingModes[value] ?? String(value))
  return isUpper(operand) ? hexadecimal(value >>> 12) : String(value)
}

const fits = (alias: Alias, instruction: Instruction, word: number): boolean => {
  const value = (name: OperandName) => extract(operandNamed(instruction, name).field, word)
  if (alias.same && value(alias.same[0]) !== value(alias.same[1])) return false
  return Object.entries(alias.fixed).every(([name, fixed]) => value(name as OperandName) === fixed)
}

/** The text of a word known to encode `instruction`. */
const describe = (instruction: Instruction, word: number, pc: bigint, withAliases: boolean): string => {
  if (instruction.name === "fence") {
    if (word === FENCE_TSO) return "fence.tso"
    const [predecessor, successor] = fenceSets(word)
    return withAliases && predecessor === "iorw" && successor === "iorw"
      ? "fence"
      : `fence ${predecessor}, ${successor}`
  }
  const alias = withAliases && aliasesOf.get(instruction.name)?.find(candidate => fits(candidate, instruction, word))
  const written: readonly Argument[] = alias ? argumentsOf(alias.syntax) : instructionArguments(instruction)
  const operandText = (name: OperandName) => show(instruction, operandNamed(instruction, name), word, pc)
  const parts = written.flatMap(argument => {
    if (argument.kind === "operand") return operandText(argument.operand) ?? []
    return `${argument.offset === null ? "" : operandText(argument.offset)}(${operandText(argument.base)})`
  })
  const ordering = isAtomic(instruction) ? orderingSuffixes[(word >>> ORDERING_SHIFT) & 3]! : ""
  const name = (alias ? alias.name : instruction.name) + ordering
  return parts.length === 0 ? name : `${name} ${parts.join(", ")}`
}

/**
 * The instruction in `word`, a 16-bit one in its low half, as text. `pc` is where it stands, unsigned.
 * A word that encodes none becomes `.word` or `.half`.
 */
export const disassemble = (word: number, pc: bigint, options: DisassemblyOptions = {}): Disassembly => {
  const length = instructionLength(word)
  const bits = length === 2 ? word & 0xffff : word | 0
  const instruction = decode(bits)
  if (instruction) return { text: describe(instruction, bits, pc, options.aliases ?? true), length }
  const digits = (bits >>> 0).toString(16).padStart(length * 2, "0")
  return { text: `${length === 2 ? ".half" : ".word"} 0x${digits}`, length }
}
