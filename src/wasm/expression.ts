/**
 * Typed WebAssembly expressions: immutable trees that a function builder writes out where they are used.
 * An expression used twice is evaluated twice: bind it with `FunctionBuilder.let` first when that matters.
 * Opcodes: WebAssembly core specification, section 5.4.
 */
import type { Bytes } from "./bytes.ts"
import type { FunctionRef, TableRef, TypeRef } from "./module.ts"
import type { ValueType } from "./types.ts"

/** A tree that yields a value of type `T`; `write` appends its instructions. */
export interface Expr<T extends ValueType = ValueType> {
  readonly type: T
  /** The value, where it is known now: a 32-bit number, a BigInt for i64. */
  readonly constant?: number | bigint
  /** What these are the bits of. */
  readonly bitsOf?: Expr
  write(code: Bytes): void
}

/** A function's local or parameter; as an expression it reads the local. */
export interface Local<T extends ValueType = ValueType> extends Expr<T> {
  readonly index: number
}

export type I32 = Expr<"i32"> | number
export type I64 = Expr<"i64"> | number | bigint
export type F32 = Expr<"f32">
export type F64 = Expr<"f64">

/** Bits of the second byte of two-byte opcodes (0xfc prefix) are kept above this. */
const PREFIXED = 0xfc00

const writeOpcode = (code: Bytes, opcode: number): void => {
  if (opcode >= PREFIXED) {
    code.byte(0xfc)
    code.unsigned(opcode - PREFIXED)
  } else code.byte(opcode)
}

export const constI32 = (value: number): Expr<"i32"> => ({
  type: "i32",
  constant: value | 0,
  write: code => {
    code.byte(0x41)
    code.signed32(value | 0)
  },
})

export const constI64 = (value: number | bigint): Expr<"i64"> => {
  const wrapped = BigInt.asIntN(64, BigInt(value))
  return {
    type: "i64",
    constant: wrapped,
    write: code => {
      code.byte(0x42)
      code.signed64(wrapped)
    },
  }
}

const asI32 = (value: I32): Expr<"i32"> => (typeof value === "number" ? constI32(value) : value)
const asI64 = (value: I64): Expr<"i64"> => (typeof value === "object" ? value : constI64(value))

const operation = <T extends ValueType>(type: T, opcode: number, args: readonly Expr[]): Expr<T> => ({
  type,
  write: code => {
    for (const arg of args) arg.write(code)
    writeOpcode(code, opcode)
  },
})

/** The floating-point value whose bits these are, where it is at hand. */
const bitsOf = <T extends "f32" | "f64">(bits: I32 | I64): Expr<T> | undefined =>
  typeof bits === "object" ? (bits.bitsOf as Expr<T> | undefined) : undefined

/** A memory access: `address` is a byte address, `offset` a constant added to it without wrapping. */
const load =
  <T extends ValueType>(type: T, opcode: number) =>
  (address: I32, offset = 0): Expr<T> => {
    const base = asI32(address)
    return {
      type,
      write: code => {
        base.write(code)
        code.byte(opcode)
        code.unsigned(0)
        code.unsigned(offset)
      },
    }
  }

const i32i32 = (opcode: number) => (a: I32) => operation("i32", opcode, [asI32(a)])
const i32x2 = (opcode: number) => (a: I32, b: I32) => operation("i32", opcode, [asI32(a), asI32(b)])
const i64i64 = (opcode: number) => (a: I64) => operation("i64", opcode, [asI64(a)])
const i64x2 = (opcode: number) => (a: I64, b: I64) => operation("i64", opcode, [asI64(a), asI64(b)])
const i64cmp = (opcode: number) => (a: I64, b: I64) => operation("i32", opcode, [asI64(a), asI64(b)])
const f32f32 = (opcode: number) => (a: F32) => operation("f32", opcode, [a])
const f32x2 = (opcode: number) => (a: F32, b: F32) => operation("f32", opcode, [a, b])
const f32cmp = (opcode: number) => (a: F32, b: F32) => operation("i32", opcode, [a, b])
const f64f64 = (opcode: number) => (a: F64) => operation("f64", opcode, [a])
const f64x2 = (opcode: number) => (a: F64, b: F64) => operation("f64", opcode, [a, b])
const f64cmp = (opcode: number) => (a: F64, b: F64) => operation("i32", opcode, [a, b])

