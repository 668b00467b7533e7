/** Values that have names: what `interrupt`, `trap`, `syscall` and `privilege` are compared with. RISC-V privileged ISA, section 3.1.15. */
import { privilege } from "../../riscv/csr.ts"
import { cause, interrupt } from "../../riscv/trap.ts"
import { linuxSyscalls } from "../linux-syscalls.ts"
import type { EventWord } from "./expression.ts"

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
