/** Worlds on the command line: a name means a file in the home directory; what ends in `.cv` is the path of one. */
import { existsSync, mkdirSync, readdirSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import * as Argument from "effect/cli/Argument"
import * as Effect from "effect/Effect"
import { nearNames } from "../machine/near-names.ts"
import { Hindered, Misused } from "./failure.ts"
import { home } from "./settings.ts"

const EXTENSION = ".cv"
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const worldArgument = Argument.String("world").pipe(
  Argument.withMetavar("W"),
  Argument.withDescription("A world's name, or the path of a .cv file"),
)

const worldsDirectory = Effect.map(home, directory => join(directory, "worlds"))

/** The name people know a world file by. */
export const worldNameOf = (path: string): string => basename(path, EXTENSION)

export const checkWorldName = (name: string): Effect.Effect<void, Misused> =>
  NAME.test(name) && !name.includes("..") && !name.endsWith(EXTENSION)
    ? Effect.void
    : Effect.fail(
        new Misused({
          problem: `"${name}" cannot be a world's name; use up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.`,
        }),
      )

/** Names of all files among the worlds. */
const fileNames = Effect.gen(function* () {
  const directory = yield* worldsDirectory
  if (!existsSync(directory)) return []
  return yield* Effect.try({
    try: () => readdirSync(directory),
    catch: cause => new Hindered({ problem: `The worlds in ${directory} cannot be listed: ${messageOf(cause)}.` }),
  })
})

/** Names of all worlds, sorted, with their files. */
export const listWorlds = Effect.gen(function* () {
  const directory = yield* worldsDirectory
  return (yield* fileNames)
    .filter(name => name.endsWith(EXTENSION))
    .sort()
    .map(name => ({ name: basename(name, EXTENSION), path: join(directory, name) }))
})

/** The file of a world that exists. */
export const existingWorld = Effect.fnUntraced(function* (text: string) {
  if (text.endsWith(EXTENSION)) {
    const path = resolve(text)
    if (existsSync(path)) return path
    return yield* new Misused({
      problem: `There is no world file ${text}; check the path, or list the worlds there are with \`cv ls\`.`,
    })
  }
  yield* checkWorldName(text)
  const path = join(yield* worldsDirectory, text + EXTENSION)
  if (existsSync(path)) return path
  const near = nearNames(
    text,
    (yield* listWorlds).map(({ name }) => name),
  )
  const advice = near.length > 0 ? `did you mean ${near.join(" or ")}?` : "`cv ls` lists those there are."
  return yield* new Misused({ problem: `There is no world named ${text}; ${advice}` })
})

/** The file for a new world of this name; its directory exists afterwards. */
export const newWorldPath = Effect.fnUntraced(function* (name: string) {
  yield* checkWorldName(name)
  const directory = yield* worldsDirectory
  yield* Effect.try({
    try: () => mkdirSync(directory, { recursive: true }),
    catch: cause =>
      new Hindered({
        problem: `No world can be kept in ${directory}: ${messageOf(cause)}; choose another place with --home.`,
      }),
  })
  return join(directory, name + EXTENSION)
})

/** A name that is free, made from `wanted` by leaving out what names cannot have and adding a number when it is taken. */
export const freeWorldName = Effect.fnUntraced(function* (wanted: string) {
  const cleaned = wanted
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replaceAll(/\.{2,}/g, ".")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 56)
  const stem = cleaned === "" ? "world" : cleaned
  // Also those of which there is no more than a lock yet.
  const taken = new Set((yield* fileNames).map(name => name.split(`${EXTENSION}.`)[0]!.replace(/\.cv$/, "")))
  if (!taken.has(stem)) return stem
  for (let number = 2; ; number++) if (!taken.has(`${stem}-${number}`)) return `${stem}-${number}`
})

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
