/** Tells the demonstration as lines of text, each step when it is over. */
import type { Step } from "../../tui/demo/demo-state.ts"
import { plainEnd, plainStep } from "../../tui/demo/plain-report.ts"
import type { View } from "./demonstration.ts"

const isOver = (step: Step): boolean => step.status === "proved" || step.status === "failed"

export const plainView = (write: (text: string) => void): View => {
  let told = 0
  const tell = (lines: readonly string[]) => write(lines.map(text => `${text}\n`).join(""))
  return {
    show: state => {
      while (told < state.steps.length && isOver(state.steps[told]!)) tell(plainStep(state.steps[told++]!))
      if (state.status !== "running") tell(plainEnd(state))
    },
  }
}
