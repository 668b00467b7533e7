/** A moment made up for a test: what is not given is unknown. */
import type { Context } from "../../../src/debugger/predicate/index.ts"

const nothing: Context = {
  hart: 0,
  time: 0n,
  interrupt: null,
  trap: null,
  syscall: null,
  register: () => null,
  csr: () => null,
  memory: () => null,
  physical: () => null,
  symbol: () => null,
  instret: () => null,
  privilege: () => null,
  pid: () => null,
  comm: () => null,
  said: () => false,
}

export const moment = (given: Partial<Context> = {}): Context => ({ ...nothing, ...given })

/** Integer registers a0 to a7 of the hart that is asked. */
export const withArguments = (values: readonly bigint[]): Context =>
  moment({ register: (hart, bank, number) => (hart === null && bank === "x" ? (values[number - 10] ?? null) : null) })
