/** The code around a place: instructions with the names of functions and of what they refer to, and where they begin a line of source. */
import type { Debugger } from "../../../debugger/debugger.ts"
import type { Inspection, PlacedInstruction } from "../../../debugger/inspection.ts"
import { sourceText } from "../../../debugger/source-text.ts"
import { formatAddress, type SymbolSource } from "../../../debugger/symbols/symbol-source.ts"

export type CodeLine =
  | { readonly kind: "label"; readonly name: string }
  | {
      readonly kind: "instruction"
      readonly instruction: PlacedInstruction
      /** The instruction, with the name of where it jumps to instead of the address. */
      readonly text: string
      /** The line of source, where it is another than that of the one before: `main.c:42`. */
      readonly source: string | null
      /** The hart's next one. */
      readonly isNext: boolean
      readonly isCursor: boolean
      /** Whether a breakpoint stops here, or one that is switched off. */
      readonly breakpoint: "on" | "off" | null
    }
  /** No memory from here on. */
  | { readonly kind: "unmapped"; readonly address: bigint }

export interface CodeListing {
  /** The first instruction listed. */
  readonly top: bigint
  readonly lines: readonly CodeLine[]
  /** Where the cursor is: its function, and the line of source. */
  readonly place: string
}

export interface CodeRequest {
  readonly session: Debugger
  /** null: at the hart's next instruction. */
  readonly cursor: bigint | null
  /** The first instruction listed before; kept while the cursor is in sight. */
  readonly top: bigint | null
  readonly rows: number
}

/** Longest function whose beginning instructions are counted from. */
const FUNCTION_BYTES_MAX = 0x4000n
/** Instructions further back than this many bytes come into step again: they are 2 or 4 bytes long. */
const RUN_IN_BYTES = 64n

/** Up to `count` instructions before an address, in order. */
export const instructionsBefore = (
  inspection: Inspection,
  symbols: SymbolSource,
  hart: number,
  address: bigint,
  count: number,
): readonly PlacedInstruction[] => {
  const found = symbols.at(address - 1n)
  const start = found === null ? null : address - 1n - found.offset
  const isNear = start !== null && address - start <= FUNCTION_BYTES_MAX
  const from = isNear ? start : address - BigInt(count) * 4n - RUN_IN_BYTES
  for (let first = from; first < address; first += 2n) {
    const list: PlacedInstruction[] = []
    let next = first
    while (next < address) {
      const instruction = inspection.instruction(hart, next)
      if (instruction === null) break
      list.push(instruction)
      next += BigInt(instruction.bytes)
    }
    if (next !== address) continue
    const missing = count - list.length
    if (!isNear || missing <= 0) return list.slice(-count)
    return [...instructionsBefore(inspection, symbols, hart, first, missing), ...list]
  }
  return []
}

const withTarget = ({ text }: PlacedInstruction, symbols: SymbolSource): string => {
  const match = /^((?:c\.)?(?:j|jal|b\w+) (?:.*, )?)0x([\da-f]+)$/.exec(text)
  return match === null ? text : match[1] + formatAddress(symbols, BigInt(`0x${match[2]}`))
}

/** Lines from an address on. */
const linesFrom = (top: bigint, request: CodeRequest, cursor: bigint, pc: bigint): readonly CodeLine[] => {
  const { session, rows } = request
  const { inspection, symbols, stopPoints, selectedHart: hart } = session
  const lines: CodeLine[] = []
  let sourceBefore: string | null = null
  for (let address = top; lines.length < rows; ) {
    const instruction = inspection.instruction(hart, address)
    if (instruction === null) {
      lines.push({ kind: "unmapped", address })
      break
    }
    const symbol = symbols.at(address)
    if (symbol?.offset === 0n) lines.push({ kind: "label", name: symbol.symbol.name })
    const points = stopPoints.filter(({ place }) => place.kind === "breakpoint" && place.address === address)
    const source = sourceText(session, address)
    lines.push({
      kind: "instruction",
      instruction,
      text: withTarget(instruction, symbols),
      source: source === sourceBefore ? null : source,
      isNext: address === pc,
      isCursor: address === cursor,
      breakpoint: points.length === 0 ? null : points.some(({ isEnabled }) => isEnabled) ? "on" : "off",
    })
    sourceBefore = source
    address += BigInt(instruction.bytes)
  }
  return lines.slice(0, rows)
}

/** The code to be seen. */
export const codeListing = (request: CodeRequest): CodeListing => {
  const { session, rows } = request
  const { inspection, symbols, selectedHart: hart } = session
  const pc = inspection.pc(hart)
  const cursor = request.cursor ?? pc
  const source = sourceText(session, cursor)
  const place = formatAddress(symbols, cursor) + (source === null ? "" : `, ${source}`)
  if (request.top !== null && request.top <= cursor) {
    const lines = linesFrom(request.top, request, cursor, pc)
    const at = lines.findIndex(line => line.kind === "instruction" && line.isCursor)
    if (at >= 0 && (at < rows - 1 || rows <= 2)) return { top: request.top, lines, place }
  }
  const [first] = instructionsBefore(inspection, symbols, hart, cursor, Math.floor(rows / 3))
  for (const top of [first?.address ?? cursor, cursor]) {
    const lines = linesFrom(top, request, cursor, pc)
    if (lines.some(line => line.kind === "instruction" && line.isCursor) || top === cursor) return { top, lines, place }
  }
  throw new RangeError("a listing from the cursor on contains it")
}