/** `cond != 0 ? a : b`, both evaluated. */
const select = <T extends ValueType>(type: T, a: Expr<T>, b: Expr<T>, cond: I32): Expr<T> =>
  operation(type, 0x1b, [a, b, asI32(cond)])

/** The result of calling `callee`, which must give a value. */
export const call = (callee: FunctionRef, ...args: readonly Expr[]): Expr => {
  if (callee.type.result === null) throw new Error(`${callee.name} gives no value`)
  return {
    type: callee.type.result,
    write: code => {
      for (const arg of args) arg.write(code)
      code.byte(0x10)
      code.unsigned(callee.index)
    },
  }
}

/** The result of calling `table[index]`, which gives an i64. */
export const callIndirectI64 = (
  table: TableRef,
  type: TypeRef,
  index: Expr<"i32">,
  ...args: readonly Expr[]
): Expr<"i64"> => ({
  type: "i64",
  write: code => {
    for (const arg of args) arg.write(code)
    index.write(code)
    code.byte(0x11)
    code.unsigned(type.index)
    code.unsigned(table.index)
  },
})

export const callI32 = (callee: FunctionRef, ...args: readonly Expr[]) => call(callee, ...args) as Expr<"i32">
export const callI64 = (callee: FunctionRef, ...args: readonly Expr[]) => call(callee, ...args) as Expr<"i64">

/** 32-bit integer instructions. */
export const i32 = {
  const: constI32,
  load: load("i32", 0x28),
  load8s: load("i32", 0x2c),
  load8u: load("i32", 0x2d),
  load16s: load("i32", 0x2e),
  load16u: load("i32", 0x2f),
  eqz: i32i32(0x45),
  eq: i32x2(0x46),
  ne: i32x2(0x47),
  lts: i32x2(0x48),
  ltu: i32x2(0x49),
  gts: i32x2(0x4a),
  gtu: i32x2(0x4b),
  les: i32x2(0x4c),
  leu: i32x2(0x4d),
  ges: i32x2(0x4e),
  geu: i32x2(0x4f),
  clz: i32i32(0x67),
  ctz: i32i32(0x68),
  popcnt: i32i32(0x69),
  add: i32x2(0x6a),
  sub: i32x2(0x6b),
  mul: i32x2(0x6c),
  divs: i32x2(0x6d),
  divu: i32x2(0x6e),
  rems: i32x2(0x6f),
  remu: i32x2(0x70),
  and: i32x2(0x71),
  or: i32x2(0x72),
  xor: i32x2(0x73),
  shl: i32x2(0x74),
  shrs: i32x2(0x75),
  shru: i32x2(0x76),
  rotl: i32x2(0x77),
  rotr: i32x2(0x78),
  /** The low 32 bits of a 64-bit integer. */
  wrap: (a: I64) => operation("i32", 0xa7, [asI64(a)]),
  extend8s: i32i32(0xc0),
  extend16s: i32i32(0xc1),
  /** The bits of a single. */
  bits: (a: F32): Expr<"i32"> => ({ ...operation("i32", 0xbc, [a]), bitsOf: a }),
  select: (a: I32, b: I32, cond: I32) => select("i32", asI32(a), asI32(b), cond),
}

