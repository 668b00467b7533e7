/**
 * Running a scenario: each leg in a process of its own, all of it several times, which must come to the same, then every recording
 * replayed.
 */
import { Effect, FileSystem, Option, Path, Schema, Stream } from "effect"
import { Siblings } from "../host/sibling-process.ts"
import type { StepDone, StepFailed } from "./director.ts"
import type { LegMessage, LegRequest, WorldEnd } from "./leg.ts"
import { type MachineFiles, machineFilesOf } from "./machine-files.ts"
import { describeStep, formatVirtual, type Scenario, type Step } from "./scenario.ts"

// The compiled module stands beside this file under the same name.
const legFile = new URL(import.meta.url.endsWith(".ts") ? "./leg-process.ts" : "./leg-process.js", import.meta.url)

/** Something other than the guest was in the way of a leg. `problem` is a sentence, `tag` the kind of error. */
export class LegHindered extends Schema.TaggedError<LegHindered>()("LegHindered", {
  tag: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return this.problem
  }
}

/** A world file that a run left. */
export interface WorldResult extends WorldEnd {
  readonly path: string
  /** The snapshot it branched from, null for the first world. */
  readonly branch: string | null
}

export interface RunResult {
  readonly steps: readonly StepDone[]
  readonly worlds: readonly WorldResult[]
  readonly failure: StepFailed | null
}

export interface ScenarioResult {
  readonly passed: boolean
  readonly runs: readonly RunResult[]
  /** What is wrong beyond a step that failed: sentences. */
  readonly problems: readonly string[]
}

/** What happens while a scenario runs. `run` counts from 1. */
export type Progress =
  | { readonly kind: "step"; readonly run: number; readonly step: StepDone }
  | { readonly kind: "failed"; readonly run: number; readonly failure: StepFailed }
  | { readonly kind: "equal"; readonly run: number; readonly digest: string }
  | { readonly kind: "replayed"; readonly world: WorldResult; readonly from: readonly string[] }
  | { readonly kind: "problem"; readonly problem: string }

export interface RunOptions {
  /** How often, at least once. */
  readonly times: number
  /** Directory to keep the world files in; they are removed where absent. */
  readonly keep?: string | undefined
  readonly progress: (progress: Progress) => Effect.Effect<void>
}

export const runScenario = (scenario: Scenario, { times, keep, progress }: RunOptions) =>
  Effect.scoped(
    Effect.gen(function* () {
      const machine = yield* machineFilesOf(scenario)
      const directory = yield* worldDirectory(keep)
      const path = yield* Path.Path
      const runs: RunResult[] = []
      const problems: string[] = []
      const problem = (text: string) => {
        problems.push(text)
        return progress({ kind: "problem", problem: text })
      }
      for (let run = 1; run <= times && problems.length === 0; run++) {
        const prefix = path.join(directory, `${scenario.name}-${run}`)
        const result = yield* runOnce(scenario, machine, prefix, run, progress)
        runs.push(result)
        if (result.failure) break
        const difference = run === 1 ? null : differenceOf(scenario, runs[0]!, result, run)
        if (difference) yield* problem(difference)
        else if (run > 1) yield* progress({ kind: "equal", run, digest: result.worlds.at(-1)!.digest })
      }
      const failed = runs.some(({ failure }) => failure !== null)
      if (!failed && problems.length === 0) {
        for (const world of runs[0]!.worlds) {
          const digests = yield* replayDigests(world.path)
          const wrong = digests.find(({ digest }) => digest !== world.digest)
          if (wrong)
            yield* problem(
              `The replay of ${world.path} from ${wrong.from ?? "the beginning"} came to the digest ${wrong.digest} instead of ${world.digest}.`,
            )
          else yield* progress({ kind: "replayed", world, from: digests.flatMap(({ from }) => from ?? []) })
        }
      }
      return { passed: !failed && problems.length === 0, runs, problems } satisfies ScenarioResult
    }),
  )

const worldDirectory = Effect.fnUntraced(function* (keep: string | undefined) {
  const fileSystem = yield* FileSystem.FileSystem
  if (keep === undefined) return yield* fileSystem.makeTempDirectoryScoped({ prefix: "chronovisor-scenario-" })
  yield* fileSystem.makeDirectory(keep, { recursive: true })
  return keep
})

