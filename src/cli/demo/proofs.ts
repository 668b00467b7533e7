/** The demonstration's steps. Each compares what it made with what it should be, and fails with a sentence where they differ. */
import { spawn } from "node:child_process"
import { statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Schema } from "effect"
import { formatPosition, WorldStore } from "../../events/index.ts"
import { hex } from "../../machine/digest.ts"
import { integerRegisterNames } from "../../riscv/register.ts"
import type { Divergence } from "../../session/errors.ts"
import type { Outside } from "../../session/outside.ts"
import { runMachine } from "../../session/record.ts"
import { createSnapshot, createWorld, replay } from "../../session/session.ts"
import type { Summary } from "../../session/summary.ts"
import type { WorldSpec } from "../../session/world-spec.ts"
import type { StepName } from "../../tui/demo/demo-state.ts"
import * as story from "../../tui/demo/story.ts"
import type { Line } from "../../tui/span.ts"
import { breathe } from "../progress.ts"
import { typed, wrongBit } from "./embedded-guest.ts"
import { ProofFailed } from "./errors.ts"

/** What a proof tells while it is at work. */
export interface Watch {
  readonly progress: (line: Line) => void
  readonly console: (output: Uint8Array) => void
}

/** What there is to say about a proof that holds. */
export interface Proof {
  readonly lines: readonly Line[]
}

/** A recording and what a repetition of it must equal. */
export interface Recording {
  readonly path: string
  readonly summary: Summary
  readonly console: Uint8Array
  /** Digest of the log's last event, which is chained to all before. */
  readonly chain: string
}

const SNAPSHOT = "halfway"

const unless = (holds: boolean, step: StepName, problem: string): Effect.Effect<void, ProofFailed> =>
  holds ? Effect.void : Effect.fail(new ProofFailed({ step, problem }))

const unlessReplayed = (step: StepName) => (divergence: Divergence) =>
  Effect.fail(new ProofFailed({ step, problem: divergence.message }))

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const recordGuest = (step: StepName, path: string, spec: WorldSpec, watch: Watch) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { world, machine } = yield* createWorld(path, spec)
      const output: Uint8Array[] = []
      const outside: Outside = {
        pace: "virtual",
        typed: () => new Uint8Array(0),
        quits: () => false,
        show: bytes => {
          output.push(bytes)
          watch.console(bytes)
        },
        breathe: Effect.andThen(
          Effect.sync(() => watch.progress(story.recording(machine.executed))),
          breathe,
        ),
        wait: () => Effect.succeed(0),
      }
      const script = new TextEncoder().encode(typed)
      const summary = yield* runMachine(machine, world.log, outside, { until: null, script })
      yield* unless(
        summary.reason === "powered off" && summary.exit === 0,
        step,
        `the guest should have switched itself off with status 0, but: ${summary.reason}, status ${summary.exit}.`,
      )
      const { digest } = yield* world.head
      return { path, summary, console: Buffer.concat(output), chain: hex(digest) } satisfies Recording
    }),
  )

/** Records the guest. */
export const proveRecord = (directory: string, spec: WorldSpec, watch: Watch) =>
  Effect.gen(function* () {
    const recording = yield* recordGuest("record", join(directory, "demo.cv"), spec, watch)
    const { size } = statSync(recording.path)
    return { recording, lines: story.recorded(recording.summary, spec.harts, size, recording.console.length) }
  })

/** Replays all of a recording. */
export const proveReplay = (recording: Recording, watch: Watch) =>
  Effect.gen(function* () {
    const { summary } = recording
    const output: Uint8Array[] = []
    const again = yield* replay(recording.path, {
      show: bytes => void output.push(bytes),
      progress: seq => watch.progress(story.comparing(seq + 1, summary.events)),
      breathe,
    }).pipe(Effect.catchTag("Divergence", unlessReplayed("replay")))
    yield* unless(
      again.events === summary.events,
      "replay",
      `${again.events} events were compared, ${summary.events} recorded.`,
    )
    yield* unless(
      equal(Buffer.concat(output), recording.console),
      "replay",
      "the console of the replay is not that of the recording.",
    )
    yield* unless(
      again.digest === summary.digest && again.instructions === summary.instructions,
      "replay",
      `the replay ended with digest ${again.digest} after ${again.instructions} instructions, the recording with ${summary.digest} after ${summary.instructions}.`,
    )
    return { lines: story.replayed(again) }
  })

/** Records the guest a second time: determinism, without any log to follow. */
export const proveRepeat = (recording: Recording, directory: string, spec: WorldSpec, watch: Watch) =>
  Effect.gen(function* () {
    const second = yield* recordGuest("repeat", join(directory, "again.cv"), spec, watch)
    yield* unless(
      second.summary.digest === recording.summary.digest && equal(second.console, recording.console),
      "repeat",
      `the second recording ended with digest ${second.summary.digest}, the first with ${recording.summary.digest}.`,
    )
    yield* unless(
      second.chain === recording.chain,
      "repeat",
      `the events of the second recording have the digest ${second.chain}, those of the first ${recording.chain}.`,
    )
    return { lines: story.repeated(second.summary.events) }
  })

