/** What is typed into the console and the watch list: variables, expressions, and a few commands. */
import { Effect } from "effect"
import { formatPosition } from "../../events/index.ts"
import { integerRegisters } from "../../riscv/register.ts"
import { integerOf } from "../inspection.ts"
import { expressionOf, variableAt, withVariables } from "../source-expression.ts"
import type { SourceFrame } from "../source-view.ts"
import { formatAddress } from "../symbols/symbol-source.ts"
import { refuse, textIn } from "./arguments.ts"
import type { Debuggee } from "./debuggee.ts"

type Args = Readonly<Record<string, unknown>>

/** A motion that a command asks for. */
export type CommandedMotion =
  | { readonly kind: "seek"; readonly to: string }
  | { readonly kind: "reverse-step" | "reverse-next" | "reverse-finish" }

/** What came of it: an answer for the client, or a motion to make. */
export type Evaluated =
  | { readonly kind: "answer"; readonly body: object }
  | { readonly kind: "motion"; readonly motion: CommandedMotion }

const help = [
  "position                    where the machine stands",
  "seek POS | begin | end      goes to a position, such as seek r1204.m0.h1.i123456789",
  "console [N]                 the last N lines printed so far (20)",
  "x/NFU ADDRESS               memory: N units of b, h, w or g (1, 2, 4, 8 bytes) as x, d, u, c, s or i",
  "reverse-step, reverse-next  back by a line, into the functions called or over them",
  "reverse-finish              back to the call of this function",
  "anything else               a variable, a register, a CSR, a symbol, or an expression such as mem64(sp + 8)",
].join("\n")

const CONSOLE_LINES = 20
const UNITS_MAX = 4096

export const evaluate = Effect.fnUntraced(function* (debuggee: Debuggee, args: Args) {
  const text = (yield* textIn(args, "expression")).trim()
  const { hart, frame, isInnermost } = yield* debuggee.frameIn(args)
  const isTyped = args.context === undefined || args.context === "repl"
  const command = isTyped ? yield* commandOf(debuggee, hart, text) : null
  if (command !== null) return command
  const variable = variableAt(frame, text)
  if (variable !== null) {
    const { value, ...shown } = debuggee.variables.shown(variable, text).variable
    return { kind: "answer", body: { ...shown, result: value } } satisfies Evaluated
  }
  const register = isInnermost ? undefined : registerOf(frame, text)
  if (register === null)
    return yield* refuse(`${text} is not known in this frame any more; what was called since then may have changed it.`)
  const found = register ?? (yield* valueHere(debuggee, hart, withVariables(frame, text)))
  return answer(valueText(debuggee, found), `0x${found.toString(16)}`)
})

const answer = (result: string, memoryReference?: string): Evaluated => ({
  kind: "answer",
  body: { result, variablesReference: 0, ...(memoryReference === undefined ? {} : { memoryReference }) },
})

const valueText = ({ debug }: Debuggee, value: bigint): string => {
  const hex = `0x${value.toString(16)}`
  const name = formatAddress(debug.symbols, value)
  if (name !== hex) return `${hex} <${name}>`
  return value < 10n ? `${value}` : `${hex} (${BigInt.asIntN(64, value)})`
}

/** A register of a caller's frame; undefined where the text names none, null where it is not known any more. */
const registerOf = (frame: SourceFrame, text: string): bigint | null | undefined => {
  const name = text.replace(/^\$/, "")
  if (name === "pc") return frame.pc
  const number = integerRegisters.get(name)
  return number === undefined ? undefined : frame.register(number)
}

