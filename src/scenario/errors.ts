/** What can be wrong with a scenario file. Each message is a sentence that says what to do next. */
import { Schema } from "effect"

/** The file does not declare a scenario. Lines and columns count from 1. */
export class ScenarioMalformed extends Schema.TaggedError<ScenarioMalformed>()("ScenarioMalformed", {
  file: Schema.String,
  line: Schema.Number,
  column: Schema.Number,
  /** A sentence without its full stop. */
  problem: Schema.String,
}) {
  override get message(): string {
    return `${this.file}:${this.line}:${this.column}: ${this.problem}.`
  }
}