/** All legs of a scenario, one after the other. `prefix`: of the paths of world files. */
const runOnce = Effect.fnUntraced(function* (
  scenario: Scenario,
  machine: MachineFiles,
  prefix: string,
  run: number,
  progress: RunOptions["progress"],
) {
  const { steps } = scenario
  const done: StepDone[] = []
  const worlds: WorldResult[] = []
  const snapshots = new Map<string, string>()
  /** The world file each snapshot was made in. */
  const holders = new Map<string, string>()
  let world = { path: `${prefix}.cv`, branch: null as string | null, first: 0, fromSeq: 0, survived: -1 }
  let begin: Extract<LegRequest, { task: "run" }>["begin"] = { how: "new", machine }

  /** A step that a resumed world did again must be as it was. */
  const note = Effect.fnUntraced(function* (step: StepDone) {
    const before = done[step.index]
    if (before === undefined) {
      done[step.index] = step
      const declared = steps[step.index]
      if (declared?.verb === "snapshot" && step.digest) {
        snapshots.set(declared.snapshot, step.digest)
        holders.set(declared.snapshot, world.path)
      }
      return yield* progress({ kind: "step", run, step })
    }
    if (before.virtualNs === step.virtualNs && before.digest === step.digest) return
    const what = `Step ${step.index + 1} came out differently after the crash: ${inShort(step)} instead of ${inShort(before)}`
    return yield* new LegHindered({ tag: "Divergence", problem: `${what}; the engine is not deterministic.` })
  })

  for (;;) {
    const { path, branch, first, survived } = world
    const last: LastMessage = yield* converse(
      { task: "run", steps, first, survived, snapshots, path, begin },
      message => {
        if (message.kind === "began") world.fromSeq = message.fromSeq
        return message.kind === "step" ? note(message.step) : Effect.void
      },
    )
    switch (last.kind) {
      case "stands":
        yield* note(last.step)
        world = { ...world, survived: last.step.index }
        begin = { how: "resume", fromSeq: world.fromSeq }
        break
      case "failed":
        yield* progress({ kind: "failed", run, failure: last.failure })
        return { steps: done, worlds, failure: last.failure } satisfies RunResult
      case "restore": {
        worlds.push({ ...last.end, path, branch })
        const restore: Step | undefined = steps[last.index]
        if (restore?.verb !== "restore") throw new Error(`step ${last.index} restores nothing`)
        const name: string = restore.restore
        yield* note({ index: last.index, virtualNs: last.end.virtualNs, digest: null })
        begin = { how: "branch", parent: holders.get(name)!, snapshot: name }
        world = {
          path: `${prefix}-branch-${worlds.length}.cv`,
          branch: name,
          first: last.index + 1,
          fromSeq: 0,
          survived: last.index,
        }
        break
      }
      case "complete":
        worlds.push({ ...last.end, path, branch })
        return { steps: done, worlds, failure: null } satisfies RunResult
      default:
        throw new Error(`a leg ended with "${last.kind}"`)
    }
  }
})

/** What a replay in another process comes to. */
const replayDigests = Effect.fnUntraced(function* (path: string) {
  const last = yield* converse({ task: "replay", path }, () => Effect.void)
  if (last.kind !== "replayed") throw new Error(`a replay ended with "${last.kind}"`)
  return last.digests
})

type LastMessage = Exclude<LegMessage, { readonly kind: "began" | "step" | "hindered" }>

const isLast = ({ kind }: LegMessage): boolean => kind !== "began" && kind !== "step"

/** Has another process do what is asked and gives the last it says. One that stands still is killed then. */
const converse = <E>(request: LegRequest, hear: (message: LegMessage) => Effect.Effect<void, E>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const siblings = yield* Siblings
      const sibling = yield* siblings.start<LegRequest, LegMessage>(legFile, request)
      const last = yield* sibling.messages.pipe(
        Stream.tap(hear),
        Stream.filter(isLast),
        Stream.runHead,
        Effect.map(Option.getOrThrow),
      )
      if (last.kind === "hindered") return yield* new LegHindered(last)
      yield* sibling.kill
      return last as LastMessage
    }),
  )

/** A sentence about the first thing in which a run differs from the first one, or null. */
const differenceOf = (scenario: Scenario, first: RunResult, other: RunResult, run: number): string | null => {
  for (const [index, step] of scenario.steps.entries()) {
    const [a, b] = [first.steps[index]!, other.steps[index]!]
    if (a.virtualNs !== b.virtualNs || a.digest !== b.digest)
      return `Run ${run} differs from run 1 at step ${index + 1} (${describeStep(step)}): ${inShort(b)} instead of ${inShort(a)}.`
  }
  for (const [index, world] of first.worlds.entries()) {
    const same = other.worlds[index]!
    if (world.digest !== same.digest)
      return `Run ${run} ends with the digest ${same.digest} and run 1 with ${world.digest}.`
    if (world.consoleDigest !== same.consoleDigest) return `Run ${run} printed something else than run 1.`
  }
  return null
}

const inShort = ({ virtualNs, digest }: StepDone): string =>
  `${formatVirtual(virtualNs)}${digest === null ? "" : ` with the digest ${digest}`}`
