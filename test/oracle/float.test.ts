import { describe, expect, it } from "vitest"
import { binary32, canonicalNaN, NV, NX, OF, RDN, RNE, RTZ, RUP, UF } from "./float.ts"
import { evaluate, floatCases, floatOps } from "./float-vectors.ts"

const view = new DataView(new ArrayBuffer(8))
const double = (bits: bigint): number => {
  view.setBigUint64(0, bits)
  return view.getFloat64(0)
}
const single = (bits: bigint): number => {
  view.setUint32(0, Number(bits))
  return view.getFloat32(0)
}

describe("the float model against the host's arithmetic, which rounds to nearest even", () => {
  const host: Record<string, (a: number, b: number) => number> = {
    fadd: (a, b) => a + b,
    fsub: (a, b) => a - b,
    fmul: (a, b) => a * b,
    fdiv: (a, b) => a / b,
    fsqrt: a => Math.sqrt(a),
  }
  for (const [name, operation] of Object.entries(host))
    it(`${name}.s and ${name}.d`, () => {
      for (const { a, b, rm, result } of floatCases(`${name}.d` as "fadd.d", 2000, 7))
        if (rm === RNE) expect(double(result)).toBe(operation(double(a), double(b)))
      for (const { a, b, rm, result } of floatCases(`${name}.s` as "fadd.s", 2000, 7))
        if (rm === RNE) expect(single(result)).toBe(Math.fround(operation(single(a), single(b))))
    })
})

describe("flags and special results", () => {
  it("overflows to infinity or to the largest number, by the rounding mode", () => {
    const largest = 0x7f7fffffn
    expect(evaluate("fadd.s", largest, largest, 0n, RNE)).toEqual({ bits: 0x7f800000n, flags: OF | NX })
    expect(evaluate("fadd.s", largest, largest, 0n, RTZ)).toEqual({ bits: largest, flags: OF | NX })
    expect(evaluate("fadd.s", largest, largest, 0n, RDN)).toEqual({ bits: largest, flags: OF | NX })
  })

  it("detects tininess after rounding", () => {
    // The largest subnormal times (1 + 2^-23) lies below the smallest normal number, but rounds to it with unlimited range too.
    expect(evaluate("fmul.s", 0x007fffffn, 0x3f800001n, 0n, RNE)).toEqual({ bits: 0x00800000n, flags: NX })
    // The largest subnormal and a trace more, rounded up: with unlimited range half a unit would do, so this one is tiny.
    expect(evaluate("fmadd.s", 0x0d800000n, 0x0d800000n, 0x007fffffn, RUP)).toEqual({
      bits: 0x00800000n,
      flags: UF | NX,
    })
    // Exact subnormal results raise nothing.
    expect(evaluate("fmadd.s", 0x00800000n, 0x3f800000n, 0x80000001n, RUP)).toEqual({ bits: 0x007fffffn, flags: 0 })
  })

  it("has infinity times zero plus a quiet NaN invalid", () => {
    const nan = canonicalNaN(binary32)
    expect(evaluate("fmadd.s", 0x7f800000n, 0n, nan, RNE)).toEqual({ bits: nan, flags: NV })
  })

  it("saturates conversions", () => {
    expect(evaluate("fcvt.w.s", 0x7fc00000n, 0n, 0n, RNE)).toEqual({ bits: 0x7fffffffn, flags: NV })
    expect(evaluate("fcvt.wu.s", 0xbf800000n, 0n, 0n, RNE)).toEqual({ bits: 0n, flags: NV })
    expect(evaluate("fcvt.wu.s", 0x7f800000n, 0n, 0n, RNE)).toEqual({ bits: 0xffffffffffffffffn, flags: NV })
    expect(evaluate("fcvt.wu.s", 0xbf000000n, 0n, 0n, RTZ)).toEqual({ bits: 0n, flags: NX })
  })

  it("gives the same cases for the same seed", () => {
    for (const op of floatOps) expect([...floatCases(op, 20, 3)]).toEqual([...floatCases(op, 20, 3)])
  })
})
