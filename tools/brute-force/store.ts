/** Stores, read off the instructions themselves: an independent word on what watchpoints say. */
import { disassemble } from "../../src/riscv/disassembler.ts"
import { integerRegisters } from "../../src/riscv/register.ts"

/** An instruction that stores. */
export interface Store {
  readonly text: string
  /** The register that the address is counted from, and how far from there it lies. */
  readonly base: number
  readonly offset: number
  readonly bytes: number
  /** Of the instruction. */
  readonly length: 2 | 4
  /** The register that says whether it did store: 0; null where it always does. */
  readonly failed: number | null
}

const STORE =
  /^(?:c\.)?(?:f?s(?<width>[bhwd])(?:sp)?|(?<name>sc|amo\w+)\.(?<atomic>[wd])\S*) (?<first>\w+).*?(?<offset>-?\d+)?\((?<base>\w+)\)$/
const WIDTHS: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8 }

const read = (word: number): Store | null => {
  const { text, length } = disassemble(word, 0n)
  const { width, name, atomic, first, offset, base } = STORE.exec(text)?.groups ?? {}
  if (base === undefined) return null
  return {
    text,
    base: integerRegisters.get(base)!,
    offset: Number(offset ?? 0),
    bytes: WIDTHS[width ?? atomic!]!,
    length,
    failed: name === "sc" ? integerRegisters.get(first!)! : null,
  }
}

const known = new Map<number, Store | null>()

/** What the instruction that begins with these 32 bits stores; null where it does not. */
export const storeOf = (bits: number): Store | null => {
  const word = (bits & 3) === 3 ? bits >>> 0 : bits & 0xffff
  let store = known.get(word)
  if (store === undefined) {
    store = read(word)
    known.set(word, store)
  }
  return store
}
