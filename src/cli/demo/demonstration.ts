/** The demonstration from beginning to end, as a changing state that a view shows. */
import { Clock, Effect } from "effect"
import { type DemoState, initialState, type StepName, type Suggestion, withStep } from "../../tui/demo/demo-state.ts"
import { type Line, line } from "../../tui/span.ts"
import { guestSpec } from "./embedded-guest.ts"
import { ProofFailed } from "./errors.ts"
import { type Proof, proveFlip, proveRecord, proveRepeat, proveReplay, proveRestore, type Watch } from "./proofs.ts"

export interface View {
  /** Shows how it stands now; called with every change. */
  readonly show: (state: DemoState) => void
}

/** Gives the demonstration in `directory`, which must be empty; the first proof that fails ends it. */
export const demonstrate = (directory: string, guest: string, suggestions: readonly Suggestion[], view: View) =>
  Effect.gen(function* () {
    const startMs = yield* Clock.currentTimeMillis
    let state = initialState(suggestions)
    const change = (next: DemoState) => {
      state = next
      view.show(state)
    }
    const decoder = new TextDecoder()

    /** Takes a step and shows how it goes. */
    const step = <A extends Proof, E extends Error, R>(
      name: StepName,
      prove: (watch: Watch) => Effect.Effect<A, E, R>,
    ) => {
      change(withStep(state, name, { status: "running" }))
      const progress = (text: Line) => change(withStep(state, name, { lines: [text] }))
      const console = (output: Uint8Array) =>
        change({ ...state, console: state.console + decoder.decode(output, { stream: true }) })
      return prove({ progress, console }).pipe(
        Effect.tap(({ lines }) => Effect.sync(() => change(withStep(state, name, { status: "proved", lines })))),
        Effect.tapError(error =>
          Effect.sync(() => {
            const problem = error instanceof ProofFailed ? error.problem : error.message
            change({ ...withStep(state, name, { status: "failed", lines: [line(problem)] }), status: "failed" })
          }),
        ),
      )
    }

    yield* Effect.gen(function* () {
      const spec = yield* guestSpec(guest)
      const { recording } = yield* step("record", watch => proveRecord(directory, spec, watch))
      yield* step("replay", watch => proveReplay(recording, watch))
      yield* step("repeat", watch => proveRepeat(recording, directory, spec, { ...watch, console: () => {} }))
      yield* step("restore", watch => proveRestore(recording, watch))
      yield* step("flip", watch => proveFlip(recording, watch))
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => change({ ...state, status: "stopped" }))))
    const endMs = yield* Clock.currentTimeMillis
    change({ ...state, status: "proved", wallMs: endMs - startMs })
  })
