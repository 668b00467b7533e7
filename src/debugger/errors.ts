/** What can go wrong when history is asked. Each message is a sentence that says what to do next. */
import { Schema } from "effect"
import { textWithCaret } from "./predicate/caret.ts"

/** Text that should name an address and does not. */
export class AddressMalformed extends Schema.TaggedError<AddressMalformed>()("AddressMalformed", {
  text: Schema.String,
  problem: Schema.String,
}) {
  override get message(): string {
    return `"${this.text}" is no address: ${this.problem}.`
  }
}

/** An address that is not mapped to memory where it is asked. */
export class AddressUnmapped extends Schema.TaggedError<AddressUnmapped>()("AddressUnmapped", {
  text: Schema.String,
  position: Schema.String,
}) {
  override get message(): string {
    return `${this.text} is not mapped at ${this.position}; choose a moment at which it is, or give a physical address as phys:ADDRESS.`
  }
}

/** An address at which there is no memory that could be written. */
export class AddressNotMemory extends Schema.TaggedError<AddressNotMemory>()("AddressNotMemory", {
  text: Schema.String,
  /** The first and last physical address of memory. */
  first: Schema.String,
  last: Schema.String,
}) {
  override get message(): string {
    return `${this.text} lies outside of the machine's memory, which goes from phys:${this.first} to phys:${this.last}; choose an address in it.`
  }
}

/** A predicate or expression that says nothing this engine understands. */
export class PredicateMalformed extends Schema.TaggedError<PredicateMalformed>()("PredicateMalformed", {
  text: Schema.String,
  /** Where in the text, in UTF-16 code units from 0; the text's length for its end. */
  offset: Schema.Number,
  /** A part of a sentence, without its full stop. */
  problem: Schema.String,
}) {
  override get message(): string {
    return `"${this.text}" is not understood at character ${this.offset + 1}: ${this.problem}.`
  }

  /** Two lines for a terminal: the text, and `^` under the place. */
  get caret(): string {
    return textWithCaret(this.text, this.offset)
  }
}

/** Going to the caller of a function whose frame says nothing of it. */
export class CallerUnknown extends Schema.TaggedError<CallerUnknown>()("CallerUnknown", { name: Schema.String }) {
  override get message(): string {
    return `The caller of ${this.name} is not known; give the program's ELF file with its debug information, or set a breakpoint.`
  }
}
