/** The float library in a module of its own, callable with raw bits and with the flags at hand. */
import { defineAddExact, defineSum } from "../../../src/hart/float/addition.ts"
import { defineCore } from "../../../src/hart/float/core.ts"
import { defineDivExact } from "../../../src/hart/float/division.ts"
import { Flags } from "../../../src/hart/float/flags.ts"
import { binary32, binary64 } from "../../../src/hart/float/format.ts"
import { defineFmaExact } from "../../../src/hart/float/fused.ts"
import { defineFloat, type FloatFunction } from "../../../src/hart/float/index.ts"
import { defineMulExact } from "../../../src/hart/float/multiplication.ts"
import { defineSqrtExact } from "../../../src/hart/float/square-root.ts"
import { call, type FunctionRef, ModuleBuilder } from "../../../src/wasm/index.ts"
import type { FloatOp } from "../../oracle/float-vectors.ts"

const FLAGS_ADDRESS = 1024

export interface Outcome {
  readonly bits: bigint
  readonly flags: number
}

type Raw = number | bigint

/** Operands and results are unsigned patterns, or 64-bit register values, as in the oracle's cases. */
export type Operation = (operands: readonly bigint[], rm: number, flagsBefore: number) => Outcome

/** `add` → `fadd.s`, … : the oracle's operation and the library's function. */
const names: readonly (readonly [FloatOp, FloatFunction])[] = (["s", "d"] as const).flatMap(letter => {
  const width = letter === "s" ? "32" : "64"
  return [
    [`fadd.${letter}`, `add${width}`],
    [`fsub.${letter}`, `sub${width}`],
    [`fmul.${letter}`, `mul${width}`],
    [`fdiv.${letter}`, `div${width}`],
    [`fsqrt.${letter}`, `sqrt${width}`],
    [`fmadd.${letter}`, `fma${width}`],
    [`fmin.${letter}`, `min${width}`],
    [`fmax.${letter}`, `max${width}`],
    [`feq.${letter}`, `eq${width}`],
    [`flt.${letter}`, `lt${width}`],
    [`fle.${letter}`, `le${width}`],
    [`fclass.${letter}`, `class${width}`],
    [`fcvt.w.${letter}`, `to_i32_${width}`],
    [`fcvt.wu.${letter}`, `to_u32_${width}`],
    [`fcvt.l.${letter}`, `to_i64_${width}`],
    [`fcvt.lu.${letter}`, `to_u64_${width}`],
    [`fcvt.${letter}.w`, `from_i32_${width}`],
    [`fcvt.${letter}.wu`, `from_u32_${width}`],
    [`fcvt.${letter}.l`, `from_i64_${width}`],
    [`fcvt.${letter}.lu`, `from_u64_${width}`],
  ] as const
})

export const functionOf = new Map<FloatOp, FloatFunction>([...names, ["fcvt.s.d", "narrow"], ["fcvt.d.s", "widen"]])

const rounds = (name: string): boolean => /^(add|sub|mul|div|sqrt|fma|to_|from_|narrow)/.test(name)

const instantiate = (define: (module: ModuleBuilder) => readonly FunctionRef[]): ReadonlyMap<string, Operation> => {
  const module = new ModuleBuilder()
  module.importMemory("env", "memory", 1)
  const functions = define(module)
  for (const ref of functions)
    module.function(
      `call ${ref.name}`,
      ref.type,
      f => f.return(call(ref, ...ref.type.params.map((type, at) => f.param(at, type)))),
      { exported: true },
    )
  const memory = new WebAssembly.Memory({ initial: 1 })
  const flags = new Int32Array(memory.buffer, FLAGS_ADDRESS, 1)
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), { env: { memory } })
  const operationOf = (ref: FunctionRef): Operation => {
    const run = exports[`call ${ref.name}`] as (...raw: Raw[]) => Raw
    const count = ref.type.params.length - (rounds(ref.name) ? 1 : 0)
    return (operands, rm, flagsBefore) => {
      flags[0] = flagsBefore
      const raw: Raw[] = operands
        .slice(0, count)
        .map((bits, at) => (ref.type.params[at] === "i32" ? Number(BigInt.asIntN(32, bits)) : bits))
      if (rounds(ref.name)) raw.push(rm)
      const result = BigInt(run(...raw))
      return { bits: BigInt.asUintN(ref.type.result === "i32" ? 32 : 64, result), flags: flags[0]! }
    }
  }
  return new Map(functions.map(ref => [ref.name, operationOf(ref)]))
}

/** The library's functions by name. */
export const instantiateLibrary = (): ReadonlyMap<string, Operation> =>
  instantiate(module => Object.values(defineFloat(module, FLAGS_ADDRESS)))

/** The ways around the host's arithmetic alone, by the names of what they serve: `add64`, … Their singles are i64 too. */
export const instantiateExact = (): ReadonlyMap<string, Operation> => {
  const exact = instantiate(module =>
    [binary32, binary64].flatMap(format => {
      const core = defineCore(module, format, new Flags(FLAGS_ADDRESS))
      const sum = defineSum(core)
      return [
        defineAddExact(core, sum),
        defineMulExact(core),
        defineDivExact(core),
        defineSqrtExact(core),
        defineFmaExact(core, sum),
      ]
    }),
  )
  return new Map([...exact].map(([name, operation]) => [name.replace("Exact", ""), operation]))
}
