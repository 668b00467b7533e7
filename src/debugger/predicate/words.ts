/** The words of the language, and the names of the values of some of them. RISC-V privileged ISA, section 3.1.15. */
import { privilege } from "../../riscv/csr.ts"
import { floatRegisters, integerRegisters } from "../../riscv/register.ts"
import { cause, interrupt } from "../../riscv/trap.ts"
import { linuxSyscalls } from "../linux-syscalls.ts"
import type { EventWord, UnaryOperator } from "./expression.ts"

export const eventWords = ["interrupt", "trap", "syscall"] as const satisfies readonly EventWord[]
/** Words that a hart may stand before, as in `h1.instret`; `comm`, which is text, aside. */
export const hartWords = ["instret", "privilege", "pid"] as const
export const registers: readonly string[] = ["pc", ...integerRegisters.keys(), ...floatRegisters.keys()]
/** What is written with parentheses or brackets: signs of narrow values, and reads of memory. */
export const signs = ["signed8", "signed16", "signed32"] as const satisfies readonly UnaryOperator[]
export const applied: readonly string[] = [
  ...["mem", "phys"].flatMap(space => [8, 16, 32, 64].map(bits => `${space}${bits}`)),
  ...signs,
]
/** All names that mean something by themselves, CSRs aside. */
export const names: readonly string[] = [
  ...registers,
  ...eventWords,
  ...hartWords,
  ...["hart", "time", "console", "comm"],
  ...applied,
]

/** What is compared with names: `interrupt == timer`. */
export type NamedWord = EventWord | "privilege"

/** A name stands for one value or several: `timer` is the timer interrupt of either level. */
export type ValueNames = ReadonlyMap<string, readonly number[]>

const sources = ["software", "timer", "external"]

/** `timer`, `stimer`, `mtimer` beside `supervisorTimer` and `machineTimer`. */
const interruptNames = (): ValueNames => {
  const full = Object.entries(interrupt)
  const codes = (level: string, source: string) =>
    full
      .filter(([name]) => name.startsWith(level) && name.toLowerCase().endsWith(source))
      .map(([, code]): number => code)
  return new Map<string, readonly number[]>([
    ...full.map(([name, code]) => [name, [code]] as const),
    ...sources.flatMap(source => [
      [source, codes("", source)] as const,
      [`s${source}`, codes("supervisor", source)] as const,
      [`m${source}`, codes("machine", source)] as const,
    ]),
  ])
}

const single = (names: Readonly<Record<string, number>>): readonly (readonly [string, readonly number[]])[] =>
  Object.entries(names).map(([name, value]) => [name, [value]])

export const valueNames: Readonly<Record<NamedWord, ValueNames>> = {
  interrupt: interruptNames(),
  trap: new Map([
    ...single(cause),
    ["misaligned", [cause.instructionMisaligned, cause.loadMisaligned, cause.storeMisaligned]],
    ["accessFault", [cause.instructionAccessFault, cause.loadAccessFault, cause.storeAccessFault]],
    ["pageFault", [cause.instructionPageFault, cause.loadPageFault, cause.storePageFault]],
    ["ecall", [cause.ecallFromU, cause.ecallFromS, cause.ecallFromM]],
  ]),
  syscall: new Map([...linuxSyscalls].map(([name, number]) => [name, [number]])),
  privilege: new Map(single(privilege)),
}

/** The word that a name is a value of, or null. */
export const wordWithValue = (name: string): NamedWord | null =>
  (Object.keys(valueNames) as NamedWord[]).find(word => valueNames[word].has(name)) ?? null
