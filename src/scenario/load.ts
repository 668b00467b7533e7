/** From the text of a scenario file to a scenario, or to the place of its first mistake. YAML 1.2. */
import { Cause, Effect, Exit, Schema, SchemaIssue } from "effect"
import { type Document, isMap, isNode, LineCounter, parseDocument } from "yaml"
import { nearNames } from "../machine/near-names.ts"
import { ScenarioMalformed } from "./errors.ts"
import { Head, type Scenario, type Step, stepSchemas, verbs } from "./scenario.ts"

type Path = readonly PropertyKey[]

/** A mistake at a value, or at a key where `atKey`. `problem` is a sentence without its full stop. */
interface Mistake {
  readonly path: Path
  readonly atKey: boolean
  readonly problem: string
}

/** The scenario that a file's text declares. */
export const parseScenario = (file: string, source: string): Effect.Effect<Scenario, ScenarioMalformed> =>
  Effect.suspend(() => {
    const lines = new LineCounter()
    const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, strict: true })
    const refuse = (offset: number, problem: string) => {
      const { line, col } = lines.linePos(offset)
      return Effect.fail(new ScenarioMalformed({ file, line: Math.max(1, line), column: Math.max(1, col), problem }))
    }
    const broken = document.errors[0]
    if (broken) {
      const advice = broken.message.startsWith("Nested mappings") ? "; put text that contains a colon in quotes" : ""
      return refuse(broken.pos[0], `This is not valid YAML: ${asClause(broken.message)}${advice}`)
    }

    const value: unknown = document.toJS()
    const result = decodeScenario(file, value)
    if (!("mistakes" in result)) return Effect.succeed(result)
    const [first] = result.mistakes
      .map(mistake => ({ offset: offsetOf(document, mistake), problem: mistake.problem }))
      .sort((a, b) => a.offset - b.offset)
    return refuse(first!.offset, first!.problem)
  })

const decodeScenario = (file: string, value: unknown): Scenario | { readonly mistakes: readonly Mistake[] } => {
  if (!isRecord(value))
    return {
      mistakes: [{ path: [], atKey: false, problem: "A scenario is a mapping with name, description and steps" }],
    }
  const { steps, ...rest } = value
  const head = decode(Head, rest, [])
  const decoded = decodeSteps(steps)
  const mistakes = [...head.mistakes, ...decoded.mistakes]
  if (head.value && (head.value.image === undefined) === (head.value.kernel === undefined))
    mistakes.push({ path: ["image"], atKey: true, problem: "A scenario starts either an image or a kernel" })
  if (head.value && mistakes.length === 0) mistakes.push(...checkReferences(head.value, decoded.steps))
  return mistakes.length > 0 ? { mistakes } : { ...head.value!, file, steps: decoded.steps }
}

const decodeSteps = (steps: unknown): { readonly steps: readonly Step[]; readonly mistakes: readonly Mistake[] } => {
  if (!Array.isArray(steps) || steps.length === 0)
    return { steps: [], mistakes: [{ path: ["steps"], atKey: false, problem: '"steps" must be a list of steps' }] }
  const results = steps.map((step: unknown, index) => {
    const path = ["steps", index]
    const verb = isRecord(step) ? verbs.find(candidate => candidate in step) : undefined
    if (verb === undefined) return { value: null, mistakes: [unknownStep(step, path)] }
    const { value, mistakes } = decode<Record<string, unknown>>(stepSchemas[verb] as never, step, path)
    return { value: value && ({ verb, ...value } as unknown as Step), mistakes }
  })
  return {
    steps: results.flatMap(({ value }) => value ?? []),
    mistakes: results.flatMap(({ mistakes }) => mistakes),
  }
}

const unknownStep = (step: unknown, path: Path): Mistake => {
  const word = isRecord(step) ? Object.keys(step)[0] : typeof step === "string" ? step : undefined
  const near = word === undefined ? [] : nearNames(word, verbs)
  const advice = near.length > 0 ? `; did you mean ${near.join(" or ")}` : `; a step is one of ${verbs.join(", ")}`
  const what = word === undefined ? "This is no step" : `There is no step "${word}"`
  return isRecord(step) && word !== undefined
    ? { path: [...path, word], atKey: true, problem: what + advice }
    : { path, atKey: false, problem: what + advice }
}

