/** Instructions around an address, as many as are asked for. RISC-V instructions are 2 or 4 bytes long: before an address one has to guess. */
import type { DebugProtocol } from "@vscode/debugprotocol"
import type { Inspection, PlacedInstruction } from "../inspection.ts"
import type { SymbolSource } from "../symbols/symbol-source.ts"
import type { Debuggee, MemoryPlace } from "./debuggee.ts"

/** So far back a symbol may lie from which instructions are followed, in bytes. */
const FOLLOWED_MAX = 65_536n
/** Without a symbol as many bytes more than needed are followed, so that it is probably right. */
const LEAD = 32n
/** Bytes of the shortest instruction. */
const SHORT = 2n

const hex = (value: bigint): string => `0x${value.toString(16)}`

/** `count` instructions before an address, in order; fewer where there is no memory. */
const instructionsBefore = (
  inspection: Inspection,
  hart: number,
  symbols: SymbolSource,
  address: bigint,
  count: number,
): readonly PlacedInstruction[] => {
  let found: readonly PlacedInstruction[] = []
  let end = address
  while (found.length < count) {
    const part = followedTo(inspection, hart, symbols, end, BigInt(count - found.length))
    if (part.length === 0) break
    found = [...part, ...found]
    end = part[0]!.address
  }
  return found.slice(-count)
}

/** Instructions that lie one behind the other up to an address. */
const followedTo = (
  inspection: Inspection,
  hart: number,
  symbols: SymbolSource,
  end: bigint,
  count: bigint,
): readonly PlacedInstruction[] => {
  const symbol = symbols.at(end - 1n)?.symbol
  const far = end - 4n * count - LEAD
  const starts =
    symbol !== undefined && end - symbol.address <= FOLLOWED_MAX
      ? [symbol.address]
      : Array.from({ length: Number((end - far) / 2n) }, (_, step) => far + 2n * BigInt(step))
  for (const start of starts) {
    if (start < 0n) continue
    const followed: PlacedInstruction[] = []
    let at = start
    while (at < end) {
      const instruction = inspection.instruction(hart, at)
      if (instruction === null) break
      followed.push(instruction)
      at += BigInt(instruction.bytes)
    }
    if (at === end) return followed
  }
  return []
}

const bytesOf = ({ word, bytes }: PlacedInstruction): string =>
  Array.from({ length: bytes }, (_, at) => ((word >>> (8 * at)) & 0xff).toString(16).padStart(2, "0")).join(" ")

/** Exactly `count` instructions, the first of them `offset` instructions behind the one at a place. */
export const listing = (
  debuggee: Debuggee,
  { hart, address }: MemoryPlace,
  offset: number,
  count: number,
): readonly DebugProtocol.DisassembledInstruction[] => {
  const { inspection, symbols } = debuggee.debug
  const wantedBefore = Math.max(0, -offset)
  const before = instructionsBefore(inspection, hart, symbols, address, wantedBefore)
  const after = inspection.instructions(hart, address, Math.max(0, offset + count))
  const begin = before[0]?.address ?? address
  const gap = wantedBefore - before.length
  const front = Array.from({ length: gap }, (_, order) => missing(begin - SHORT * BigInt(gap - order)))
  const shown = [...before, ...after].map(instruction => shownInstruction(instruction, debuggee))
  const list = [...front, ...shown].slice(offset + wantedBefore, offset + wantedBefore + count)
  const last = after.at(-1)
  const end = last === undefined ? address : last.address + BigInt(last.bytes)
  const back = Array.from({ length: count - list.length }, (_, order) => missing(end + SHORT * BigInt(order)))
  return [...list, ...back]
}

const shownInstruction = (
  instruction: PlacedInstruction,
  { view, sources, debug }: Debuggee,
): DebugProtocol.DisassembledInstruction => {
  const place = view.place(instruction.address)
  const symbol = debug.symbols.at(instruction.address)
  return {
    address: hex(instruction.address),
    instruction: instruction.text,
    instructionBytes: bytesOf(instruction),
    ...(symbol?.offset === 0n ? { symbol: symbol.symbol.name } : {}),
    ...(place === null ? {} : { location: sources.sourceOf(place.file), line: place.line }),
  }
}

const missing = (address: bigint): DebugProtocol.DisassembledInstruction => ({
  address: hex(BigInt.asUintN(64, address)),
  instruction: "no memory",
  presentationHint: "invalid",
})
