/** Arguments of requests: whatever a client sent, looked at before it is used. */
import { Effect } from "effect"
import { RequestRefused } from "./refusal.ts"

/** What stands in a launch configuration. */
export interface LaunchArguments {
  /** A world's name, or the path of its file. */
  readonly world: string
  /** The moment to begin at. */
  readonly at: string | null
  /** ELF files with symbols or debug information, each by its path, and `@ADDRESS` where it lies elsewhere than it was linked. */
  readonly programs: readonly string[]
  readonly stopOnEntry: boolean
  /** Where source files lie whose paths are relative; null: where the adapter was started. */
  readonly sourceRoot: string | null
  /** Beginnings of the paths of source files, and what they are here. */
  readonly sourceMap: Readonly<Record<string, string>>
}

type Refused<A> = Effect.Effect<A, RequestRefused>

export const refuse = (problem: string): Effect.Effect<never, RequestRefused> =>
  Effect.fail(new RequestRefused({ problem }))

/** The arguments of a request as an object, whatever they are. */
export const objectOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}

export const listOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.map(objectOf) : []

export const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null)

/** An integer in a request's arguments. */
export const integerIn = (args: unknown, name: string, otherwise?: number): Refused<number> => {
  const value = objectOf(args)[name] ?? otherwise
  return typeof value === "number" && Number.isSafeInteger(value)
    ? Effect.succeed(value)
    : refuse(`The request needs a whole number as ${name}; that is for the client to send.`)
}

/** A text in a request's arguments. */
export const textIn = (args: unknown, name: string): Refused<string> => {
  const value = textOf(objectOf(args)[name])
  return value === null
    ? refuse(`The request needs a text as ${name}; that is for the client to send.`)
    : Effect.succeed(value)
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(each => typeof each === "string")

const isMap = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === "object" && value !== null && Object.values(value).every(each => typeof each === "string")

export const launchArguments = (args: unknown): Refused<LaunchArguments> => {
  const { world, at, program, programs = [], stopOnEntry = true, sourceRoot, sourceMap = {} } = objectOf(args)
  if (typeof world !== "string" || world === "")
    return refuse('No world is named; put "world": "NAME" into the launch configuration, with a name that cv ls lists.')
  if (at !== undefined && typeof at !== "string")
    return refuse(
      '"at" is a position such as "r1204.m0.h1.i123456789", a time such as "2.5s", or "end"; correct the launch configuration.',
    )
  if ((program !== undefined && typeof program !== "string") || !isTexts(programs))
    return refuse(
      '"program" is the path of an ELF file and "programs" a list of them; correct the launch configuration.',
    )
  if (typeof stopOnEntry !== "boolean")
    return refuse('"stopOnEntry" is true or false; correct the launch configuration.')
  if (sourceRoot !== undefined && typeof sourceRoot !== "string")
    return refuse('"sourceRoot" is the path of a folder; correct the launch configuration.')
  if (!isMap(sourceMap))
    return refuse(
      '"sourceMap" has beginnings of paths and what is put in their places; correct the launch configuration.',
    )
  return Effect.succeed({
    world,
    at: at ?? null,
    programs: [...new Set([...(typeof program === "string" ? [program] : []), ...programs])],
    stopOnEntry,
    sourceRoot: sourceRoot ?? null,
    sourceMap,
  })
}
