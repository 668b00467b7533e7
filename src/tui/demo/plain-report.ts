/** The demonstration's story as lines of text, for where there is no terminal. The same each time, but for times and the log's size. */
import { lastLines } from "../console-panel.ts"
import { plainText } from "../span.ts"
import type { DemoState, Step } from "./demo-state.ts"

const words: Readonly<Record<Step["status"], string>> = {
  waiting: "not run",
  running: "running",
  proved: "proved",
  failed: "FAILED",
}

const CONSOLE_ROWS = 8

/** A step that is over. */
export const plainStep = (step: Step): readonly string[] => {
  const [first = "", ...rest] = step.lines.map(plainText)
  return [`${step.name.padEnd(8)} ${words[step.status]}: ${first}`, ...rest.map(text => `         ${text}`)]
}

/** What follows the steps. */
export const plainEnd = (state: DemoState): readonly string[] => [
  ...(state.console === ""
    ? []
    : ["the guest's last words:", ...lastLines(state.console, CONSOLE_ROWS).map(text => `  | ${text}`)]),
  {
    proved: `All ${state.steps.length} proofs hold.`,
    failed: "A proof failed.",
    stopped: "Stopped.",
    running: "",
  }[state.status],
  ...state.suggestions.map(({ label, command }) => `${label}: ${command}`),
]
