/** What can go wrong when history is asked. Each message is a sentence that says what to do next. */
import { Schema } from "effect"

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
