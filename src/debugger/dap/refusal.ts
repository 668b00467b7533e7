/** Why a request is not done. */
import { Cause, Schema } from "effect"

/** `problem` is a sentence that says what to do next. */
export class RequestRefused extends Schema.TaggedError<RequestRefused>()("RequestRefused", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

const isTagged = (error: unknown): error is Error => error instanceof Error && "_tag" in error

/** One sentence about what went wrong. */
export const sentenceOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (isTagged(error)) return error.message.replaceAll(/\s*\n\s*/g, " ").trim()
  const what = error instanceof Error ? error.message : String(error)
  return `An internal error happened (${what}); go on with something else, or start anew, and report it.`
}
