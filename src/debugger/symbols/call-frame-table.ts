/**
 * Call frame information: for every instruction, where the caller's registers are.
 *
 * Specification: DWARF 5, section 6.4 (.debug_frame); Linux Standard Base Core 5.0, section 10.6 (.eh_frame).
 */
import { AddressIndex, type AddressRange } from "./address-index.ts"
import { ByteReader } from "./byte-reader.ts"
import type { ElfFile } from "./elf-file.ts"

/** How to find a value of the caller. A register without a rule has kept its value. */
export type Rule =
  | { readonly kind: "undefined" }
  | { readonly kind: "same" }
  /** In memory so many bytes from the canonical frame address; or that address itself, so far on. */
  | { readonly kind: "saved"; readonly offset: number }
  | { readonly kind: "value"; readonly offset: number }
  | { readonly kind: "register"; readonly number: number }
  /** At the address an expression gives, or the value of it. */
  | { readonly kind: "saved-at"; readonly expression: Uint8Array }
  | { readonly kind: "value-of"; readonly expression: Uint8Array }

export type CfaRule =
  | { readonly kind: "register"; readonly number: number; readonly offset: number }
  | { readonly kind: "expression"; readonly expression: Uint8Array }

export interface FrameRow {
  readonly cfa: CfaRule
  readonly rules: ReadonlyMap<number, Rule>
  /** The register whose value in the caller is the address returned to. */
  readonly returnRegister: number
  /** True if a signal or trap, not a call, made the frame: then the address returned to is that of the next instruction. */
  readonly isSignalFrame: boolean
}

/** What several functions have in common (CIE). */
interface Common {
  readonly codeAlignment: number
  readonly dataAlignment: number
  readonly returnRegister: number
  /** How addresses are written (DW_EH_PE); 0 as they are. */
  readonly addressEncoding: number
  readonly hasAugmentation: boolean
  readonly isSignalFrame: boolean
  readonly instructions: ByteReader
}

/** One function (FDE). */
interface Description extends AddressRange {
  readonly common: Common
  readonly instructions: ByteReader
}

interface State {
  cfa: CfaRule
  rules: Map<number, Rule>
}

const OMITTED = 0xff

export class CallFrameTable {
  private readonly descriptions: AddressIndex<Description>

  /** @throws DebugInfoDamaged where the tables contradict themselves. */
  constructor(elf: ElfFile) {
    const all = [...readTable(elf, ".eh_frame"), ...readTable(elf, ".debug_frame")]
    const there = all.filter(({ start }) => elf.sectionAt(start) !== null)
    this.descriptions = new AddressIndex(there.map(description => [description, description]))
  }

  /**
   * The rules that hold before the instruction at an address of the file, or null if there are none for it.
   * @throws DebugInfoDamaged where they contradict themselves.
   */
  rowAt(address: bigint): FrameRow | null {
    const description = this.descriptions.at(address)
    if (description === null) return null
    const { common } = description
    const state: State = { cfa: { kind: "register", number: 2, offset: 0 }, rules: new Map() }
    run(common.instructions, common, state, state, description.start, null)
    const initial = { cfa: state.cfa, rules: new Map(state.rules) }
    run(description.instructions, common, state, initial, description.start, address)
    const { returnRegister, isSignalFrame } = common
    return { cfa: state.cfa, rules: state.rules, returnRegister, isSignalFrame }
  }
}

function* readTable(elf: ElfFile, section: ".eh_frame" | ".debug_frame"): Generator<Description> {
  const { bytes, address } = elf.section(section)
  const isEh = section === ".eh_frame"
  const commons = new Map<number, Common>()
  const commonAt = (offset: number): Common => {
    const known = commons.get(offset)
    if (known !== undefined) return known
    const reader = new ByteReader(bytes, section, offset)
    const { length, is64 } = reader.unitLength()
    const body = reader.part(length)
    body.offset(is64 && !isEh)
    const common = readCommon(body, isEh, address)
    commons.set(offset, common)
    return common
  }
  const reader = new ByteReader(bytes, section)
  while (!reader.isAtEnd) {
    const { length, is64 } = reader.unitLength()
    if (length === 0) continue
    const body = reader.part(length)
    const at = body.at
    const id = body.offset(is64 && !isEh)
    const isCommon = isEh ? id === 0 : id === (is64 ? Number(0xffff_ffff_ffff_ffffn) : 0xffff_ffff)
    if (isCommon) continue
    const common = commonAt(isEh ? at - id : id)
    const start = readAddress(body, common.addressEncoding, address)
    const size = readAddress(body, common.addressEncoding & 0x0f, address)
    if (common.hasAugmentation) body.skip(body.uleb())
    if (start === null || size === null) continue
    yield { start, end: start + size, common, instructions: body }
  }
}

/** `address` is that of the section. */
function readCommon(reader: ByteReader, isEh: boolean, address: bigint): Common {
  const version = reader.u8()
  const augmentation = reader.text()
  if (augmentation !== "" && !augmentation.startsWith("z")) reader.damaged(`it has the unknown form "${augmentation}"`)
  if (!isEh && version >= 4) reader.skip(2)
  const codeAlignment = reader.uleb()
  const dataAlignment = reader.sleb()
  const returnRegister = version === 1 ? reader.u8() : reader.uleb()
  let addressEncoding = 0
  const hasAugmentation = augmentation !== ""
  if (hasAugmentation) {
    const data = reader.part(reader.uleb())
    for (const letter of augmentation.slice(1))
      if (letter === "R") addressEncoding = data.u8()
      else if (letter === "L") data.u8()
      else if (letter === "P") readAddress(data, data.u8(), address)
      else if (letter !== "S") break
  }
  return {
    codeAlignment,
    dataAlignment,
    returnRegister,
    addressEncoding,
    hasAugmentation,
    isSignalFrame: augmentation.includes("S"),
    instructions: reader,
  }
}

