/** From the command line to the end of the process: runs a command, says what went wrong in one sentence, chooses the exit code. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { signalExitCode } from "../host/terminal/ending-signals.ts"
import { root } from "./commands/index.ts"
import { exitCodeOf, isSilent, sentenceOf, usageSentence } from "./failure.ts"
import { endWithoutReader } from "./output.ts"
import { version } from "./version.ts"

const isDebugging = () => process.env.CHRONOVISOR_DEBUG === "1"

/** Help goes to standard output; a wrong command line is one sentence on standard error. */
const presenter = (colors: boolean): CliOutput.Presenter => {
  const formatter = CliOutput.defaultFormatter({ colors, globalFlags: "summary" })
  return {
    present: event => {
      switch (event._tag) {
        case "Help":
          return Console.log(formatter.formatHelpDoc(event.helpDoc))
        case "Version":
          return Console.log(`chronovisor ${event.version}`)
        case "InvalidInvocation":
          return Console.error(`cv: ${usageSentence(event.errors, event.commandPath)}`)
      }
    },
  }
}

const explain = <E>(cause: Cause.Cause<E>) =>
  Effect.suspend(() => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.void
    const error = Cause.squash(cause)
    if (isDebugging()) return Console.error(Cause.pretty(cause))
    return isSilent(error) ? Effect.void : Console.error(`cv: ${sentenceOf(error)}`)
  })

/** A reader that has enough closes the pipe: that ends the process without a word. */
const watchStandardStreams = (): void => {
  process.stdout.on("error", (cause: NodeJS.ErrnoException) => {
    // A run that shows its console there handles it itself.
    if (process.stdout.listenerCount("error") > 1) return
    endWithoutReader(cause)
  })
  process.stderr.on("error", () => {})
}

/** Ends the process once everything written has gone out. */
const exitWith = (code: number): void => {
  process.exitCode = code
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
}

export const main = (commandLine: readonly string[]): void => {
  let signal: NodeJS.Signals | null = null
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(name, () => {
      signal ??= name
      // The runtime interrupts on SIGTERM; a closed terminal means the same.
      if (name === "SIGHUP") process.emit("SIGTERM")
    })
  process.on("uncaughtException", cause => {
    process.stderr.write(`cv: ${isDebugging() ? (cause.stack ?? cause) : sentenceOf(cause)}\n`)
    process.exit(1)
  })
  watchStandardStreams()
  const program = Command.runWith(root, { version })(commandLine).pipe(
    Effect.tapCause(explain),
    Effect.provide(
      Layer.mergeAll(
        NodeServices.layer,
        CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
        CliOutput.layerPresenter(presenter(process.stdout.isTTY === true)),
      ),
    ),
  )
  NodeRuntime.runMain(program, {
    disableErrorReporting: true,
    teardown: exit => {
      if (Exit.isSuccess(exit)) return exitWith(0)
      if (Cause.hasInterruptsOnly(exit.cause)) return exitWith(signalExitCode(signal ?? "SIGINT"))
      exitWith(exitCodeOf(Cause.squash(exit.cause)))
    },
  })
}
