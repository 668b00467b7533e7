// Reading a saved record field by field, with every field accounted for.

import type { StateRecord, StateValue } from "./state-value.ts"
import type { Uint64 } from "./uint64.ts"

/** A record whose fields are exactly the expected ones. Every reader throws an Error naming component and field. */
export class StateFields {
  readonly #component: string
  readonly #record: StateRecord

  /** @throws Error when `state` is not a record with exactly the fields `names`. */
  constructor(component: string, state: StateValue, names: readonly string[]) {
    if (state === null || typeof state !== "object" || Array.isArray(state) || state instanceof Uint8Array) {
      throw new Error(`The state of ${component} must be a record.`)
    }
    this.#component = component
    this.#record = state as StateRecord
    for (const name of names) {
      if (!Object.hasOwn(this.#record, name)) throw new Error(`The state of ${component} lacks the field "${name}".`)
    }
    for (const name of Object.keys(this.#record)) {
      if (!names.includes(name)) throw new Error(`The state of ${component} has the unknown field "${name}".`)
    }
  }

  value(name: string): StateValue {
    return this.#record[name] as StateValue
  }

  boolean(name: string): boolean {
    const value = this.value(name)
    return typeof value === "boolean" ? value : this.#reject(name, "true or false")
  }

  /** An integer in [minimum, maximum]. */
  integer(name: string, minimum: number, maximum: number): number {
    const value = this.value(name)
    return isIntegerIn(value, minimum, maximum) ? value : this.#reject(name, `an integer from ${minimum} to ${maximum}`)
  }

  uint8(name: string): number {
    return this.integer(name, 0, 0xff)
  }

  uint16(name: string): number {
    return this.integer(name, 0, 0xffff)
  }

  uint32(name: string): number {
    return this.integer(name, 0, 0xffff_ffff)
  }

  uint64(name: string): Uint64 {
    const fields = new StateFields(`${this.#component}.${name}`, this.value(name), ["high", "low"])
    return { high: fields.uint32("high"), low: fields.uint32("low") }
  }

  /** A copy of bytes, at most `lengthMax` of them. */
  bytes(name: string, lengthMax: number): Uint8Array {
    const value = this.value(name)
    return value instanceof Uint8Array && value.length <= lengthMax
      ? value.slice()
      : this.#reject(name, `at most ${lengthMax} bytes`)
  }

  /** Exactly `length` integers in [0, maximum]. */
  integers(name: string, length: number, maximum: number): readonly number[] {
    const value = this.value(name)
    return Array.isArray(value) && value.length === length && value.every(item => isIntegerIn(item, 0, maximum))
      ? value
      : this.#reject(name, `${length} integers from 0 to ${maximum}`)
  }

  array(name: string): readonly StateValue[] {
    const value = this.value(name)
    return Array.isArray(value) ? value : this.#reject(name, "an array")
  }

  #reject(name: string, expected: string): never {
    throw new Error(`The state of ${this.#component} must have ${expected} in the field "${name}".`)
  }
}

const isIntegerIn = (value: StateValue, minimum: number, maximum: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum
