/**
 * Entries of .debug_info: units, their abbreviations, and attributes read when asked for.
 *
 * Specification: DWARF 5, sections 7.5 (entries) and 7.26 to 7.28 (tables that indexes point into); DWARF 2 to 4 where they
 * differ. Units of other versions are left out, and so is what lies in another file (split and supplementary files).
 */
import { AddressIndex, type AddressRange } from "./address-index.ts"
import { rangesOf } from "./address-lists.ts"
import { ByteReader } from "./byte-reader.ts"
import { Attribute, Form, Tag } from "./dwarf-numbers.ts"
import type { ElfFile, SectionData } from "./elf-file.ts"

/** Kinds of units (DW_UT) whose header holds more than others: a type's signature and place, a number of 8 bytes. */
const UT_TYPE = 2
const UT_SKELETON = 4
const UT_SPLIT_COMPILE = 5
const UT_SPLIT_TYPE = 6

/** How many entries one entry may stand for, one after another, before that is damage. */
const MAX_ORIGINS = 8

interface Abbreviation {
  readonly tag: number
  readonly hasChildren: boolean
  readonly attributes: readonly number[]
  readonly forms: readonly number[]
  /** Values of DW_FORM_implicit_const, at the places of their attributes. */
  readonly constants: readonly bigint[]
}

/** One entry (DIE). Accessors give null where the attribute is absent or its value is of another class. */
export class Entry {
  readonly unit: Unit
  /** Where it begins in .debug_info. */
  readonly offset: number
  readonly tag: number
  readonly hasChildren: boolean
  /** Where what follows its attributes begins: its first child, if it has children. */
  readonly next: number
  private readonly abbreviation: Abbreviation
  private readonly forms: readonly number[]
  private readonly positions: readonly number[]

  /** Reads the entry at the unit's cursor, which moves past it. */
  constructor(unit: Unit, offset: number, abbreviation: Abbreviation) {
    this.unit = unit
    this.offset = offset
    this.tag = abbreviation.tag
    this.hasChildren = abbreviation.hasChildren
    this.abbreviation = abbreviation
    const positions: number[] = []
    let forms = abbreviation.forms
    for (let index = 0; index < forms.length; index++) {
      if (forms[index] === Form.indirect) forms = forms.with(index, unit.cursor.uleb())
      positions.push(unit.cursor.at)
      unit.skipForm(forms[index]!)
    }
    this.forms = forms
    this.positions = positions
    this.next = unit.cursor.at
  }

  has(attribute: number): boolean {
    return this.abbreviation.attributes.includes(attribute)
  }

  /** The attribute's form, with the unit's cursor at its value; 0 if it is absent. */
  private formOf(attribute: number): number {
    const index = this.abbreviation.attributes.indexOf(attribute)
    if (index < 0) return 0
    this.unit.cursor.at = this.positions[index]!
    return this.forms[index]!
  }

  flag(attribute: number): boolean {
    const form = this.formOf(attribute)
    return form === Form.flag_present || (form === Form.flag && this.unit.cursor.u8() !== 0)
  }

  text(attribute: number): string | null {
    const { unit } = this
    const form = this.formOf(attribute)
    switch (form) {
      case Form.string:
        return unit.cursor.text()
      case Form.strp:
        return unit.info.reader(".debug_str", unit.cursor.offset(unit.is64)).text()
      case Form.line_strp:
        return unit.info.reader(".debug_line_str", unit.cursor.offset(unit.is64)).text()
      case Form.strx:
      case Form.strx1:
      case Form.strx2:
      case Form.strx3:
      case Form.strx4: {
        const index = form === Form.strx ? unit.cursor.uleb() : Number(unit.cursor.unsigned(form - Form.strx1 + 1))
        const at = unit.base(Attribute.str_offsets_base) + index * unit.offsetSize
        return unit.info.reader(".debug_str", unit.info.reader(".debug_str_offsets", at).offset(unit.is64)).text()
      }
      default:
        return null
    }
  }

  /** A constant; negative only where its form has a sign. */
  constant(attribute: number): bigint | null {
    const { cursor } = this.unit
    switch (this.formOf(attribute)) {
      case Form.data1:
        return cursor.unsigned(1)
      case Form.data2:
        return cursor.unsigned(2)
      case Form.data4:
        return cursor.unsigned(4)
      case Form.data8:
        return cursor.unsigned(8)
      case Form.sdata:
        return cursor.sleb64()
      case Form.udata:
        return cursor.uleb64()
      case Form.implicit_const:
        return this.abbreviation.constants[this.abbreviation.attributes.indexOf(attribute)]!
      default:
        return null
    }
  }

