/** `cv scenario`: worlds that files declare, run and judged. */
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { ScenarioListing } from "../../scenario/collection.ts"
import type { Progress, ScenarioResult } from "../../scenario/run.ts"
import type { Scenario } from "../../scenario/scenario.ts"
import { imageStore } from "../engine.ts"
import { Ended, exitCodeOf, sentenceOf } from "../failure.ts"
import { formatTable, remark, writeJson, writeLine } from "../output.ts"
import { jsonFlag } from "../settings.ts"

/** Loaded when a command needs them, as the rest of the engine is. */
const scenarios = Effect.promise(() => import("../../scenario/index.ts"))
const siblings = Layer.unwrap(
  Effect.map(
    Effect.promise(() => import("../../host/sibling-process.ts")),
    ({ Siblings }) => Siblings.layer,
  ),
)

/** The directory `scenarios` of this package. */
const ownScenarios = (): string => {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(directory, "package.json")) && dirname(directory) !== directory)
    directory = dirname(directory)
  return join(directory, "scenarios")
}

interface Outcome {
  readonly file: string
  readonly name: string | null
  readonly outcome: "passed" | "failed" | "skipped" | "hindered"
  readonly problems: readonly string[]
  readonly result: ScenarioResult | null
  readonly code: number
}

const run = Command.make(
  "run",
  {
    files: Argument.String("file").pipe(
      Argument.withMetavar("F"),
      Argument.withDescription("Scenario files"),
      Argument.variadic({ min: 1 }),
    ),
    times: Flag.Int("times").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("How often each is run; all runs must come to the same"),
      Flag.filter(
        times => times >= 1,
        times => `a scenario cannot be run ${times} times`,
      ),
      Flag.withDefault(2),
    ),
    keep: Flag.String("keep").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Keep the world files there"),
      Flag.optional,
    ),
    skipMissing: Flag.Boolean("skip-missing").pipe(
      Flag.withDescription("Skip scenarios whose image is not there"),
      Flag.withDefault(false),
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ files, times, keep, skipMissing, json }) {
    const say = json ? remark : writeLine
    const outcomes: Outcome[] = []
    for (const file of files) {
      const outcome = yield* judgeFile(file, { times, keep: Option.getOrUndefined(keep), skipMissing }, say)
      outcomes.push(outcome)
      if (outcome.outcome === "hindered") yield* remark(`cv: ${outcome.problems[0]}`)
      else if (outcome.outcome === "skipped") yield* say(`- ${outcome.name} skipped: ${outcome.problems[0]}`)
    }
    const code = outcomes.some(outcome => outcome.code === 2) ? 2 : Math.max(...outcomes.map(outcome => outcome.code))
    if (json) yield* writeJson({ scenarios: outcomes.map(({ code: _, ...outcome }) => outcome), exit: code })
    else yield* say(tally(outcomes))
    if (code !== 0) return yield* new Ended({ code })
  }),
).pipe(
  Command.withShortDescription("Run scenarios and check what they assert"),
  Command.withDescription(
    "Runs each scenario several times, every part in a process of its own, requires that all runs come to the same, and replays the recordings.",
  ),
  Command.withExamples([{ command: "cv scenario run scenarios/01-embedded.yaml --times 3" }]),
  Command.provide(Layer.merge(imageStore, siblings)),
)

interface JudgeOptions {
  readonly times: number
  readonly keep: string | undefined
  readonly skipMissing: boolean
}

/** One file from its text to an outcome; what is in the way of it is part of that. */
const judgeFile = Effect.fnUntraced(function* (
  file: string,
  { times, keep, skipMissing }: JudgeOptions,
  say: (line: string) => Effect.Effect<void>,
) {
  const { readScenario, runScenario } = yield* scenarios
  const attempt = Effect.gen(function* () {
    const scenario = yield* readScenario(file)
    yield* say(`${scenario.name}: ${scenario.description}`)
    const report = yield* reporter(scenario, say)
    const result = yield* runScenario(scenario, { times, keep, progress: report }).pipe(
      Effect.catchTag("UnknownImage", problem =>
        skipMissing ? Effect.succeed(problem.message) : Effect.fail(problem),
      ),
    )
    if (typeof result === "string")
      return {
        file,
        name: scenario.name,
        outcome: "skipped",
        problems: [result],
        result: null,
        code: 0,
      } satisfies Outcome
    const { passed, problems } = result
    const outcome = passed ? "passed" : "failed"
    return { file, name: scenario.name, outcome, problems, result, code: passed ? 0 : 1 } satisfies Outcome
  })
  return yield* attempt.pipe(
    Effect.catch(error => {
      const code = error._tag === "LegHindered" ? exitCodeOf({ _tag: error.tag }) : scenarioCodeOf(error)
      const problems = [sentenceOf(error)]
      return Effect.succeed({ file, name: null, outcome: "hindered", problems, result: null, code } satisfies Outcome)
    }),
  )
})

