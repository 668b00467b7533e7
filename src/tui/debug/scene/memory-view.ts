/** Memory from an address on, and the stack. */
import { type Inspection, integerOf } from "../../../debugger/inspection.ts"
import { formatAddress, type SymbolSource } from "../../../debugger/symbols/symbol-source.ts"

/** More than any terminal has room for. */
const MEMORY_BYTES = 4096
const STACK_WORDS = 200
const WORD_BYTES = 8

export interface MemoryView {
  /** As it was asked for: `sp+16`. */
  readonly expression: string
  /** The first byte shown, null where the expression comes to nothing. */
  readonly address: bigint | null
  readonly symbol: string | null
  /** As many as there are. */
  readonly bytes: Uint8Array
}

/** How a row of bytes is written: how many, and whether they stand in pairs to save room. */
export interface MemoryRow {
  readonly bytes: 8 | 16
  readonly isPaired: boolean
}

/** Digits of an address, and what stands between the columns. */
const ADDRESS_COLUMNS = 16
const BETWEEN_COLUMNS = 4

/** The row that there is room for. */
export const memoryRow = (columns: number): MemoryRow => {
  const room = columns - ADDRESS_COLUMNS - BETWEEN_COLUMNS
  if (room >= 16 * 4 - 1) return { bytes: 16, isPaired: false }
  if (room >= 16 * 3 + 8 - 1) return { bytes: 16, isPaired: true }
  return { bytes: 8, isPaired: room < 8 * 4 - 1 }
}

export const memoryView = (
  inspection: Inspection,
  symbols: SymbolSource,
  hart: number,
  expression: string,
  address: bigint | null,
): MemoryView => ({
  expression,
  address,
  symbol: address === null || symbols.at(address) === null ? null : formatAddress(symbols, address),
  bytes: address === null ? new Uint8Array(0) : inspection.readSome(hart, address, MEMORY_BYTES),
})

export interface StackWord {
  readonly address: bigint
  /** From `sp`. */
  readonly offset: number
  readonly value: bigint
  /** The symbol it points into. */
  readonly symbol: string | null
}

/** Words from `sp` up, as far as there is memory. */
export const stackWords = (inspection: Inspection, symbols: SymbolSource, hart: number): readonly StackWord[] => {
  const sp = inspection.register(hart, "sp")!
  const bytes = inspection.readSome(hart, sp, STACK_WORDS * WORD_BYTES)
  return Array.from({ length: Math.floor(bytes.length / WORD_BYTES) }, (_, at) => {
    const offset = at * WORD_BYTES
    const value = integerOf(bytes.subarray(offset, offset + WORD_BYTES))
    const symbol = symbols.at(value) === null ? null : formatAddress(symbols, value)
    return { address: BigInt.asUintN(64, sp + BigInt(offset)), offset, value, symbol }
  })
}