  number(attribute: number): number | null {
    const value = this.constant(attribute)
    return value === null ? null : Number(value)
  }

  address(attribute: number): bigint | null {
    const { cursor } = this.unit
    const form = this.formOf(attribute)
    switch (form) {
      case Form.addr:
        return cursor.u64()
      case Form.addrx:
      case Form.GNU_addr_index:
        return this.unit.addressNumber(cursor.uleb())
      case Form.addrx1:
      case Form.addrx2:
      case Form.addrx3:
      case Form.addrx4:
        return this.unit.addressNumber(Number(cursor.unsigned(form - Form.addrx1 + 1)))
      default:
        return null
    }
  }

  /** An expression, or bytes as they are. */
  block(attribute: number): Uint8Array | null {
    const { cursor } = this.unit
    switch (this.formOf(attribute)) {
      case Form.exprloc:
      case Form.block:
        return cursor.bytes(cursor.uleb())
      case Form.block1:
        return cursor.bytes(cursor.u8())
      case Form.block2:
        return cursor.bytes(cursor.u16())
      case Form.block4:
        return cursor.bytes(cursor.u32())
      case Form.data16:
        return cursor.bytes(16)
      default:
        return null
    }
  }

  /** A place in another section; `isIndex` if it is a number in the table of lists there. */
  place(attribute: number): { readonly value: number; readonly isIndex: boolean } | null {
    const { cursor, is64 } = this.unit
    switch (this.formOf(attribute)) {
      case Form.sec_offset:
        return { value: cursor.offset(is64), isIndex: false }
      case Form.data4:
        return { value: cursor.u32(), isIndex: false }
      case Form.data8:
        return { value: Number(cursor.u64()), isIndex: false }
      case Form.loclistx:
      case Form.rnglistx:
        return { value: cursor.uleb(), isIndex: true }
      default:
        return null
    }
  }

  /** The entry an attribute names. */
  reference(attribute: number): Entry | null {
    const { unit } = this
    const offset = this.referenceOffset(attribute)
    return offset === null ? null : unit.info.entryAt(offset)
  }

  private referenceOffset(attribute: number): number | null {
    const { cursor, offset, info, is64, version } = this.unit
    switch (this.formOf(attribute)) {
      case Form.ref1:
        return offset + cursor.u8()
      case Form.ref2:
        return offset + cursor.u16()
      case Form.ref4:
        return offset + cursor.u32()
      case Form.ref8:
        return offset + Number(cursor.u64())
      case Form.ref_udata:
        return offset + cursor.uleb()
      case Form.ref_addr:
        return cursor.offset(is64 || version === 2)
      case Form.ref_sig8:
        return info.typePlace(cursor.u64())
      default:
        return null
    }
  }

  /** This entry, then those it is an instance or the definition of. */
  *origins(): Generator<Entry> {
    let entry: Entry | null = this
    for (let count = 0; entry !== null && count < MAX_ORIGINS; count++) {
      yield entry
      entry = entry.reference(Attribute.abstract_origin) ?? entry.reference(Attribute.specification)
    }
  }

  /** What the first entry of `origins` that has something to say gives. */
  inherited<T>(read: (entry: Entry) => T | null): T | null {
    for (const entry of this.origins()) {
      const value = read(entry)
      if (value !== null) return value
    }
    return null
  }

  get name(): string | null {
    return this.inherited(entry => entry.text(Attribute.name))
  }

  /** Entries directly below this one. */
  *children(): Generator<Entry> {
    if (!this.hasChildren) return
    for (let at = this.next; ; ) {
      const child = this.unit.entryOrEnd(at)
      if (child === null) return
      yield child
      at = child.after()
    }
  }

  /** Where the entry after this one and all below it begins. */
  after(): number {
    if (!this.hasChildren) return this.next
    const sibling = this.referenceOffset(Attribute.sibling)
    if (sibling !== null && sibling > this.offset) return sibling
    let at = this.next
    for (let depth = 1; depth > 0; at = this.unit.cursor.at) {
      const entry = this.unit.entryOrEnd(at)
      if (entry === null) depth--
      else if (entry.hasChildren) depth++
    }
    return at
  }
}

