/** What the operations of one format are built with, and the shapes of the functions they become. */
import {
  type Expr,
  type FunctionBuilder,
  type FunctionRef,
  i32,
  i64,
  type Local,
  type ModuleBuilder,
} from "../../wasm/index.ts"
import type { Flags } from "./flags.ts"
import type { Format } from "./format.ts"
import { type Host, hostOf } from "./host.ts"
import { defineRound } from "./rounding.ts"

export interface Core {
  readonly module: ModuleBuilder
  readonly format: Format
  readonly flags: Flags
  readonly host: Host
  /** See `defineRound`. */
  readonly round: FunctionRef
}

/** Defines what the operations of `format` share. */
export const defineCore = (module: ModuleBuilder, format: Format, flags: Flags): Core => ({
  module,
  format,
  flags,
  host: hostOf(format),
  round: defineRound(module, format, flags),
})

/** Operands arrive as the raw bits of the format's width; the body sees i64 patterns and returns through `give`. */
export interface Operands {
  readonly patterns: readonly Local<"i64">[]
  /** The rounding mode; only for functions that take one. */
  readonly rounding: Local<"i32">
  give(pattern: Expr<"i64">): void
}

/**
 * Defines a function from `count` raw operands, and then `rm` when it rounds, to a raw result of the same format. Its name is
 * `name` followed by the width.
 */
export const defineOperation = (
  { module, format }: Core,
  name: string,
  count: number,
  options: { rounds: boolean },
  body: (f: FunctionBuilder, operands: Operands) => void,
): FunctionRef => {
  const bits = format.width === 32 ? "i32" : "i64"
  const params = [...Array<"i32" | "i64">(count).fill(bits), ...(options.rounds ? (["i32"] as const) : [])]
  return module.function(`${name}${format.width}`, { params, result: bits }, f => {
    const give = (pattern: Expr<"i64">) => f.return(format.width === 32 ? i32.wrap(pattern) : pattern)
    const patterns = Array.from({ length: count }, (_, at) => patternOf(f, format, at))
    body(f, { patterns, rounding: options.rounds ? f.param(count, "i32") : f.local("i32"), give })
  })
}

/** The pattern that raw parameter `at` holds. */
export const patternOf = (f: FunctionBuilder, format: Format, at: number): Local<"i64"> =>
  format.width === 32 ? f.let(i64.extendu(f.param(at, "i32"))) : f.param(at, "i64")

/** Defines a function from `count` i64 patterns and a rounding mode to a pattern: every case, every mode. */
export const defineExact = (
  { module, format }: Core,
  name: string,
  count: number,
  body: (f: FunctionBuilder, patterns: readonly Local<"i64">[], rounding: Local<"i32">) => void,
): FunctionRef =>
  module.function(
    `${name}Exact${format.width}`,
    { params: [...Array<"i64">(count).fill("i64"), "i32"], result: "i64" },
    f => {
      const patterns = Array.from({ length: count }, (_, at) => f.param(at, "i64"))
      body(f, patterns, f.param(count, "i32"))
    },
  )
