/** What the demonstration's screen shows: its steps and how far they are, the guest's console, what to type next. */
import type { Line } from "../span.ts"

/** In the order they are taken. */
export const stepNames = ["record", "replay", "repeat", "restore", "flip"] as const
export type StepName = (typeof stepNames)[number]

export interface Step {
  readonly name: StepName
  readonly status: "waiting" | "running" | "proved" | "failed"
  /** How far it is, what it found, or why it failed. */
  readonly lines: readonly Line[]
}

/** A command line worth trying. */
export interface Suggestion {
  /** At most six characters. */
  readonly label: string
  readonly command: string
}

export interface DemoState {
  readonly steps: readonly Step[]
  /** The guest's console so far. */
  readonly console: string
  readonly status: "running" | "proved" | "failed" | "stopped"
  readonly wallMs: number
  readonly suggestions: readonly Suggestion[]
}

export const initialState = (suggestions: readonly Suggestion[]): DemoState => ({
  steps: stepNames.map(name => ({ name, status: "waiting", lines: [] })),
  console: "",
  status: "running",
  wallMs: 0,
  suggestions,
})

/** The state with one step changed. */
export const withStep = (state: DemoState, name: StepName, change: Partial<Omit<Step, "name">>): DemoState => ({
  ...state,
  steps: state.steps.map(step => (step.name === name ? { ...step, ...change } : step)),
})
