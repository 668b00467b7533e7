/** What becomes of a failed command: its sentence, and its exit code. */
import type { NonShowHelpErrors } from "effect/cli/CliError"
import * as Schema from "effect/Schema"

/** The process is to end with this code and everything has been said. */
export class Ended extends Schema.TaggedError<Ended>()("Ended", { code: Schema.Number }) {}

/** The command line asks for something that makes no sense. `problem` is a sentence that says what to do next. */
export class Misused extends Schema.TaggedError<Misused>()("Misused", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** Something on this computer is in the way. `problem` is a sentence that says what to do next. */
export class Hindered extends Schema.TaggedError<Hindered>()("Hindered", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** Errors that lie in what was asked for or given, and not in how things went. */
const inputErrors: ReadonlySet<string> = new Set([
  "Misused",
  "ShowHelp",
  // session
  "CannotStart",
  "ConditionMalformed",
  "ScenarioMalformed",
  "ForkPastEnd",
  "PositionNotReached",
  "PositionNowhere",
  "PositionPassed",
  "HistoryEnded",
  // debugger
  "AddressMalformed",
  "AddressNotMemory",
  "AddressUnmapped",
  "DebugInfoDamaged",
  "PredicateMalformed",
  // events
  "ForkTooDeep",
  "ParentUnusable",
  "PositionMalformed",
  "SnapshotInherited",
  "SnapshotNotFound",
  "SnapshotExists",
  "SqlRefused",
  "SqlFailed",
  "UnknownEvent",
  "WorldExists",
  "WorldHasForks",
  "WorldNewer",
  "WorldNotFound",
  "WorldUnreadable",
  // images
  "FileUnreadable",
  "ImageExists",
  "ImageNameInvalid",
  "KernelRejected",
  "UnknownImage",
])

const tagOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "_tag" in error ? String(error._tag) : ""

/** 2 for a wrong command line or unusable input, 1 for what went wrong while operating. */
export const exitCodeOf = (error: unknown): number => {
  if (error instanceof Ended) return error.code
  const tag = tagOf(error)
  // Help that was not asked for because nothing was: see `cv` alone.
  if (tag === "ShowHelp" && isBareHelp(error)) return 0
  return inputErrors.has(tag) ? 2 : 1
}

const isBareHelp = (error: unknown): boolean => {
  const { errors, commandPath } = error as { errors: readonly unknown[]; commandPath: readonly string[] }
  return errors.length === 0 && commandPath.length === 1
}

/** Whether everything about it has been said already. */
export const isSilent = (error: unknown): boolean => error instanceof Ended || tagOf(error) === "ShowHelp"

/** One line about an error. */
export const sentenceOf = (error: unknown): string => {
  if (tagOf(error) !== "" && error instanceof Error) return oneLine(error.message)
  const what = error instanceof Error ? error.message : String(error)
  return `An internal error happened (${oneLine(what)}); run it again with CHRONOVISOR_DEBUG=1 and report what that prints.`
}

/** Text with its line ends taken out. */
export const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, " ").trim()

/** One sentence for a command line that cannot be understood. */
export const usageSentence = (errors: readonly NonShowHelpErrors[], commandPath: readonly string[]): string => {
  const command = commandPath.join(" ")
  const help = `see \`${command} --help\``
  const [error] = errors
  switch (error?._tag) {
    case "UnrecognizedOption":
      return `There is no flag ${error.option} in ${command}; ${meant(error.suggestions) ?? help}.`
    case "UnknownSubcommand":
      return `There is no command ${error.subcommand} in ${command}; ${meant(error.suggestions) ?? help}.`
    case "MissingArgument":
      return `${command} needs ${error.argument.toUpperCase()}; ${help}.`
    case "MissingOption":
      return `${command} needs --${error.option}; ${help}.`
    case "UnexpectedArgument":
      return `${command} does not take ${error.arguments.map(value => JSON.stringify(value)).join(", ")}; ${help}.`
    case "InvalidValue": {
      const name =
        error.kind === "flag"
          ? error.option.length === 1
            ? `-${error.option}`
            : `--${error.option}`
          : error.option.toUpperCase()
      if (error.value === "") return `${name} needs a value; ${help}.`
      return `${name} cannot be "${error.value}": ${oneLine(error.expected)
        .replace(/^Expected:?\s*/, "expected ")
        .replace(/\.$/, "")}; ${help}.`
    }
    default:
      return `${oneLine(error?.message ?? "The command line cannot be understood").replace(/\.$/, "")}; ${help}.`
  }
}

const meant = (suggestions: readonly string[]): string | null =>
  suggestions.length > 0 ? `perhaps ${suggestions.join(" or ")} was meant` : null
