/** Quantities as people write them in scenarios: durations with a unit, sizes with one, 64-bit numbers, patterns. */
import { Effect, Schema, SchemaIssue, SchemaTransformation } from "effect"

const refuse = (message: string, input: unknown) => Effect.fail(new SchemaIssue.InvalidValue({ message }, input))

const unitNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** `250ms`, `5s`; decoded to virtual nanoseconds. */
export const Duration = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transformEffect({
      decode: text => {
        const found = /^(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)$/.exec(text)
        const ns = found ? Math.round(Number(found[1]) * unitNs[found[2]!]!) : Number.NaN
        return ns <= 1e15 ? Effect.succeed(ns) : refuse("must be a virtual time such as 250ms or 5s", text)
      },
      encode: ns => Effect.succeed(`${ns}ns`),
    }),
  ),
)

const unitBytes: Readonly<Record<string, number>> = { "": 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 }

/** `1M`, `512K` or a number of bytes; decoded to bytes. */
export const Size = Schema.Union([Schema.String, Schema.Int]).pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transformEffect({
      decode: (size: string | number) => {
        const found = /^(\d+)([KMG]?)$/.exec(String(size))
        const bytes = found ? Number(found[1]) * unitBytes[found[2]!]! : Number.NaN
        return Number.isSafeInteger(bytes) ? Effect.succeed(bytes) : refuse("must be a size such as 512M", size)
      },
      encode: (bytes: number) => Effect.succeed(bytes as string | number),
    }),
  ),
)

/** A number of up to 64 bits: exact as a number below 2^53, as text in hexadecimal or decimal beyond. */
export const Word = Schema.Union([Schema.String, Schema.Number]).pipe(
  Schema.decodeTo(
    Schema.BigInt,
    SchemaTransformation.transformEffect({
      decode: (value: string | number) => {
        if (typeof value === "number" && !Number.isSafeInteger(value))
          return refuse("is too large to be exact; put it in quotes", value)
        if (!/^(0[xX][\da-fA-F]+|\d+)$/.test(String(value)) || BigInt(value) >= 1n << 64n)
          return refuse("must be a number of at most 64 bits such as 0x80000000", value)
        return Effect.succeed(BigInt(value))
      },
      encode: (value: bigint) => Effect.succeed(`0x${value.toString(16)}` as string | number),
    }),
  ),
)

/** What is looked for in a console. */
export type Pattern = string | RegExp

/** Plain text, or a regular expression between slashes with the flags i, m and s. */
export const Pattern = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Union([Schema.String, Schema.RegExp]),
    SchemaTransformation.transformEffect({
      decode: (text): Effect.Effect<Pattern, SchemaIssue.Issue> => {
        if (text === "") return refuse("must not be empty", text)
        const found = /^\/(.+)\/([ims]*)$/s.exec(text)
        if (!found) return Effect.succeed(text)
        try {
          return Effect.succeed(new RegExp(found[1]!, found[2]))
        } catch (cause) {
          return refuse(`is no regular expression: ${cause instanceof Error ? cause.message : cause}`, text)
        }
      },
      encode: pattern => Effect.succeed(String(pattern)),
    }),
  ),
)

/** Where a pattern is first found in `text` from `from` on; null where it is not. */
export const findPattern = (
  pattern: Pattern,
  text: string,
  from: number,
): { readonly start: number; readonly end: number } | null => {
  if (typeof pattern === "string") {
    const start = text.indexOf(pattern, from)
    return start < 0 ? null : { start, end: start + pattern.length }
  }
  const found = pattern.exec(text.slice(from))
  return found ? { start: from + found.index, end: from + found.index + found[0].length } : null
}

/** How often a pattern is found, without overlaps. */
export const countPattern = (pattern: Pattern, text: string): number => {
  if (typeof pattern === "string") return text.split(pattern).length - 1
  return [...text.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))].length
}
