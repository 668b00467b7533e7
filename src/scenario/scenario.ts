/** What a scenario file may say: a machine, what happens to it, and what must hold. */
import { Schema } from "effect"
import { floatRegisters, integerRegisters } from "../riscv/register.ts"
import { Duration, Pattern, Size, Word } from "./quantity.ts"

/** Bytes of one `type`: what surely fits into the console's input queue. */
const TYPED_BYTES_MAX = 32768

const name = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,47}$/, {
    message: "must consist of up to 48 small letters, digits and dashes",
  }),
)
const text = Schema.String.check(Schema.isMinLength(1, { message: "must not be empty" }))
const within = Schema.optionalKey(Duration)

/** Registers an assertion can name: integer and floating-point ones, pc. */
const isRegister = (register: string): boolean =>
  register === "pc" || integerRegisters.has(register) || floatRegisters.has(register)

/** What must hold of the whole console so far; carriage returns are left out. */
const ConsoleAssertion = Schema.Union([
  Schema.Struct({ contains: text, count: Schema.optionalKey(Schema.Natural) }),
  Schema.Struct({ matches: Pattern, count: Schema.optionalKey(Schema.Natural) }),
])
export type ConsoleAssertion = typeof ConsoleAssertion.Type

const RegisterAssertion = Schema.Struct({
  /** 0 where absent. */
  hart: Schema.optionalKey(Schema.Natural),
  name: Schema.String.check(
    Schema.makeFilter(isRegister, { message: "must be a register's name such as a0, x10, fa0 or pc" }),
  ),
  value: Word,
})
export type RegisterAssertion = typeof RegisterAssertion.Type

/** Little-endian in physical memory. */
const MemoryAssertion = Schema.Struct({
  address: Word,
  size: Schema.Literals([1, 2, 4, 8]).annotate({ message: "must be 1, 2, 4 or 8" }),
  value: Word,
})
export type MemoryAssertion = typeof MemoryAssertion.Type

const DigestAssertion = Schema.Union([
  Schema.String.check(
    Schema.isPattern(/^(same|[0-9a-f]{32})$/, {
      message: 'must be "same" (in every run), 32 hexadecimal digits, or same-as: SNAPSHOT',
    }),
  ),
  Schema.Struct({ "same-as": name }),
])
export type DigestAssertion = typeof DigestAssertion.Type

export const Assertion = Schema.Struct({
  console: Schema.optionalKey(ConsoleAssertion),
  register: Schema.optionalKey(RegisterAssertion),
  memory: Schema.optionalKey(MemoryAssertion),
  digest: Schema.optionalKey(DigestAssertion),
  /** What the guest turns itself off with; waited for. */
  exit: Schema.optionalKey(Schema.Natural),
}).check(
  Schema.makeFilter(assertion => Object.keys(assertion).length > 0, {
    message: "must say what holds: console, register, memory, digest or exit",
  }),
)
export type Assertion = typeof Assertion.Type

/** Every kind of step by its verb. A new kind is one entry, and a case in the director. */
export const stepSchemas = {
  /** Waits until the console says something, after what was expected before. */
  expect: Schema.Struct({ expect: Pattern, within }),
  /** Types a line, or exactly the text with `raw`. */
  type: Schema.Struct({
    type: Schema.String.check(
      Schema.makeFilter(typed => new TextEncoder().encode(typed).length < TYPED_BYTES_MAX, {
        message: "is longer than 32 KiB; type it in several steps",
      }),
    ),
    raw: Schema.optionalKey(Schema.Boolean),
    within,
  }),
  /** Lets virtual time pass. */
  wait: Schema.Struct({ wait: Duration }),
  snapshot: Schema.Struct({ snapshot: name }),
  /** Goes back to a snapshot, in a new process; what follows is recorded as a branch, a world of its own. */
  restore: Schema.Struct({ restore: name }),
  /** Kills the recording process; what follows happens in a new one, which resumes the world. */
  crash: Schema.Struct({ crash: Schema.Literal("SIGKILL").annotate({ message: "must be SIGKILL" }) }),
  assert: Schema.Struct({ assert: Assertion, within }),
} as const

type Verb = keyof typeof stepSchemas
export const verbs = Object.keys(stepSchemas) as readonly Verb[]
export type Step = { [V in Verb]: { readonly verb: V } & (typeof stepSchemas)[V]["Type"] }[Verb]

const Disk = Schema.Union([
  /** A file, copied into the world. */
  text,
  Schema.Struct({ file: text, readonly: Schema.optionalKey(Schema.Boolean) }),
  Schema.Struct({ blank: Size }),
])

/** All of a scenario but its steps. Paths are relative to the scenario file. */
export const Head = Schema.Struct({
  name,
  description: text,
  /** Name of an image of the store. */
  image: Schema.optionalKey(text),
  kernel: Schema.optionalKey(text),
  /** "builtin", "none" or a file. */
  firmware: Schema.optionalKey(text),
  harts: Schema.optionalKey(
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8 }, { message: "must be 1 to 8" })),
  ),
  memory: Schema.optionalKey(Size),
  append: Schema.optionalKey(Schema.String),
  initrd: Schema.optionalKey(text),
  disks: Schema.optionalKey(Schema.Array(Disk)),
  seed: Schema.optionalKey(Schema.Union([Schema.String, Schema.Int])),
})
export type Head = typeof Head.Type

export interface Scenario extends Head {
  /** The file it was read from, as given. */
  readonly file: string
  readonly steps: readonly Step[]
}

/** How long a step may take in virtual time unless it says otherwise. */
export const WITHIN_NS = 60e9

/** A step as one line of text. */
export const describeStep = (step: Step): string => {
  switch (step.verb) {
    case "expect":
      return `expect ${showPattern(step.expect)}`
    case "type":
      return `type ${JSON.stringify(step.type)}${step.raw ? " raw" : ""}`
    case "wait":
      return `wait ${formatVirtual(step.wait)}`
    case "snapshot":
      return `snapshot ${step.snapshot}`
    case "restore":
      return `restore ${step.restore}, in a new process`
    case "crash":
      return `crash: ${step.crash}, then resume in a new process`
    case "assert":
      return `assert ${describeAssertion(step.assert)}`
  }
}

const showPattern = (pattern: Pattern): string => (typeof pattern === "string" ? JSON.stringify(pattern) : `${pattern}`)
const showWord = (word: bigint): string => `0x${word.toString(16)}`

const describeAssertion = ({ console, register, memory, digest, exit }: Assertion): string => {
  const parts: string[] = []
  if (console) {
    const what = "contains" in console ? `contains ${showPattern(console.contains)}` : `matches ${console.matches}`
    parts.push(`console ${what}${console.count === undefined ? "" : ` ${console.count} times`}`)
  }
  if (register) parts.push(`hart ${register.hart ?? 0} ${register.name} = ${showWord(register.value)}`)
  if (memory) parts.push(`memory ${showWord(memory.address)}, ${memory.size} bytes = ${showWord(memory.value)}`)
  if (digest === "same") parts.push("digest the same in every run")
  else if (digest !== undefined)
    parts.push(`digest ${typeof digest === "string" ? digest : `as at ${digest["same-as"]}`}`)
  if (exit !== undefined) parts.push(`exit ${exit}`)
  return parts.join(", ")
}

/** Virtual time for people. */
export const formatVirtual = (ns: number): string =>
  ns < 1e9 ? `${Number((ns / 1e6).toFixed(3))} ms` : `${Number((ns / 1e9).toFixed(6))} s`