/** An address in one of the encodings of .eh_frame (DW_EH_PE): a form, and what it counts from; null if that is not known. */
function readAddress(reader: ByteReader, encoding: number, section: bigint): bigint | null {
  if (encoding === OMITTED) return null
  const here = section + BigInt(reader.at)
  const value = readEncoded(reader, encoding & 0x0f)
  const isIndirect = (encoding & 0x80) !== 0
  switch (encoding & 0x70) {
    case 0x00:
      return isIndirect ? null : BigInt.asUintN(64, value)
    case 0x10:
      return isIndirect ? null : BigInt.asUintN(64, here + value)
    default:
      return null
  }
}

function readEncoded(reader: ByteReader, form: number): bigint {
  switch (form) {
    case 0x00:
    case 0x04:
      return reader.u64()
    case 0x01:
      return reader.uleb64()
    case 0x02:
      return reader.unsigned(2)
    case 0x03:
      return reader.unsigned(4)
    case 0x09:
      return reader.sleb64()
    case 0x0a:
      return BigInt.asIntN(16, reader.unsigned(2))
    case 0x0b:
      return BigInt.asIntN(32, reader.unsigned(4))
    case 0x0c:
      return BigInt.asIntN(64, reader.u64())
    default:
      return reader.damaged(`an address has the unknown form ${form}`)
  }
}

/** Runs instructions (DW_CFA) up to the one that holds for `address` no more; all of them if it is null. */
function run(
  instructions: ByteReader,
  common: Common,
  state: State,
  initial: State,
  start: bigint,
  address: bigint | null,
): void {
  const reader = new ByteReader(instructions.data, instructions.section, instructions.at, instructions.end)
  const { codeAlignment, dataAlignment } = common
  const remembered: State[] = []
  let location = start
  const advance = (steps: number) => {
    location += BigInt(steps) * BigInt(codeAlignment)
  }
  const set = (register: number, rule: Rule) => state.rules.set(register, rule)
  const saved = (register: number, factored: number) =>
    set(register, { kind: "saved", offset: factored * dataAlignment })
  const restore = (register: number) => {
    const rule = initial.rules.get(register)
    if (rule === undefined) state.rules.delete(register)
    else set(register, rule)
  }
  const cfaRegister = () => (state.cfa.kind === "register" ? state.cfa : reader.damaged("a frame has no register"))
  const expression = () => reader.bytes(reader.uleb())
  while (!reader.isAtEnd && (address === null || location <= address)) {
    const code = reader.u8()
    const low = code & 0x3f
    switch (code >= 0x40 ? code & 0xc0 : code) {
      case 0x40:
        advance(low)
        break
      case 0x80:
        saved(low, reader.uleb())
        break
      case 0xc0:
        restore(low)
        break
      case 0x00:
        break
      case 0x01:
        location = readAddress(reader, common.addressEncoding, 0n) ?? location
        break
      case 0x02:
        advance(reader.u8())
        break
      case 0x03:
        advance(reader.u16())
        break
      case 0x04:
        advance(reader.u32())
        break
      case 0x05:
        saved(reader.uleb(), reader.uleb())
        break
      case 0x06:
        restore(reader.uleb())
        break
      case 0x07:
        set(reader.uleb(), { kind: "undefined" })
        break
      case 0x08:
        set(reader.uleb(), { kind: "same" })
        break
      case 0x09:
        set(reader.uleb(), { kind: "register", number: reader.uleb() })
        break
      case 0x0a:
        remembered.push({ cfa: state.cfa, rules: new Map(state.rules) })
        break
      case 0x0b: {
        const { cfa, rules } = remembered.pop() ?? reader.damaged("it goes back to rules it did not keep")
        state.cfa = cfa
        state.rules = rules
        break
      }
      case 0x0c:
        state.cfa = { kind: "register", number: reader.uleb(), offset: reader.uleb() }
        break
      case 0x0d:
        state.cfa = { kind: "register", number: reader.uleb(), offset: cfaRegister().offset }
        break
      case 0x0e:
        state.cfa = { kind: "register", number: cfaRegister().number, offset: reader.uleb() }
        break
      case 0x0f:
        state.cfa = { kind: "expression", expression: expression() }
        break
      case 0x10:
        set(reader.uleb(), { kind: "saved-at", expression: expression() })
        break
      case 0x11:
        saved(reader.uleb(), reader.sleb())
        break
      case 0x12:
        state.cfa = { kind: "register", number: reader.uleb(), offset: reader.sleb() * dataAlignment }
        break
      case 0x13:
        state.cfa = { kind: "register", number: cfaRegister().number, offset: reader.sleb() * dataAlignment }
        break
      case 0x14:
        set(reader.uleb(), { kind: "value", offset: reader.uleb() * dataAlignment })
        break
      case 0x15:
        set(reader.uleb(), { kind: "value", offset: reader.sleb() * dataAlignment })
        break
      case 0x16:
        set(reader.uleb(), { kind: "value-of", expression: expression() })
        break
      case 0x2e:
        reader.uleb()
        break
      case 0x2f:
        saved(reader.uleb(), -reader.uleb())
        break
      default:
        reader.damaged(`the instruction ${code} is unknown`)
    }
  }
}
