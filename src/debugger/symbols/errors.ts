/** What can be wrong with a program's file. Each message is a sentence that says what to do next. */
import { Schema } from "effect"

/** The bytes are no linked RV64 program. */
export class ProgramUnusable extends Schema.TaggedError<ProgramUnusable>()("ProgramUnusable", {
  problem: Schema.String,
}) {
  override get message(): string {
    return this.problem
  }
}

/** A section with debug information contradicts itself. `offset` is in bytes from the section's start. */
export class DebugInfoDamaged extends Schema.TaggedError<DebugInfoDamaged>()("DebugInfoDamaged", {
  section: Schema.String,
  offset: Schema.Number,
  problem: Schema.String,
}) {
  override get message(): string {
    return `The program's ${this.section} is damaged at byte ${this.offset} (${this.problem}); build or copy the program again.`
  }
}
