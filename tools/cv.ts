/** The built program as tools run it, and the worlds it keeps. */
import { spawnSync } from "node:child_process"
import { join, resolve } from "node:path"
import { Effect, type Scope } from "effect"
import { type World, WorldStore } from "../src/events/index.ts"
import { resolveHome } from "../src/host/home.ts"
import { policyNamed, Tier } from "../src/session/tier.ts"

export const program = new URL("../dist/main.js", import.meta.url).pathname

/** What a command printed, how it ended, and how long it took. */
export interface Outcome {
  readonly text: string
  readonly code: number
  readonly seconds: number
}

/** Seconds since a moment of `process.hrtime.bigint()`. */
export const secondsSince = (begin: bigint): number => Number(process.hrtime.bigint() - begin) / 1e9

/** Runs a command to its end. @throws Error where it cannot do what it is told */
export const cv = (...words: readonly string[]): Outcome => {
  const begin = process.hrtime.bigint()
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...words], { encoding: "utf8", input: "" })
  if (status === null || status > 2) throw new Error(`cv ${words.join(" ")}: ${stderr}`)
  return { text: stdout, code: status, seconds: secondsSince(begin) }
}

const pathOf = (world: string): string =>
  world.endsWith(".cv") ? resolve(world) : join(resolveHome(undefined), "worlds", `${world}.cv`)

/** Opens a world to read it; machines that are built meanwhile execute as `tier` says. */
export const withWorld = <A, E>(
  world: string,
  tier: string,
  body: (world: World) => Effect.Effect<A, E, WorldStore | Scope.Scope>,
): Promise<A> => {
  const policy = policyNamed(tier)
  if (policy === undefined) throw new Error(`"${tier}" is no tier; give auto, interpreter, translator or a number`)
  const opened = Effect.flatMap(WorldStore, store => store.openReadOnly(pathOf(world)))
  const effect = Effect.flatMap(opened, body).pipe(
    Effect.provideService(Tier, policy),
    Effect.provide(WorldStore.layer),
  )
  return Effect.runPromise(Effect.scoped(effect))
}