/** Makes a snapshot in the middle of the history. */
const snapshotHalfway = (recording: Recording, watch: Watch) =>
  Effect.gen(function* () {
    const middle = Math.floor(recording.summary.events / 2)
    const [event] = yield* Effect.scoped(
      Effect.gen(function* () {
        const world = yield* (yield* WorldStore).openReadOnly(recording.path)
        return yield* world.readEvents({ fromSeq: middle, toSeq: middle }, 1)
      }),
    )
    return yield* createSnapshot(recording.path, SNAPSHOT, event!.position, {
      progress: seq => watch.progress(story.comparing(seq + 1, middle)),
      breathe,
    }).pipe(Effect.catchTag("Divergence", unlessReplayed("restore")))
  })

/** What the second process says about its replay. */
const ReplayDocument = Schema.fromJsonString(Schema.Struct({ digest: Schema.String, events: Schema.Int }))

// Everything that is built stands in one folder.
const mainFile = new URL(import.meta.url.endsWith(".ts") ? "../main.ts" : "./main.js", import.meta.url)

/**
 * Runs `cv replay WORLD --from SNAPSHOT --json` as a process of its own, which shares nothing with this one but the file. Its console
 * goes to standard error. It ends when the effect is interrupted.
 */
const replayElsewhere = (path: string) =>
  Effect.callback<{ readonly document: string; readonly console: Uint8Array }, ProofFailed>(resume => {
    const program = fileURLToPath(mainFile)
    const child = spawn(process.execPath, [program, "replay", path, "--from", SNAPSHOT, "--json"], {
      stdio: ["ignore", "pipe", "pipe"],
    })
    const printed: { stdout: Uint8Array[]; stderr: Uint8Array[] } = { stdout: [], stderr: [] }
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (bytes: Uint8Array) => void printed[name].push(bytes))
    const fail = (problem: string) => resume(Effect.fail(new ProofFailed({ step: "restore", problem })))
    child.on("error", cause => fail(`no second process could be started (${cause.message}).`))
    child.on("close", (code, signal) => {
      const console = Buffer.concat(printed.stderr)
      if (code === 0) return resume(Effect.succeed({ document: Buffer.concat(printed.stdout).toString(), console }))
      const lastWords = console.toString().trim().split("\n").at(-1) || "it said nothing"
      fail(`the second process ended with ${signal ?? `status ${code}`}: ${lastWords}`)
    })
    return Effect.sync(() => void child.kill())
  })

/** Carries the machine on from a snapshot in another process. */
export const proveRestore = (recording: Recording, watch: Watch) =>
  Effect.gen(function* () {
    const snapshot = yield* snapshotHalfway(recording, watch)
    const { document, console } = yield* replayElsewhere(recording.path)
    const report = yield* Schema.decodeEffect(ReplayDocument)(document).pipe(
      Effect.mapError(
        () => new ProofFailed({ step: "restore", problem: `the second process printed ${JSON.stringify(document)}.` }),
      ),
    )
    const events = recording.summary.events - (snapshot.seq + 1)
    yield* unless(
      report.events === events,
      "restore",
      `the second process compared ${report.events} events, ${events} follow the snapshot.`,
    )
    const tail = recording.console.subarray(recording.console.length - console.length)
    yield* unless(
      console.length > 0 && equal(console, tail),
      "restore",
      "the console of the second process is not the end of the recording's.",
    )
    yield* unless(
      report.digest === recording.summary.digest,
      "restore",
      `the second process ended with digest ${report.digest}, the recording with ${recording.summary.digest}.`,
    )
    return { lines: story.restored(formatPosition(snapshot.position), report.events) }
  })

/** Replays with one bit turned over. The report must name exactly that. */
export const proveFlip = (recording: Recording, watch: Watch) =>
  Effect.gen(function* () {
    const { hart, register, bit, executed } = wrongBit
    const name = integerRegisterNames[register]!
    watch.progress(story.flipping(wrongBit, name))
    const divergence = yield* replay(recording.path, { flip: wrongBit, breathe }).pipe(
      Effect.as(null),
      Effect.catchTag("Divergence", found => Effect.succeed(found)),
    )
    if (divergence === null)
      return yield* new ProofFailed({ step: "flip", problem: "the replay with a wrong bit was taken for good." })
    const { instruction } = divergence
    if (instruction === null)
      return yield* new ProofFailed({ step: "flip", problem: `no instruction was named. ${divergence.message}` })
    yield* unless(
      instruction.position.endsWith(`.h${hart}.i${executed}`),
      "flip",
      `the bit was turned over after instruction ${executed} of hart ${hart}, the report names ${instruction.position}.`,
    )
    const [difference, ...others] = instruction.registers
    yield* unless(
      others.length === 0 &&
        difference?.register === `hart ${hart} ${name}` &&
        (BigInt(difference.expected) ^ BigInt(difference.found)) === 1n << BigInt(bit),
      "flip",
      `only bit ${bit} of ${name} on hart ${hart} differs, the report says: ${divergence.message}`,
    )
    return { lines: story.found(wrongBit, name, divergence, instruction) }
  })
