import { describe, expect, it } from "vitest"
import type { RoundingMode } from "../../oracle/float.ts"
import { evaluate, type FloatCase, type FloatOp, floatCases, floatOps } from "../../oracle/float-vectors.ts"
import { functionOf, instantiateExact, instantiateLibrary, type Operation } from "./instance.ts"

const modes = [0, 1, 2, 3, 4] as const
const NX = 1
const NV = 16

/** Enough that each of the five modes, drawn at random, gets its 2,000. */
const CASES = 11_000
const SEED = 20

const library = instantiateLibrary()
const exact = instantiateExact()

const hex = (bits: bigint): string => `0x${bits.toString(16)}`

/** What differs, in words, or null: with the flags clear before, and with NX already up. */
const difference = (operation: Operation, { op, rm, a, b, c, result, flags }: FloatCase): string | null => {
  for (const before of [0, NX]) {
    const got = operation([a, b, c], rm, before)
    if (got.bits !== result || got.flags !== (flags | before))
      return `${op} ${hex(a)} ${hex(b)} ${hex(c)} rm ${rm}, flags before ${before}: ${hex(got.bits)} with ${got.flags}, not ${hex(result)} with ${flags | before}`
  }
  return null
}

/** The first few differences over all cases. */
const differences = (operation: Operation, cases: Iterable<FloatCase>): readonly string[] => {
  const found: string[] = []
  for (const each of cases) {
    const text = difference(operation, each)
    if (text !== null && found.push(text) === 5) break
  }
  return found
}

const operationOf = (op: FloatOp): Operation => library.get(functionOf.get(op)!)!

describe("against exact rationals", () => {
  for (const op of floatOps)
    it(op, () => {
      const perMode = [0, 0, 0, 0, 0]
      const counted = function* (): Generator<FloatCase> {
        for (const each of floatCases(op, CASES, SEED)) {
          perMode[each.rm]!++
          const around = exact.get(functionOf.get(op)!)
          if (around !== undefined) expect(difference(around, each)).toBeNull()
          yield each
        }
      }
      expect(differences(operationOf(op), counted())).toEqual([])
      expect(Math.min(...perMode)).toBeGreaterThanOrEqual(2000)
    })
})

/** Both signs of: zero, subnormals, the normal bounds, neighbours of one, infinity, NaNs of both kinds. */
const specialPatterns = (width: 32 | 64): readonly bigint[] => {
  const fractionBits = width === 32 ? 23n : 52n
  const sign = 1n << BigInt(width - 1)
  const hidden = 1n << fractionBits
  const infinity = sign - hidden
  const one = ((sign >> 1n) & ~(hidden - 1n)) - hidden
  const positive = [
    0n,
    1n,
    hidden - 1n,
    hidden,
    hidden + 1n,
    one - 1n,
    one,
    one + 1n,
    infinity - 1n,
    infinity,
    infinity + 1n,
    infinity | (hidden >> 1n),
    infinity | (hidden - 1n),
  ]
  return positive.flatMap(pattern => [pattern, pattern | sign])
}

const specialIntegers: readonly bigint[] = [0n, 1n, 31n, 32n, 33n, 63n]
  .flatMap(power => [(1n << power) - 1n, 1n << power, (1n << power) + 1n])
  .flatMap(value => [BigInt.asUintN(64, value), BigInt.asUintN(64, -value)])

function* specialCases(op: FloatOp): Generator<FloatCase> {
  const name = functionOf.get(op)!
  const width = name === "narrow" || name.endsWith("64") ? 64 : 32
  const first = name.startsWith("from") ? specialIntegers : specialPatterns(width)
  const second = /^(add|sub|mul|div|fma|min|max|eq|lt|le)/.test(name) ? first : [0n]
  const third = name.startsWith("fma") ? first.filter((_, at) => at % 3 !== 1) : [0n]
  for (const rm of modes)
    for (const a of first)
      for (const b of second)
        for (const c of third) {
          const { bits, flags } = evaluate(op, a, b, c, rm as RoundingMode)
          yield { op, rm, a, b, c, result: bits, flags }
        }
}

describe("every pair of special values", () => {
  for (const op of floatOps) it(op, () => expect(differences(operationOf(op), specialCases(op))).toEqual([]))
})

