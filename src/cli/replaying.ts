/** What `cv replay` and `cv snapshot restore` share. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Answerless } from "../host/terminal/answerless.ts"
import { openScreen } from "../host/terminal/screen.ts"
import { floatRegisterNames, integerRegisterNames } from "../riscv/register.ts"
import type { Flip } from "../session/replay.ts"
import { conditions, events, sessions, withTier } from "./engine.ts"
import { Ended, Misused } from "./failure.ts"
import { endWithoutReader, remark, writeJson } from "./output.ts"
import { progressBar } from "./progress.ts"
import { resultDocument, summaryLine } from "./running.ts"
import { jsonFlag } from "./settings.ts"
import { worldNameOf } from "./world-name.ts"

export const replayFlags = {
  until: Flag.String("until").pipe(
    Flag.withMetavar("POS|COND"),
    Flag.withDescription("Stop at a position (r1204.m0.h1.i123456789), or when a condition holds as in cv run"),
    Flag.optional,
  ),
  flip: Flag.String("flip").pipe(
    Flag.withMetavar("HART:REG:BIT@N"),
    Flag.withDescription("For trying out: flip a bit of a register when the hart has executed N instructions"),
    Flag.optional,
  ),
  json: jsonFlag,
}

const NEWLINE = 10

const parseFlip = (text: string): Effect.Effect<Flip, Misused> => {
  const match = /^(\d):(\w+):(\d{1,2})@(\d{1,15})$/.exec(text)
  const name = match?.[2]?.toLowerCase() ?? ""
  const numbered = /^x([12]?\d|3[01])$/.exec(name)
  const register = numbered ? Number(numbered[1]) : name === "fp" ? 8 : integerRegisterNames.indexOf(name)
  if (match === null || register < 1 || Number(match[3]) > 63) {
    const what = floatRegisterNames.includes(name) ? "only integer registers can be flipped; " : ""
    return Effect.fail(
      new Misused({
        problem: `"${text}" names no bit to flip: ${what}write it as HART:REGISTER:BIT@INSTRUCTIONS, for example 0:a0:3@1000000.`,
      }),
    )
  }
  return Effect.succeed({ hart: Number(match[1]), register, bit: Number(match[3]), executed: Number(match[4]) })
}

/** A position as it is printed everywhere. */
export const parsePositionText = Effect.fnUntraced(function* (text: string) {
  const { parsePosition, PositionMalformed } = yield* events
  return yield* Effect.try({
    try: () => parsePosition(text),
    catch: cause => (cause instanceof PositionMalformed ? cause : new PositionMalformed({ text })),
  })
})

/** Whether a text is meant as a position. */
export const looksLikePosition = (text: string): boolean => /^r\d/.test(text)

/** A position where the text looks like one, else a condition. */
const parseUntil = Effect.fnUntraced(function* (text: string) {
  if (looksLikePosition(text)) return yield* parsePositionText(text)
  return yield* (yield* conditions).parseCondition(text)
})

/** Replays a world's history from its beginning, or from a snapshot, and says how it went. */
export const replayWorld = Effect.fnUntraced(function* (
  path: string,
  from: string | undefined,
  flags: {
    readonly until: Option.Option<string>
    readonly flip: Option.Option<string>
    readonly json: boolean
  },
) {
  const until = Option.isSome(flags.until) ? yield* parseUntil(flags.until.value) : undefined
  const flip = Option.isSome(flags.flip) ? yield* parseFlip(flags.flip.value) : undefined
  const { replay } = yield* sessions
  const { WorldStore } = yield* events
  const world = worldNameOf(path)
  const summary = yield* Effect.scoped(
    Effect.gen(function* () {
      const recorded = yield* (yield* WorldStore).openReadOnly(path)
      const harts = recorded.genesis.machines[0].harts
      if (flip && flip.hart >= harts)
        return yield* new Misused({ problem: `${world} has no hart ${flip.hart}; its harts are 0 to ${harts - 1}.` })
      const last = (yield* recorded.head).seq
      const bar = yield* progressBar()
      let lineIsEmpty = true
      const stream = flags.json ? process.stderr : process.stdout
      const screen = openScreen(stream, endWithoutReader)
      const answerless = stream.isTTY ? new Answerless() : null
      yield* Effect.addFinalizer(() => Effect.sync(screen.close))
      const replaying = replay(path, {
        ...(until === undefined ? {} : { until }),
        ...(from === undefined ? {} : { from }),
        ...(flip === undefined ? {} : { flip }),
        show: output => {
          if (output.length === 0) return
          bar.clear()
          screen.show(answerless ? answerless.take(output) : output)
          lineIsEmpty = output.at(-1) === NEWLINE
        },
        // Console and bar may share a terminal: the bar has only lines that the console leaves empty.
        progress: seq => {
          if (lineIsEmpty) bar.show(`Replaying ${world}`, seq, last)
        },
        breathe: screen.breathe,
      })
      return yield* withTier(replaying)
    }),
  )
  if (flags.json) yield* writeJson(resultDocument(world, summary, summary.exit & 0xff))
  else yield* remark(`${summaryLine(world, summary)}; every event is as recorded`)
  if (flip)
    yield* remark(
      "cv: The flip shows in no recorded event: the history ends before it, or the register was written again first; choose another moment or register.",
    )
  if (summary.exit !== 0) return yield* new Ended({ code: summary.exit & 0xff || 1 })
})
