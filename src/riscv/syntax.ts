/**
 * How an instruction's operands are written: the arguments after its mnemonic, in the order of the table's `syntax`.
 * RISC-V assembly programmer's manual.
 */
import { fieldWidth } from "./field.ts"
import type { Operand, OperandName } from "./format.ts"
import type { Instruction } from "./instruction.ts"

/** One argument: an operand, or a base register in parentheses with a distance before it (none: `(rs1)`). */
export type Argument =
  | { readonly kind: "operand"; readonly operand: OperandName }
  | { readonly kind: "address"; readonly offset: OperandName | null; readonly base: OperandName }

const argumentOf = (text: string): Argument => {
  const address = /^(\w*)\((\w+)\)$/.exec(text)
  if (!address) return { kind: "operand", operand: text as OperandName }
  return {
    kind: "address",
    offset: address[1] === "" ? null : (address[1] as OperandName),
    base: address[2] as OperandName,
  }
}

/** Reads a `syntax`: `rd, imm(rs1)`. */
export const argumentsOf = (syntax: string): readonly Argument[] =>
  syntax === "" ? [] : syntax.split(",").map(part => argumentOf(part.trim()))

/** The operand of that name. @throws Error when the instruction has none. */
export const operandNamed = (instruction: Instruction, name: OperandName): Operand => {
  const found = instruction.format.operands.find(operand => operand.name === name)
  if (!found) throw new Error(`${instruction.name} has no operand ${name}`)
  return found
}

const isImplied = (operand: Operand): boolean => fieldWidth(operand.field) === 0
const STACK_POINTER = 2

/**
 * The arguments of an instruction. A compressed one leaves out what its short form implies: a source that is the destination, and
 * implied registers and numbers other than the stack pointer.
 */
export const instructionArguments = (instruction: Instruction): readonly Argument[] => {
  const written = argumentsOf(instruction.syntax)
  if (instruction.length === 4) return written
  const destination = instruction.format.operands.find(operand => operand.name === "rd")
  const leftOut = (name: OperandName): boolean => {
    const operand = operandNamed(instruction, name)
    if (name === "rs1" && operand.field === destination?.field) return true
    return isImplied(operand) && operand.field.bias !== STACK_POINTER
  }
  return written.flatMap((argument): Argument[] => {
    if (argument.kind === "operand") return leftOut(argument.operand) ? [] : [argument]
    if (argument.offset !== null && leftOut(argument.offset)) return [{ kind: "operand", operand: argument.base }]
    return [argument]
  })
}

/** Rounding modes by number. Unprivileged ISA, section 21.2; 5 and 6 are reserved. */
export const roundingModes: readonly (string | null)[] = ["rne", "rtz", "rdn", "rup", "rmm", null, null, "dyn"]

const DYNAMIC_ROUNDING = 7
/** Conversions that never round: their rounding mode does nothing and is written as 0. Section 22.3. */
const exactConversions = new Set(["fcvt.d.w", "fcvt.d.wu", "fcvt.d.s"])
/** The rounding mode an instruction has when none is written. */
export const unwrittenRounding = ({ name }: Instruction): number => (exactConversions.has(name) ? 0 : DYNAMIC_ROUNDING)

/** Suffixes of atomic instructions by their acquire and release bits. Unprivileged ISA, section 13.1. */
export const orderingSuffixes: readonly string[] = ["", ".rl", ".aq", ".aqrl"]
export const ORDERING_SHIFT = 25

const AMO_OPCODE = 0b0101111
/** Whether an instruction has acquire and release bits. */
export const isAtomic = ({ length, match }: Instruction): boolean => length === 4 && (match & 0x7f) === AMO_OPCODE

/** Letters of a fence's predecessor and successor sets, highest bit first. Unprivileged ISA, section 2.7. */
const FENCE_LETTERS = "iorw"
const FENCE_PREDECESSOR = 24
const FENCE_SUCCESSOR = 20
/** `fence.tso`: all the bits beside the register fields. */
export const FENCE_TSO = 0x8330000f | 0

/** `rw` for 3. */
const fenceSet = (bits: number): string =>
  [...FENCE_LETTERS].filter((_, position) => (bits >> (3 - position)) & 1).join("") || "0"

/** The arguments of a `fence` word. */
export const fenceSets = (word: number): readonly [predecessor: string, successor: string] => [
  fenceSet((word >> FENCE_PREDECESSOR) & 15),
  fenceSet((word >> FENCE_SUCCESSOR) & 15),
]

/** Bits of a fence over two sets, or null when one is no set. */
export const fenceBits = (predecessor: string, successor: string): number | null => {
  const find = (set: string) => Array.from({ length: 16 }, (_, bits) => bits).find(bits => fenceSet(bits) === set)
  const before = find(predecessor)
  const after = find(successor)
  if (before === undefined || after === undefined) return null
  return (before << FENCE_PREDECESSOR) | (after << FENCE_SUCCESSOR)
}

/** Whether the number is written as bits 31 to 12 of the value: lui and auipc. */
export const isUpper = ({ name, field }: Operand): boolean =>
  name === "imm" && field.pieces.length > 0 && field.pieces.every(piece => piece.to >= 12)
