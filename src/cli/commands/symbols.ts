/** `cv symbols`: what is known by which name, and what lies at an address. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Debugger } from "../../debugger/debugger.ts"
import type { NamedAddress } from "../../debugger/symbols/symbol-source.ts"
import { debugWorld, hexOf, symbolsFlag } from "../debugging.ts"
import { worldStore } from "../engine.ts"
import { Ended } from "../failure.ts"
import { formatTable, printable, remark, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"
import { existingWorld, worldArgument, worldNameOf } from "../world-name.ts"

/** Names that a pattern means: with `*` and `?` for any letters and any one letter the whole name, else a part of it. */
const matcherOf = (pattern: string): ((name: string) => boolean) => {
  if (!/[*?]/.test(pattern)) return name => name.includes(pattern)
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
  const whole = new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s")
  return name => whole.test(name)
}

const partsOf = ({ name, address, size, kind }: NamedAddress) => ({
  name,
  address: hexOf(address),
  size: size === null ? null : Number(size),
  kind,
})

/** Where in the source the instruction at an address comes from: the first program that knows tells. */
const lineOf = Effect.fnUntraced(function* (debug: Debugger, address: bigint) {
  const { DebugInfoDamaged } = yield* Effect.promise(() => import("../../debugger/index.ts"))
  return yield* Effect.try({
    try: () => {
      for (const program of debug.programs) {
        const found = program.lineAt(address)
        if (found !== null) return { file: found.file, line: found.line }
      }
      return null
    },
    catch: cause => {
      if (cause instanceof DebugInfoDamaged) return cause
      throw cause
    },
  })
})

const showAddress = Effect.fnUntraced(function* (debug: Debugger, text: string, world: string, json: boolean) {
  const { formatAddress, parseAddress } = yield* Effect.promise(() => import("../../debugger/index.ts"))
  const { address } = yield* parseAddress(text, debug.symbols)
  const found = debug.symbols.at(address)
  if (found === null) {
    if (json) yield* writeJson([])
    else yield* remark(`cv: No symbol of ${world} is known at ${text}.`)
    return yield* new Ended({ code: 1 })
  }
  const line = yield* lineOf(debug, address)
  if (json) return yield* writeJson([{ ...partsOf(found.symbol), offset: Number(found.offset), line }])
  yield* writeLine(
    formatTable(
      ["ADDRESS", "KIND", "PLACE", "LINE"],
      [
        [
          hexOf(address),
          found.symbol.kind,
          formatAddress(debug.symbols, address),
          line === null ? "-" : `${line.file}:${line.line}`,
        ].map(printable),
      ],
    ),
  )
})

export const symbols = Command.make(
  "symbols",
  {
    world: worldArgument,
    pattern: Argument.String("pattern").pipe(
      Argument.withMetavar("PATTERN"),
      Argument.withDescription("A part of the names, or with * and ? all of them; an address: what lies there"),
      Argument.optional,
    ),
    symbols: symbolsFlag,
    json: jsonFlag,
  },
  Effect.fnUntraced(function* (flags) {
    const path = yield* existingWorld(flags.world)
    const world = worldNameOf(path)
    yield* Effect.scoped(
      Effect.gen(function* () {
        const debug = yield* debugWorld(path, flags.symbols, false)
        const pattern = Option.getOrElse(flags.pattern, () => "")
        if (/^\d/.test(pattern)) return yield* showAddress(debug, pattern, world, flags.json)
        const matches = matcherOf(pattern)
        const found = debug.symbols.all.filter(({ name }) => matches(name))
        if (flags.json) yield* writeJson(found.map(partsOf))
        else if (found.length > 0)
          yield* writeLine(
            formatTable(
              ["ADDRESS", "#SIZE", "KIND", "NAME"],
              found.map(({ name, address, size, kind }) => [
                hexOf(address),
                size === null ? "-" : String(size),
                kind,
                printable(name),
              ]),
            ),
          )
        if (found.length > 0) return
        if (!flags.json)
          yield* remark(
            debug.symbols.all.length === 0
              ? `cv: No symbols are known of ${world}; name an ELF file that has them with --symbols.`
              : `cv: No symbol of ${world} is called ${pattern}.`,
          )
        return yield* new Ended({ code: 1 })
      }),
    )
  }),
).pipe(
  Command.provide(worldStore),
  Command.withShortDescription("List the names of a guest's addresses"),
  Command.withDescription(
    "Lists the symbols by which addresses of a world's guest are known: those of its Linux kernel, which are found in its memory; those of the ELF files it was booted from; and those of ELF files given with --symbols. Given an address instead of a name, prints what lies there and, where a file has debug information, the line of the source. Exit code 1: there is none.",
  ),
  Command.withExamples([
    { command: "cv symbols debian jiffies" },
    { command: "cv symbols debian 'sys_open*'" },
    { command: "cv symbols board 0x80000576 --symbols board.elf" },
  ]),
)
