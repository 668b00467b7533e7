/** What can go wrong with the demonstration. */
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

/** The demonstration cannot be given. */
export class CannotDemonstrate extends Schema.TaggedError<CannotDemonstrate>()("CannotDemonstrate", {
  problem: Schema.String,
}) {
  override get message(): string {
    return this.problem
  }
}
