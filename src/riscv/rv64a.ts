/** A: atomics. RISC-V unprivileged ISA, chapter 13. One hart runs at a time, so the acquire and release bits ask for nothing more. */
import { type Expr, i64 } from "../wasm/index.ts"
import { R, R1 } from "./format.ts"
import { insn } from "./instruction.ts"
import type { AmoWidth } from "./semantics.ts"

type Combine = (old: Expr<"i64">, operand: Expr<"i64">) => Expr<"i64">

const combinations: readonly (readonly [name: string, funct5: string, combine: Combine])[] = [
  ["amoswap", "00001", (_, operand) => operand],
  ["amoadd", "00000", (old, operand) => i64.add(old, operand)],
  ["amoxor", "00100", (old, operand) => i64.xor(old, operand)],
  ["amoand", "01100", (old, operand) => i64.and(old, operand)],
  ["amoor", "01000", (old, operand) => i64.or(old, operand)],
  ["amomin", "10000", (old, operand) => i64.select(old, operand, i64.lts(old, operand))],
  ["amomax", "10100", (old, operand) => i64.select(old, operand, i64.gts(old, operand))],
  ["amominu", "11000", (old, operand) => i64.select(old, operand, i64.ltu(old, operand))],
  ["amomaxu", "11100", (old, operand) => i64.select(old, operand, i64.gtu(old, operand))],
]

const forWidth = (suffix: "w" | "d", width: AmoWidth, funct3: string) => [
  insn(`lr.${suffix}`, `00010 .. 00000 ..... ${funct3} ..... 0101111`, R1, "rd, (rs1)", s =>
    s.rd(s.loadReserved(width, s.rs1)),
  ),
  insn(`sc.${suffix}`, `00011 .. ..... ..... ${funct3} ..... 0101111`, R, "rd, rs2, (rs1)", s =>
    s.rd(s.storeConditional(width, s.rs1, s.rs2)),
  ),
  ...combinations.map(([name, funct5, combine]) =>
    insn(`${name}.${suffix}`, `${funct5} .. ..... ..... ${funct3} ..... 0101111`, R, "rd, rs2, (rs1)", s => {
      // A word operation compares words: sign extension keeps the order of both signed and unsigned 32-bit numbers.
      const operand = s.f.let(width === 4 ? i64.extend32s(s.rs2) : s.rs2)
      s.rd(s.amo(width, s.rs1, old => combine(old, operand)))
    }),
  ),
]

export const rv64a = [...forWidth("w", 4, "010"), ...forWidth("d", 8, "011")]
