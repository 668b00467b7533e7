/**
 * Lists of address ranges and of locations that hold for ranges.
 *
 * Specification: DWARF 5, sections 2.17.3, 2.6.2, 7.25, 7.29; DWARF 4, sections 2.17.3 and 2.6.2 for .debug_ranges and .debug_loc.
 */
import type { AddressRange } from "./address-index.ts"
import type { ByteReader } from "./byte-reader.ts"
import type { Entry, Unit } from "./debug-info.ts"
import { Attribute } from "./dwarf-numbers.ts"

/** What an entry of a list means, under the number it has in lists of ranges and in lists of locations. */
const rangeKinds = [
  "end",
  "basex",
  "startx-endx",
  "startx-length",
  "pair",
  "base",
  "start-end",
  "start-length",
] as const
const locationKinds = [
  "end",
  "basex",
  "startx-endx",
  "startx-length",
  "pair",
  "default",
  "base",
  "start-end",
  "start-length",
  "views",
] as const

interface ListEntry extends AddressRange {
  /** Null in lists of ranges. */
  readonly expression: Uint8Array | null
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn
const everywhere: AddressRange = { start: 0n, end: ALL_ONES }

/** The addresses an entry (a unit, function, block) has code at, in the order of the file; nothing a linker threw away. */
export function rangesOf(entry: Entry): AddressRange[] {
  const { elf } = entry.unit.info
  const isThere = ({ start, end }: AddressRange) => end > start && elf.sectionAt(start) !== null
  const list = entry.place(Attribute.ranges)
  if (list !== null) return [...listAt(entry.unit, list, "ranges")].filter(isThere)
  const start = entry.address(Attribute.low_pc)
  if (start === null) return []
  const size = entry.constant(Attribute.high_pc)
  const end = size === null ? entry.address(Attribute.high_pc) : start + size
  return end === null ? [] : [{ start, end }].filter(isThere)
}

/** True if the attribute is a list of locations and not one for all addresses. */
export const isLocationList = (entry: Entry, attribute: number): boolean => entry.place(attribute) !== null

/** The expression that says where something is while the program is at `address`; null if it is nowhere then. */
export function expressionAt(entry: Entry, attribute: number, address: bigint): Uint8Array | null {
  const expression = entry.block(attribute)
  if (expression !== null) return expression
  const list = entry.place(attribute)
  if (list === null) return null
  let byDefault: Uint8Array | null = null
  for (const item of listAt(entry.unit, list, "locations"))
    if (item.start === everywhere.start && item.end === everywhere.end) byDefault = item.expression
    else if (address >= item.start && address < item.end) return item.expression
  return byDefault
}

function listAt(
  unit: Unit,
  place: { readonly value: number; readonly isIndex: boolean },
  content: "ranges" | "locations",
): Generator<ListEntry> {
  const isRanges = content === "ranges"
  if (unit.version < 5)
    return oldList(unit, unit.info.reader(isRanges ? ".debug_ranges" : ".debug_loc", place.value), isRanges)
  const section = isRanges ? ".debug_rnglists" : ".debug_loclists"
  if (!place.isIndex) return list(unit, unit.info.reader(section, place.value), isRanges)
  const base = unit.base(isRanges ? Attribute.rnglists_base : Attribute.loclists_base)
  const offset = unit.info.reader(section, base + place.value * unit.offsetSize).offset(unit.is64)
  return list(unit, unit.info.reader(section, base + offset), isRanges)
}

function* oldList(unit: Unit, reader: ByteReader, isRanges: boolean): Generator<ListEntry> {
  let base = unit.lowAddress
  for (;;) {
    const start = reader.u64()
    const end = reader.u64()
    if (start === 0n && end === 0n) return
    if (start === ALL_ONES) {
      base = end
      continue
    }
    const expression = isRanges ? null : reader.bytes(reader.u16())
    yield { start: base + start, end: base + end, expression }
  }
}

function* list(unit: Unit, reader: ByteReader, isRanges: boolean): Generator<ListEntry> {
  let base = unit.lowAddress
  const address = () => unit.addressNumber(reader.uleb())
  for (;;) {
    const kind = (isRanges ? rangeKinds : locationKinds)[reader.u8()]
    if (kind === "end") return
    if (kind === "base") base = reader.u64()
    else if (kind === "basex") base = address()
    else if (kind === "views") {
      reader.uleb()
      reader.uleb()
    } else {
      const range = rangeIn(reader, kind, base, address)
      yield { ...range, expression: isRanges ? null : reader.bytes(reader.uleb()) }
    }
  }
}

function rangeIn(reader: ByteReader, kind: string | undefined, base: bigint, address: () => bigint): AddressRange {
  switch (kind) {
    case "pair":
      return { start: base + reader.uleb64(), end: base + reader.uleb64() }
    case "start-end":
      return { start: reader.u64(), end: reader.u64() }
    case "startx-endx":
      return { start: address(), end: address() }
    case "start-length": {
      const start = reader.u64()
      return { start, end: start + reader.uleb64() }
    }
    case "startx-length": {
      const start = address()
      return { start, end: start + reader.uleb64() }
    }
    case "default":
      return everywhere
    default:
      return reader.damaged("an entry of a list is of an unknown kind")
  }
}
