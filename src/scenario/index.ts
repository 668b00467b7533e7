/** Scenarios: files that declare a world, what happens in it and what must hold. */
export { listScenarios, readScenario, type ScenarioListing } from "./collection.ts"
export type { StepDone, StepFailed } from "./director.ts"
export { ScenarioMalformed } from "./errors.ts"
export { parseScenario } from "./load.ts"
export { LegHindered, type Progress, type RunOptions, type RunResult, runScenario, type ScenarioResult } from "./run.ts"
export { describeStep, formatVirtual, type Scenario, type Step } from "./scenario.ts"
