/**
 * What an instruction's meaning is written against: operands and effects, with no word about how they are carried out.
 * The interpreter gives operands that are read at run time, a translator gives constants and locals.
 *
 * Operands are expressions: each use reads them again, so bind with `f.let` what is used more than once and is not cheap.
 * An effect that can trap (memory, CSRs) leaves the instruction there and then, with no later effect done.
 */
import type { Expr, FunctionBuilder, I32, I64 } from "../wasm/index.ts"
import type { Cause } from "./trap.ts"

/** How many bytes a load takes and how they are extended to 64 bits. */
export type LoadWidth = "i8" | "u8" | "i16" | "u16" | "i32" | "u32" | "i64"
export type StoreWidth = 1 | 2 | 4 | 8
export type AmoWidth = 4 | 8

/** One- and two-operand floating-point functions of one format, raw bits in and out (IEEE 754-2008; ISA manual, chapters 21 and 22). */
export type FloatOperation =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "sqrt"
  | "fma"
  | "min"
  | "max"
  | "eq"
  | "lt"
  | "le"
  | "class"
  | "to_i32"
  | "to_u32"
  | "to_i64"
  | "to_u64"
  | "from_i32"
  | "from_u32"
  | "from_i64"
  | "from_u64"

export interface Semantics {
  readonly f: FunctionBuilder
  readonly rs1: Expr<"i64">
  readonly rs2: Expr<"i64">
  /** The immediate, sign- or zero-extended as the format says. */
  readonly imm: Expr<"i64">
  readonly pc: Expr<"i64">
  /** The address of the instruction after this one. */
  readonly next: Expr<"i64">
  /** Writes the integer destination; a write to x0 is lost. */
  rd(value: I64): void

  load(width: LoadWidth, address: Expr<"i64">): Expr<"i64">
  store(width: StoreWidth, address: Expr<"i64">, value: Expr<"i64">): void
  /** Reads, computes, writes as one; gives what was read, sign-extended. */
  amo(width: AmoWidth, address: Expr<"i64">, compute: (old: Expr<"i64">) => Expr<"i64">): Expr<"i64">
  loadReserved(width: AmoWidth, address: Expr<"i64">): Expr<"i64">
  /** Gives 0 when the store was done, 1 when not. */
  storeConditional(width: AmoWidth, address: Expr<"i64">, value: Expr<"i64">): Expr<"i64">

  /** Goes to pc + imm when the condition holds. */
  branch(condition: I32): void
  /** Goes to pc + imm. */
  jumpRelative(): void
  /** Goes to an address, its lowest bit cleared. */
  jump(address: Expr<"i64">): void
  trap(cause: Cause, value: I64): void

  /** Reads the CSR named by the `csr` operand; with a value, writes it too. The new value is computed from the old. */
  csr(compute: ((old: Expr<"i64">) => Expr<"i64">) | null): Expr<"i64">
  /** As `csr`, but writes only when the operand register or immediate is not numbered zero. */
  csrUnlessZero(compute: (old: Expr<"i64">) => Expr<"i64">): Expr<"i64">

  /** Privileged instructions (privileged ISA, section 3.3). */
  system(operation: "ecall" | "ebreak" | "mret" | "sret" | "wfi" | "fence.i"): void
  sfenceVma(): void

  /** Floating-point operands as raw bits: doubles whole, singles un-boxed (a badly boxed one reads as the canonical NaN). */
  readonly double: FloatOperands<"i64">
  readonly single: FloatOperands<"i32">
  /** Ensures that the floating-point unit is on (mstatus.FS); an illegal instruction otherwise. */
  requireFloat(): void
  /** Stores and moves that take the register's bits as they are. */
  readonly rawFs1: Expr<"i64">
  readonly rawFs2: Expr<"i64">
  /** Single from double and back. */
  narrow(): Expr<"i32">
  widen(): Expr<"i64">
}

/** Operands and operations of one floating-point format whose bits travel in `T`. */
export interface FloatOperands<T extends "i32" | "i64"> {
  readonly fs1: Expr<T>
  readonly fs2: Expr<T>
  readonly fs3: Expr<T>
  /** Writes the destination; a single is boxed. */
  fd(bits: Expr<T>): void
  /** Runs a floating-point function; one that rounds takes the instruction's rounding mode (an illegal instruction when it names none). */
  compute(operation: FloatOperation, ...operands: readonly Expr[]): Expr
}
