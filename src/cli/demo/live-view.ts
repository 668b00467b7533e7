/** Shows the demonstration on a terminal: redrawn as it goes, the last screen stays. */
import { Effect } from "effect"
import { wantsColor } from "../../tui/color-context.ts"
import type { DemoState } from "../../tui/demo/demo-state.ts"
import type { View } from "./demonstration.ts"

/** Between two drawings: they take time from the machine. What changes a step's status is drawn at once. */
const FRAME_MS = 150

/** The screen until the scope ends. The views are loaded only here: other commands start faster without. */
export const liveView = (terminal: NodeJS.WriteStream) =>
  Effect.gen(function* () {
    const [{ render }, { createElement }, { DemoTerminal }] = yield* Effect.promise(() =>
      Promise.all([import("ink"), import("react"), import("../../tui/demo/demo-terminal.ts")]),
    )
    const colored = wantsColor(process.env)
    const draw = (state: DemoState) => createElement(DemoTerminal, { state, colored })
    let shown: DemoState | null = null
    let drawnMs = Number.NEGATIVE_INFINITY
    let instance: ReturnType<typeof render> | null = null
    const paint = (state: DemoState) => {
      drawnMs = performance.now()
      if (instance) instance.rerender(draw(state))
      else instance = render(draw(state), { stdout: terminal, patchConsole: false, exitOnCtrlC: false })
    }
    yield* Effect.addFinalizer(() =>
      Effect.promise(async () => {
        if (!instance) return
        if (shown) paint(shown)
        instance.unmount()
        await instance.waitUntilExit()
      }),
    )
    return {
      show: state => {
        const turned = shown?.steps.some((step, at) => step.status !== state.steps[at]!.status) ?? true
        shown = state
        if (turned || performance.now() - drawnMs >= FRAME_MS) paint(state)
      },
    } satisfies View
  })
