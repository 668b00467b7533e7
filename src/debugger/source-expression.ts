/**
 * Expressions in which the program's own variables stand: `corner.x`, `next->value`, `table[3]`, `*pointer`, `&total`, and sums and
 * comparisons of them with all else that the language of questions has. A variable hides a register or symbol of its name.
 */
import type { Debugger } from "./debugger.ts"
import { type GuestExpression, guestExpression } from "./guest-expression.ts"
import type { SourceFrame } from "./source-view.ts"
import type { DisplayedValue } from "./symbols/value.ts"

/** A variable or a part of it, as C writes it. */
const path = String.raw`[A-Za-z_]\w*(?:\.\w+|->\w+|\[\d+\])*`
const wholePath = new RegExp(`^\\s*(\\**)\\s*(${path})\\s*$`)
const pathSteps = /\.\w+|->\w+|\[\d+\]/g
/** What stays as it is: text, patterns, what is marked as a symbol or register, numbers; and paths with what is applied to them. */
const tokens = new RegExp(
  String.raw`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|~\s*\/(?:[^/\\]|\\.)*\/\w*|sym:[\w.$@]+|\$\w+|\d[\w.]*|(\*+\s*|(?<!&)&(?!&)\s*)?(${path})`,
  "g",
)
/** Behind one of these, or at the beginning, `*` and `&` are no operators between two values. */
const opensValue = /(?:^|[(,=<>!&|^+\-*/%~])\s*$/

const variableNamed = (frame: SourceFrame, name: string): DisplayedValue | null =>
  frame.locals().find(each => each.name === name) ??
  frame.globals().find(each => each.name === name) ??
  frame.global(name)

const partOf = (value: DisplayedValue | null, step: string): DisplayedValue | null => {
  const index = /^\[(\d+)\]$/.exec(step)?.[1]
  if (index !== undefined) return value?.children(Number(index), 1)[0] ?? null
  const name = step.replace(/^(?:\.|->)/, "")
  const whole = step.startsWith("->") ? (value?.target() ?? null) : value
  return whole?.children().find(part => part.name === name) ?? null
}

/** The variable or part of one that a text names; null where it names none. */
export const variableAt = (frame: SourceFrame, text: string): DisplayedValue | null => {
  const [, stars = "", names = ""] = wholePath.exec(text) ?? []
  let value = variableNamed(frame, /^\w*/.exec(names)![0])
  for (const [step] of names.matchAll(pathSteps)) value = partOf(value, step)
  for (const _ of stars) value = value?.target() ?? null
  return value
}

/** The names with which paths in a text begin. */
export const namesIn = (text: string): ReadonlySet<string> =>
  new Set([...text.matchAll(tokens)].flatMap(([, , names]) => (names === undefined ? [] : [/^\w*/.exec(names)![0]])))

/** A text with numbers in place of what `numberOf` knows: of a path with what is applied to it. */
const replaced = (text: string, numberOf: (path: string, isAddress: boolean) => bigint | null): string =>
  text.replace(tokens, (token, prefix: string | undefined, names: string | undefined, at: number) => {
    if (names === undefined) return token
    const applied = prefix?.trim() ?? ""
    const isUnary = applied !== "" && opensValue.test(text.slice(0, at))
    const value = numberOf(isUnary && applied !== "&" ? `${applied}${names}` : names, isUnary && applied === "&")
    if (value === null) return token
    const number = `0x${BigInt.asUintN(64, value).toString(16)}`
    return isUnary ? number : `${prefix ?? ""}${number}`
  })

/** Reads a text whose variables have been replaced: what is left of them cannot be seen. */
export const expressionOf = (debug: Debugger, text: string): GuestExpression => {
  const left = [...text.matchAll(tokens)].find(([, , names]) => names?.includes("->"))
  if (left === undefined) return guestExpression(debug, text)
  return { ok: false, problem: `There is no ${left[2]} here; choose a variable that can be seen from this frame.` }
}

/** A text in the language of questions: with the values that variables have in a frame. */
export const withVariables = (frame: SourceFrame, text: string): string =>
  replaced(text, (names, isAddress) => {
    const value = variableAt(frame, names)
    return isAddress ? (value?.address ?? null) : (value?.number ?? null)
  })

/** The same with any number in place of what begins with one of some names, to see whether it can be read. */
export const withAnyValues = (names: ReadonlySet<string>, text: string): string =>
  replaced(text, path => (names.has(/\w+/.exec(path)![0]) ? 0n : null))