const scenarioCodeOf = (error: { readonly _tag: string }): number =>
  error._tag === "ScenarioMalformed" ? 2 : exitCodeOf(error)

/** Tells of a scenario's run as lines: every step of the first run, of the others that they were equal. */
const reporter = (scenario: Scenario, say: (line: string) => Effect.Effect<void>) =>
  Effect.map(scenarios, ({ describeStep, formatVirtual }) => {
    const line = (mark: string, index: number, virtualNs: number): string =>
      `  ${mark} ${formatVirtual(virtualNs).padStart(14)}  ${describeStep(scenario.steps[index]!)}`
    return (progress: Progress): Effect.Effect<void> => {
      switch (progress.kind) {
        case "step":
          return progress.run === 1 ? say(line("✓", progress.step.index, progress.step.virtualNs)) : Effect.void
        case "failed": {
          const { index, virtualNs, problem, console } = progress.failure
          const tail =
            console === "" ? [] : ["    the console said last:", ...console.split("\n").map(text => `    | ${text}`)]
          return say([line("✗", index, virtualNs), `    ${problem}`, ...tail].join("\n"))
        }
        case "equal":
          return say(`  ✓ run ${progress.run} came to the same, digest ${progress.digest}`)
        case "replayed": {
          const { world, from } = progress
          const what = world.branch === null ? "the recording" : `the branch at ${world.branch}`
          const starts = from.length === 0 ? "" : `, also from ${from.join(", ")}`
          return say(`  ✓ ${what} replays to the same, ${world.events} events${starts}`)
        }
        case "problem":
          return say(`  ✗ ${progress.problem}`)
      }
    }
  })

const tally = (outcomes: readonly Outcome[]): string => {
  const count = (wanted: Outcome["outcome"]) => outcomes.filter(({ outcome }) => outcome === wanted).length
  const parts = [`${count("passed")} of ${outcomes.length} passed`]
  if (count("failed") > 0) parts.push(`${count("failed")} failed`)
  if (count("hindered") > 0) parts.push(`${count("hindered")} could not be run`)
  if (count("skipped") > 0) parts.push(`${count("skipped")} skipped`)
  return parts.join(", ")
}

const ls = Command.make(
  "ls",
  {
    directory: Argument.String("directory").pipe(
      Argument.withMetavar("DIR"),
      Argument.withDescription("Where the scenario files are (default: those that come with Chronovisor)"),
      Argument.optional,
    ),
    json: jsonFlag,
  },
  Effect.fnUntraced(function* ({ directory, json }) {
    const { listScenarios } = yield* scenarios
    const listings = yield* listScenarios(Option.getOrElse(directory, ownScenarios))
    if (json) return yield* writeJson(listings)
    if (listings.length === 0) return yield* remark("There are no scenarios; a scenario is a file NAME.yaml.")
    yield* writeLine(formatTable(["SCENARIO", "MACHINE", "#STEPS", "DESCRIPTION", "FILE"], listings.map(rowOf)))
  }),
).pipe(Command.withShortDescription("List scenarios"), Command.withDescription("Lists the scenarios in a directory."))

const rowOf = ({ file, scenario, problem }: ScenarioListing): readonly string[] =>
  scenario === null
    ? ["(damaged)", "", "", problem, file]
    : [scenario.name, scenario.machine, String(scenario.steps), scenario.description, file]

export const scenario = Command.make("scenario").pipe(
  Command.withShortDescription("Run worlds that files declare"),
  Command.withDescription("Scenarios: files that declare a world, what happens in it and what must hold."),
  Command.withSubcommands([run, ls]),
)
