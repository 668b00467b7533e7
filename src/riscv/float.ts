/** F and D: single- and double-precision floating point. RISC-V unprivileged ISA, chapters 21 and 22. */
import { type Expr, i32, i64 } from "../wasm/index.ts"
import { FFF, FFFFm, FFFm, FFm, FLoad, type Format, FStore, FX, FXm, XF, XFF, XFm } from "./format.ts"
import { insn } from "./instruction.ts"
import type { FloatOperands, FloatOperation, Semantics } from "./semantics.ts"

const float = (name: string, pattern: string, format: Format, syntax: string, meaning: (s: Semantics) => void) =>
  insn(name, pattern, format, syntax, s => {
    s.requireFloat()
    meaning(s)
  })

interface Precision<T extends "i32" | "i64"> {
  readonly suffix: "s" | "d"
  /** The two format bits. */
  readonly fmt: "00" | "01"
  readonly of: (s: Semantics) => FloatOperands<T>
  /** Magnitude of the first, sign given as an expression with only the sign bit. */
  readonly withSign: (magnitude: Expr<T>, sign: Expr<T>) => Expr<T>
  readonly signOf: (a: Expr<T>) => Expr<T>
  readonly xorSign: (a: Expr<T>, b: Expr<T>) => Expr<T>
  readonly flip: (a: Expr<T>) => Expr<T>
}

const single: Precision<"i32"> = {
  suffix: "s",
  fmt: "00",
  of: s => s.single,
  withSign: (magnitude, sign) => i32.or(i32.and(magnitude, 0x7fffffff), sign),
  signOf: a => i32.and(a, -0x80000000),
  xorSign: (a, b) => i32.and(i32.xor(a, b), -0x80000000),
  flip: a => i32.xor(a, -0x80000000),
}

const SIGN64 = -(2n ** 63n)
const double: Precision<"i64"> = {
  suffix: "d",
  fmt: "01",
  of: s => s.double,
  withSign: (magnitude, sign) => i64.or(i64.and(magnitude, ~SIGN64), sign),
  signOf: a => i64.and(a, SIGN64),
  xorSign: (a, b) => i64.and(i64.xor(a, b), SIGN64),
  flip: a => i64.xor(a, SIGN64),
}

