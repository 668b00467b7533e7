/** What gdb's `monitor` says and does: what gdb has no commands for. GDB manual, section "General Query Packets", packet qRcmd. */
import { Effect } from "effect"
import { formatPosition, type PositionMalformed } from "../../events/index.ts"
import { hex } from "../../machine/digest.ts"
import type { Going, TimelineError } from "../../session/timeline/timeline.ts"
import type { Debugger } from "../debugger.ts"
import { virtualEnd } from "../virtual-time.ts"
import { goToWritten } from "../written-moment.ts"

export interface MonitorContext {
  readonly debugged: Debugger
  /** The world's name on the command line. */
  readonly world: string
  readonly going: Going
  /** The machine was taken elsewhere while gdb believes that it stands. */
  readonly moved: () => void
}

type Answer = Effect.Effect<string, TimelineError | PositionMalformed>

interface MonitorCommand {
  readonly usage: string
  readonly does: string
  readonly run: (context: MonitorContext, argument: string) => Answer
}

const CONSOLE_LINES = 20
const CONSOLE_LINES_MAX = 10_000
const CONSOLE_TEXT_MAX = 1 << 20

/** What to type for gdb to look again. */
const LOOK_AGAIN = "Type stepi to have gdb look: it shows this place, and nothing moves."

const seconds = (ns: number): string => `${(ns / 1e9).toFixed(9)} s`

const when = Effect.fnUntraced(function* ({ debugged }: MonitorContext) {
  yield* debugged.timeline.refresh
  const end = yield* virtualEnd(debugged.world)
  const share = end > 0 ? Math.min(1, debugged.nowNs / end) : 1
  return [
    `position      ${formatPosition(debugged.position)}`,
    `virtual time  ${seconds(debugged.nowNs)}`,
    `history       ${(share * 100).toFixed(3)} % of ${seconds(end)}, which ends at ${formatPosition(debugged.timeline.end)}`,
  ].join("\n")
})

const seek = (context: MonitorContext, text: string): Answer =>
  Effect.gen(function* () {
    if (text === "") return `Say where to: ${usageOf("seek")}.`
    const stop = yield* goToWritten(context.debugged, text, context.going)
    if (stop.reason.kind === "cancelled") return "Interrupted; the machine stands where it was."
    context.moved()
    return `${yield* when(context)}\n${LOOK_AGAIN}`
  })

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g

/** What a guest printed must not drive the terminal of who reads it here. */
const plainText = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    .replaceAll(controls, character => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`)

const lastLines = ({ debugged }: MonitorContext, text: string): string => {
  const count = text === "" ? CONSOLE_LINES : Number(text)
  if (!/^\d*$/.test(text) || count < 1 || count > CONSOLE_LINES_MAX)
    return `"${text}" is no number of lines; use 1 to ${CONSOLE_LINES_MAX}.`
  const printed = debugged.printed.slice(-CONSOLE_TEXT_MAX)
  if (printed === "") return "Nothing was printed up to here."
  const lines = plainText(printed).replace(/\n$/, "").split("\n")
  return lines.slice(-count).join("\n")
}

const symbolsNamed = ({ debugged }: MonitorContext, name: string): string => {
  const { symbols } = debugged
  if (symbols.all.length === 0) return "No names of the guest's addresses are known; start cv gdb with --symbols FILE."
  if (name === "") return `${symbols.all.length} names are known; say which: ${usageOf("symbols")}.`
  const found = symbols.find(name)
  if (found !== null) {
    const size = found.size === null ? "" : `, ${found.size} bytes`
    return `${found.name} is at 0x${found.address.toString(16)}${size} (${found.kind})`
  }
  const near = symbols.nearNames(name)
  return `There is no symbol ${name}${near.length > 0 ? `; did you mean ${near.join(" or ")}?` : "."}`
}

const snapshotAdvice = ({ debugged, world }: MonitorContext): string => {
  const position = formatPosition(debugged.position)
  return [
    "History cannot be changed from here. In a shell:",
    `  cv snapshot create ${world} NAME --at ${position}   keeps this state by name`,
    `  cv fork ${world} --at ${position} --name NAME   begins a world of its own here`,
  ].join("\n")
}

const commands: ReadonlyMap<string, MonitorCommand> = new Map(
  Object.entries({
    when: {
      usage: "when",
      does: "virtual time, position, and how much of history lies before",
      run: context => when(context),
    },
    position: {
      usage: "position",
      does: "the position, as other commands take it",
      run: ({ debugged }) => Effect.succeed(formatPosition(debugged.position)),
    },
    digest: {
      usage: "digest",
      does: "a digest of all of the machine here: registers, devices, memory",
      run: ({ debugged }) => Effect.sync(() => hex(debugged.inspection.machine.digest())),
    },
    seek: {
      usage: "seek POSITION|start|end|TIME",
      does: "goes there; TIME is virtual, such as 2.5s or 250ms",
      run: seek,
    },
    console: {
      usage: "console [N]",
      does: `the last lines printed up to here (${CONSOLE_LINES})`,
      run: (context, argument) => Effect.sync(() => lastLines(context, argument)),
    },
    symbols: {
      usage: "symbols NAME",
      does: "where a name of the guest lies",
      run: (context, argument) => Effect.sync(() => symbolsNamed(context, argument)),
    },
    snapshot: {
      usage: "snapshot",
      does: "how to keep this state, or go on from it differently",
      run: context => Effect.sync(() => snapshotAdvice(context)),
    },
    help: { usage: "help", does: "this list", run: () => Effect.sync(helpText) },
  } satisfies Record<string, MonitorCommand>),
)

const usageOf = (name: string): string => `monitor ${commands.get(name)!.usage}`

const helpText = (): string =>
  [...commands.values()].map(({ usage, does }) => `${`monitor ${usage}`.padEnd(38)}${does}`).join("\n")

/** Does what a monitor command says; gives what to print, in whole lines. */
export const runMonitor = (context: MonitorContext, text: string): Effect.Effect<string> => {
  const [name = "", ...rest] = text.trim().split(/\s+/)
  const command = commands.get(name === "" ? "help" : name)
  if (command === undefined)
    return Effect.succeed(`There is no monitor command ${plainText(name)}; monitor help lists those there are.\n`)
  return command.run(context, rest.join(" ")).pipe(
    Effect.catch(error => Effect.succeed(error.message)),
    Effect.map(answer => `${answer}\n`),
  )
}