/** One unit: a source file as it was compiled, or a type that several of them share. */
export class Unit {
  readonly info: DebugInfo
  /** Where its header begins in .debug_info, and where the next unit does. */
  readonly offset: number
  readonly end: number
  readonly version: number
  readonly is64: boolean
  /** The one reader of the unit's bytes: every use moves it first. */
  readonly cursor: ByteReader
  private readonly first: number
  private readonly abbreviationsAt: number
  private abbreviationTable: ReadonlyMap<number, Abbreviation> | null = null
  private rootEntry: Entry | null = null

  /** `reader` stands behind the unit's header and ends with the unit. */
  constructor(info: DebugInfo, offset: number, header: UnitHeader, reader: ByteReader) {
    this.info = info
    this.offset = offset
    this.end = reader.end
    this.version = header.version
    this.is64 = header.is64
    this.cursor = reader
    this.first = reader.at
    this.abbreviationsAt = header.abbreviationsAt
  }

  get offsetSize(): number {
    return this.is64 ? 8 : 4
  }

  /** The entry of the whole unit. */
  get root(): Entry {
    if (this.rootEntry === null) {
      this.rootEntry = this.entryOrEnd(this.first)
      if (this.rootEntry === null) this.cursor.damaged("a unit is empty")
    }
    return this.rootEntry
  }

  /** The address that offsets in the unit's lists count from. */
  get lowAddress(): bigint {
    return this.root.address(Attribute.low_pc) ?? 0n
  }

  /** Where the unit's part of a table begins: one of the attributes that end in `_base`. */
  base(attribute: number): number {
    return this.root.place(attribute)?.value ?? 0
  }

  addressNumber(index: number): bigint {
    return this.info.reader(".debug_addr", this.base(Attribute.addr_base) + 8 * index).u64()
  }

  /** The entry at an offset of .debug_info, or null where a row of children ends. */
  entryOrEnd(offset: number): Entry | null {
    if (!(offset >= this.first && offset < this.end)) this.cursor.damaged(`an entry at ${offset} is not in its unit`)
    this.cursor.at = offset
    const code = this.cursor.uleb()
    if (code === 0) return null
    this.abbreviationTable ??= this.info.abbreviations(this.abbreviationsAt)
    const abbreviation = this.abbreviationTable.get(code)
    if (abbreviation === undefined) this.cursor.damaged(`there is no abbreviation ${code}`)
    return new Entry(this, offset, abbreviation)
  }

  /** Moves the cursor past a value of that form. */
  skipForm(form: number): void {
    const { cursor, is64, offsetSize } = this
    switch (form) {
      case Form.flag_present:
      case Form.implicit_const:
        return
      case Form.data1:
      case Form.ref1:
      case Form.flag:
      case Form.strx1:
      case Form.addrx1:
        cursor.skip(1)
        return
      case Form.data2:
      case Form.ref2:
      case Form.strx2:
      case Form.addrx2:
        cursor.skip(2)
        return
      case Form.strx3:
      case Form.addrx3:
        cursor.skip(3)
        return
      case Form.data4:
      case Form.ref4:
      case Form.strx4:
      case Form.addrx4:
      case Form.ref_sup4:
        cursor.skip(4)
        return
      case Form.addr:
      case Form.data8:
      case Form.ref8:
      case Form.ref_sig8:
      case Form.ref_sup8:
        cursor.skip(8)
        return
      case Form.data16:
        cursor.skip(16)
        return
      case Form.strp:
      case Form.line_strp:
      case Form.sec_offset:
      case Form.strp_sup:
      case Form.GNU_ref_alt:
      case Form.GNU_strp_alt:
        cursor.skip(offsetSize)
        return
      case Form.ref_addr:
        cursor.skip(is64 || this.version === 2 ? 8 : 4)
        return
      case Form.sdata:
      case Form.udata:
      case Form.ref_udata:
      case Form.strx:
      case Form.addrx:
      case Form.loclistx:
      case Form.rnglistx:
      case Form.GNU_addr_index:
      case Form.GNU_str_index:
        cursor.uleb()
        return
      case Form.string:
        cursor.text()
        return
      case Form.block:
      case Form.exprloc:
        cursor.skip(cursor.uleb())
        return
      case Form.block1:
        cursor.skip(cursor.u8())
        return
      case Form.block2:
        cursor.skip(cursor.u16())
        return
      case Form.block4:
        cursor.skip(cursor.u32())
        return
      default:
        cursor.damaged(`the form ${form} is unknown`)
    }
  }
}

