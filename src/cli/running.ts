/** What `cv run` and `cv resume` share: flags, the console, and what is said at the end. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { FileUnreadable } from "../host/images/errors.ts"
import type { HostConsole } from "../host/terminal/index.ts"
import type { Condition } from "../session/condition.ts"
import type { EndReason, Summary } from "../session/summary.ts"
import { conditions } from "./engine.ts"
import { Ended } from "./failure.ts"
import { formatCount, formatNs, remark, writeJson } from "./output.ts"

export const runningFlags = {
  until: Flag.String("until").pipe(
    Flag.withMetavar("COND"),
    Flag.withDescription("End when this holds: console:/REGEX/, a virtual time such as 5s, instret:N, or exit"),
    Flag.optional,
  ),
  stdin: Flag.String("stdin").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Type the lines of this file, each when the guest waits for input; the same file gives the same history. Ends when all is typed and nothing was printed for 5 s of virtual time, unless --until says otherwise",
    ),
    Flag.optional,
  ),
}

/** The whole content of a file that the user named. */
export const readInputFile = Effect.fnUntraced(function* (path: string): Effect.fn.Return<Uint8Array, FileUnreadable> {
  const { readContent, reading } = yield* Effect.promise(() => import("../host/images/files.ts"))
  return yield* reading(path, () => readContent(path))
})

/** Options of a run from its flags. */
export const runOptions = Effect.fnUntraced(function* (flags: {
  readonly until: Option.Option<string>
  readonly stdin: Option.Option<string>
}) {
  const { parseCondition } = yield* conditions
  const until: Condition | null = Option.isSome(flags.until) ? yield* parseCondition(flags.until.value) : null
  const script = Option.isSome(flags.stdin) ? yield* readInputFile(flags.stdin.value) : null
  return { until, script }
})

/** What the console of a run depends on. */
export const consoleOptions = (flags: {
  readonly until: Option.Option<string>
  readonly stdin: Option.Option<string>
  readonly json: boolean
}) => ({
  screen: flags.json ? process.stderr : process.stdout,
  limited: Option.isSome(flags.until) || Option.isSome(flags.stdin),
  reads: Option.isNone(flags.stdin),
})

const reasons: Readonly<Record<EndReason, string>> = {
  "powered off": "the guest turned itself off",
  condition: "the condition holds",
  quit: "ended by the operator",
  "script ended": "all was typed and the guest waits, for 5 s of virtual time or longer (--until exit goes on)",
  "nothing to wait for": "the guest waits for something that never comes",
  "end of history": "the end of the history",
}

const mips = ({ instructions, wallMs }: Summary): number => (wallMs > 0 ? instructions / wallMs / 1000 : 0)

/** A process's exit code has eight bits; failure stays failure. */
const processExitCode = (code: number): number => (code === 0 ? 0 : code & 0xff || 1)

/** The result document of a run, a resumption or a replay. */
export const resultDocument = (world: string | null, summary: Summary, exit: number) => ({
  world,
  instructions: summary.instructions,
  virtualNs: summary.virtualNs,
  wallMs: summary.wallMs,
  mips: Math.round(mips(summary) * 100) / 100,
  events: summary.events,
  digest: summary.digest,
  exit,
  reason: summary.reason,
})

/** One line that says how it ended. */
export const summaryLine = (world: string | null, summary: Summary): string => {
  const parts = [
    `${formatCount(summary.instructions)} instructions`,
    `${formatNs(summary.virtualNs)} virtual`,
    `${formatNs(summary.wallMs * 1e6)} real`,
    `${mips(summary).toFixed(1)} MIPS`,
    ...(world === null ? [] : [`${formatCount(summary.events)} events`]),
    `digest ${summary.digest}`,
  ]
  return `${world ?? "not recorded"}: ${reasons[summary.reason]}; ${parts.join(", ")}`
}

/** Whether the cursor probably stands behind a prompt of the guest. */
const breaksOff = ({ reason }: Summary): boolean => process.stderr.isTTY === true && reason !== "powered off"

/** Says how a run ended, and ends the process with its exit code. */
export const reportRun = Effect.fnUntraced(function* (
  world: string | null,
  summary: Summary,
  console: HostConsole,
  flags: { readonly until: Option.Option<string>; readonly json: boolean },
) {
  const { signalExitCode } = yield* Effect.promise(() => import("../host/terminal/index.ts"))
  const signal = console.signal()
  const problem = console.problem()
  const unmet = Option.filter(flags.until, text => isUnmet(text, summary.reason))
  const code = signal ? signalExitCode(signal) : problem || Option.isSome(unmet) ? 1 : processExitCode(summary.exit)
  if (flags.json) yield* writeJson(resultDocument(world, summary, code))
  else yield* remark(`${breaksOff(summary) ? "\n" : ""}${summaryLine(world, summary)}`)
  if (problem) yield* remark(`cv: The console could not be shown any longer: ${problem.message}.`)
  if (Option.isSome(unmet) && !signal)
    yield* remark(`cv: The run ended before ${unmet.value} held: ${reasons[summary.reason]}.`)
  if (code !== 0) return yield* new Ended({ code })
})

/** Whether a run that was to end with a condition ended by itself before. */
const isUnmet = (until: string, reason: EndReason): boolean =>
  reason !== "condition" && reason !== "quit" && !(until === "exit" && reason === "powered off")