/** 64-bit integer instructions. */
export const i64 = {
  const: constI64,
  load: load("i64", 0x29),
  load8s: load("i64", 0x30),
  load8u: load("i64", 0x31),
  load16s: load("i64", 0x32),
  load16u: load("i64", 0x33),
  load32s: load("i64", 0x34),
  load32u: load("i64", 0x35),
  eqz: (a: I64) => operation("i32", 0x50, [asI64(a)]),
  eq: i64cmp(0x51),
  ne: i64cmp(0x52),
  lts: i64cmp(0x53),
  ltu: i64cmp(0x54),
  gts: i64cmp(0x55),
  gtu: i64cmp(0x56),
  les: i64cmp(0x57),
  leu: i64cmp(0x58),
  ges: i64cmp(0x59),
  geu: i64cmp(0x5a),
  clz: i64i64(0x79),
  ctz: i64i64(0x7a),
  popcnt: i64i64(0x7b),
  add: i64x2(0x7c),
  sub: i64x2(0x7d),
  mul: i64x2(0x7e),
  divs: i64x2(0x7f),
  divu: i64x2(0x80),
  rems: i64x2(0x81),
  remu: i64x2(0x82),
  and: i64x2(0x83),
  or: i64x2(0x84),
  xor: i64x2(0x85),
  shl: i64x2(0x86),
  shrs: i64x2(0x87),
  shru: i64x2(0x88),
  rotl: i64x2(0x89),
  rotr: i64x2(0x8a),
  /** Sign-extended from 32 bits. */
  extend: (a: I32) => operation("i64", 0xac, [asI32(a)]),
  /** Zero-extended from 32 bits. */
  extendu: (a: I32) => operation("i64", 0xad, [asI32(a)]),
  extend8s: i64i64(0xc2),
  extend16s: i64i64(0xc3),
  extend32s: i64i64(0xc4),
  /** The bits of a double. */
  bits: (a: F64): Expr<"i64"> => ({ ...operation("i64", 0xbd, [a]), bitsOf: a }),
  /** `trunc_sat`: toward zero, saturating. */
  truncSatF64s: (a: F64) => operation("i64", PREFIXED + 6, [a]),
  truncSatF64u: (a: F64) => operation("i64", PREFIXED + 7, [a]),
  truncSatF32s: (a: F32) => operation("i64", PREFIXED + 4, [a]),
  truncSatF32u: (a: F32) => operation("i64", PREFIXED + 5, [a]),
  select: (a: I64, b: I64, cond: I32) => select("i64", asI64(a), asI64(b), cond),
}

/** Single-precision instructions. NaN bits differ between hosts: never let them reach guest state. */
export const f32 = {
  load: load("f32", 0x2a),
  fromBits: (a: I32): F32 => bitsOf(a) ?? operation("f32", 0xbe, [asI32(a)]),
  eq: f32cmp(0x5b),
  ne: f32cmp(0x5c),
  lt: f32cmp(0x5d),
  gt: f32cmp(0x5e),
  le: f32cmp(0x5f),
  ge: f32cmp(0x60),
  abs: f32f32(0x8b),
  neg: f32f32(0x8c),
  sqrt: f32f32(0x91),
  add: f32x2(0x92),
  sub: f32x2(0x93),
  mul: f32x2(0x94),
  div: f32x2(0x95),
  demote: (a: F64) => operation("f32", 0xb6, [a]),
  fromI64s: (a: I64) => operation("f32", 0xb4, [asI64(a)]),
  fromI64u: (a: I64) => operation("f32", 0xb5, [asI64(a)]),
}

/** Double-precision instructions. NaN bits differ between hosts: never let them reach guest state. */
export const f64 = {
  load: load("f64", 0x2b),
  fromBits: (a: I64): F64 => bitsOf(a) ?? operation("f64", 0xbf, [asI64(a)]),
  eq: f64cmp(0x61),
  ne: f64cmp(0x62),
  lt: f64cmp(0x63),
  gt: f64cmp(0x64),
  le: f64cmp(0x65),
  ge: f64cmp(0x66),
  abs: f64f64(0x99),
  neg: f64f64(0x9a),
  ceil: f64f64(0x9b),
  floor: f64f64(0x9c),
  trunc: f64f64(0x9d),
  nearest: f64f64(0x9e),
  sqrt: f64f64(0x9f),
  add: f64x2(0xa0),
  sub: f64x2(0xa1),
  mul: f64x2(0xa2),
  div: f64x2(0xa3),
  promote: (a: F32) => operation("f64", 0xbb, [a]),
  fromI64s: (a: I64) => operation("f64", 0xb9, [asI64(a)]),
  fromI64u: (a: I64) => operation("f64", 0xba, [asI64(a)]),
}