/** What a command comes to; null: it is no command. */
const commandOf = Effect.fnUntraced(function* (debuggee: Debuggee, hart: number, text: string) {
  const { debug } = debuggee
  const [word = "", ...rest] = text.split(/\s+/)
  switch (word) {
    case "help":
      return answer(help)
    case "position":
      return answer(`${formatPosition(debug.position)} (${(debug.nowNs / 1e9).toFixed(9)} s of virtual time)`)
    case "seek":
      return { kind: "motion", motion: { kind: "seek", to: rest[0] ?? "" } } satisfies Evaluated
    case "reverse-step":
    case "reverse-next":
    case "reverse-finish":
      return { kind: "motion", motion: { kind: word } } satisfies Evaluated
    case "console": {
      const count = Number(rest[0] ?? CONSOLE_LINES)
      if (!Number.isSafeInteger(count) || count < 1) return yield* refuse(`"${rest[0]}" is no number of lines.`)
      return answer(debug.printed.trimEnd().split(/\r?\n/).slice(-count).join("\n"))
    }
    default:
      return /^x(?:\/|$)/.test(word) ? answer(yield* memoryText(debuggee, hart, text)) : null
  }
})

/** The value of an expression; a symbol's is its address. */
export const valueHere = Effect.fnUntraced(function* ({ debug }: Debuggee, hart: number, text: string) {
  const expression = expressionOf(debug, text)
  if (!expression.ok) return yield* refuse(expression.problem)
  const value = expression.value(hart)
  return value ?? (yield* refuse(`There is no value of ${text} here; choose a place where it has one.`))
})

const unitBytes: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, g: 8 }

/** Memory as gdb's command `x` shows it. */
const memoryText = Effect.fnUntraced(function* (debuggee: Debuggee, hart: number, text: string) {
  const { debug } = debuggee
  const [, digits = "1", letters = "", where = ""] = /^x(?:\/(\d{0,6})([a-z]*))?\s+(.+)$/.exec(text) ?? []
  const format = [...letters].find(letter => "xducsi".includes(letter)) ?? "x"
  const unit = [...letters].find(letter => letter in unitBytes)
  const count = Number(digits || "1")
  const isWrong = [...letters].some(letter => !"xducsibhwg".includes(letter)) || count < 1 || count > UNITS_MAX
  if (where === "" || isWrong)
    return yield* refuse(`"${text}" is not understood; write for example x/8gx sp, x/4i pc or x/s 0x80002000.`)
  const address = yield* valueHere(debuggee, hart, where)
  if (format === "i")
    return debug.inspection
      .instructions(hart, address, count)
      .map(each => `${label(debuggee, each.address)}: ${each.text}`)
      .join("\n")
  if (format === "s") return textAt(debuggee, hart, address)
  const bytes = unitBytes[unit ?? (format === "c" ? "b" : "g")]!
  const memory = debug.inspection.readSome(hart, address, count * bytes)
  if (memory.length < bytes)
    return yield* refuse(`There is no memory at 0x${address.toString(16)} for hart ${hart}; choose another address.`)
  const perLine = Math.max(1, 16 / bytes)
  const lines: string[] = []
  for (let at = 0; at + bytes <= memory.length; at += perLine * bytes) {
    const units: string[] = []
    for (let from = at; from < at + perLine * bytes && from + bytes <= memory.length; from += bytes)
      units.push(unitText(integerOf(memory.subarray(from, from + bytes)), bytes, format))
    lines.push(`${label(debuggee, address + BigInt(at))}: ${units.join(" ")}`)
  }
  return lines.join("\n")
})

const label = ({ debug }: Debuggee, address: bigint): string => {
  const name = formatAddress(debug.symbols, address)
  const hex = `0x${address.toString(16)}`
  return name === hex ? hex : `${hex} <${name}>`
}

const unitText = (value: bigint, bytes: number, format: string): string => {
  if (format === "d") return `${BigInt.asIntN(8 * bytes, value)}`
  if (format === "u") return `${value}`
  if (format === "c") return JSON.stringify(String.fromCharCode(Number(value & 0xffn)))
  return `0x${value.toString(16).padStart(2 * bytes, "0")}`
}

const TEXT_MAX = 4096

const textAt = ({ debug }: Debuggee, hart: number, address: bigint): string => {
  const bytes = debug.inspection.readSome(hart, address, TEXT_MAX)
  const end = bytes.indexOf(0)
  return JSON.stringify(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)))
}
