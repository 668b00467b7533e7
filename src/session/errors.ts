/** What can go wrong with a session. Each message is a sentence that says what to do next. */
import { Schema } from "effect"

/** The machine described cannot be started. */
export class CannotStart extends Schema.TaggedError<CannotStart>()("CannotStart", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** A condition given as text that says nothing this engine understands. */
export class ConditionMalformed extends Schema.TaggedError<ConditionMalformed>()("ConditionMalformed", {
  text: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `"${this.text}" is no condition: ${this.problem}; use console:/REGEX/, a virtual time such as 5s, instret:N or exit.`
  }
}

/** A register whose value differs. Values are hexadecimal. */
export const RegisterDifference = Schema.Struct({
  register: Schema.String,
  expected: Schema.String,
  found: Schema.String,
})
export type RegisterDifference = typeof RegisterDifference.Type

/** The instruction after which two histories differ. */
export const DivergingInstruction = Schema.Struct({
  /** Position right after it. */
  position: Schema.String,
  pc: Schema.String,
  instruction: Schema.String,
  registers: Schema.Array(RegisterDifference),
})
export type DivergingInstruction = typeof DivergingInstruction.Type

/** A replay that is not what was recorded. */
export class Divergence extends Schema.TaggedError<Divergence>()("Divergence", {
  seq: Schema.Number,
  kind: Schema.String,
  position: Schema.String,
  problem: Schema.String,
  /** null where two clean runs agree with each other and not with the recording. */
  instruction: Schema.NullOr(DivergingInstruction),
}) {
  override get message(): string {
    const where = `The replay differs from the recording at event ${this.seq} (${this.kind}) at ${this.position}: ${this.problem}.`
    if (this.instruction === null)
      return `${where} A second replay gives the same again: the recording was changed, or made by another version of the engine.`
    const { pc, instruction, position, registers } = this.instruction
    const list = registers.map(({ register, expected, found }) => `${register} is ${found} instead of ${expected}`)
    return `${where} First difference at ${position}, after ${instruction} at pc ${pc}: ${list.join(", ") || "memory or devices differ"}.`
  }
}

/** A position that the world's history does not reach. */
export class PositionNotReached extends Schema.TaggedError<PositionNotReached>()("PositionNotReached", {
  wanted: Schema.String,
  end: Schema.String,
}) {
  override get message(): string {
    return `The history ends at ${this.end} and does not reach ${this.wanted}; choose an earlier position.`
  }
}

/** A position that names a machine or a hart that the world has not. */
export class PositionNowhere extends Schema.TaggedError<PositionNowhere>()("PositionNowhere", {
  wanted: Schema.String,
  harts: Schema.Number,
}) {
  override get message(): string {
    const harts = this.harts === 1 ? "one hart, h0" : `${this.harts} harts, h0 to h${this.harts - 1}`
    return `There is no ${this.wanted} in this world, which has one machine, m0, with ${harts}; choose a position of those.`
  }
}

/** A position between two events that the guest steps over. */
export class PositionPassed extends Schema.TaggedError<PositionPassed>()("PositionPassed", {
  wanted: Schema.String,
  found: Schema.String,
}) {
  override get message(): string {
    return `The guest is never at ${this.wanted}: it went past it to ${this.found}; fork it there, at another position, or at a virtual time to leave out what was typed later.`
  }
}

/** A fork of a history that has ended for good, at its end. */
export class ForkPastEnd extends Schema.TaggedError<ForkPastEnd>()("ForkPastEnd", {
  world: Schema.String,
  end: Schema.String,
}) {
  override get message(): string {
    return `The guest in ${this.world} turned itself off at ${this.end}, so a fork could not go on from there; choose an earlier position with --at.`
  }
}

/** A world that was to be continued has ended for good. */
export class HistoryEnded extends Schema.TaggedError<HistoryEnded>()("HistoryEnded", { world: Schema.String }) {
  override get message(): string {
    return `The guest in ${this.world} turned itself off, so there is nothing to resume; replay it, fork it before its end, or run it anew under another name.`
  }
}
