/** What can go wrong with the demonstration. The message is a sentence that says what to do next. */
import { Schema } from "effect"

/** A proof does not hold. */
export class ProofFailed extends Schema.TaggedError<ProofFailed>()("ProofFailed", {
  step: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `The demonstration failed at "${this.step}": ${this.problem} Run it with --keep to look into the worlds it leaves.`
  }
}
