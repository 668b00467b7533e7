/** Scenario files on disk. */
import { Effect, FileSystem, Path } from "effect"
import { FileUnreadable } from "../host/images/index.ts"
import { parseScenario } from "./load.ts"

/** Reads the scenario in a file. */
export const readScenario = Effect.fnUntraced(function* (file: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const source = yield* fileSystem.readFileString(file).pipe(Effect.mapError(error => unreadable(file, error)))
  return yield* parseScenario(file, source)
})

/** A line of the list of scenarios: what one declares, or the sentence that says why it is none. */
export type ScenarioListing =
  | {
      readonly file: string
      readonly scenario: {
        readonly name: string
        readonly description: string
        /** The image or kernel and its harts. */
        readonly machine: string
        readonly steps: number
      }
      readonly problem: null
    }
  | { readonly file: string; readonly scenario: null; readonly problem: string }

/** The scenarios of a directory, files NAME.yaml, sorted. */
export const listScenarios = Effect.fnUntraced(function* (directory: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fileSystem.readDirectory(directory).pipe(Effect.mapError(error => unreadable(directory, error)))
  const files = names.filter(name => name.endsWith(".yaml")).sort()
  return yield* Effect.forEach(files, name => {
    const file = path.join(directory, name)
    return readScenario(file).pipe(
      Effect.map((scenario): ScenarioListing => {
        const harts = scenario.harts ?? 1
        const machine = `${scenario.image ?? path.basename(scenario.kernel!)}, ${harts} hart${harts === 1 ? "" : "s"}`
        const { name, description, steps } = scenario
        return { file, scenario: { name, description, machine, steps: steps.length }, problem: null }
      }),
      Effect.catch(
        (error): Effect.Effect<ScenarioListing> => Effect.succeed({ file, scenario: null, problem: error.message }),
      ),
    )
  })
})

const problems: Readonly<Record<string, string>> = {
  NotFound: "there is no such file",
  PermissionDenied: "permission is denied",
}

/** A file that cannot be read, as a sentence. */
export const unreadable = (
  path: string,
  { reason }: { readonly reason: { readonly _tag: string; readonly message: string } },
): FileUnreadable => new FileUnreadable({ path, problem: problems[reason._tag] ?? reason.message })
