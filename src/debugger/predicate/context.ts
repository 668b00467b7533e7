/** The moment at which an expression is asked: everything it may look at. */
import type { HartChoice, RegisterBank } from "./expression.ts"

/**
 * A machine between two instructions, seen from one of its harts. Values are unsigned and fit 64 bits; null is unknown: no such hart,
 * nothing mapped there, no such symbol, no such moment. A hart that is null is the one at which it is asked.
 */
export interface Context {
  /** The hart at which it is asked: the one that runs at this moment. */
  readonly hart: number
  /** Nanoseconds of virtual time: how far the furthest hart has come, so that it never goes back within a history. */
  readonly time: bigint
  /** The cause of the interrupt that has been taken right now: `pc` is at its handler. */
  readonly interrupt: number | null
  /** The code of the exception that has been taken right now. */
  readonly trap: number | null
  /** The number in a7 of the environment call from user mode that has been taken right now; `trap` is then known too. */
  readonly syscall: bigint | null
  register(hart: HartChoice, bank: RegisterBank, number: number): bigint | null
  /** What the hart would read in machine mode: `sstatus`, `sie` and `sip` are views of `mstatus`, `mie` and `mip`. */
  csr(hart: HartChoice, csr: number): bigint | null
  /** Little-endian. The hart's translation decides what is there, its rights do not. */
  memory(hart: HartChoice, address: bigint, bytes: number): bigint | null
  /** Little-endian. */
  physical(address: bigint, bytes: number): bigint | null
  symbol(name: string): bigint | null
  /** Instructions executed, as in positions. */
  instret(hart: HartChoice): bigint | null
  /** 0 user, 1 supervisor, 3 machine. */
  privilege(hart: HartChoice): number | null
  /** The task that runs on the hart: its process and its name. */
  pid(hart: HartChoice): bigint | null
  comm(hart: HartChoice): string | null
  /** Whether the console's text up to this moment has ever matched; always asked with the expression's own pattern object. */
  said(pattern: RegExp): boolean
}
