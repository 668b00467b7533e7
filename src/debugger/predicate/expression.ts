/**
 * What a question to history is made of: expressions over 64-bit integers, as a tree. Names are resolved in it, except those of
 * symbols, whose addresses depend on the guest: `bind` puts them in.
 */

/** A hart by its number; null is the hart at which the expression is asked. */
export type HartChoice = number | null

/** Integer registers, floating-point registers, the program counter (its number is 0). */
export type RegisterBank = "x" | "f" | "pc"

/** Known only at the moment at which one is taken. */
export type EventWord = "interrupt" | "trap" | "syscall"

export type UnaryOperator = "-" | "~" | "!" | "signed8" | "signed16" | "signed32"

/** `&&` and `||` look at their right side only when the left one leaves it open, the others at both. */
export type LogicalOperator = "&&" | "||"
export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=" | "s<" | "s<=" | "s>" | "s>="
export type Arithmetic = "|" | "^" | "&" | "<<" | ">>" | "s>>" | "+" | "-" | "*" | "/" | "%"
export type BinaryOperator = LogicalOperator | Comparison | Arithmetic

export type Expression =
  /** 0 to 2^64 - 1. */
  | { readonly kind: "number"; readonly value: bigint }
  /** The address of a symbol. */
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "register"; readonly hart: HartChoice; readonly bank: RegisterBank; readonly number: number }
  /** `csr` is the register's number. */
  | { readonly kind: "csr"; readonly hart: HartChoice; readonly csr: number }
  /** 1, 2, 4 or 8 bytes, little-endian, zero-extended. `hart` says whose address translation a virtual address goes through. */
  | {
      readonly kind: "memory"
      readonly space: "virtual" | "physical"
      readonly hart: HartChoice
      readonly bytes: number
      readonly address: Expression
    }
  /** The number of the hart at which it is asked; virtual nanoseconds. */
  | { readonly kind: "hart" }
  | { readonly kind: "time" }
  /** Instructions executed, privilege (0 user, 1 supervisor, 3 machine), process of the running task. */
  | { readonly kind: "instret"; readonly hart: HartChoice }
  | { readonly kind: "privilege"; readonly hart: HartChoice }
  | { readonly kind: "pid"; readonly hart: HartChoice }
  | { readonly kind: "event"; readonly word: EventWord }
  /** 1 once the console's text has matched. */
  | { readonly kind: "said"; readonly pattern: RegExp }
  /** 1 when the name of the running task is that, or matches. */
  | { readonly kind: "comm"; readonly hart: HartChoice; readonly name: string | RegExp }
  | { readonly kind: "unary"; readonly operator: UnaryOperator; readonly operand: Expression }
  | {
      readonly kind: "binary"
      readonly operator: BinaryOperator
      readonly left: Expression
      readonly right: Expression
    }

/** A number of 64 bits: what overflows is cut off. */
export const numberOf = (value: bigint): Expression => ({ kind: "number", value: BigInt.asUintN(64, value) })

/** The expressions an expression is put together from. */
export const partsOf = (expression: Expression): readonly Expression[] => {
  switch (expression.kind) {
    case "memory":
      return [expression.address]
    case "unary":
      return [expression.operand]
    case "binary":
      return [expression.left, expression.right]
    default:
      return []
  }
}