/** Names of snapshots and numbers of harts must be those there are. */
const checkReferences = ({ harts = 1 }: Head, steps: readonly Step[]): readonly Mistake[] => {
  const known: string[] = []
  const mistakes: Mistake[] = []
  const refer = (name: string, path: Path) => {
    if (!known.includes(name))
      mistakes.push({ path, atKey: false, problem: `No step before takes a snapshot named ${name}` })
  }
  for (const [index, step] of steps.entries()) {
    const path = ["steps", index]
    if (step.verb === "snapshot") {
      if (known.includes(step.snapshot))
        mistakes.push({
          path: [...path, "snapshot"],
          atKey: false,
          problem: `There is a snapshot named ${step.snapshot} already`,
        })
      known.push(step.snapshot)
    } else if (step.verb === "restore") refer(step.restore, [...path, "restore"])
    else if (step.verb === "assert") {
      const { digest, register } = step.assert
      if (typeof digest === "object") refer(digest["same-as"], [...path, "assert", "digest", "same-as"])
      if (register && (register.hart ?? 0) >= harts)
        mistakes.push({
          path: [...path, "assert", "register", "hart"],
          atKey: false,
          problem: `"hart" must be less than the number of harts, ${harts}`,
        })
    }
  }
  return mistakes
}

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1()

const decode = <A>(
  schema: Schema.ConstraintDecoder<A>,
  value: unknown,
  path: Path,
): { readonly value: A | null; readonly mistakes: readonly Mistake[] } => {
  const exit = Schema.decodeUnknownExit(schema, { errors: "all", onExcessProperty: "error" })(value)
  if (Exit.isSuccess(exit)) return { value: exit.value, mistakes: [] }
  const error = Cause.squash(exit.cause)
  if (!Schema.isSchemaError(error)) throw error
  const mistakes = formatIssue(error.issue).issues.map(issue => {
    const inner = (issue.path ?? []).map(part => (typeof part === "object" ? part.key : part))
    return mistakeOf([...path, ...inner], issue.message)
  })
  return { value: null, mistakes }
}

const mistakeOf = (path: Path, message: string): Mistake => {
  const key = path.findLast(part => typeof part === "string")
  const subject = key === undefined ? "This" : `"${String(key)}"`
  if (message === "Missing key") return { path, atKey: false, problem: `${subject} is missing` }
  if (message === "Expected no excess property")
    return { path, atKey: true, problem: `There is no key ${subject} here; check its name, or leave it out` }
  const expected = /^Expected (.*)$/s.exec(message)?.[1]
  if (expected === undefined) return { path, atKey: false, problem: `${subject} ${message}` }
  return { path, atKey: false, problem: `${subject} must be ${inWords(expected)}` }
}

const words: Readonly<Record<string, string>> = {
  string: "text; put it in quotes if it is",
  number: "a number",
  "an integer": "a whole number",
  boolean: "true or false",
  object: "a mapping",
  array: "a list",
}

const inWords = (expected: string): string =>
  words[expected] ??
  expected
    .split(" | ")
    .map(part => (part === "string" ? "text" : (words[part] ?? part)))
    .join(" or ")

/** Where a mistake is in the file: at the key, at the value, or at the nearest thing around it that is there. */
const offsetOf = (document: Document, { path, atKey }: Mistake): number => {
  for (let length = path.length; length > 0; length--) {
    const inside = path.slice(0, length)
    if (atKey || length < path.length) {
      const parent = length === 1 ? document.contents : document.getIn(inside.slice(0, -1), true)
      const pair = isMap(parent) ? parent.items.find(({ key }) => isNode(key) && key.toJSON() === inside.at(-1)) : null
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    }
    const node = document.getIn(inside, true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A library's message in the middle of a sentence. */
const asClause = (message: string): string => {
  const text = message.replaceAll(/\s+/g, " ").replace(/[.:]$/, "")
  return text.charAt(0).toLowerCase() + text.slice(1)
}