describe("where the host's arithmetic would stop being exact", () => {
  const doubled = (exponent: number, fraction: bigint): bigint => (BigInt(exponent + 1023) << 52n) | fraction
  const asCase = (op: FloatOp, a: bigint, b: bigint, c: bigint): FloatCase => {
    const { bits, flags } = evaluate(op, a, b, c, 0)
    return { op, rm: 0, a, b, c, result: bits, flags }
  }

  it("fused: the error of the product falls below the subnormals, or the product overflows", () => {
    const cases = [-1, 1].flatMap(direction =>
      Array.from({ length: 120 }, (_, at) => direction * (440 + at)).flatMap(exponent =>
        [1n, 3n, 1n << 26n, 0xf_ffff_ffff_ffffn].flatMap(fraction => {
          const factor = doubled(exponent, fraction)
          const product = evaluate("fmul.d", factor, factor, 0n, 0).bits
          const addends = [0n, 1n, product, product ^ (1n << 63n), product + 1n, (product - 1n) | (1n << 63n)]
          return addends.map(addend => asCase("fmadd.d", factor, factor, addend))
        }),
      ),
    )
    expect(differences(operationOf("fmadd.d"), cases)).toEqual([])
  })

  it("sum: a step of its error overflows", () => {
    const greatest = 0x7fef_ffff_ffff_ffffn
    const cases = Array.from({ length: 16 }, (_, at) => (1n << 63n) | doubled(971, BigInt(at) << 48n)).flatMap(
      small => [asCase("fadd.d", greatest, small, 0n), asCase("fadd.d", small, greatest, 0n)],
    )
    expect(differences(operationOf("fadd.d"), cases)).toEqual([])
  })
})

describe("RISC-V's own choices", () => {
  const run = (name: string, operands: readonly bigint[], rm = 0) => library.get(name)!(operands, rm, 0)
  const quiet64 = 0x7ff8_0000_0000_0000n
  const infinity64 = 0x7ff0_0000_0000_0000n

  it("an infinity times zero is invalid though the addend is a quiet NaN", () =>
    expect(run("fma64", [infinity64, 0n, quiet64])).toEqual({ bits: quiet64, flags: NV }))

  it("a NaN result carries neither sign nor payload of its operand", () => {
    expect(run("add64", [0xfff8_0000_dead_beefn, 0n])).toEqual({ bits: quiet64, flags: 0 })
    expect(run("widen", [0xffc1_2345n])).toEqual({ bits: quiet64, flags: 0 })
    expect(run("narrow", [0xfff8_0000_dead_beefn])).toEqual({ bits: 0x7fc0_0000n, flags: 0 })
  })

  it("a NaN converts to the largest integer; negatives saturate unsigned ones at zero", () => {
    expect(run("to_i32_64", [quiet64 | (1n << 63n)])).toEqual({ bits: 0x7fff_ffffn, flags: NV })
    expect(run("to_u32_64", [quiet64])).toEqual({ bits: 0xffff_ffff_ffff_ffffn, flags: NV })
    expect(run("to_u64_64", [0xbff0_0000_0000_0000n])).toEqual({ bits: 0n, flags: NV })
    expect(run("to_u64_64", [0xbfe0_0000_0000_0000n], 1)).toEqual({ bits: 0n, flags: NX })
  })

  it("tininess is detected after rounding", () => {
    const smallestNormal = 0x0010_0000_0000_0000n
    const UF = 2
    // (1 + 2^-52) × (1 - 2^-52) × 2^-1022 would round up to the smallest normal number whatever the exponent range.
    expect(run("mul64", [0x3ff0_0000_0000_0001n, 0x000f_ffff_ffff_ffffn])).toEqual({ bits: smallestNormal, flags: NX })
    // (1 - 2^-53) × 2^-1022 has 53 bits: only as a subnormal must it be rounded.
    expect(run("mul64", [0x3fef_ffff_ffff_ffffn, smallestNormal])).toEqual({ bits: smallestNormal, flags: UF | NX })
  })
})

describe("flags", () => {
  it("accrue", () => {
    const oneOverZero = [0x3ff0_0000_0000_0000n, 0n]
    expect(library.get("div64")!(oneOverZero, 0, 0x15).flags).toBe(0x1d)
  })
})