const arithmetic = <T extends "i32" | "i64">(precision: Precision<T>) => {
  const { suffix, fmt, of, flip } = precision
  const bits = (value: Expr) => value as Expr<T>
  const binary = (name: "add" | "sub" | "mul" | "div", funct5: string) =>
    float(`f${name}.${suffix}`, `${funct5} ${fmt} ..... ..... ... ..... 1010011`, FFFm, "rd, rs1, rs2, rm", s => {
      const { fs1, fs2, fd, compute } = of(s)
      fd(bits(compute(name, fs1, fs2)))
    })
  const fused = (name: string, opcode: string, negateProduct: boolean, negateAddend: boolean) =>
    float(`${name}.${suffix}`, `..... ${fmt} ..... ..... ... ..... ${opcode}`, FFFFm, "rd, rs1, rs2, rs3, rm", s => {
      const { fs1, fs2, fs3, fd, compute } = of(s)
      fd(bits(compute("fma", negateProduct ? flip(fs1) : fs1, fs2, negateAddend ? flip(fs3) : fs3)))
    })
  const selecting = (name: string, funct5: string, funct3: string, value: (operands: FloatOperands<T>) => Expr<T>) =>
    float(`${name}.${suffix}`, `${funct5} ${fmt} ..... ..... ${funct3} ..... 1010011`, FFF, "rd, rs1, rs2", s =>
      of(s).fd(value(of(s))),
    )
  const compare = (name: "eq" | "lt" | "le", funct3: string) =>
    float(`f${name}.${suffix}`, `10100 ${fmt} ..... ..... ${funct3} ..... 1010011`, XFF, "rd, rs1, rs2", s => {
      const { fs1, fs2, compute } = of(s)
      s.rd(i64.extendu(compute(name, fs1, fs2) as Expr<"i32">))
    })
  const toInteger = (name: string, code: string, operation: FloatOperation) =>
    float(`fcvt.${name}.${suffix}`, `11000 ${fmt} ${code} ..... ... ..... 1010011`, XFm, "rd, rs1, rm", s =>
      s.rd(of(s).compute(operation, of(s).fs1) as Expr<"i64">),
    )
  const fromInteger = (name: string, code: string, operation: FloatOperation) =>
    float(`fcvt.${suffix}.${name}`, `11010 ${fmt} ${code} ..... ... ..... 1010011`, FXm, "rd, rs1, rm", s =>
      of(s).fd(bits(of(s).compute(operation, s.rs1))),
    )
  return [
    fused("fmadd", "1000011", false, false),
    fused("fmsub", "1000111", false, true),
    fused("fnmsub", "1001011", true, false),
    fused("fnmadd", "1001111", true, true),
    binary("add", "00000"),
    binary("sub", "00001"),
    binary("mul", "00010"),
    binary("div", "00011"),
    float(`fsqrt.${suffix}`, `01011 ${fmt} 00000 ..... ... ..... 1010011`, FFm, "rd, rs1, rm", s =>
      of(s).fd(bits(of(s).compute("sqrt", of(s).fs1))),
    ),
    selecting("fsgnj", "00100", "000", ({ fs1, fs2 }) => precision.withSign(fs1, precision.signOf(fs2))),
    selecting("fsgnjn", "00100", "001", ({ fs1, fs2 }) => precision.withSign(fs1, precision.signOf(flip(fs2)))),
    selecting("fsgnjx", "00100", "010", ({ fs1, fs2 }) => precision.withSign(fs1, precision.xorSign(fs1, fs2))),
    selecting("fmin", "00101", "000", ({ fs1, fs2, compute }) => bits(compute("min", fs1, fs2))),
    selecting("fmax", "00101", "001", ({ fs1, fs2, compute }) => bits(compute("max", fs1, fs2))),
    compare("eq", "010"),
    compare("lt", "001"),
    compare("le", "000"),
    float(`fclass.${suffix}`, `11100 ${fmt} 00000 ..... 001 ..... 1010011`, XF, "rd, rs1", s =>
      s.rd(i64.extendu(of(s).compute("class", of(s).fs1) as Expr<"i32">)),
    ),
    toInteger("w", "00000", "to_i32"),
    toInteger("wu", "00001", "to_u32"),
    toInteger("l", "00010", "to_i64"),
    toInteger("lu", "00011", "to_u64"),
    fromInteger("w", "00000", "from_i32"),
    fromInteger("wu", "00001", "from_u32"),
    fromInteger("l", "00010", "from_i64"),
    fromInteger("lu", "00011", "from_u64"),
  ]
}

export const rv64f = [
  float("flw", "............ ..... 010 ..... 0000111", FLoad, "rd, imm(rs1)", s =>
    s.single.fd(i32.wrap(s.load("u32", i64.add(s.rs1, s.imm)))),
  ),
  float("fsw", "....... ..... ..... 010 ..... 0100111", FStore, "rs2, imm(rs1)", s =>
    s.store(4, i64.add(s.rs1, s.imm), s.rawFs2),
  ),
  ...arithmetic(single),
  float("fmv.x.w", "1110000 00000 ..... 000 ..... 1010011", XF, "rd, rs1", s => s.rd(i64.extend32s(s.rawFs1))),
  float("fmv.w.x", "1111000 00000 ..... 000 ..... 1010011", FX, "rd, rs1", s => s.single.fd(i32.wrap(s.rs1))),
]

export const rv64d = [
  float("fld", "............ ..... 011 ..... 0000111", FLoad, "rd, imm(rs1)", s =>
    s.double.fd(s.load("i64", i64.add(s.rs1, s.imm))),
  ),
  float("fsd", "....... ..... ..... 011 ..... 0100111", FStore, "rs2, imm(rs1)", s =>
    s.store(8, i64.add(s.rs1, s.imm), s.rawFs2),
  ),
  ...arithmetic(double),
  float("fcvt.s.d", "0100000 00001 ..... ... ..... 1010011", FFm, "rd, rs1, rm", s => s.single.fd(s.narrow())),
  float("fcvt.d.s", "0100001 00000 ..... ... ..... 1010011", FFm, "rd, rs1, rm", s => s.double.fd(s.widen())),
  float("fmv.x.d", "1110001 00000 ..... 000 ..... 1010011", XF, "rd, rs1", s => s.rd(s.rawFs1)),
  float("fmv.d.x", "1111001 00000 ..... 000 ..... 1010011", FX, "rd, rs1", s => s.double.fd(s.rs1)),
]