interface UnitHeader {
  readonly version: number
  readonly is64: boolean
  readonly abbreviationsAt: number
}

/** The most of .debug_info that is gone through for what has a name somewhere in it. */
const SEARCHED_BYTES_MAX = 16 << 20

/** All debug information of a program. */
export class DebugInfo {
  readonly elf: ElfFile
  /** Units in the order of .debug_info, with those that hold a type only. */
  readonly units: readonly Unit[]
  private readonly sections = new Map<string, SectionData>()
  private readonly abbreviationTables = new Map<number, ReadonlyMap<number, Abbreviation>>()
  /** Where in .debug_info the types lie that units name by signature. */
  private readonly types = new Map<bigint, number>()
  private addresses: AddressIndex<Unit> | null = null

  /** @throws DebugInfoDamaged where the units' headers contradict themselves. */
  constructor(elf: ElfFile) {
    this.elf = elf
    const units: Unit[] = []
    const reader = this.reader(".debug_info", 0)
    while (!reader.isAtEnd) {
      const offset = reader.at
      const { length, is64 } = reader.unitLength()
      const body = reader.part(length)
      const version = body.u16()
      if (version < 2 || version > 5) continue
      const kind = version >= 5 ? body.u8() : 0
      const firstAddressSize = version >= 5 ? body.u8() : 0
      const abbreviationsAt = body.offset(is64)
      const addressSize = version >= 5 ? firstAddressSize : body.u8()
      if (addressSize !== 8 || kind === UT_SKELETON || kind === UT_SPLIT_COMPILE || kind === UT_SPLIT_TYPE) continue
      if (kind === UT_TYPE) this.types.set(body.u64(), offset + body.offset(is64))
      units.push(new Unit(this, offset, { version, is64, abbreviationsAt }, body))
    }
    this.units = units
  }

  /** The units to go through for a name: none where that takes long, as in a kernel. */
  get searchedUnits(): readonly Unit[] {
    return this.elf.section(".debug_info").bytes.length > SEARCHED_BYTES_MAX ? [] : this.units
  }

  /** A reader of a section that stands at `offset`. */
  reader(section: string, offset: number): ByteReader {
    let data = this.sections.get(section)
    if (data === undefined) {
      data = this.elf.section(section)
      this.sections.set(section, data)
    }
    return new ByteReader(data.bytes, section, offset)
  }

  /** The entry that begins at an offset of .debug_info; null if it lies in a unit that was left out. */
  entryAt(offset: number): Entry | null {
    let low = 0
    let high = this.units.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.units[middle]!.offset <= offset) low = middle + 1
      else high = middle
    }
    const unit = this.units[low - 1]
    return unit !== undefined && offset < unit.end ? unit.entryOrEnd(offset) : null
  }

  /** Where in .debug_info the type with that signature lies. */
  typePlace(signature: bigint): number | null {
    return this.types.get(signature) ?? null
  }

  /** The unit whose code lies at an address, or null. */
  unitAt(address: bigint): Unit | null {
    this.addresses ??= new AddressIndex(this.units.flatMap(unit => codeOf(unit).map(range => [range, unit] as const)))
    return this.addresses.at(address)
  }

  abbreviations(offset: number): ReadonlyMap<number, Abbreviation> {
    const known = this.abbreviationTables.get(offset)
    if (known !== undefined) return known
    const table = new Map<number, Abbreviation>()
    const reader = this.reader(".debug_abbrev", offset)
    for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
      const tag = reader.uleb()
      const hasChildren = reader.u8() !== 0
      const attributes: number[] = []
      const forms: number[] = []
      const constants: bigint[] = []
      for (;;) {
        const attribute = reader.uleb()
        const form = reader.uleb()
        const constant = form === Form.implicit_const ? reader.sleb64() : 0n
        if (attribute === 0 && form === 0) break
        attributes.push(attribute)
        forms.push(form)
        constants.push(constant)
      }
      table.set(code, { tag, hasChildren, attributes, forms, constants })
    }
    this.abbreviationTables.set(offset, table)
    return table
  }
}

/** Where a unit's code lies: as it says itself, else where its functions are. */
function codeOf({ root }: Unit): AddressRange[] {
  const own = rangesOf(root)
  if (own.length > 0) return own
  return [...root.children()].flatMap(entry => (entry.tag === Tag.subprogram ? rangesOf(entry) : []))
}
