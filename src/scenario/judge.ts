/** Whether what a scenario asserts holds of a machine and its console. */
import { hex } from "../machine/digest.ts"
import type { Machine } from "../machine/machine.ts"
import { floatRegisters, integerRegisters } from "../riscv/register.ts"
import { countPattern, type Pattern } from "./quantity.ts"
import type { Assertion, ConsoleAssertion, MemoryAssertion, RegisterAssertion } from "./scenario.ts"

const RAM_START = 0x8000_0000n

export interface Judgement {
  /** A sentence about the first thing that does not hold, null where everything does. */
  readonly problem: string | null
  /** The machine's, where the assertion is about it. */
  readonly digest: string | null
}

/** Judges all parts of an assertion but `exit`. */
export const judge = (
  { console, register, memory, digest }: Omit<Assertion, "exit">,
  machine: Machine,
  text: string,
  snapshots: ReadonlyMap<string, string>,
): Judgement => {
  const found = digest === undefined ? null : hex(machine.digest())
  const expected = digest === undefined || digest === "same" ? found : digestOf(digest, snapshots)
  const problem =
    (console && consoleProblem(console, text)) ??
    (register && registerProblem(register, machine)) ??
    (memory && memoryProblem(memory, machine)) ??
    (found === expected ? null : `The digest is ${found} instead of ${expected}.`)
  return { problem, digest: found }
}

const digestOf = (digest: string | { readonly "same-as": string }, snapshots: ReadonlyMap<string, string>) =>
  typeof digest === "string" ? digest : snapshots.get(digest["same-as"])

const consoleProblem = (assertion: ConsoleAssertion, text: string): string | null => {
  const pattern: Pattern = "contains" in assertion ? assertion.contains : assertion.matches
  const shown = typeof pattern === "string" ? JSON.stringify(pattern) : `${pattern}`
  const times = countPattern(pattern, text)
  if (assertion.count === undefined) return times > 0 ? null : `The console has not said ${shown}.`
  return times === assertion.count
    ? null
    : `The console has said ${shown} ${times} times instead of ${assertion.count}.`
}

const registerProblem = ({ hart = 0, name, value }: RegisterAssertion, machine: Machine): string | null => {
  const { core } = machine
  const found =
    name === "pc"
      ? core.getBig(hart, "pc")
      : integerRegisters.has(name)
        ? core.getBig(hart, "x", integerRegisters.get(name)!)
        : core.getBig(hart, "f", floatRegisters.get(name)!)
  return found === value ? null : `Register ${name} of hart ${hart} is ${word(found)} instead of ${word(value)}.`
}

const memoryProblem = ({ address, size, value }: MemoryAssertion, machine: Machine): string | null => {
  const offset = address - RAM_START
  if (offset < 0n || offset + BigInt(size) > BigInt(machine.config.ramBytes))
    return `The address ${word(address)} lies outside of the RAM, which begins at ${word(RAM_START)}.`
  let found = 0n
  machine.core.needPages(Number(address), size)
  for (const byte of machine.core.ram.slice(Number(offset), Number(offset) + size).reverse())
    found = (found << 8n) | BigInt(byte)
  return found === value ? null : `The ${size} bytes at ${word(address)} are ${word(found)} instead of ${word(value)}.`
}

const word = (value: bigint): string => `0x${value.toString(16)}`
