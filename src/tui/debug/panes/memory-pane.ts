/** Memory from an address on: bytes with their letters, or numbers of a unit. */
import { createElement as h } from "react"
import { integerOf } from "../../../debugger/inspection.ts"
import { type Line, line, quiet } from "../../span.ts"
import type { MemoryFormat } from "../order.ts"
import { type MemoryView, memoryRow } from "../scene/memory-view.ts"
import { hex16 } from "../scene/number-text.ts"
import { PaneFrame } from "./pane-frame.ts"
import type { PaneProps } from "./pane-props.ts"

/** Printable ASCII as it is, all else as a dot. */
const letters = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("")

const digitsOf = (bytes: Uint8Array): string[] => Array.from(bytes, byte => byte.toString(16).padStart(2, "0"))

const bytesText = (bytes: Uint8Array, isPaired: boolean): string => {
  const digits = digitsOf(bytes)
  if (!isPaired) return digits.join(" ")
  return digits.map((two, at) => (at % 2 === 0 && at > 0 ? ` ${two}` : two)).join("")
}

const numberText = (bytes: Uint8Array, { unit, digits }: MemoryFormat): string => {
  const value = integerOf(bytes)
  if (digits === "hexadecimal") return value.toString(16).padStart(unit * 2, "0")
  const shown = digits === "signed" ? BigInt.asIntN(unit * 8, value) : value
  return String(shown).padStart({ 1: 4, 2: 6, 4: 11, 8: 20 }[unit])
}

const unitsOf = (bytes: Uint8Array, unit: number): Uint8Array[] =>
  Array.from({ length: Math.floor(bytes.length / unit) }, (_, at) => bytes.subarray(at * unit, (at + 1) * unit))

/** Rows of memory for so many columns. */
export const memoryLines = (view: MemoryView, format: MemoryFormat, columns: number, rows: number): readonly Line[] => {
  const { address } = view
  if (address === null) return [line(quiet(`${view.expression} comes to nothing here`))]
  const row = memoryRow(columns)
  const limit = format.count === null ? view.bytes.length : format.count * format.unit
  const bytes = view.bytes.subarray(0, limit)
  if (bytes.length === 0) return [line(quiet(hex16(address)), quiet("  no memory"))]
  return Array.from({ length: Math.min(rows, Math.ceil(bytes.length / row.bytes)) }, (_, at) => {
    const part = bytes.subarray(at * row.bytes, (at + 1) * row.bytes)
    const isBytes = format.unit === 1 && format.digits === "hexadecimal"
    const width = row.isPaired ? (row.bytes / 2) * 5 - 1 : row.bytes * 3 - 1
    const text = isBytes
      ? bytesText(part, row.isPaired).padEnd(width)
      : unitsOf(part, format.unit)
          .map(unit => numberText(unit, format))
          .join(" ")
    const start = quiet(`${hex16(BigInt.asUintN(64, address + BigInt(at * row.bytes)))}  `)
    return line(start, text, isBytes ? quiet(`  ${letters(part)}`) : "")
  })
}

export const MemoryPane = ({ scene, state, width, height }: PaneProps) => {
  const { expression, symbol } = scene.memory
  return h(PaneFrame, {
    pane: "memory",
    note: symbol === null || symbol === expression ? expression : `${expression}, ${symbol}`,
    width,
    height,
    isFocused: state.focus === "memory",
    lines: memoryLines(scene.memory, state.memory.format, width, height - 1),
  })
}
