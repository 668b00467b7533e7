/** A leg: the part of a scenario that happens in one process, between its start, its crashes and its restores. */
import { Effect } from "effect"
import { WorldStore } from "../events/index.ts"
import { breathe } from "../host/sibling-process.ts"
import { branchAt, direct, resumeDirected } from "../session/direct.ts"
import { createWorld, replay } from "../session/session.ts"
import { StepDirector, type StepDone, type StepFailed } from "./director.ts"
import { type MachineFiles, worldSpecOf } from "./machine-files.ts"
import type { Step } from "./scenario.ts"

/** What a process is asked. */
export type LegRequest =
  | {
      readonly task: "run"
      readonly steps: readonly Step[]
      /** The first step of this world. */
      readonly first: number
      /** The last crash that is over, -1 before the first. */
      readonly survived: number
      /** Digests of the snapshots taken so far, by name. */
      readonly snapshots: ReadonlyMap<string, string>
      readonly path: string
      readonly begin:
        | { readonly how: "new"; readonly machine: MachineFiles }
        /** `fromSeq`: the first event that the steps have to do with. */
        | { readonly how: "resume"; readonly fromSeq: number }
        | { readonly how: "branch"; readonly parent: string; readonly snapshot: string }
    }
  | { readonly task: "replay"; readonly path: string }

/** What it says. */
export type LegMessage =
  | { readonly kind: "began"; readonly fromSeq: number }
  | { readonly kind: "step"; readonly step: StepDone }
  /** The machine stands still at a crash and waits to be killed. */
  | { readonly kind: "stands"; readonly step: StepDone }
  | { readonly kind: "failed"; readonly failure: StepFailed }
  | { readonly kind: "restore"; readonly index: number; readonly end: WorldEnd }
  | { readonly kind: "complete"; readonly end: WorldEnd }
  | { readonly kind: "replayed"; readonly digests: readonly ReplayDigest[] }
  /** Something was in the way. `input`: it lies in what was given. */
  | { readonly kind: "hindered"; readonly tag: string; readonly problem: string }

/** What a world came to. */
export interface WorldEnd {
  readonly digest: string
  readonly consoleDigest: string
  readonly virtualNs: number
  readonly events: number
  readonly instructions: number
}

/** What a replay came to; `from` is a snapshot, null for the beginning. */
export interface ReplayDigest {
  readonly from: string | null
  readonly digest: string
}

/** The first event after `genesis` and `started`. */
const FIRST_DIRECTED_SEQ = 2

type Say = (message: LegMessage) => Effect.Effect<void>

/** Does what a request asks; all that can be said about it is said, the last of it when the world file is closed. */
export const runLeg = (request: LegRequest, say: Say) =>
  Effect.gen(function* () {
    return request.task === "run" ? yield* runSteps(request, say) : yield* replayAll(request.path)
  }).pipe(
    Effect.scoped,
    Effect.catch(error => {
      const message: LegMessage = { kind: "hindered", tag: error._tag, problem: error.message }
      return Effect.succeed(message)
    }),
    Effect.flatMap(say),
  )

const runSteps = (request: Extract<LegRequest, { task: "run" }>, say: Say) =>
  Effect.gen(function* () {
    const { begin, path } = request
    const reports: LegMessage[] = []
    const director = new StepDirector({
      ...request,
      done: step => void reports.push({ kind: "step", step }),
      crash: step => Effect.andThen(tell, say({ kind: "stands", step })),
    })
    const tell = Effect.suspend(() => Effect.forEach(reports.splice(0), say, { discard: true }))
    const open = Effect.gen(function* () {
      switch (begin.how) {
        case "new": {
          const { world, machine } = yield* createWorld(path, yield* worldSpecOf(begin.machine))
          yield* say({ kind: "began", fromSeq: FIRST_DIRECTED_SEQ })
          return { world, machine, exit: null, woken: null }
        }
        case "resume":
          return yield* resumeDirected(path, begin.fromSeq, director)
        case "branch": {
          const { stage, snapshot } = yield* branchAt(begin.parent, begin.snapshot, path, director)
          yield* say({ kind: "began", fromSeq: snapshot.seq + 1 })
          return stage
        }
      }
    })
    const summary = yield* direct(yield* open, director, Effect.andThen(tell, breathe))
    yield* tell
    const { verdict } = director
    if (verdict === null) throw new Error("a directed run ended without a verdict")
    const end: WorldEnd = {
      digest: summary.digest,
      consoleDigest: director.consoleDigest,
      virtualNs: summary.virtualNs,
      events: summary.events,
      instructions: summary.instructions,
    }
    return (verdict.kind === "failed" ? verdict : { ...verdict, end }) satisfies LegMessage
  })

/** Replays a world from the beginning and from each of its snapshots to its end. */
const replayAll = (path: string) =>
  Effect.gen(function* () {
    const world = yield* (yield* WorldStore).openReadOnly(path)
    const names = (yield* world.snapshots).flatMap(({ name }) => name ?? [])
    const digests = yield* Effect.forEach([null, ...names], from =>
      Effect.map(replay(path, { breathe, ...(from === null ? {} : { from }) }), ({ digest }) => ({ from, digest })),
    )
    return { kind: "replayed", digests } satisfies LegMessage
  })
